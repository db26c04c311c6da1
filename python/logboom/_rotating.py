"""File handlers that go on to another file: rotating by size and by time, and watched ones.

1. By size and watched: the writer does what the library's handler does before each record, between
   two lines, on its own thread. By time: a native call sees that the time has come and takes the
   library's way; the library's own code then rolls over, on the caller's thread, once an interval.
2. With ``shared`` all of it is done under a lock that other processes take, too; see `_shared`.
3. A ``namer`` or ``rotator``, as every other change by the program, makes it the library's own code on
   the caller's thread; see `_moving`. So does a call of a method that moves files.

The library's classes differ between versions of Python; what differs is asked of the library's own
code (`_rotates_empty`), never of a version. Imported at need, as `logging.handlers` is not cheap.

Pinned by ``test_rotating.py``, ``test_rotating_programs.py`` and ``parity/rotating.py``.
"""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import logging.handlers as library
import math
import os
from typing import TYPE_CHECKING, Any, ClassVar

from logboom import _handlers, _shared
from logboom._logboom import compress_shared_file, rotate_shared_file
from logboom._moving import STREAM, MovingHandler, make_native
from logboom._shared import Sharing, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import time
    from os import PathLike

    from logboom._logboom import Route
    from logboom._moving import Target


class _RotatingHandler(MovingHandler):
    """What rotating by size and by time have in common."""

    # What is agreed on with other processes, if anything is, and the turn that this one has.
    __slots__ = ("_rotated", "_sharing", "_turn")

    # Whether this turn rotated.
    _rotated: bool
    _sharing: Sharing | None
    _turn: Turn | None
    # What a subclass may not change where the file is shared, besides what decides.
    _naming: ClassVar[tuple[str, ...]] = ("rotate", "rotation_filename")

    def _begin(self, sharing: Sharing | None) -> None:
        self._opened = self._route = self._turn = self._sharing = None
        self._rotated = False
        if sharing is not None:
            plain = _handlers.is_plain(type(self)) and all(
                getattr(type(self), name) is getattr(self._library_class, name)
                for name in self._naming
            )
            _shared.check_class(type(self), plain=plain)

    @property
    def shared(self) -> bool:
        """Whether other processes may write to the same file."""
        return self._sharing is not None

    @property
    def max_total_bytes(self) -> int | None:
        """How many bytes all files may take together."""
        return self._sharing and self._sharing.max_total_bytes

    @property
    def max_age(self) -> float | None:
        """How many seconds old files stay."""
        return self._sharing and self._sharing.max_age

    @property
    def compress(self) -> str | None:
        """How old files are compressed."""
        return self._sharing and self._sharing.compress

    def _check_setting(self, name: str, value: Any) -> None:
        if getattr(self, "_sharing", None) is not None:
            _shared.check_setting(name, value)

    def _shares(self) -> dict[str, Any]:
        """What the writer has to know of the sharing."""
        raise NotImplementedError

    @contextlib.contextmanager
    def _in_turn(self) -> Iterator[Turn]:
        """Hold the lock that the processes share, with ``stream`` on the file that has the name."""
        self.acquire()
        try:
            if self._turn is not None and self._turn.is_ours:
                yield self._turn
                return
            with Turn(self.baseFilename) as turn:
                self._turn = turn
                try:
                    self._reopen_if_moved()
                    yield turn
                    stream = STREAM.__get__(self)
                    if stream is not None and not stream.closed:
                        stream.flush()
                finally:
                    self._turn = None
            if self._rotated:
                self._rotated = False
                # The writer finds out with its next line only.
                compress_shared_file(self.baseFilename, self._shares())
        finally:
            self.release()

    def _reopen_if_moved(self) -> None:
        stream = STREAM.__get__(self)
        if stream is None or stream is not self._opened:
            return
        if not self._leads_here():
            stream.close()
            STREAM.__set__(self, self._open())
        elif stream.seekable():
            # The library may ask the stream where it is, and others have written since.
            stream.seek(0, os.SEEK_END)

    def _emit_by_library(self, record: logging.LogRecord) -> None:
        if self._sharing is None:
            super()._emit_by_library(record)
            return
        try:
            with self._in_turn():
                super()._emit_by_library(record)
        except TimeoutError:
            self.handleError(record)

    def _line(self, record: logging.LogRecord) -> bytes | None:
        if self._sharing is None:
            return super()._line(record)
        text = self.format(record) + self.terminator
        return text.encode("utf-8", self.errors or "strict")

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
        """Rotate now, on this thread; writes everything of before first.

        Waits for its turn where the file is shared; `TimeoutError` after three seconds.
        """
        self._settle()
        if self._sharing is None:
            super().doRollover()  # type: ignore[misc]
            return
        with self._in_turn() as turn:
            self._rotate_in(turn)

    def _rotate_in(self, turn: Turn) -> None:
        """Rotate a shared file."""
        raise NotImplementedError

    def _begin_anew(self, rotate: Callable[[], object]) -> None:
        """Close the file, rotate, and open the one that has the name then."""
        self._rotated = True
        stream = STREAM.__get__(self)
        if stream is not None:
            stream.close()
            STREAM.__set__(self, None)
        try:
            rotate()
        finally:
            STREAM.__set__(self, self._open())


