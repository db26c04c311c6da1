"""Lines of our own, for any handler: `JsonFormatter`, `LogfmtFormatter` and `ConsoleFormatter`.

What stands in a line is decided by the engine's own formatter; here are the options and the
`logging.Formatter` around it. Everything runs on the thread that calls ``format``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from logboom import _terminal
from logboom._logboom import StructuredCore
from logboom._options import invalid, names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PRECISIONS = ("s", "ms", "us", "ns")
_PRESETS = ("ecs", "gcp", "datadog", "otel")


def _pairs(option: str, given: object) -> list[tuple[str, Any]]:
    if given is None:
        return []
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise invalid(option, given, "a mapping with keys of str")
    return list(given.items())


class NativeFormatter(logging.Formatter):
    """What the formatters here have in common: lines that show the fields of a record."""

    _core: StructuredCore

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record, without its end. Sets ``message`` and ``exc_text`` as the library does.

        Raises what ``getMessage`` raises.
        """
        record.message = record.getMessage()
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        stack = self.formatStack(record.stack_info) if record.stack_info else None
        writing = _terminal.writing
        place = writing.place if writing.record is record else None
        return self._core.format(record.__dict__, record.exc_text, stack, place)


class _StructuredFormatter(NativeFormatter):
    _notation: ClassVar[str]

    def __init__(
        self,
        fmt: None = None,
        datefmt: None = None,
        style: str = "%",
        validate: bool = True,
        *,
        keys: Iterable[str] | None = None,
        rename: Mapping[str, str] | None = None,
        drop: Iterable[str] = (),
        static: Mapping[str, Any] | None = None,
        precision: str = "us",
        default: Callable[[Any], Any] | None = None,
        preset: str | None = None,
    ) -> None:
        # The first four are what `logging.config` gives every formatter.
        del style, validate
        for option, given in (("fmt", fmt), ("datefmt", datefmt)):
            if given is not None:
                raise invalid(option, given, "None; `keys` chooses what stands in a line")
        if preset is not None and preset not in _PRESETS:
            raise invalid("preset", preset, f"one of {', '.join(_PRESETS)}")
        if precision not in _PRECISIONS:
            raise invalid("precision", precision, f"one of {', '.join(_PRECISIONS)}")
        if default is not None and not callable(default):
            raise invalid("default", default, "a callable with one argument")
        renamed = _pairs("rename", rename)
        for _, key in renamed:
            if not isinstance(key, str):
                raise invalid("rename", key, "a key, as str")
        logging.Formatter.__init__(self)
        self._core = StructuredCore(
            self._notation,
            preset,
            None if keys is None else names("keys", keys),
            renamed,
            names("drop", drop),
            _pairs("static", static),
            precision,
            default,
        )


class JsonFormatter(_StructuredFormatter):
    """One JSON object a line: ``{"timestamp": …, "level": …, "logger": …, "message": …, …}``.

    ``keys``: what stands in a line, in order, by the names of a LogRecord's attributes and
    ``timestamp``, ``static``, ``fields``, ``exc_type``, ``exc_message``; default: the preset's.
    ``rename``: other keys, for a name of ``keys`` or a field. ``drop``: what is left out. ``static``:
    fields that every line has. ``precision`` of times, in UTC: ``"s"``, ``"ms"``, ``"us"`` (default)
    or ``"ns"``; a LogRecord tells microseconds. ``preset``: ``"ecs"``, ``"gcp"``, ``"datadog"`` or
    ``"otel"``. ``default``: called for a value of no builtin type, on the thread that logs; without
    it, its ``str`` is taken.

    Fields are the attributes of a record that the library did not put there. Lists, tuples and dicts
    are JSON, up to 16 levels and 10,000 items. ``NaN`` and infinities, and integers beyond 64 bits,
    are strings; lone surrogates are shown as ``backslashreplace`` does. A field under one of the
    formatter's own keys gets ``_`` behind it.

    Raises `ConfigError` for options that are not as described.
    """

    _notation = "json"


