"""Calls that are due at a time, for a thread that has something else to do.

Who sets one waits for no lock. A call gives the time of its next turn, or `None`; where somebody set
another time meanwhile, the earlier one counts, so a call may come too early and has to look whether
something is due.
"""

from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Call = Callable[[], "float | None"]


class Alarms:
    """The calls and their times, by `time.monotonic`."""

    def __init__(self) -> None:
        # Each time in a list of its own: another list is another time, though it may be the same.
        self._times: dict[Call, list[float]] = {}

    def __bool__(self) -> bool:
        return bool(self._times)

    def set(self, call: Call, at: float) -> None:
        """Have `call` run at a time, or earlier if it is set so."""
        self._times[call] = [min([at, *self._times.get(call, ())])]

    def next_in(self) -> float | None:
        """Seconds until the next one is due; `None` where there is none."""
        next_one = min(list(self._times.values()), default=None)
        return None if next_one is None else max(0.0, next_one[0] - time.monotonic())

    def ring(self) -> None:
        """Run what is due. What a call raises is told as a thread's own end would be."""
        now = time.monotonic()
        for call, at in list(self._times.items()):
            if at[0] > now:
                continue
            # It stays in the table meanwhile: a process that is forked now has to run it as well.
            try:
                following = call()
            except Exception:  # noqa: BLE001 - nobody is there who could catch it
                following = None
                arguments = threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread()))
                with suppress(Exception):
                    threading.excepthook(arguments)
            if self._times.get(call) is not at:
                continue  # set meanwhile: at a time that is over, so it runs again
            if following is None:
                del self._times[call]
            else:
                self._times[call] = [following]