class RotatingFileHandler(_RotatingHandler, library.RotatingFileHandler):
    """`logging.handlers.RotatingFileHandler`: a file that makes room before it grows too large.

    ``maxBytes``: the size that a file stays below, in bytes; default 0, never rotate. ``backupCount``:
    how many old files stay, the youngest with ``.1`` behind its name; default 0, never rotate. The rest
    as for `FileHandler`.

    The writer's thread rotates, between the lines between which the library would. A ``namer``, a
    ``rotator``, an overridden method and another encoding than UTF-8 make it the caller's thread. A
    rotation that fails loses no line: the file goes on, and the fault is told (see `configure`).

    ``shared``: whether other processes write to the same file; default false. They take turns by a lock,
    ``filename.lock``, a batch of lines each; one of them rotates, the others follow. All of them have to
    have the same settings. A lock whose holder ended is free; one that is held for more than 3 s by a
    process that was stopped is passed over: lines are written, nothing is rotated. The file is
    UTF-8, ``mode`` is ``"a"``; names, ``namer`` and ``rotator`` are the library's own.
    ``max_total_bytes``: how many bytes all files may take together, the one that is written to counted
    with ``maxBytes``; more than ``maxBytes``; default `None`, any. ``max_age``: for how many seconds
    after its last line an old file stays; default `None`, for ever. Both are looked after at each
    rotation, beside ``backupCount``. ``compress``: ``"gzip"`` or ``"zstd"`` for old files, which are
    called ``filename.1.gz`` or ``filename.1.zst`` then; default `None`. A thread of its own, one for all
    files, is started for it at need and ends with the work; each file is there whole under one of its
    names at any moment, and what is left undone when the process ends is done by the next. Each of the
    three turns ``shared`` on and needs ``maxBytes`` and ``backupCount``.

    Raises `ValueError` or `TypeError` for what cannot be, before the file is opened.
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
        *,
        shared: bool = False,
        max_total_bytes: int | None = None,
        max_age: float | None = None,
        compress: str | None = None,
    ) -> None:
        sharing = _shared.sharing(shared, max_total_bytes, max_age, compress)
        if sharing is not None:
            _shared.check_file(mode, encoding)
            _shared.check_sizes(sharing, maxBytes, backupCount)
        self._begin(sharing)
        library.RotatingFileHandler.__init__(
            self, filename, mode, maxBytes, backupCount, encoding, delay, errors
        )
        self._sharing = sharing
        _handlers._list_weakly(self)

    def _shares(self) -> dict[str, Any]:
        return {
            "max_bytes": max(self.maxBytes, 0),
            "backup_count": max(self.backupCount, 0),
            "rotates_empty": _rotates_empty(library.RotatingFileHandler.shouldRollover),
            "dated": False,
            **_shared.retention(self._sharing),
        }

    def _rotate_in(self, turn: Turn) -> None:  # noqa: ARG002 - that it is held is enough
        self._begin_anew(lambda: rotate_shared_file(self.baseFilename, self._shares()))

    def _place(self) -> Target | None:
        limit, count = self.maxBytes, self.backupCount
        if type(limit) is not int or type(count) is not int:
            return None
        if self._sharing is not None:
            known = max(limit, count * 2**32) < 2**63 and self._opens_the_same()
            return (self._descriptor(), self.baseFilename, self._shares()) if known else None
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
        known = self._sharing is not None or self.terminator == "\n"
        return super()._line(record) if known else None


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

    ``shared``, ``max_age`` and ``compress`` as for `RotatingFileHandler`, and ``max_total_bytes``, which
    leaves out the file that is written to here; they need no other argument. The first process whose
    time has come rotates, and tells the others when the next one is. Where there is a file of the name
    that the old one would get, as after a clock was set back, nothing is removed: the file goes on
    until the next time. Only files with the library's dates behind their name are compressed.
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
    _naming = (*_RotatingHandler._naming, "getFilesToDelete")
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
        *,
        shared: bool = False,
        max_total_bytes: int | None = None,
        max_age: float | None = None,
        compress: str | None = None,
    ) -> None:
        sharing = _shared.sharing(shared, max_total_bytes, max_age, compress)
        if sharing is not None:
            _shared.check_file("a", encoding)
            _shared.check_count("backupCount", backupCount)
        self._begin(sharing)
        library.TimedRotatingFileHandler.__init__(
            self, filename, when, interval, backupCount, encoding, delay, utc, atTime, errors
        )
        self._sharing = sharing
        _handlers._list_weakly(self)

    def _deadline_ns(self) -> int | None:
        at = self.rolloverAt
        # Whether it is due already was asked before: what is no time lies ahead for ever.
        return math.ceil(at) * 10**9 if -(2**32) < at < 2**32 else None

    def _shares(self) -> dict[str, Any]:
        return {
            "max_bytes": 0,
            "backup_count": 0,
            "rotates_empty": False,
            "dated": True,
            **_shared.retention(self._sharing),
        }

    def _prepare(self) -> None:
        """Agree with the others on when the file's time has come."""
        if self._sharing is None:
            return
        # Where it is not our turn for so long, ours holds until the next time.
        with contextlib.suppress(TimeoutError), self._in_turn() as turn:
            here = _shared.identity(self.baseFilename)
            noted = turn.noted()
            if noted is None or noted[0] != here:
                turn.note(here, int(self.rolloverAt))
            elif noted[1] != self.rolloverAt:
                self.rolloverAt = noted[1]

    def _rotate_in(self, turn: Turn) -> None:
        now = int(library.time.time())  # type: ignore[attr-defined]
        here = _shared.identity(self.baseFilename)
        noted, due = turn.noted(), self.rolloverAt <= now
        known = noted is not None and noted[0] == here
        if due and noted is not None and known:
            # Whatever it was for us: this is the file's time.
            self.rolloverAt = noted[1]
            if noted[1] > now:
                return
        plan = _Plan.__new__(_Plan)
        _Plan.__init__(plan, self)
        library.TimedRotatingFileHandler.doRollover(plan)
        # A file that nobody noted is what somebody left who was killed behind the rotation.
        moved = due and noted is not None and not known
        if not moved and here is not None and _shared.is_free(plan.made):
            self._begin_anew(lambda: os.rename(self.baseFilename, plan.made))
        self.rolloverAt = plan.rolloverAt
        turn.note(_shared.identity(self.baseFilename), int(self.rolloverAt))
        if self._sharing is not None:
            _shared.retain(self.baseFilename, self.extMatch, self.backupCount, self._sharing)

    def _place(self) -> Target | None:
        if type(self.rolloverAt) not in {int, float}:
            return None
        if self._sharing is None:
            return self._descriptor()
        if not self._opens_the_same():
            return None
        return self._descriptor(), self.baseFilename, self._shares()

    def _hand_over(self, record: logging.LogRecord) -> bool:
        due = int(library.time.time()) >= self.rolloverAt  # type: ignore[attr-defined]
        return not due and super()._hand_over(record)


class _Plan(library.TimedRotatingFileHandler):
    """A handler on nothing, to ask the library what a handler's file would be called, and when next."""

    def __init__(self, handler: TimedRotatingFileHandler) -> None:
        for name in ("when", "interval", "utc", "atTime", "suffix", "dayOfWeek", "baseFilename"):
            if hasattr(handler, name):
                setattr(self, name, getattr(handler, name))
        self.rolloverAt = handler.rolloverAt
        self.computeRollover = handler.computeRollover  # type: ignore[method-assign]
        self.stream = None
        self.delay, self.backupCount, self.made = True, 0, ""

    def rotation_filename(self, default_name: str) -> str:
        self.made = default_name
        # No file is called so.
        return f"{default_name}\0"

    def rotate(self, source: str, dest: str) -> None:
        pass


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
