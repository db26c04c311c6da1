"""Signals that would end the process without `atexit`: everything logged is written first."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from logboom import _logboom
from logboom._lifecycle import shutdown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

# Those that end a process by default, and that supervisors send. SIGINT raises KeyboardInterrupt.
_NAMES = ("SIGTERM", "SIGHUP", "SIGBREAK")


def flush_on_signal(
    signals: Iterable[int] | None = None, *, timeout: float | None = None
) -> frozenset[signal.Signals]:
    """Have signals that end the process by their default action write everything logged first.

    ``signals``: which ones; default SIGTERM and SIGHUP (SIGTERM and SIGBREAK on Windows).
    ``timeout``: seconds that writing may take; default the option ``shutdown_timeout``.

    Only a signal that has its default action gets a handler. That handler shuts the engine down, says
    on standard error how many records were left if it could not finish, gives the signal its default
    action back and raises it again: whoever waits for the process sees that the signal ended it. A
    signal that is ignored, or that the program handles, is left alone; a server that handles one,
    puts back what was there before, and raises it again comes back here. A second signal meanwhile
    ends the process at once.

    Returns the signals that are handled so from here on, by this call or an earlier one. Python runs
    handlers on the main thread, between two instructions: a main thread that stays in native code
    delays them. Children made by ``fork`` inherit them.

    Raises `ValueError` outside of the main thread, for numbers that are no signal, for a ``timeout``
    below 0, and for signals that cannot be handled (SIGKILL, SIGSTOP).
    """
    if timeout is not None and not timeout >= 0:
        msg = f"invalid `timeout`: got {timeout!r}, expected a number of seconds, 0 or more"
        raise ValueError(msg)
    if threading.current_thread() is not threading.main_thread():
        msg = (
            f"invalid thread: got {threading.current_thread().name!r}, expected the main thread, "
            "where Python handles signals"
        )
        raise ValueError(msg)
    if signals is None:
        wanted = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    else:
        wanted = [_checked(number) for number in signals]
    taken = set()
    for number in wanted:
        current = signal.getsignal(number)
        if current == signal.SIG_DFL or isinstance(current, _Flush):
            signal.signal(number, _Flush(timeout))
            taken.add(signal.Signals(number))
    return frozenset(taken)


def _checked(number: int) -> signal.Signals:
    unhandled = {getattr(signal, name, None) for name in ("SIGKILL", "SIGSTOP")}
    try:
        known = signal.Signals(number)
    except ValueError:
        known = None
    if known is None or known in unhandled:
        msg = f"invalid signal: got {number!r}, expected one that a program can handle"
        raise ValueError(msg)
    return known


class _Flush:
    """What handles such a signal."""

    def __init__(self, timeout: float | None) -> None:
        self.timeout = timeout

    def __call__(self, number: int, _: FrameType | None) -> None:
        # First, so that a second one ends the process.
        signal.signal(number, signal.SIG_DFL)
        timeout = self.timeout
        if timeout is None:
            timeout = _logboom.options()["shutdown_timeout"]
        report = shutdown(timeout)
        if not report.completed and sys.stderr is not None:
            with suppress(OSError, ValueError):  # closed, and nobody left to tell
                sys.stderr.write(f"logboom: {report}\n")
                sys.stderr.flush()
        signal.raise_signal(number)
