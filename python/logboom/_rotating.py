"""File handlers that go on to another file: rotating by size and by time, and watched ones.

1. By size and watched: the writer does what the library's handler does before each record, between
   two lines, on its own thread. By time: a native call sees that the time has come and takes the
   library's way; the library's own code then rolls over, on the caller's thread, once an interval.
2. Where a program changed what decides (a ``namer`` or ``rotator``, an overridden or patched method,
   another mode or encoding), the library's own code runs for each record, on the caller's thread.
3. Attributes that the writer goes by may be set at any time: that ends the route, and the next record
   opens another (`_Setting`). So does a call of a method that moves files.
4. The writer may have gone on to another file behind ``stream``. The next record follows, so that a
   file which was removed gives its room back, and so does whoever reads ``stream``: everything logged
   before is written then.

The library's classes differ between versions of Python; what differs is asked of the library's own
code (`_rotates_empty`), never of a version. Imported at need, as `logging.handlers` is not cheap.
"""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import logging.handlers as library
import math
import os
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from logboom import _context, _handlers
from logboom._handlers import FileHandler, StreamHandler
from logboom._logboom import class_stamp, open_route

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import time
    from os import PathLike

    from logboom._logboom import Route

    Target = int | tuple[int, str] | tuple[int, str, int, int, bool]

_UTF8 = frozenset({"utf-8", "utf8"})
# The slot itself; the classes below have a descriptor of that name over it.
_STREAM = vars(StreamHandler)["stream"]


class _Setting:
    """An attribute that the writer goes by: setting it ends the route first."""

    def __init__(self, owner: type[_MovingHandler], name: str) -> None:
        self._owner = owner
        self._name = name
        self._slot = next(vars(cls)[name] for cls in owner.__mro__ if name in vars(cls))

    def __get__(self, handler: _MovingHandler | None, cls: type | None = None) -> Any:
        if handler is None:
            return self
        try:
            return self._slot.__get__(handler, cls)
        except AttributeError:
            # What the library's class says, as for `namer`.
            return getattr(super(self._owner, handler), self._name)

    def __set__(self, handler: _MovingHandler, value: Any) -> None:
        handler._settle()
        self._slot.__set__(handler, value)

    def __delete__(self, handler: _MovingHandler) -> None:
        handler._settle()
        self._slot.__delete__(handler)


class _Stream:
    """``stream``, brought up to date where it is read."""

    def __get__(self, handler: _MovingHandler | None, cls: type | None = None) -> Any:
        if handler is None:
            return self
        route = getattr(handler, "_route", None)
        if route is not None:
            route.flush(_handlers._patience())
            handler._follow(route)
        return _STREAM.__get__(handler, cls)

    def __set__(self, handler: _MovingHandler, value: Any) -> None:
        _STREAM.__set__(handler, value)

    def __delete__(self, handler: _MovingHandler) -> None:
        _STREAM.__delete__(handler)


