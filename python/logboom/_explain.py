"""Which way the records of a logger take, and why: `explain`.

Whether a way is native is asked of the code that decides it at each call (``_logboom.way_obstacle``
and its kin); what is found out here is only how to say why.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from logboom import _handlers, _holds, _logboom
from logboom._loggers import installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

_HIGHEST = 2**31 - 1
# Whose methods are on the way of a record where nobody replaced them.
_KNOWN_MODULES = (
    *("logging", "logging.handlers"),
    *("logboom._handlers", "logboom._moving", "logboom._rotating"),
)

# By the words of `crates/logboom-py/src/logger/obstacle.rs`.
_TEXTS = {
    "logger class": "it has a method on the way that somebody overrode or replaced",
    "logger own": "a method was set on the logger itself",
    "logger filters": "it has filters, which get a LogRecord",
    "logger attribute": "an attribute of it is not of the type that the library gives it",
    "no handler": "no handler is found: the library's last resort, or nobody, gets the record",
    "depth": "its parents are more than are followed natively",
    "handler class": "it has a method that somebody overrode or replaced",
    "handler own": "a method, or the terminator, was set on the handler itself",
    "handler filters": "it has filters, which get a LogRecord",
    "handler attribute": "an attribute of it is not of the type that the library gives it",
    "no route": "its stream does not lead to a file, as UTF-8",
    "formatter": "its formatter is one that only Python can run exactly",
    "field": "its format shows a field that is not bound here, or of a type that only Python can show",
    "too many handlers": "a record reaches more handlers than one can natively",
    "library": "a setting of the library was changed: the record factory, level names, `log...` "
    "flags, or the clock",
    "changing": "something on the way changes each time that it is looked at",
}

Way = Literal["native", "line", "library"]
_WAYS: dict[Way, str] = {
    "native": "native: formatted and written by the writer's thread",
    "line": "formatted by the library at the call, written by the writer's thread",
    "library": "the library's way, on the caller's thread",
}


@dataclass(frozen=True)
class HandlerWay:
    """What becomes of a record at one handler.

    ``way``: ``"native"``, ``"line"`` (the library formats at the call, the writer writes) or
    ``"library"`` (everything is done by the library's own code, on the caller's thread).
    ``reason``: why it is not native; empty where it is.
    """

    handler: str
    logger: str
    level: int
    way: Way
    reason: str


@dataclass(frozen=True)
class Explanation:
    """Which way the records of a logger take.

    ``level``: the effective level; ``level_from``: the logger that it is set on; ``held``: whether it is
    held there, by the environment or `logboom.levels`, whatever the program sets. ``enabled``: whether
    records of that level get through at all. ``native``: whether a record of any level takes the
    native way to all handlers; ``reasons``: why not. ``handlers``: those that its records reach, in
    order; one with a higher level is among them.
    """

    logger: str
    level: int
    level_from: str
    held: bool
    enabled: bool
    native: bool
    reasons: tuple[str, ...]
    handlers: tuple[HandlerWay, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as a dict of numbers, texts, lists and dicts, for machines."""
        return {**asdict(self), "reasons": list(self.reasons), "handlers": list(self._dicts())}

    def _dicts(self) -> Iterator[dict[str, Any]]:
        return (asdict(handler) for handler in self.handlers)

    def __str__(self) -> str:
        how = "held" if self.held else "set"
        level = f"{logging.getLevelName(self.level)} ({how} on {self.level_from!r})"
        state = "" if self.enabled else ", disabled"
        lines = [f"logger {self.logger!r}: level {level}{state}"]
        if self.native:
            lines.append("  records go natively: no LogRecord is made")
        else:
            lines.append("  a LogRecord is made for each record, by the library's own code:")
            lines += [f"  - {reason}" for reason in self.reasons]
        for one in self.handlers:
            at = f", from {logging.getLevelName(one.level)}" if one.level else ""
            lines.append(f"  {one.handler} on {one.logger!r}{at}: {_WAYS[one.way]}")
            if one.reason:
                lines.append(f"    because {one.reason}")
        if not self.handlers:
            lines.append("  no handlers")
        return "\n".join(lines)


