"""File handlers that go on to another file: rotating by size and by time, and watched ones.

1. By size and watched: the writer does what the library's handler does before each record, between
   two lines, on its own thread. By time: a native call sees that the time has come and takes the
   library's way; the library's own code then rolls over, on the caller's thread, once an interval.
2. A ``namer`` or ``rotator``, as every other change by the program, makes it the library's own code on
   the caller's thread; see `_moving`. So does a call of a method that moves files.

The library's classes differ between versions of Python; what differs is asked of the library's own
code (`_rotates_empty`), never of a version. Imported at need, as `logging.handlers` is not cheap.

Pinned by ``test_rotating.py``, ``test_rotating_programs.py`` and ``parity/rotating.py``.
"""

from __future__ import annotations

import functools
import io
import logging
import logging.handlers as library
import math
import os
from typing import TYPE_CHECKING, Any, ClassVar

from logboom import _handlers
from logboom._moving import STREAM, MovingHandler, make_native

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import time
    from os import PathLike

    from logboom._logboom import Route
    from logboom._moving import Target


class _RotatingHandler(MovingHandler):
    """What rotating by size and by time have in common."""

    __slots__ = ()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record made by the library; rotate first where that is due."""
        try:
            super().emit(record)
        except RecursionError:
            # The library's rotating handlers report this one, too.
            self.handleError(record)

    def shouldRollover(self, record: logging.LogRecord) -> int | bool:
        """Whether to rotate before this record; writes everything of before first."""
        self._settle()
        return super().shouldRollover(record)  # type: ignore[misc,no-any-return]

    def doRollover(self) -> None:
        """Rotate now, on this thread; writes everything of before first."""
        self._settle()
        super().doRollover()  # type: ignore[misc]


class RotatingFileHandler(_RotatingHandler, library.RotatingFileHandler):
    """`logging.handlers.RotatingFileHandler`: a file that makes room before it grows too large.

    ``maxBytes``: the size that a file stays below, in bytes; default 0, never rotate. ``backupCount``:
    how many old files stay, the youngest with ``.1`` behind its name; default 0, never rotate. The rest
    as for `FileHandler`.

    The writer's thread rotates, between the lines between which the library would. A ``namer``, a
    ``rotator``, an overridden method and another encoding than UTF-8 make it the caller's thread. A
    rotation that fails loses no line: the file goes on, and the fault is told (see `configure`).
    """

    __slots__ = ("backupCount", "maxBytes", "namer", "rotator")
    _library_class: ClassVar[type[logging.StreamHandler[Any]]] = library.RotatingFileHandler
    _deciding = ("_open", "shouldRollover", "doRollover", "rotate", "rotation_filename")
    _settings = (*MovingHandler._settings, "backupCount", "maxBytes", "namer", "rotator")

    def __init__(
        self,
        filename: str | PathLike[str],
        mode: str = "a",
        maxBytes: int = 0,  # noqa: N803 - the library's name
        backupCount: int = 0,  # noqa: N803 - the library's name
        encoding: str | None = None,
        delay: bool = False,
        errors: str | None = None,
    ) -> None:
        self._opened = self._route = None
        library.RotatingFileHandler.__init__(
            self, filename, mode, maxBytes, backupCount, encoding, delay, errors
        )
        _handlers._list_weakly(self)

    def _place(self) -> Target | None:
        limit, count = self.maxBytes, self.backupCount
        if type(limit) is not int or type(count) is not int:
            return None
        if limit <= 0:
            return self._descriptor()
        if (
            callable(self.namer)
            or callable(self.rotator)
            or max(limit, count * 2**32) >= 2**63
            or not self._opens_the_same()
            or not self._leads_here()
        ):
            return None
        empty = _rotates_empty(library.RotatingFileHandler.shouldRollover)
        return self._descriptor(), self.baseFilename, limit, max(count, 0), empty

    def _line(self, record: logging.LogRecord) -> bytes | None:
        # The library counts one character for a terminator, whatever it is.
        return super()._line(record) if self.terminator == "\n" else None


class _Probe(library.RotatingFileHandler):
    """A handler on nothing, to ask the library what it does about an empty file."""

    def __init__(self) -> None:
        self.stream = io.StringIO()  # type: ignore[assignment]
        self.maxBytes = 1
        # Where there is no file of that name, none is irregular.
        self.baseFilename = ""

    def format(self, record: logging.LogRecord) -> str:
        return str(record.msg)


@functools.lru_cache(maxsize=1)
def _rotates_empty(should: Callable[..., Any]) -> bool:
    """Whether the library rotates an empty file for a record that is too large for any."""
    probe = _Probe.__new__(_Probe)
    _Probe.__init__(probe)
    return bool(should(probe, logging.makeLogRecord({"msg": "too large"})))


class TimedRotatingFileHandler(_RotatingHandler, library.TimedRotatingFileHandler):
    """`logging.handlers.TimedRotatingFileHandler`: a new file at certain times.

    ``when``, ``interval``, ``backupCount``, ``utc`` and ``atTime`` as in the library, the rest as for
    `FileHandler`. The library's own code rotates, on the thread of the first record that is due;
    everything logged before is written first.
    """

    __slots__ = (
        "atTime",
        "backupCount",
        "dayOfWeek",
        "extMatch",
        "interval",
        "namer",
        "rolloverAt",
        "rotator",
        "suffix",
        "utc",
        "when",
    )
    _library_class: ClassVar[type[logging.StreamHandler[Any]]] = library.TimedRotatingFileHandler
    _deciding = ("_open", "shouldRollover", "doRollover")
    _settings = (*MovingHandler._settings, "namer", "rolloverAt", "rotator")

    def __init__(
        self,
        filename: str | PathLike[str],
        when: str = "h",
        interval: int = 1,
        backupCount: int = 0,  # noqa: N803 - the library's name
        encoding: str | None = None,
        delay: bool = False,
        utc: bool = False,
        atTime: time | None = None,  # noqa: N803 - the library's name
        errors: str | None = None,
    ) -> None:
        self._opened = self._route = None
        library.TimedRotatingFileHandler.__init__(
            self, filename, when, interval, backupCount, encoding, delay, utc, atTime, errors
        )
        _handlers._list_weakly(self)

    def _deadline_ns(self) -> int | None:
        at = self.rolloverAt
        # Whether it is due already was asked before: what is no time lies ahead for ever.
        return math.ceil(at) * 10**9 if -(2**32) < at < 2**32 else None

    def _place(self) -> Target | None:
        return self._descriptor() if type(self.rolloverAt) in {int, float} else None

    def _hand_over(self, record: logging.LogRecord) -> bool:
        due = int(library.time.time()) >= self.rolloverAt  # type: ignore[attr-defined]
        return not due and super()._hand_over(record)


class WatchedFileHandler(MovingHandler, library.WatchedFileHandler):
    """`logging.handlers.WatchedFileHandler`: a file that others, as ``logrotate``, move away.

    Arguments as for `FileHandler`. The writer looks before each batch whether the name still leads to
    the file, and opens another where not; so a line that was logged, but not written, when the file was
    moved goes to the new one.
    """

    __slots__ = ("dev", "ino")
    _library_class: ClassVar[type[logging.StreamHandler[Any]]] = library.WatchedFileHandler
    _deciding = ("_open", "reopenIfNeeded")

    def __init__(
        self,
        filename: str | PathLike[str],
        mode: str = "a",
        encoding: str | None = None,
        delay: bool = False,
        errors: str | None = None,
    ) -> None:
        self._opened = self._route = None
        library.WatchedFileHandler.__init__(self, filename, mode, encoding, delay, errors)
        _handlers._list_weakly(self)

    def _place(self) -> Target | None:
        if not self._opens_the_same() or not self._leads_here():
            return None
        here = os.fstat(STREAM.__get__(self).fileno())
        # The library looks at its own notes, and opens the file anew where they are of another.
        if (self.dev, self.ino) != (here.st_dev, here.st_ino):
            return None
        return self._descriptor(), self.baseFilename

    def _follow(self, route: Route) -> None:
        if route.moved:
            super()._follow(route)
            self._statstream()

    def reopenIfNeeded(self) -> None:
        """Open the file of this name where it is another; writes everything of before first."""
        self._settle()
        super().reopenIfNeeded()


for _cls in (RotatingFileHandler, TimedRotatingFileHandler, WatchedFileHandler):
    make_native(_cls)
