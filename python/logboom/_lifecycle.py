"""The life of the engine: flush, shut down, ask how it is, survive forks and the end.

Importing this module registers what has to happen around a fork and at exit. The engine starts by
itself at the first record. `atexit` flushes; after the interpreter is gone the engine shuts down, so
what finalisers log is written too. The children of `multiprocessing` leave by ``os._exit``, past all
of that; they flush as they run their finalisers.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from logboom import _handlers, _logboom
from logboom._lane import lane

if TYPE_CHECKING:
    from logboom._logboom import Report, Stats


def flush(timeout: float | None = None) -> bool:
    """Wait until everything logged before is with the operating system.

    ``timeout``: seconds; default none, wait for ever. Returns whether every record of before arrived;
    ``False`` on a time-out, or where a sink refused some since the last flush (see `stats`).

    What waits in the queues of listeners is handed on first, on the handler lane; a call on that very
    thread does not wait for it. The calling thread waits without the GIL; the writer's thread does
    the work.
    """
    handed_on, timeout = _drain(timeout)
    return _logboom.flush(timeout) and handed_on


def _drain(timeout: float | None) -> tuple[bool, float | None]:
    """Wait for the handler lane; whether it is done, and what is left of the time."""
    if timeout is None:
        return lane.drain(), None
    if not isinstance(timeout, (int, float)) or not timeout >= 0:
        # No time-out: the engine refuses it, and knows how to say so.
        return True, timeout
    deadline = time.monotonic() + timeout
    handed_on = lane.drain(timeout)
    return handed_on, max(0.0, deadline - time.monotonic())


def sync(timeout: float | None = None) -> bool:
    """`flush`, and have the operating system put it onto the device (``fsync``)."""
    handed_on, timeout = _drain(timeout)
    return _logboom.sync(timeout) and handed_on


def shutdown(timeout: float | None = None) -> Report:
    """End the engine: refuse new records, write what there is, end the writer's thread.

    ``timeout``: seconds; default the option ``shutdown_timeout``. Records logged afterwards are
    counted as rejected. Idempotent. Nobody needs to call it: the process's end does.

    What waits in the queues of listeners is handed on first, within the same time. Returns a `Report`
    of what became of everything that reached the engine.
    """
    if timeout is None:
        timeout = _logboom.options()["shutdown_timeout"]
    return _logboom.shutdown(_drain(timeout)[1])


def stats() -> Stats:
    """A snapshot: the accounting, per handler and in total, the ring, the threads. Cheap, exact."""
    return _logboom.stats()


def durable_in_environment() -> str | bool | None:
    """Give what ``LOGBOOM_DURABLE`` says: a directory, whether to have one, or nothing."""
    given = os.environ.get("LOGBOOM_DURABLE", "")
    words = {"": None, "0": False, "false": False, "1": True, "true": True}
    return words.get(given.lower(), given)


def _begin_durable() -> None:
    given = durable_in_environment()
    # The command line recovers a directory itself, and has nothing to log.
    arguments = sys.orig_argv
    at = arguments.index("-m") + 1 if "-m" in arguments else len(arguments)
    if not given or arguments[at : at + 1] == ["logboom"]:
        return
    try:
        _logboom.configure({"durable": given})
    except ValueError as error:
        # An environment that is wrong must not keep every program from starting.
        if sys.stderr is not None:
            sys.stderr.write(f"logboom: LOGBOOM_DURABLE has no effect: {error}\n")


def _at_exit() -> None:
    timeout = _logboom.options()["shutdown_timeout"]
    # The library's own exit function, which flushes and closes every handler, comes next.
    _handlers.end_within(timeout)
    handed_on = lane.drain(timeout)
    _logboom.flush(timeout)
    if not handed_on:
        _give_up(timeout)


def _give_up(timeout: float) -> None:
    """Say what the handler lane did not hand on, and have nobody wait for handlers that hang."""
    hung = lane.hung()
    # The library's own exit function would wait for the lock that each of them holds.
    entries = logging._handlerList  # type: ignore[attr-defined]
    entries[:] = [entry for entry in entries if entry() not in hung]
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):  # closed, and nobody left to tell
            sys.stderr.write(
                f"logboom: {lane.waiting()} records were waiting for handlers behind a queue after "
                f"{timeout} s\n"
            )


# Whose children leave by ``os._exit`` once they have run their finalisers: the library's, and Celery's
# copy of it.
_POOLS = ("multiprocessing.util", "billiard.util")
_joined: set[str] = set()


def _join_pools() -> None:
    """Have this process and its children of `multiprocessing` flush as they end."""
    signals = sys.modules.get("celery.signals")
    if signals is not None:
        # A worker of Celery's pool leaves by ``os._exit`` without finalisers, behind this signal.
        signals.worker_process_shutdown.connect(
            _flush_at_finalisation, weak=False, dispatch_uid="logboom"
        )
    for name in _POOLS:
        util = sys.modules.get(name)
        if util is None or name in _joined:
            continue
        _joined.add(name)
        _add_finaliser(util)
        # A child forgets the finalisers of its parent, then runs these.
        util.register_after_fork(util, _add_finaliser)


def _add_finaliser(util: Any) -> None:
    util.Finalize(None, _flush_at_finalisation, exitpriority=-1000)


def _flush_at_finalisation(**_: object) -> None:
    flush(_logboom.options()["shutdown_timeout"])


def _before_fork() -> None:
    lane.before_fork()
    _logboom.before_fork()


def _after_fork_in_parent() -> None:
    _logboom.after_fork_in_parent()
    lane.after_fork_in_parent()


def _after_fork_in_child() -> None:
    _logboom.after_fork_in_child()
    lane.after_fork_in_child()
    _join_pools()


_begin_durable()
atexit.register(_at_exit)
_join_pools()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