def explain(
    logger: str | logging.Logger | None = None, *, file: TextIO | None = None
) -> Explanation:
    """Print which way a logger's records take, and why; return the same as an object.

    ``logger``: a logger or its name; default the root logger. A name that no logger has yet makes
    one, as ``getLogger`` does. ``file``: where to print; default standard output.

    Printed are the effective level, each handler that the records reach, and for each whether the
    way is native, with the reason where it is not. A handler of logboom that has no route yet and
    could have one gets it; nothing else changes, and nothing is logged.

    What a call brings along decides as well, and is not looked at here: a call with ``stack_info``, or
    with an ``extra`` that is no plain ``dict``, takes the library's way.
    """
    if not isinstance(logger, logging.Logger):
        logger = logging.getLogger(logger)
    explanation = _explain(logger)
    print(explanation, file=file)
    return explanation


def _explain(logger: logging.Logger) -> Explanation:
    reached = list(_reached(logger))
    for _, handler in reached:
        _open_route(handler)
    obstacles = [_logboom.handler_obstacle(handler) for _, handler in reached]
    reasons = _reasons(logger, reached, obstacles)
    native = not reasons
    ways = []
    for (owner, handler), obstacle in zip(reached, obstacles, strict=True):
        way, reason = _way(handler, obstacle, native)
        ways.append(HandlerWay(_name(handler), owner.name, handler.level, way, reason))
    level, level_from = logger.getEffectiveLevel(), _level_from(logger)
    return Explanation(
        logger=logger.name,
        level=level,
        level_from=level_from,
        held=_holds.is_held(level_from),
        enabled=logger.isEnabledFor(level),
        native=native,
        reasons=tuple(reasons),
        handlers=tuple(ways),
    )


def _reached(logger: logging.Logger) -> Iterator[tuple[logging.Logger, logging.Handler]]:
    """The handlers that `Logger.callHandlers` calls, each with the logger that it is on."""
    at: logging.Logger | None = logger
    while at is not None:
        for handler in at.handlers:
            yield at, handler
        at = at.parent if at.propagate else None


def _level_from(logger: logging.Logger) -> str:
    at: logging.Logger | None = logger
    while at is not None and not at.level:
        at = at.parent
    return (at or logging.root).name


def _reasons(
    logger: logging.Logger,
    reached: list[tuple[logging.Logger, logging.Handler]],
    obstacles: list[str | None],
) -> list[str]:
    """Why a record is not native, all over; nothing exactly if `way_obstacle` finds nothing."""
    first = _logboom.library_obstacle() or _logboom.way_obstacle(logger, _HIGHEST)
    if first is None:
        return []
    reasons = []
    if first == "library":
        reasons.append(_TEXTS[first])
    if installed():
        reasons += _reasons_of_loggers(logger)
    else:
        reasons.insert(0, "logboom.install() is not in effect")
    reasons += [
        f"the handler {_name(handler)}: {_handler_text(handler, obstacle)}"
        for (_, handler), obstacle in zip(reached, obstacles, strict=True)
        if obstacle is not None
    ]
    return list(dict.fromkeys(reasons)) or [_TEXTS[first]]


def _reasons_of_loggers(logger: logging.Logger) -> Iterator[str]:
    at: logging.Logger | None = logger
    while at is not None:
        obstacle = _logboom.logger_obstacle(at)
        # The library asks the filters of the first logger only.
        if obstacle is not None and (at is logger or obstacle != "logger filters"):
            yield f"the logger {at.name!r}: {_logger_text(at, obstacle)}"
        at = at.parent if at.propagate else None


