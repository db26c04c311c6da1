"""What the file handlers have in common whose file may become another: rotating and watched ones.

1. Where a program changed what decides about a record before it is written (an overridden or patched
   method, another mode or encoding), the library's own code runs for each record, on the caller's
   thread (`MovingHandler._is_plain`).
2. Attributes that the writer goes by may be set at any time: that ends the route, and the next record
   opens another (`_Setting`).
3. The writer may have gone on to another file behind ``stream``. The next record follows, so that a
   file which was removed gives its room back, and so does whoever reads ``stream``: everything logged
   before is written then (`_Stream`).

What each handler does natively, and when, is in `_rotating`.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers as library
import os
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from logboom import _context, _handlers
from logboom._handlers import FileHandler, StreamHandler, native_filters
from logboom._logboom import class_stamp, open_route

if TYPE_CHECKING:
    from collections.abc import Callable

    from logboom._logboom import Route

    Target = (
        int | tuple[int, str] | tuple[int, str, int, int, bool] | tuple[int, str, dict[str, Any]]
    )

_UTF8 = frozenset({"utf-8", "utf8"})
# The slot itself; the classes below have a descriptor of that name over it.
STREAM = vars(StreamHandler)["stream"]


class _Setting:
    """An attribute that the writer goes by: setting it ends the route first."""

    def __init__(self, owner: type[MovingHandler], name: str) -> None:
        self._owner = owner
        self._name = name
        self._slot = next(vars(cls)[name] for cls in owner.__mro__ if name in vars(cls))

    def __get__(self, handler: MovingHandler | None, cls: type | None = None) -> Any:
        if handler is None:
            return self
        try:
            return self._slot.__get__(handler, cls)
        except AttributeError:
            # What the library's class says, as for `namer`.
            return getattr(super(self._owner, handler), self._name)

    def __set__(self, handler: MovingHandler, value: Any) -> None:
        handler._check_setting(self._name, value)
        handler._settle()
        self._slot.__set__(handler, value)

    def __delete__(self, handler: MovingHandler) -> None:
        handler._settle()
        self._slot.__delete__(handler)


class _Stream:
    """``stream``, brought up to date where it is read."""

    def __get__(self, handler: MovingHandler | None, cls: type | None = None) -> Any:
        if handler is None:
            return self
        route = getattr(handler, "_route", None)
        if route is not None:
            route.flush(_handlers._patience())
            handler._follow(route)
        return STREAM.__get__(handler, cls)

    def __set__(self, handler: MovingHandler, value: Any) -> None:
        STREAM.__set__(handler, value)

    def __delete__(self, handler: MovingHandler) -> None:
        STREAM.__delete__(handler)


class MovingHandler(FileHandler):
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

    def _check_setting(self, name: str, value: Any) -> None:
        """Refuse a value that cannot be, before anything is changed."""

    def _prepare(self) -> None:
        """Do what has to be done before a route is opened."""

    def _emit_by_library(self, record: logging.LogRecord) -> None:
        """Have the library do all of it."""
        self._library_class.emit(self, record)

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
            old = STREAM.__get__(self)
            if not route.moved or old is None or old is not self._opened:
                return
            # Where that fails the old one stays, as the writer's does.
            with contextlib.suppress(OSError):
                stream = self._open()
                STREAM.__set__(self, stream)
                route.follow(stream, turns)
                old.close()
        finally:
            self.release()

    def _leads_here(self) -> bool:
        """Whether the file's name leads to the file that is open."""
        try:
            there = os.stat(self.baseFilename)
            return os.path.samestat(there, os.fstat(STREAM.__get__(self).fileno()))
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
        return _handlers._duplicate(STREAM.__get__(self).fileno())

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
            if route.refresh(self.formatter, STREAM.__get__(self), native_filters(self)):
                return route
            self._settle()
        stream = STREAM.__get__(self)
        if (
            stream is None
            or stream is not self._opened
            or sys.is_finalizing()
            or not _handlers._is_utf8_file(stream)
        ):
            return None
        # What the program wrote to the stream itself comes first.
        stream.flush()
        self._prepare()
        stream = STREAM.__get__(self)
        deadline_ns = self._deadline_ns()
        try:
            place = self._place()
        except OSError:  # no descriptor is left, see `StreamHandler._current_route`
            return None
        if place is None:
            return None
        self._route = open_route(
            self._label(), place, stream, self.formatter, deadline_ns, native_filters(self)
        )
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
            self._emit_by_library(record)


def make_native(cls: type[MovingHandler]) -> None:
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
    sources = {
        *(library.__file__, logging.__file__, _handlers.__file__),
        sys.modules[cls.__module__].__file__,
    }
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
