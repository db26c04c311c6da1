"""loguru and the standard library's loggers, either way, each in one line.

    logboom.loguru.forward()                                          # loguru → logging
    logging.basicConfig(handlers=[logboom.loguru.InterceptHandler()]) # logging → loguru

Invariants:

1. A message arrives on the other side with what it had: message, level (loguru's own and custom ones
   too), the program's file, line and function, time, thread, process, exception, and its ``extra`` as
   typed fields.
2. Both directions at once are no loop: what came from the other side is not sent back.

`forward` makes a ``LogRecord`` of each of loguru's records and gives it to the logger of that name, as
nothing less holds another time, thread and place. It takes no part of loguru's way: format, filter and
levels of other sinks of loguru stay what they are.

Pinned by ``tests/python/test_loguru.py``.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import loguru

from logboom._foreign import as_extra, fields_of
from logboom._options import invalid

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["InterceptHandler", "forward", "sink"]

# On a record of loguru's that was one of `logging`, beside the keys that loguru knows.
_MARK = "from_logging"


class _FromLoguru(logging.LogRecord):
    """A record that came from loguru. Its class tells, as any attribute would be a field of it."""


def sink(*, logger: str | None = None) -> Callable[[Any], None]:
    """Make a sink for ``loguru.logger.add`` that hands each message to a logger of `logging`.

    ``logger``: the name of the logger that gets them all; default `None`, the one named as the module
    that logged, as ``logging.getLogger(__name__)`` is. ``root`` for a module without a name.

    Its levels decide as ever, and the logger's handlers write. Runs on the caller's thread, or on
    loguru's with ``enqueue=True``. A field that a ``LogRecord`` has itself gets a ``_`` behind its name.

    Raises `ConfigError` where ``logger`` is no ``str``.
    """
    if logger is not None and not isinstance(logger, str):
        raise invalid("logger", logger, "a name or None")

    def write(message: Any) -> None:
        given = message.record
        if _MARK not in given:
            target = logging.getLogger(logger if logger is not None else given["name"])
            level = given["level"].no
            if target.isEnabledFor(level):
                target.handle(_record_of(given, target, level))

    return write


def _record_of(given: Any, target: logging.Logger, level: int) -> logging.LogRecord:
    error = given["exception"]
    record = target.makeRecord(
        target.name,
        level,
        given["file"].path,
        given["line"],
        given["message"],
        (),
        (error.type, error.value, error.traceback) if error else None,
        given["function"],
        as_extra(given["extra"]),
    )
    began = record.created - record.relativeCreated / 1000
    record.created = given["time"].timestamp()
    record.msecs = float(given["time"].microsecond // 1000)
    record.relativeCreated = (record.created - began) * 1000
    record.levelname = given["level"].name
    record.thread, record.threadName = given["thread"].id, given["thread"].name
    record.process, record.processName = given["process"].id, given["process"].name
    if type(record) is logging.LogRecord:
        record.__class__ = _FromLoguru
    return record


def forward(*, level: int | str = 0, logger: str | None = None, keep: bool = False) -> int:
    """Send what loguru logs to the standard library's loggers.

    ``level``: the least level, by loguru's name or number; default 0, all: the loggers decide.
    ``logger``: as for `sink`. ``keep``: whether sinks that loguru has go on, such as its own to standard
    error; default `False`, they are removed.

    Returns the number that ``loguru.logger.remove`` takes. Raises `ConfigError` for a level that loguru
    does not know, before anything is changed.
    """
    target = sink(logger=logger)
    try:
        if isinstance(level, bool) or not isinstance(level, int | str):
            raise TypeError(level)  # noqa: TRY301 - one answer to all
        least = loguru.logger.level(level).no if isinstance(level, str) else level
        if least < 0:
            raise ValueError(level)  # noqa: TRY301
    except (TypeError, ValueError):
        raise invalid("level", level, "a level of loguru's or a number from 0") from None
    if not isinstance(keep, bool):
        raise invalid("keep", keep, "True or False")
    if not keep:
        loguru.logger.remove()
    # The text that loguru makes is not looked at, so it is to cost little.
    return loguru.logger.add(
        target, level=least, format=lambda _: "", backtrace=False, diagnose=False, colorize=False
    )


class InterceptHandler(logging.Handler):
    """Gives the records of the standard library's loggers to loguru.

    Names, place, time, thread and fields are the record's own. A level that loguru has no name for is
    given by its number. What came from loguru is passed over.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record with loguru, on the thread that handles it."""
        if isinstance(record, _FromLoguru):
            return
        try:
            level: str | int
            try:
                level = loguru.logger.level(record.levelname).name
            except ValueError:
                level = record.levelno
            logger = loguru.logger.opt(depth=_depth(), exception=record.exc_info)
            message = record.getMessage()
            if record.stack_info:
                message = f"{message}\n{record.stack_info}"
            logger.patch(lambda given: _fill(given, record)).log(level, message)
        except Exception:  # noqa: BLE001 - as every handler: it tells, and the program goes on
            self.handleError(record)


def _fill(given: Any, record: logging.LogRecord) -> None:
    """Put what the record has into loguru's."""
    given[_MARK] = True
    given["extra"].update(fields_of(record))
    given["name"] = record.name
    given["function"] = record.funcName
    given["line"] = record.lineno
    given["module"] = record.module
    given["time"] = type(given["time"]).fromtimestamp(record.created, given["time"].tzinfo)
    file, thread, process = given["file"], given["thread"], given["process"]
    given["file"] = type(file)(record.filename, record.pathname)
    given["thread"] = type(thread)(record.thread, record.threadName)
    given["process"] = type(process)(record.process, record.processName)


def _depth() -> int:
    """Count the frames from `emit` to the program's, whose module loguru may have disabled."""
    frame: FrameType | None = sys._getframe()
    depth = 0
    # Those of this module and of `logging`; this one is not on the way.
    while frame is not None and frame.f_code.co_filename in _OURS:
        if frame.f_code is not _depth.__code__:
            depth += 1
        frame = frame.f_back
    return depth


_OURS = frozenset({logging.addLevelName.__code__.co_filename, _depth.__code__.co_filename})
