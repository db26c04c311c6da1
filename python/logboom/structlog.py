"""structlog over the standard library's loggers, natively: each call is one record with typed fields.

    import logboom, logboom.structlog, structlog

    logboom.basicConfig(level="INFO")
    logboom.structlog.configure()
    structlog.get_logger("shop").bind(user=7).info("bought", n=3)

becomes the record that ``logging.getLogger("shop").info("bought", extra={"user": 7, "n": 3})`` makes:
one level decides over both, both reach the same handlers, and both look alike in every format.

Invariants:

1. Every line is a record of the standard library's logger of that name, made by one call of a method
   of it. Levels, filters, handlers and factories of `logging` apply to it as to any other.
2. A call below the logger's effective level runs no processor. Where the last processor is not ours
   (``structlog.testing.capture_logs``, one of the program's own), structlog alone decides.
3. A record names the line of the program that logged, for ``ainfo`` and its kin too.
4. No name of a field makes a call raise: one that a record has itself gets a ``_`` behind it.

The way of a call: the fields bound to the logger and those of the call become structlog's event dict;
the processors get it, ``merge_contextvars`` first; `to_record` at their end makes arguments of a log
call of it. What structlog's usual processors do to render a line (``add_log_level``, ``TimeStamper``,
``format_exc_info``, ``JSONRenderer``) is the formatter's part here: leave them away.

Pinned by ``tests/python/test_structlog.py``.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import structlog
from structlog.contextvars import merge_contextvars as _merge_contextvars
from structlog.exceptions import DropEvent

import logboom
from logboom._foreign import as_extra
from logboom._options import invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from structlog.typing import Processor

__all__ = ["BoundLogger", "LoggerFactory", "configure", "to_record"]

_OF_THE_CALL = ("exc_info", "stack_info", "stacklevel")
# From the program's frame down to the call of the logger: a level's method, and `_submit`.
_FRAMES = 2


def to_record(_: object, __: str, event_dict: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Make the arguments of a log call of what the other processors left: the last processor.

    The event is the message, ``positional_args`` go into it by ``%`` where a handler formats it,
    ``exc_info``, ``stack_info`` and ``stacklevel`` are those of `logging`, and everything else is
    ``extra``. What a renderer made, text, is the message.
    """
    if isinstance(event_dict, tuple):
        return event_dict
    if not isinstance(event_dict, dict):
        if isinstance(event_dict, bytes | bytearray):
            event_dict = event_dict.decode("utf-8", "backslashreplace")
        return (event_dict,), {}
    take = event_dict.pop
    message = take("event", "")
    arguments = take("positional_args", None) or ()
    keywords = {}
    for name in _OF_THE_CALL:
        if name in event_dict:
            keywords[name] = take(name)
    if isinstance(event_dict.get("extra"), dict):
        event_dict = {**take("extra"), **event_dict}
    if event_dict:
        keywords["extra"] = as_extra(event_dict)
    return (message, *arguments), keywords