class LogfmtFormatter(_StructuredFormatter):
    """``key=value`` pairs on a line; options as for `JsonFormatter`, without ``preset``.

    A value stands in double quotes, with the escapes of JSON, where it is empty or has a space, a
    quote, ``=``, a backslash or a control character. Such characters in keys become ``_``.
    """

    _notation = "logfmt"

    def __init__(self, *args: Any, **options: Any) -> None:
        if options.get("preset") is not None:
            raise invalid("preset", options["preset"], "None; presets are for JSON")
        super().__init__(*args, **options)


# How the paths of the standard library begin; what is installed lies below it, and is told first.
_STDLIB = os.path.dirname(os.__file__) + os.sep
_WIDEST = 65_535


def _columns(option: str, given: object, least: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= _WIDEST:
        raise invalid(option, given, f"{least} to {_WIDEST} columns")
    return given


class ConsoleFormatter(NativeFormatter):
    r"""Lines for people: time, level, logger, message, then the fields as ``key=value``.

    ``datefmt``: for `time.strftime`, without names that depend on the locale; default
    ``%Y-%m-%d %H:%M:%S`` and milliseconds. ``utc``: in UTC; default `False`, in local time.
    ``colors``: `True`, `False`, or default `None`: by ``NO_COLOR``, ``FORCE_COLOR``,
    ``CLICOLOR_FORCE``, ``TERM=dumb`` and ``CLICOLOR=0`` in the environment, in this order, and else
    where lines go to a terminal. A handler of logboom knows where they go; for another one, ``stream``
    says it: `sys.stdout` or `sys.stderr`; default `None`, to no terminal.
    ``width``: how many columns a line may take before its fields get lines of their own, 1 to 65,535;
    default ``COLUMNS`` in the environment, or else the terminal's, which the writer asks at most once
    a second; 0: without limit, as where there is no terminal.
    ``traceback``: ``"short"`` (default): frames of the standard library and of installed packages are
    folded into their number, except the one that raised; ``own``: packages that are the program's own,
    though they are installed, by name; default none. ``"full"``: as the library shows it. Never the
    values of variables. ``logger_width``: how many columns the logger's name takes at least, 0 to
    65,535; default 16. ``drop``: fields that are left out.

    Messages of several lines go on behind ``  | ``; tracebacks and fields on their own lines are
    indented; control characters and direction marks are shown as ``\x1b`` or ``\u202e``. So no message
    looks like another record, or drives a terminal. Fields are written as by `LogfmtFormatter`.

    The writer's thread makes the text, the short traceback too. Raises `ConfigError` for options that
    are not as described.
    """

    def __init__(
        self,
        fmt: None = None,
        datefmt: str | None = None,
        style: str = "%",
        validate: bool = True,
        *,
        utc: bool = False,
        colors: bool | None = None,
        stream: Any = None,
        width: int | None = None,
        traceback: str = "short",
        own: Iterable[str] = (),
        logger_width: int = 16,
        drop: Iterable[str] = (),
    ) -> None:
        del style, validate
        if fmt is not None:
            raise invalid("fmt", fmt, "None; the order of a line is fixed")
        if datefmt is not None and not isinstance(datefmt, str):
            raise invalid("datefmt", datefmt, "a format for dates, as str")
        if colors is not None and not isinstance(colors, bool):
            raise invalid("colors", colors, "True, False or None")
        if traceback not in {"short", "full"}:
            raise invalid("traceback", traceback, "'short' or 'full'")
        if width is None:
            width = _terminal.columns_in_environment()
        if colors is None:
            colors = _terminal.colors_in_environment()
        place = None if stream is None else _terminal.standard_name(stream)
        if stream is not None and colors is None and place is None:
            colors = _terminal.is_terminal(stream)
        if colors is not False:
            _terminal.enable_colors()
        logging.Formatter.__init__(self)
        self._core = StructuredCore.console(
            {
                "colors": colors,
                "place": place,
                "width": None if width is None else _columns("width", width, 0),
                "full_traceback": traceback == "full",
                "datefmt": datefmt,
                "utc": bool(utc),
                "logger_width": _columns("logger_width", logger_width, 0),
                "drop": names("drop", drop),
                "library": [_STDLIB],
                "own": names("own", own),
            }
        )