def _logger_text(logger: logging.Logger, obstacle: str) -> str:
    if obstacle == "logger class" and type(logger) not in {logging.Logger, logging.RootLogger}:
        return f"its class {class_name(logger)} overrides a method on the way, or one was replaced"
    return _TEXTS[obstacle]


def _way(handler: logging.Handler, obstacle: str | None, native: bool) -> tuple[Way, str]:
    if obstacle is None:
        if native or isinstance(handler, logging.NullHandler):
            return "native", ""
        return "line", "a LogRecord is made, see above"
    text = _handler_text(handler, obstacle)
    ours = isinstance(handler, _handlers.StreamHandler) and handler._route is not None
    if ours and _hands_over(handler):
        return "line", text
    return "library", text


def _hands_over(handler: logging.Handler) -> bool:
    """Whether the `emit` that gives a record's line to the route is the one that is called."""
    names = _replaced(handler)
    return not any(f"`{name}`" in names or name in vars(handler) for name in ("handle", "emit"))


def _handler_text(handler: logging.Handler, obstacle: str) -> str:
    if obstacle == "handler class":
        if not isinstance(handler, _handlers.StreamHandler):
            return _foreign(handler)
        replaced = _replaced(handler)
        if replaced:
            return f"{class_name(handler)} has its own {replaced}"
    if obstacle == "formatter" and handler.formatter is not None:
        kind = type(handler.formatter)
        if kind is not logging.Formatter:
            return (
                f"its formatter is a {kind.__module__}.{kind.__qualname__}, which runs at the call"
            )
    if obstacle == "no route":
        return _streamless(handler)
    return _TEXTS[obstacle]


def _foreign(handler: logging.Handler) -> str:
    import logboom

    ours = getattr(logboom, type(handler).__name__, object)
    if type(handler).__module__ in _KNOWN_MODULES and issubclass(ours, _handlers.StreamHandler):
        return f"{class_name(handler)} is the library's; logboom.{ours.__name__} is native"
    return f"{class_name(handler)} gets a LogRecord at the call"


def _replaced(handler: logging.Handler) -> str:
    """The methods on the way of a record that neither the library nor we defined."""
    names = ("handle", "emit", "format", "filter", "acquire", "release", "flush")
    deciding: tuple[str, ...] = getattr(handler, "_deciding", ())
    modules = (sys.modules.get(name) for name in _KNOWN_MODULES)
    files = {module.__file__ for module in modules if module is not None}
    return ", ".join(
        f"`{name}`"
        for name in dict.fromkeys((*names, *deciding))
        if getattr(getattr(type(handler), name), "__code__", None) is None
        or getattr(type(handler), name).__code__.co_filename not in files
    )


def _streamless(handler: logging.Handler) -> str:
    stream = getattr(handler, "stream", None)
    if stream is None:
        return "its file is opened at the first record"
    if hasattr(handler, "_deciding"):
        return (
            "only the library's own code can do what its mode, encoding, namer or rotator asks for"
        )
    encoding = getattr(stream, "encoding", None)
    if isinstance(handler, logging.FileHandler) and encoding is not None:
        return f"its stream, {encoding}, is not one that it opened itself as UTF-8"
    return "its stream is not the real standard output or standard error"


def _open_route(handler: logging.Handler) -> None:
    if isinstance(handler, _handlers.StreamHandler) and handler.stream is not None:
        handler.acquire()
        try:
            handler._current_route()
        finally:
            handler.release()


def class_name(thing: object) -> str:
    kind = type(thing)
    return f"{kind.__module__}.{kind.__qualname__}"


def _name(handler: logging.Handler) -> str:
    """Its class, and where it leads where it has something to say about that."""
    place = getattr(handler, "baseFilename", None)
    if place is None:
        place = getattr(getattr(handler, "stream", None), "name", None)
    return f"{type(handler).__name__} {place}" if isinstance(place, str) else type(handler).__name__
