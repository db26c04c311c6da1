"""Handlers of the standard library whose records the engine formats and writes.

Each is a subclass of the library's handler of that name, with the same constructor, attributes and
methods. What makes it native is its *route*: opened when the first record arrives, closed with the
handler. A record takes the native way while the handler's formatter is one the engine can do exactly
and its stream leads to a descriptor; otherwise the library formats it, and `emit` hands over the
finished line; and where there is no descriptor at all, the library writes it.

Attributes lie in slots, so ``vars(handler)`` shows only what a program added.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import time
import weakref
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from logboom import _context, _terminal
from logboom._logboom import NativeFilter, Route, open_route
from logboom._loggers import LIBRARY_SOURCE

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike


# When the process has to be done with waiting, once it ends; `time.monotonic`.
_deadline: float | None = None


def end_within(timeout: float) -> None:
    """Have handlers wait no longer for the writer than this many seconds from now, all together."""
    global _deadline
    _deadline = time.monotonic() + timeout


def _patience() -> timedelta | None:
    if _deadline is None:
        return None
    return timedelta(seconds=max(0.0, _deadline - time.monotonic()))


_left_behind = False


def _list_weakly(handler: logging.Handler) -> None:
    """Have the library's list of handlers forget this one without waiting for the module's lock.

    The library's own way can deadlock: the collector may run in an ``emit`` that holds one handler's
    lock, and end another handler, whose entry asks for the lock of the module, which a thread that
    configures logging holds while it asks for the first one's. Ours leaves its entry then; the
    library passes over dead ones, and the next handler made takes them out.
    """
    global _left_behind
    handlers: list[weakref.ref[logging.Handler]] = logging._handlerList  # type: ignore[attr-defined]
    ours = weakref.ref(handler, _forget)
    with logging._lock:  # type: ignore[attr-defined]
        if _left_behind:
            _left_behind = False
            for entry in list(handlers):
                if entry() is None:
                    _exchange(handlers, entry, None)
        for entry in reversed(list(handlers)):
            if entry() is handler:
                _exchange(handlers, entry, ours)
                break


def _exchange(handlers: list[Any], old: object, new: object | None) -> None:
    """Put another entry in the place of one, or nothing.

    The collector may run in every call that is made here, in this very thread, and take entries of
    dead handlers out: no place is good for longer than until the next call.
    """
    for at in range(len(handlers) - 1, -1, -1):
        with contextlib.suppress(IndexError):
            if handlers[at] is old:
                if new is None:
                    del handlers[at]
                else:
                    handlers[at] = new
                return


def _forget(entry: weakref.ref[logging.Handler]) -> None:
    global _left_behind
    # All of them are gone while the module is taken down.
    lock, handlers = getattr(logging, "_lock", None), getattr(logging, "_handlerList", None)
    if lock is None or not handlers:
        return
    if not lock.acquire(blocking=False):
        _left_behind = True
        return
    try:
        if entry in handlers:
            handlers.remove(entry)
    finally:
        lock.release()


def _level(record: logging.LogRecord) -> int:
    """A record's level as the engine can have it; the line has the true one already."""
    level = record.levelno
    return max(-(2**31), min(level, 2**31 - 1)) if isinstance(level, int) else logging.NOTSET


def _duplicate(descriptor: int) -> int:
    """A new descriptor for the same file, never one of the standard three, should one be closed."""
    if fcntl is None:
        return os.dup(descriptor)
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)


def _is_utf8_file(stream: Any) -> bool:
    """Whether text written to a stream reaches a descriptor as UTF-8 and nothing else happens."""
    if type(stream) is not io.TextIOWrapper or stream.closed or os.linesep != "\n":
        return False
    raw = stream.buffer
    if type(raw) in {io.BufferedWriter, io.BufferedRandom}:
        raw = raw.raw
    return type(raw) is io.FileIO and stream.encoding.lower().replace("_", "-") in {
        "utf-8",
        "utf8",
    }


def _standard_stream(stream: Any) -> str | None:
    """The name of the standard stream that this really is."""
    if not _is_utf8_file(stream):
        return None
    real = {1: ("stdout", sys.__stdout__), 2: ("stderr", sys.__stderr__)}
    name, standard = real.get(stream.fileno(), (None, None))
    return name if stream is standard else None


