"""Loggers whose methods are native, and the standard library made to use them.

Three classes over one code, because the class of an object that exists can only become one of the
same layout: `Logger` for loggers made after `install`, with its attributes in slots (so ``vars()`` of
it is empty), `AdoptedLogger` and `AdoptedRootLogger` for those that were there before.

A native method reads what the library's reads and does what it does; where anything on the way of a
record is not ours or was changed, it calls the library's own method with the same arguments.
"""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING, Any

from logboom import _context
from logboom._logboom import logger_methods

if TYPE_CHECKING:
    from collections.abc import Iterator


def _make_record(self: logging.Logger, *args: Any, **kwargs: Any) -> logging.LogRecord:
    """The library's record, with the bound fields as attributes where it has none of that name."""
    record = logging.Logger.makeRecord(self, *args, **kwargs)
    _context.put_on(record.__dict__)
    return record


class Logger(logging.Logger):
    """A logger of the standard library whose methods are native.

    Its own attributes lie in slots: ``vars(logger)`` is empty, everything else is as it was.
    """

    __slots__ = (
        "_cache",
        "disabled",
        "filters",
        "handlers",
        "level",
        "manager",
        "name",
        "parent",
        "propagate",
    )

    makeRecord = _make_record  # noqa: N815 - the library's name

    def __init__(self, name: str, level: int | str = logging.NOTSET) -> None:
        super().__init__(name, level)
        self.manager = logging.Logger.manager


class AdoptedLogger(logging.Logger):
    """What a plain `logging.Logger` that existed before `install` becomes."""

    makeRecord = _make_record  # noqa: N815


class AdoptedRootLogger(logging.RootLogger):
    """What the root logger becomes."""

    makeRecord = _make_record  # noqa: N815


# Programs show `repr(logger)` and the name of its class: those stay what they were.
AdoptedLogger.__name__ = AdoptedLogger.__qualname__ = "Logger"
AdoptedRootLogger.__name__ = AdoptedRootLogger.__qualname__ = "RootLogger"

_ADOPTED: dict[type[logging.Logger], type[logging.Logger]] = {
    logging.Logger: AdoptedLogger,
    logging.RootLogger: AdoptedRootLogger,
}
_CLASSES = (Logger, AdoptedLogger, AdoptedRootLogger)
_METHODS = {cls: dict(logger_methods(cls)) for cls in _CLASSES}
_lock = threading.RLock()
_replaced_class: type[logging.Logger] | None = None


def _existing() -> Iterator[logging.Logger]:
    yield logging.root
    for logger in list(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            yield logger


def _set_native(native: bool) -> None:
    for cls in _CLASSES:
        for name, method in _METHODS[cls].items():
            if native:
                setattr(cls, name, method)
            elif name in cls.__dict__:
                delattr(cls, name)


def install() -> None:
    """Make every logger of the standard library native: those that exist, the root, and new ones.

    Idempotent, and safe to call from any thread. Handlers stay what they are: records are native
    only as far as the handlers they reach are (`logboom.FileHandler` and its kin).

    Loggers of classes of your own stay as they are. If `logging.setLoggerClass` was called, that
    class goes on making new loggers; derive it from `logboom.Logger` to have them native.
    """
    global _replaced_class
    with _lock:
        if _replaced_class is not None:
            return
        _set_native(True)
        for logger in _existing():
            adopted = _ADOPTED.get(type(logger))
            if adopted is not None:
                logger.__class__ = adopted
        _replaced_class = logging.getLoggerClass()
        if _replaced_class is logging.Logger:
            logging.setLoggerClass(Logger)


def uninstall() -> None:
    """Undo `install`. Loggers made in between keep their class, whose methods are the library's
    again. Idempotent."""
    global _replaced_class
    with _lock:
        if _replaced_class is None:
            return
        if logging.getLoggerClass() is Logger:
            logging.setLoggerClass(_replaced_class)
        plain = {adopted: original for original, adopted in _ADOPTED.items()}
        for logger in _existing():
            original = plain.get(type(logger))
            if original is not None:
                logger.__class__ = original
        _set_native(False)
        _replaced_class = None


def installed() -> bool:
    """Whether `install` is in effect."""
    return _replaced_class is not None


def thread_name() -> str:
    """What `LogRecord.threadName` would be."""
    return threading.current_thread().name


def process_name() -> str:
    """What `LogRecord.processName` would be (CPython ``Lib/logging/__init__.py``)."""
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is not None:
        try:
            return str(multiprocessing.current_process().name)
        except Exception:  # noqa: BLE001, S110 - the library swallows it too: half-imported module
            pass
    return "MainProcess"


def task_name() -> str | None:
    """What `LogRecord.taskName` would be (3.12 on)."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None:
        try:
            return str(asyncio.current_task().get_name())
        except Exception:  # noqa: BLE001, S110 - no loop is running, as in the library
            pass
    return None


def level_name(level: int) -> str:
    """What `LogRecord.levelname` would be."""
    return logging.getLevelName(level)
