"""`logging.basicConfig` with native handlers, and formats and rotation by name.

Everything that can be refused is refused before a file is opened or a handler taken away.

Pinned by ``tests/python/test_basic_config.py`` and ``test_config.py``.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from logboom import _terminal
from logboom._config import configure
from logboom._handlers import FileHandler, StreamHandler
from logboom._loggers import install
from logboom._options import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from os import PathLike

    from typing_extensions import TypedDict, Unpack

    class _Rotation(TypedDict, total=False):
        max_bytes: int | None
        backup_count: int | None
        when: str | None
        interval: int
        utc: bool
        shared: bool
        max_total_bytes: int | None
        max_age: float | None
        compress: str | None

    MakeFormatter = Callable[[logging.Handler], logging.Formatter]


# As of the import: programs put ours in its place, `logging.basicConfig = logboom.basicConfig`.
_library_basic_config = logging.basicConfig

_NAMES = ("console", "json", "logfmt", "standard", "auto")
# What a format of a style has at least once.
_MARKS = {"%": "%", "{": "{", "$": "$"}
_ROTATION = (
    *("max_bytes", "backup_count", "when", "interval", "utc"),
    *("shared", "max_total_bytes", "max_age", "compress"),
)
_BACKUPS = 5
_WHEN = re.compile("[SMHD]|MIDNIGHT|W[0-6]", re.IGNORECASE)


def basicConfig(
    *,
    filename: str | PathLike[str] | None = None,
    filemode: str = "a",
    format: str | None = None,  # noqa: A002 - the standard signature
    datefmt: str | None = None,
    style: str = "%",
    level: int | str | None = None,
    stream: Any = None,
    handlers: Iterable[logging.Handler] | None = None,
    force: bool = False,
    encoding: str | None = None,
    errors: str | None = "backslashreplace",
    durable: str | PathLike[str] | bool | None = None,
    **more: Unpack[_Rotation],
) -> None:
    """`logging.basicConfig` with native handlers, after `install()`.

    The arguments are the standard ones (CPython ``Doc/library/logging.rst``), and ``durable`` as for
    `configure`, default as it is. Does nothing if the root logger has handlers, unless ``force``.

    ``format``: a format string of ``style``, with which all is as in the standard library, or a name:

    - ``"console"``: `ConsoleFormatter`; ``datefmt`` is given to it.
    - ``"json"``, ``"logfmt"``: `JsonFormatter`, `LogfmtFormatter`.
    - ``"standard"``: what the standard library takes by default.
    - ``"auto"``: ``LOGBOOM_FORMAT`` in the environment, which is one of these names, or else
      ``"console"`` where lines go to a terminal, and ``"json"`` where not.

    Default: ``"auto"``; but ``"standard"`` where ``datefmt`` or ``style`` is given, where this function
    was put in the place of `logging.basicConfig`, and for a handler in ``handlers`` that is of neither
    the standard library nor logboom, or writes to no stream.

    A file rotates, as `RotatingFileHandler` and `TimedRotatingFileHandler` say: ``max_bytes``: below
    this size; ``when`` (and ``interval``, ``utc``): at certain times. ``backup_count``: how many old
    files stay; default 5 with ``max_bytes``, and all with ``when``. ``shared``, ``max_total_bytes``,
    ``max_age``, ``compress``: as there.

    ``LOGBOOM_LEVEL`` and ``LOGBOOM_LEVEL_FILE`` in the environment count more than ``level``, see
    `install`.

    Raises what the standard one raises, and `ConfigError` (a `ValueError`) for a name or a rotation that
    there is not, before anything is changed.
    """
    if logging.root.handlers and not force:
        install()
        return
    given = [(name, value) for name, value in more.items() if value is not None]
    rotation = {name: value for name, value in given if value is not False}
    _check_arguments(filename, stream, handlers, [name for name in more if name not in _ROTATION])
    if style not in logging._STYLES:
        raise ValueError("Style must be one of: {}".format(",".join(logging._STYLES)))
    make_formatter = _choose(format, datefmt, style)
    if level is not None:
        level = logging._checkLevel(level)  # type: ignore[attr-defined]
    if handlers is not None:
        made = list(handlers)
        _check_rotation(rotation, filename)
    elif filename is not None:
        text = "b" not in filemode
        its = {"encoding": encoding if text else None, "errors": errors if text else None}
        made = [_file_handler(filename, filemode, its, rotation)]
    else:
        _check_rotation(rotation, filename)
        made = [StreamHandler(stream)]
    for handler in made:
        if handler.formatter is None:
            handler.setFormatter(make_formatter(handler))
    if durable is not None:
        # Before there are handlers: what was left behind comes first.
        configure(durable=durable)
    install()
    _library_basic_config(handlers=made, level=level, force=force)


def _check_arguments(
    filename: object, stream: object, handlers: object, unknown: list[str]
) -> None:
    """Raise what the standard function raises for arguments that do not go together."""
    if handlers is None:
        if filename is not None and stream is not None:
            raise ValueError("'stream' and 'filename' should not be specified together")
    elif stream is not None or filename is not None:
        raise ValueError("'stream' or 'filename' should not be specified together with 'handlers'")
    if unknown:
        raise ValueError(f"Unrecognised argument(s): {', '.join(unknown)}")


def _choose(given: str | None, datefmt: str | None, style: str) -> MakeFormatter:
    """What makes the formatter of a handler; all that can be refused is refused here."""
    if given is None:
        plain = datefmt is not None or style != "%" or logging.basicConfig is basicConfig
        given = "standard" if plain else "auto"
    if given not in _NAMES:
        if isinstance(given, str) and given and _MARKS[style] not in given:
            names = ", ".join(map(repr, _NAMES))
            raise invalid("format", given, f"one of {names} or a format of `style`")
        pattern = logging.Formatter(given or logging._STYLES[style][1], datefmt, style)  # type: ignore[arg-type]
        return lambda _: pattern
    standard = logging.Formatter(logging._STYLES[style][1], datefmt, style)  # type: ignore[arg-type]
    if given == "standard":
        return lambda _: standard
    chosen = given if given != "auto" else _in_environment()
    known: dict[str, logging.Formatter] = {"standard": standard}
    if chosen not in {"auto", "standard"}:
        # Refused now, if at all.
        known[chosen] = _named(chosen, datefmt, None)

    def make(handler: logging.Handler) -> logging.Formatter:
        if given == "auto" and not _writes_lines(handler):
            return standard
        stream = getattr(handler, "stream", None)
        name = chosen if chosen != "auto" else _suits(stream)
        if name == "console" and not isinstance(handler, StreamHandler):
            return _named(name, datefmt, stream)
        if name not in known:
            known[name] = _named(name, datefmt, None)
        return known[name]

    return make


def _suits(stream: object) -> str:
    return "console" if _terminal.is_terminal(stream) else "json"


def name_for(stream: object) -> str:
    """Give the name that ``format="auto"`` stands for where lines go to this stream."""
    chosen = _in_environment()
    return chosen if chosen != "auto" else _suits(stream)


def formatter_for(handler: logging.Handler) -> logging.Formatter:
    """Make what ``format="auto"`` stands for: what suits the place that a handler writes to."""
    return _choose("auto", None, "%")(handler)


def _named(name: str, datefmt: str | None, stream: object) -> logging.Formatter:
    # At need: most programs have one, and many none.
    from logboom import _formatters

    if name == "console":
        return _formatters.ConsoleFormatter(datefmt=datefmt, stream=stream)
    # A date format is refused there, with its own words.
    options: dict[str, Any] = {"datefmt": datefmt}
    made = _formatters.JsonFormatter if name == "json" else _formatters.LogfmtFormatter
    return made(**options)


def _writes_lines(handler: logging.Handler) -> bool:
    """Whether it is one that writes lines to a stream and does nothing else with them."""
    module = type(handler).__module__
    known = module in {"logging", "logging.handlers"} or module.startswith("logboom.")
    return known and isinstance(handler, logging.StreamHandler)


def _in_environment() -> str:
    given = os.environ.get("LOGBOOM_FORMAT", "").strip().lower() or "auto"
    if given in _NAMES:
        return given
    # An environment that is wrong must not keep every program from starting.
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            names = ", ".join(_NAMES)
            text = f"LOGBOOM_FORMAT has no effect: got {given[:40]!a}, expected one of {names}"
            sys.stderr.write(f"logboom: {text}\n")
    return "auto"


def _check_rotation(rotation: dict[str, Any], filename: object) -> None:
    if rotation and filename is None:
        name = next(iter(rotation))
        raise invalid(name, rotation[name], "`filename` with it")
    by_size, by_time = "max_bytes" in rotation, "when" in rotation
    if by_size and by_time:
        raise invalid("when", rotation["when"], "either `max_bytes` or `when`")
    if rotation and not by_size and not by_time:
        name = next(iter(rotation))
        raise invalid(name, rotation[name], "`max_bytes` or `when` with it")
    for name in ("interval", "utc"):
        if by_size and name in rotation:
            raise invalid(name, rotation[name], "`when` with it")
    if by_time and not (isinstance(rotation["when"], str) and _WHEN.fullmatch(rotation["when"])):
        expected = "one of 'S', 'M', 'H', 'D', 'midnight' and 'W0' to 'W6'"
        raise invalid("when", rotation["when"], expected)
    for name, least in (("max_bytes", 1), ("backup_count", 1 if by_size else 0), ("interval", 1)):
        number = rotation.get(name, least)
        if isinstance(number, bool) or not isinstance(number, int) or number < least:
            raise invalid(name, number, f"{least} or more")


def _file_handler(
    filename: str | PathLike[str], mode: str, its: dict[str, Any], rotation: dict[str, Any]
) -> logging.Handler:
    _check_rotation(rotation, filename)
    if not rotation:
        return FileHandler(filename, mode, **its)
    from logboom import _rotating

    options = {name: value for name, value in rotation.items() if name in _ROTATION[5:]}
    backups = rotation.get("backup_count")
    if "max_bytes" in rotation:
        return _rotating.RotatingFileHandler(
            filename,
            mode,
            rotation["max_bytes"],
            _BACKUPS if backups is None else backups,
            **its,
            **options,
        )
    if mode != "a":
        raise invalid("filemode", mode, "'a' with `when`")
    return _rotating.TimedRotatingFileHandler(
        filename,
        rotation["when"],
        rotation.get("interval", 1),
        backups or 0,
        utc=rotation.get("utc", False),
        **its,
        **options,
    )