def native_filters(handler: logging.Handler) -> list[NativeFilter]:
    """The filters of a handler where the engine can ask all of them; else none, and the library asks."""
    filters = handler.filters
    return list(filters) if all(isinstance(one, NativeFilter) for one in filters) else []  # type: ignore[arg-type]


def _is_patched(cls: type[StreamHandler]) -> bool:
    """Whether somebody put another `emit` in the place of the library's."""
    emit = cls._library_class.emit
    return emit.__code__.co_filename != LIBRARY_SOURCE or (
        logging.StreamHandler.emit.__code__.co_filename != LIBRARY_SOURCE
    )


class StreamHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """`logging.StreamHandler`: native to the real standard output and standard error.

    ``stream``: a file object; default `sys.stderr`. Any other stream, one put in the place of
    ``sys.stderr`` among them, is written to as the library does, on the caller's thread.

    Lines go to descriptor 1 or 2 within 20 ms, on the writer's thread. What the program prints to the
    same stream is not ordered with them, unless it calls `flush` on both.
    """

    # Those of `FileHandler` too: a class with slots has one place for them.
    __slots__ = (
        "_builtin_open",
        "_closed",
        "_name",
        "_opened",
        "_route",
        "baseFilename",
        "delay",
        "encoding",
        "errors",
        "filters",
        "formatter",
        "level",
        "lock",
        "mode",
        "stream",
    )

    _library_class: ClassVar[type[logging.StreamHandler[Any]]] = logging.StreamHandler

    # Declared for type checkers; the library's constructors set them.
    _closed: bool
    _opened: Any
    _route: Route | None
    formatter: logging.Formatter | None
    stream: Any

    def __init__(self, stream: Any = None) -> None:
        self._route = None
        logging.StreamHandler.__init__(self, stream)
        _list_weakly(self)

    def _leads_to_descriptor(self) -> bool:
        """Whether what is written to the stream reaches a descriptor as it is."""
        stream = self.stream
        return stream is not None and _standard_stream(stream) is not None

    def _target(self) -> str | int:
        """Where the stream leads: a standard stream's name, or a new descriptor."""
        return _standard_stream(self.stream) or _duplicate(self.stream.fileno())

    def _label(self) -> str:
        """What the route is called in `logboom.stats`."""
        return str(getattr(self.stream, "name", self.stream))

    def _current_route(self) -> Route | None:
        """The route for the formatter and stream of now, opened anew if either changed; `None` where
        the library has to write."""
        route = self._route
        if route is not None:
            if route.refresh(self.formatter, self.stream, native_filters(self)):
                return route
            self._route = None
        # A route cannot be opened any more while the interpreter goes away.
        if sys.is_finalizing() or not self._leads_to_descriptor():
            return None
        # What the program wrote to the stream itself comes first.
        self.stream.flush()
        try:
            target = self._target()
        except OSError:
            # No descriptor is left for the writer. The library has one, and the next record tries again.
            return None
        self._route = open_route(
            self._label(), target, self.stream, self.formatter, None, native_filters(self)
        )
        return self._route

    def _end_route(self) -> None:
        # A record that another thread is about to give to the route comes before its end.
        self.acquire()
        try:
            route, self._route = self._route, None
            if route is not None:
                route.close(_patience())
        finally:
            self.release()

    def _text(self, record: logging.LogRecord) -> str:
        """What `format` gives; a formatter of ours may ask where the line goes."""
        writing = _terminal.writing
        before = (writing.record, writing.place)
        writing.record, writing.place = record, _standard_stream(self.stream)
        try:
            return self.format(record)
        finally:
            writing.record, writing.place = before

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record made by the library."""
        _context.put_on(record.__dict__)
        if _is_patched(type(self)):
            # What was put in the place of the library's `emit` is meant for this handler too.
            self._library_class.emit(self, record)
            return
        try:
            route = self._current_route()
            if route is not None:
                text = self._text(record) + self.terminator
                route.write(text.encode("utf-8", self.stream.errors or "strict"), _level(record))
                if getattr(self.flush, "__func__", None) is not StreamHandler.flush:
                    # The library flushes after each line, and this `flush` is the program's.
                    self.flush()
                return
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001 - as in the library
            if self._route is not None:
                self._route.count_failed()
            self.handleError(record)
            return
        logging.StreamHandler.emit(self, record)

    def flush(self) -> None:
        """Wait until everything logged before is with the operating system."""
        route = getattr(self, "_route", None)
        if route is not None:
            route.flush(_patience())
        super().flush()

    def setStream(self, stream: Any) -> Any:
        """Write to another stream from now on, everything before to the old one.

        Returns the old stream, or `None` if it is the same.
        """
        old = super().setStream(stream)
        if old is not None:
            self._end_route()
        return old

    def close(self) -> None:
        """Write what was logged before, and take the handler off the library's list."""
        self._end_route()
        super().close()


