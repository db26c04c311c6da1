"""The standard library's loggers made native.

`install` puts native methods on `logging.Logger` itself, in the place of the library's own of these
names. Loggers stay the objects they are, and so do their classes, attributes and everything else. A
native method reads what the library's reads and does what it does; where anything on the way of a
record is not as the library has it, it calls the library's own method with the same arguments.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import Any

from logboom import _context
from logboom._logboom import logger_methods


def _make_record(self: logging.Logger, *args: Any, **kwargs: Any) -> logging.LogRecord:
    """The library's record, with the bound fields as attributes where it has none of that name."""
    record: logging.LogRecord = LIBRARY["makeRecord"](self, *args, **kwargs)
    _context.put_on(record.__dict__)
    return record


_NATIVE: dict[str, Any] = {**dict(logger_methods(logging.Logger)), "makeRecord": _make_record}
# What they stand in front of.
LIBRARY: dict[str, Any] = {name: vars(logging.Logger)[name] for name in _NATIVE}
# As the library itself finds out.
LIBRARY_SOURCE = logging.addLevelName.__code__.co_filename
_lock = threading.RLock()
_installed = False


def _is_as_defined(name: str) -> bool:
    """Whether nobody had patched a method before this module was imported."""
    code = getattr(LIBRARY[name], "__code__", None)
    return code is not None and (code.co_name, code.co_filename) == (name, LIBRARY_SOURCE)


def install() -> None:
    """Make every logger of the standard library native: those that exist, the root, and new ones.

    Idempotent, and safe to call from any thread. Handlers stay what they are: records are native
    only as far as the handlers they reach are (`logboom.FileHandler` and its kin).

    A method of `logging.Logger` that the program patched before stays as it is.

    ``LOGBOOM_LEVEL`` in the environment gives loggers levels that hold whatever the program gives
    them: ``info,app.db=debug,uvicorn=warning``, in the syntax of ``RUST_LOG``. ``LOGBOOM_LEVEL_FILE``
    names a file that says the same, and is looked at every second from now on, in every process that
    has called this, on the thread ``logboom-lane``; a change is in effect within two seconds. What is
    wrong in either is told on standard error, and the rest is in effect.
    """
    global _installed
    with _lock:
        _installed = True
        for name, native in _NATIVE.items():
            if vars(logging.Logger).get(name) is LIBRARY[name] and _is_as_defined(name):
                setattr(logging.Logger, name, native)
    if os.environ.get("LOGBOOM_LEVEL") or os.environ.get("LOGBOOM_LEVEL_FILE"):
        from logboom import _levels  # at need: it costs a third of all of ours

        _levels.begin_environment()


def uninstall() -> None:
    """Undo `install`: `logging.Logger` has the library's methods again. Idempotent.

    A method that the program patched after `install` stays as it is.
    """
    global _installed
    with _lock:
        _installed = False
        for name, native in _NATIVE.items():
            if vars(logging.Logger).get(name) is native:
                setattr(logging.Logger, name, LIBRARY[name])
    held = sys.modules.get("logboom._levels")
    if held is not None:
        held.end_environment()


def installed() -> bool:
    """Whether `install` is in effect."""
    return _installed


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
