"""The life of the engine: flush, shut down, ask how it is, survive forks and the end.

Importing this module registers what has to happen around a fork and at exit. The engine starts by
itself at the first record. `atexit` flushes; after the interpreter is gone the engine shuts down, so
what finalisers log is written too. The children of `multiprocessing` leave by ``os._exit``, past all
of that; they flush as they run their finalisers.
"""

from __future__ import annotations

import atexit
import os
import sys
from typing import TYPE_CHECKING

from logboom import _handlers, _logboom

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
    timeout = _logboom.options()["shutdown_timeout"]
    # The library's own exit function, which flushes and closes every handler, comes next.
    _handlers.end_within(timeout)
    _logboom.flush(timeout)


_known_to_multiprocessing = False


def _join_multiprocessing() -> None:
    """Have this process and its children of `multiprocessing` flush as they end."""
    global _known_to_multiprocessing
    util = sys.modules.get("multiprocessing.util")
    if util is None or _known_to_multiprocessing:
        return
    _known_to_multiprocessing = True
    _add_finaliser()
    # A child forgets the finalisers of its parent, then runs these.
    util.register_after_fork(_add_finaliser, _add_finaliser)


def _add_finaliser(_: object = None) -> None:
    util = sys.modules["multiprocessing.util"]
    util.Finalize(None, _flush_at_finalisation, exitpriority=-1000)


def _flush_at_finalisation() -> None:
    _logboom.flush(_logboom.options()["shutdown_timeout"])


def _after_fork_in_child() -> None:
    _logboom.after_fork_in_child()
    _join_multiprocessing()


atexit.register(_at_exit)
_join_multiprocessing()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_logboom.before_fork,
        after_in_parent=_logboom.after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