class BoundLogger(structlog.stdlib.BoundLogger):
    """structlog's ``BoundLogger`` for the standard library, asking for the level first.

    Everything that structlog's own has is there: ``bind``, ``new``, ``log``, and what it passes
    through to the logger. ``log`` takes any level, also one without a name of structlog's. ``ainfo``
    and the like log at once on the thread that awaits them, in the order of the calls, and use no
    thread pool: a call with native handlers takes less time than handing it to another thread.
    """

    def debug(self, event: str | None = None, *args: Any, **kw: Any) -> Any:
        """Log with level ``DEBUG``."""
        return self._submit(logging.DEBUG, "debug", event, args, kw)

    def info(self, event: str | None = None, *args: Any, **kw: Any) -> Any:
        """Log with level ``INFO``."""
        return self._submit(logging.INFO, "info", event, args, kw)

    def warning(self, event: str | None = None, *args: Any, **kw: Any) -> Any:
        """Log with level ``WARNING``."""
        return self._submit(logging.WARNING, "warning", event, args, kw)

    warn = warning

    def error(self, event: str | None = None, *args: Any, **kw: Any) -> Any:
        """Log with level ``ERROR``."""
        return self._submit(logging.ERROR, "error", event, args, kw)

    def critical(self, event: str | None = None, *args: Any, **kw: Any) -> Any:
        """Log with level ``CRITICAL``."""
        return self._submit(logging.CRITICAL, "critical", event, args, kw)

    fatal = critical

    def exception(self, event: str | None = None, *args: Any, **kw: Any) -> Any:
        """Log with level ``ERROR`` and the exception that is being handled."""
        kw.setdefault("exc_info", True)
        return self._submit(logging.ERROR, "exception", event, args, kw)

    def log(self, level: int, event: str | None = None, *args: Any, **kw: Any) -> Any:
        """Log with a level by its number."""
        return self._submit(level, _method(level), event, args, kw)

    async def adebug(self, event: str, *args: Any, **kw: Any) -> None:
        """Log with level ``DEBUG``, at once."""
        self._submit(logging.DEBUG, "debug", event, args, kw)

    async def ainfo(self, event: str, *args: Any, **kw: Any) -> None:
        """Log with level ``INFO``, at once."""
        self._submit(logging.INFO, "info", event, args, kw)

    async def awarning(self, event: str, *args: Any, **kw: Any) -> None:
        """Log with level ``WARNING``, at once."""
        self._submit(logging.WARNING, "warning", event, args, kw)

    async def aerror(self, event: str, *args: Any, **kw: Any) -> None:
        """Log with level ``ERROR``, at once."""
        self._submit(logging.ERROR, "error", event, args, kw)

    async def acritical(self, event: str, *args: Any, **kw: Any) -> None:
        """Log with level ``CRITICAL``, at once."""
        self._submit(logging.CRITICAL, "critical", event, args, kw)

    afatal = acritical

    async def aexception(self, event: str, *args: Any, **kw: Any) -> None:
        """Log with level ``ERROR`` and the exception that is being handled, at once."""
        kw.setdefault("exc_info", True)
        self._submit(logging.ERROR, "exception", event, args, kw)

    async def alog(self, level: int, event: str, *args: Any, **kw: Any) -> None:
        """Log with a level by its number, at once."""
        self._submit(level, _method(level), event, args, kw)

    def _submit(
        self, level: int, method: str, event: str | None, args: tuple[Any, ...], kw: dict[str, Any]
    ) -> Any:
        processors: Any = self._processors
        if not processors or processors[-1] is not to_record:
            return self._proxy_to_logger(method, event, *args, **kw)
        logger = self._logger
        if not logger.isEnabledFor(level):
            return None
        if args:
            kw["positional_args"] = args
        try:
            arguments, keywords = self._process_event(method, event, kw)
        except DropEvent:
            return None
        stacklevel = keywords.get("stacklevel", 1) + _FRAMES
        return logger.log(level, *arguments, **{**keywords, "stacklevel": stacklevel})


def _method(level: int) -> str:
    """Give the name that processors know a level by."""
    return logging.getLevelName(level).lower()


class LoggerFactory:
    """Gives the standard library's logger of a name; without one, of the module that asks.

    Loggers stay of the class that they have. structlog's own factory sets one for the whole process
    that finds the caller itself, which is not native.
    """

    def __call__(self, *args: Any) -> logging.Logger:
        """Give the logger named by the first argument of ``structlog.get_logger``."""
        if args:
            return logging.getLogger(args[0])
        frame = sys._getframe(1)
        while True:
            name = frame.f_globals.get("__name__") or "root"
            if name.partition(".")[0] != "structlog" or frame.f_back is None:
                return logging.getLogger(name)
            frame = frame.f_back


def configure(
    *,
    processors: Iterable[Processor] = (),
    contextvars: bool = True,
    cache_logger_on_first_use: bool = True,
) -> None:
    """Make structlog's loggers log through the standard library's, natively; `install` included.

    ``processors``: processors of your own, in their order, between ``merge_contextvars`` and
    `to_record`; default none. They run on the caller's thread, for records that are let through.
    ``contextvars``: whether what ``structlog.contextvars.bind_contextvars`` bound is on each record;
    default `True`. Lines of `logging` itself do not have it: `logboom.bind` puts fields on both.
    ``cache_logger_on_first_use``: as structlog's own; default `True`. Loggers that exist when it is
    called and are cached keep the configuration that they began with.

    Everything else of ``structlog.configure`` goes on to work after this: it changes what it is given.

    Raises `ConfigError` for a value of another type, before anything is changed.
    """
    for name, value in (
        ("contextvars", contextvars),
        ("cache_logger_on_first_use", cache_logger_on_first_use),
    ):
        if not isinstance(value, bool):
            raise invalid(name, value, "True or False")
    try:
        own = list(processors)
    except TypeError:
        own = []
        refused = True
    else:
        refused = not all(map(callable, own))
    if refused:
        raise invalid("processors", processors, "a list of callables")
    first: list[Processor] = [_merge_contextvars] if contextvars else []
    logboom.install()
    structlog.configure(
        processors=[*first, *own, to_record],
        wrapper_class=BoundLogger,
        logger_factory=LoggerFactory(),
        context_class=dict,
        cache_logger_on_first_use=cache_logger_on_first_use,
    )
