"""What wakes a thread that sleeps, from anywhere: a pipe, or an event where pipes cannot be waited on.

Ringing waits for no lock, so a finaliser or a signal handler may ring that interrupted a thread which
holds any. The pipe is made once and never closed: closing it while somebody rings could send the ring
into whatever file got its number.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_HAS_POLL = hasattr(select, "poll")


class Bell:
    """Rung by anyone, waited for by one thread."""

    def __init__(self) -> None:
        self._ends: tuple[int, int] | None = None
        self._event = threading.Event()

    def open(self) -> None:
        """Make it ready to be rung. Idempotent; by one thread at a time."""
        if _HAS_POLL and self._ends is None:
            ends = os.pipe()
            for end in ends:
                os.set_blocking(end, False)
            self._ends = ends

    def ring(self) -> None:
        """Wake who waits, or who waits next."""
        if not _HAS_POLL:
            self._event.set()
        elif self._ends is not None:
            with contextlib.suppress(BlockingIOError):  # rung often enough
                os.write(self._ends[1], b"x")

    def wait(self, seconds: float | None, descriptors: Iterable[int] = ()) -> list[int]:
        """Wait for a ring or a readable descriptor, this long at most; gives those that are readable.

        Without ``select.poll`` (Windows) it does not look at descriptors, and returns all of them
        after 50 milliseconds.
        """
        if self._ends is None:
            given = list(descriptors)
            if given:
                seconds = min(0.05, seconds or 0.05)
            self._event.wait(seconds)
            self._event.clear()
            return given
        poll = select.poll()
        for descriptor in (self._ends[0], *descriptors):
            poll.register(descriptor, select.POLLIN)
        milliseconds = None if seconds is None else max(1, round(seconds * 1000))
        found = [descriptor for descriptor, _ in poll.poll(milliseconds)]
        if self._ends[0] in found:
            found.remove(self._ends[0])
            with contextlib.suppress(BlockingIOError):  # a forked process read it first
                os.read(self._ends[0], 4096)
        return found

    def begin_anew(self) -> None:
        """In a forked child: the pipe is the parent's."""
        ends, self._ends = self._ends, None
        self._event = threading.Event()
        for end in ends or ():
            os.close(end)