class FileHandler(StreamHandler, logging.FileHandler):
    """`logging.FileHandler`: appends whole lines to a file, on the writer's thread.

    ``filename``: the path; opened now, on this thread, with the library's errors, or with ``delay`` at
    the first record. ``mode``: default ``"a"``. ``encoding``: default that of the locale; anything but
    UTF-8 is written as the library does, and so is a stream that `setStream` was given or an overridden
    `_open` made. ``errors``: as for `open`.

    `close` returns when the last line is in the file. `flush` waits for what was logged before.

    Several processes may append to one file: a batch of lines is one write, behind whatever is there, so
    lines stay whole. A line is torn only where the system takes a part of a batch, as on a full disk or
    when the process is killed in the write, and another process writes before the rest is there; the
    rotating handlers with ``shared=True`` repair that too.
    """

    __slots__ = ()
    _library_class: ClassVar[type[logging.StreamHandler[Any]]] = logging.FileHandler

    def __init__(
        self,
        filename: str | PathLike[str],
        mode: str = "a",
        encoding: str | None = None,
        delay: bool = False,
        errors: str | None = None,
    ) -> None:
        self._opened = self._route = None
        logging.FileHandler.__init__(self, filename, mode, encoding, delay, errors)
        _list_weakly(self)

    def _open(self) -> Any:
        # A stream of anyone else's may translate line ends, which it does not tell.
        self._opened = logging.FileHandler._open(self)
        return self._opened

    def _leads_to_descriptor(self) -> bool:
        stream = self.stream
        return stream is not None and stream is self._opened and _is_utf8_file(stream)

    def _target(self) -> str | int:
        return _duplicate(self.stream.fileno())

    def _label(self) -> str:
        # A name that is no text is shown with its bytes replaced.
        return os.fsencode(self.baseFilename).decode(errors="replace")

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record made by the library, opening the file first if that was delayed."""
        if self.stream is None and (self.mode != "w" or not self._closed):
            self.stream = self._open()
        if self.stream:
            StreamHandler.emit(self, record)

    def close(self) -> None:
        """Write what was logged before, close the file, take the handler off the library's list."""
        self._end_route()
        logging.FileHandler.close(self)


# The classes whose handlers have a route, each before the one that it inherits from. Modules that are
# imported at need put theirs in front.
native: list[type[StreamHandler]] = [FileHandler, StreamHandler]

# What the writer does in the place of the methods of such a class: whether nobody changed them.
plain_where: dict[type[StreamHandler], Callable[[type[StreamHandler]], bool]] = {}

# Names that, set on such a handler itself, put something of the program's in the way of its records.
OVERRIDES = (
    "_open",
    "doRollover",
    "reopenIfNeeded",
    "rotate",
    "rotation_filename",
    "shouldRollover",
)


def is_plain(cls: type[StreamHandler]) -> bool:
    """Whether the writer does what the handlers of a class would do besides writing lines."""
    return all(check(cls) for base, check in plain_where.items() if issubclass(cls, base))


class NullHandler(logging.NullHandler):
    """`logging.NullHandler`: does nothing, natively."""

    def __init__(self, level: int | str = logging.NOTSET) -> None:
        logging.NullHandler.__init__(self, level)
        _list_weakly(self)
