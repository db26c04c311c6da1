"""Structured lines: `JsonFormatter` and `LogfmtFormatter`, for any handler.

What stands in a line is decided by the engine's own formatter; here are the options and the
`logging.Formatter` around it. Everything runs on the thread that calls ``format``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from logboom._logboom import ConfigError, StructuredCore

if TYPE_CHECKING:
    from collections.abc import Callable

_PRECISIONS = ("s", "ms", "us", "ns")
_PRESETS = ("ecs", "gcp", "datadog", "otel")


def _invalid(option: str, got: object, expected: str) -> ConfigError:
    return ConfigError(f"invalid `{option}`: got {got!r}, expected {expected}")


def _names(option: str, given: object) -> list[str]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise _invalid(option, given, "a sequence of names")
    names = list(given)
    for name in names:
        if not isinstance(name, str):
            raise _invalid(option, name, "a name, as str")
    return names


def _pairs(option: str, given: object) -> list[tuple[str, Any]]:
    if given is None:
        return []
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise _invalid(option, given, "a mapping with keys of str")
    return list(given.items())


class _StructuredFormatter(logging.Formatter):
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
                raise _invalid(option, given, "None; `keys` chooses what stands in a line")
        if preset is not None and preset not in _PRESETS:
            raise _invalid("preset", preset, f"one of {', '.join(_PRESETS)}")
        if precision not in _PRECISIONS:
            raise _invalid("precision", precision, f"one of {', '.join(_PRECISIONS)}")
        if default is not None and not callable(default):
            raise _invalid("default", default, "a callable with one argument")
        renamed = _pairs("rename", rename)
        for _, key in renamed:
            if not isinstance(key, str):
                raise _invalid("rename", key, "a key, as str")
        logging.Formatter.__init__(self)
        self._core = StructuredCore(
            self._notation,
            preset,
            None if keys is None else _names("keys", keys),
            renamed,
            _names("drop", drop),
            _pairs("static", static),
            precision,
            default,
        )

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record, without its end. Sets ``message`` and ``exc_text`` as the library does.

        Raises what ``getMessage`` raises.
        """
        record.message = record.getMessage()
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        stack = self.formatStack(record.stack_info) if record.stack_info else None
        return self._core.format(record.__dict__, record.exc_text, stack)


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
            raise _invalid("preset", options["preset"], "None; presets are for JSON")
        super().__init__(*args, **options)
