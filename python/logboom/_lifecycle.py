"""The life of the engine: flush, shut down, ask how it is, survive forks and the end.

Importing this module registers what has to happen around a fork and at exit. The engine starts by
itself at the first record. `atexit` flushes; after the interpreter is gone the engine shuts down, so
what finalisers log is written too.
"""

from __future__ import annotations

import atexit
import os
from typing import TYPE_CHECKING

from logboom import _logboom

if TYPE_CHECKING:
    from logboom._logboom import Report, Stats


def flush(timeout: float | None = None) -> bool:
    """Wait until everything logged before is with the operating system.

    ``timeout``: seconds; default none, wait for ever. Returns whether every record of before arrived;
    ``False`` on a time-out, or where a sink refused some since the last flush (see `stats`).

    The calling thread waits without the GIL; the writer's thread does the work.
    """
    return _logboom.flush(timeout)


def sync(timeout: float | None = None) -> bool:
    """`flush`, and have the operating system put it onto the device (``fsync``)."""
    return _logboom.sync(timeout)


def shutdown(timeout: float | None = None) -> Report:
    """End the engine: refuse new records, write what there is, end the writer's thread.

    ``timeout``: seconds; default the option ``shutdown_timeout``. Records logged afterwards are
    counted as rejected. Idempotent. Nobody needs to call it: the process's end does.

    Returns a `Report` of what became of everything.
    """
    return _logboom.shutdown(timeout)


def stats() -> Stats:
    """A snapshot: the accounting, per handler and in total, the ring, the threads. Cheap, exact."""
    return _logboom.stats()


def _at_exit() -> None:
    _logboom.flush(_logboom.options()["shutdown_timeout"])


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_logboom.before_fork,
        after_in_parent=_logboom.after_fork_in_parent,
        after_in_child=_logboom.after_fork_in_child,
    )