class _MovingHandler(FileHandler):
    """What the three have in common."""

    # Under which stamp its class was found plain.
    __slots__ = ("_plain_under",)

    # What decides about a record before it is written, of our class and of the library's.
    _deciding: ClassVar[tuple[str, ...]] = ("_open",)
    # Settings: the same classes have a `_Setting` of each name.
    _settings: ClassVar[tuple[str, ...]] = ("baseFilename", "encoding", "mode")

    def _is_plain(self) -> bool:
        """Whether nothing of the program's decides about a record of this handler."""
        own = self.__dict__
        if own and not own.keys().isdisjoint(_handlers.OVERRIDES):
            return False
        cls = type(self)
        # The stamp comes first: a change while we look must make the verdict useless.
        stamp = class_stamp(cls)
        if stamp and stamp == getattr(self, "_plain_under", 0):
            return True
        plain = _handlers.is_plain(cls)
        self._plain_under = stamp if plain else 0
        return plain

    def _settle(self) -> None:
        """End the route: what was logged is written, and ``stream`` has the last of it."""
        if getattr(self, "_route", None) is None:
            return
        # A record that is on its way to the route comes before its end.
        self.acquire()
        try:
            route = self._route
            if route is not None:
                self._end_route()
                self._follow(route)
        finally:
            self.release()

    def _follow(self, route: Route) -> None:
        """Open the file that the writer went on to, if it did, in the place of the one before."""
        if not route.moved:
            return
        # Another thread may read `stream` at the same time.
        self.acquire()
        try:
            turns = route.turns
            old = _STREAM.__get__(self)
            if not route.moved or old is None or old is not self._opened:
                return
            # Where that fails the old one stays, as the writer's does.
            with contextlib.suppress(OSError):
                stream = self._open()
                _STREAM.__set__(self, stream)
                route.follow(stream, turns)
                old.close()
        finally:
            self.release()

    def _leads_here(self) -> bool:
        """Whether the file's name leads to the file that is open."""
        try:
            there = os.stat(self.baseFilename)
            return os.path.samestat(there, os.fstat(_STREAM.__get__(self).fileno()))
        except OSError:
            return False

    def _opens_the_same(self) -> bool:
        """Whether a file that the library opened anew would be appended to as the writer does."""
        encoding = self.encoding
        return self.mode == "a" and (
            encoding in {None, "locale"}
            or (isinstance(encoding, str) and encoding.lower().replace("_", "-") in _UTF8)
        )

    def _descriptor(self) -> int:
        return _handlers._duplicate(_STREAM.__get__(self).fileno())

    def _place(self) -> Target | None:
        """Where a route leads, with a new descriptor; `None` where only the library knows."""
        raise NotImplementedError

    def _deadline_ns(self) -> int | None:
        """From when on the library has something to do first."""
        return None

    def _current_route(self) -> Route | None:
        route = self._route
        if route is not None:
            self._follow(route)
            if route.refresh(self.formatter, _STREAM.__get__(self)):
                return route
            self._settle()
        stream = _STREAM.__get__(self)
        if (
            stream is None
            or stream is not self._opened
            or sys.is_finalizing()
            or not _handlers._is_utf8_file(stream)
        ):
            return None
        # What the program wrote to the stream itself comes first.
        stream.flush()
        deadline_ns = self._deadline_ns()
        place = self._place()
        if place is None:
            return None
        self._route = open_route(self._label(), place, stream, self.formatter, deadline_ns)
        return self._route

    def _line(self, record: logging.LogRecord) -> bytes | None:
        """The line of a record; `None` for one that only the library can write."""
        text = self.format(record) + self.terminator
        try:
            # What becomes another number of characters, or an error, is the library's to write.
            return text.encode()
        except UnicodeEncodeError:
            return None

    def _hand_over(self, record: logging.LogRecord) -> bool:
        """Have the writer write a record made by the library; false where the library has to."""
        route = self._current_route()
        line = None if route is None else self._line(record)
        if route is None or line is None:
            return False
        route.write(line, _handlers._level(record))
        if getattr(self.flush, "__func__", None) is not StreamHandler.flush:
            # The library flushes after each line, and this `flush` is the program's.
            self.flush()
        return True

    def _is_handed_over(self, record: logging.LogRecord) -> bool:
        """The same, with errors reported as the library does."""
        if not self._is_plain():
            return False
        try:
            return self._hand_over(record)
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001 - as in the library
            if self._route is not None:
                self._route.count_failed()
            self.handleError(record)
            return True

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record made by the library; do first what is due."""
        _context.put_on(record.__dict__)
        if not self._is_handed_over(record):
            self._settle()
            self._library_class.emit(self, record)


def _native(cls: type[_MovingHandler]) -> None:
    """Give a class its descriptors, and tell the binding of it."""
    peer = cls._library_class
    watched = (
        [(cls, name) for name in cls._deciding]
        + [(peer, name) for name in (*cls._deciding, "emit")]
        + [(plain, "emit") for plain in (logging.FileHandler, logging.StreamHandler)]
        + [(logging.FileHandler, "_open")]
    )
    setattr(cls, "stream", _Stream())  # noqa: B010 - type checkers have a type for it
    for name in cls._settings:
        setattr(cls, name, _Setting(cls, name))
    as_it_is = [(owner, name, getattr(owner, name)) for owner, name in watched]
    sources = {library.__file__, logging.__file__, __file__, _handlers.__file__}
    ours = all(_source(function) in sources for _, _, function in as_it_is)
    settings = [(name, vars(cls)[name]) for name in (*cls._settings, "stream")]

    def is_plain(found: type[StreamHandler]) -> bool:
        # What an attribute of our class is, `getattr` of a descriptor tells: itself.
        return (
            ours
            and all(getattr(owner, name) is function for owner, name, function in as_it_is)
            and all(getattr(found, name) is getattr(cls, name) for name in cls._deciding)
            and all(getattr(found, name) is setting for name, setting in settings)
            and getattr(peer, "namer", None) is None
            and getattr(peer, "rotator", None) is None
        )

    _handlers.plain_where[cls] = is_plain
    _handlers.native.insert(0, cls)


def _source(function: Callable[..., Any]) -> str:
    return function.__code__.co_filename


class RotatingFileHandler(_MovingHandler, library.RotatingFileHandler):
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
    _settings = (*_MovingHandler._settings, "backupCount", "maxBytes", "namer", "rotator")

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

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record made by the library; rotate first where it would make the file too large."""
        try:
            super().emit(record)
        except RecursionError:
            # The library's handler of this name reports this one, too.
            self.handleError(record)

    def shouldRollover(self, record: logging.LogRecord) -> int | bool:
        """Whether this record would make the file too large; writes everything of before first."""
        self._settle()
        return super().shouldRollover(record)

    def doRollover(self) -> None:
        """Rotate now, on this thread; writes everything of before first."""
        self._settle()
        super().doRollover()


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


class TimedRotatingFileHandler(_MovingHandler, library.TimedRotatingFileHandler):
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
    _settings = (*_MovingHandler._settings, "namer", "rolloverAt", "rotator")

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

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record made by the library; rotate first where it is time."""
        try:
            super().emit(record)
        except RecursionError:
            # The library's handler of this name reports this one, too.
            self.handleError(record)

    def shouldRollover(self, record: logging.LogRecord) -> int | bool:
        """Whether it is time; writes everything of before first."""
        self._settle()
        return super().shouldRollover(record)

    def doRollover(self) -> None:
        """Rotate now, on this thread; writes everything of before first."""
        self._settle()
        super().doRollover()


class WatchedFileHandler(_MovingHandler, library.WatchedFileHandler):
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
        here = os.fstat(_STREAM.__get__(self).fileno())
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
    _native(_cls)
