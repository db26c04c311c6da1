"""`QueueHandler` and `QueueListener` of the library, all listeners on one thread: the handler lane.

A configuration keeps what it says. Its listeners cost no thread of their own, however often it is
applied, and one that nobody starts starts with the first record of its handler.
"""

from __future__ import annotations

import contextlib
import logging
import logging.config
import logging.handlers
import queue as _queue
from typing import TYPE_CHECKING, Any

from logboom import _context, _handlers, _lane, _logboom, _sources
from logboom._loggers import LIBRARY_SOURCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

_LIBRARY = logging.handlers.QueueListener
_library_prepare = logging.handlers.QueueHandler.prepare


def _overwritten() -> dict[str, None]:
    """What the library's `prepare` overwrites besides the message: not the same on all versions."""
    known = logging.makeLogRecord({"exc_text": "", "stack_info": ""})
    vars(known).update(dict.fromkeys(vars(known), ""))
    prepared = logging.handlers.QueueHandler(_queue.Queue()).prepare(known)
    return {name: value for name, value in vars(prepared).items() if value is None}


_OVERWRITTEN = _overwritten()


class QueueListener(logging.handlers.QueueListener):
    """`logging.handlers.QueueListener`, on the one thread that all of them share.

    ``queue``: a `queue.Queue`, a queue of ``multiprocessing``, or anything with their ``get``. A queue
    that tells nobody of its records (`queue.SimpleQueue`, one of your own) is looked at within 50 ms;
    a `logboom.QueueHandler` on it tells the lane at once. ``handlers``: called on the lane's thread,
    one record after the other. ``respect_handler_level``: whether a handler gets only records of its
    level and above; default ``False``.

    ``with listener:`` starts and stops it, and starting what runs is a `RuntimeError`, on every version
    (as in CPython 3.14). A class that overrides ``dequeue`` or ``_monitor``, which the lane does
    instead, has a thread of its own, as in the library.

    What a handler raises is reported by `threading.excepthook`; the listener goes on.
    """

    _by_itself = False
    _begun = False

    def start(self) -> None:
        """Begin to hand on records.

        Raises `RuntimeError` if it has begun already, unless its handler had begun by itself, and
        where the system has no thread left for the lane.
        """
        if self._thread is not None:
            if self._by_itself:
                self._by_itself = False
                return
            raise RuntimeError("Listener already started")
        self._begun = True
        if overrides_loop(type(self)):
            super().start()
        else:
            _lane.start(self)

    def stop(self) -> None:
        """Hand on what is in the queue, and end. Nothing happens to one that does not run."""
        if self._thread is not None:
            super().stop()
        self._by_itself = False

    def __enter__(self) -> QueueListener:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _start_by_itself(self) -> None:
        if not self._begun:
            self.start()
            self._by_itself = True

    def _stop_by_itself(self, timeout: float) -> None:
        """What nobody else started nobody else stops. The next record starts it again."""
        thread = self._thread
        if not self._by_itself or thread is None:
            return
        # Too full for a sentinel, or called by one of its own handlers: it ends with its queue.
        with contextlib.suppress(_queue.Full, RuntimeError):
            self.enqueue_sentinel()
            self._thread = None
            self._by_itself = self._begun = False
            thread.join(timeout)


def overrides_loop(kind: type[logging.handlers.QueueListener]) -> str:
    """The method by which a listener's class goes through its queue in its own way; or nothing."""
    for name in ("dequeue", "_monitor"):
        if getattr(kind, name) is not getattr(_LIBRARY, name):
            return name
    return ""


class QueueHandler(logging.handlers.QueueHandler):
    """`logging.handlers.QueueHandler`, whose listener needs no thread of its own.

    ``queue``: where records are put, on the caller's thread; default a new `queue.Queue` without
    bounds. ``handlers``, ``respect_handler_level`` and ``listener`` are the keys that ``dictConfig``
    knows from CPython 3.12 on; here they work before, too, and without it: handlers or the names of
    configured ones, whether their levels count, and the class of the listener, default
    `QueueListener`. With neither ``queue`` nor ``handlers`` records go to `logboom.StreamHandler`.

    A listener of ours starts by itself with the first record, if nobody started or stopped it; then
    `close` hands on what is in the queue, and waits for that as long as the option
    ``shutdown_timeout`` says. The library's own, not started yet, becomes one of ours when it is set
    as ``listener``.

    A queue that is full, or that cannot be pickled into, is reported as in the library.
    """

    def __init__(
        self,
        queue: Any = None,
        *,
        handlers: Sequence[Any] | None = None,
        respect_handler_level: bool = False,
        listener: Any = None,
    ) -> None:
        self._make_listener: Callable[[], Any] | None = None
        super().__init__(_queue.Queue() if queue is None else _made(queue))
        _handlers._list_weakly(self)
        if queue is None and handlers is None:
            handlers = [_handlers.StreamHandler()]
        if handlers is not None:
            self._listen(handlers, respect_handler_level, _class_of(listener))

    def _listen(self, handlers: Sequence[Any], respect: bool, kind: Callable[..., Any]) -> None:
        # By index: lists of a configuration look references up there.
        given = [handlers[at] for at in range(len(handlers))]
        configured = _configured_beside(handlers)
        for one in given:
            _check(one, configured)

        def make() -> Any:
            found = [_handler(one, configured) for one in given]
            return kind(self.queue, *found, respect_handler_level=respect)

        if all(isinstance(one, logging.Handler) for one in given):
            self.listener = make()
        else:
            # Handlers that are configured after this one are there when it has a record.
            self._make_listener = make

    @property
    def listener(self) -> Any:
        """The listener that hands on what this handler puts into its queue; `None` without one."""
        make, self._make_listener = self._make_listener, None
        if make is not None:
            try:
                self.listener = make()
            except BaseException:
                self._make_listener = make
                raise
        return vars(self).get("listener")

    @listener.setter
    def listener(self, listener: Any) -> None:
        if type(listener) is _LIBRARY and listener._thread is None:
            listener.__class__ = QueueListener
        self._make_listener = None
        vars(self)["listener"] = listener

    def prepare(self, record: logging.LogRecord) -> Any:
        """What the library's `prepare` makes of a record: a copy, with the message formatted."""
        if type(record) is not logging.LogRecord or (
            logging.handlers.QueueHandler.prepare is not _library_prepare
        ):
            return super().prepare(record)
        # `copy.copy` finds out again and again how records are copied, which costs a third of a call.
        message = self.format(record)
        prepared = logging.LogRecord.__new__(logging.LogRecord)
        prepared.__dict__ = {
            **record.__dict__,
            "message": message,
            "msg": message,
            **_OVERWRITTEN,
        }
        return prepared

    def emit(self, record: logging.LogRecord) -> None:
        """Put a record into the queue, and see to it that somebody hands it on."""
        _context.put_on(record.__dict__)
        try:
            listener = self.listener
            if isinstance(listener, QueueListener) and not listener._begun:
                listener._start_by_itself()
        except Exception:  # noqa: BLE001 - as in the library
            self.handleError(record)
        super().emit(record)
        if _sources.silent and (seat := _sources.silent.get(id(self.queue))) is not None:
            seat.mark()

    def close(self) -> None:
        """End a listener that began by itself, and take the handler off the library's list."""
        listener = vars(self).get("listener")
        if isinstance(listener, QueueListener):
            listener._stop_by_itself(_logboom.options()["shutdown_timeout"])
        super().close()


_ON_THE_WAY = ("handle", "emit", "prepare", "enqueue", "format", "filter", "acquire", "release")
_PLAIN = {name: getattr(QueueHandler, name) for name in (*_ON_THE_WAY, "listener")}
_HANDLERS_SOURCE = logging.handlers.QueueListener.handle.__code__.co_filename
_LIBRARY_ONES = {name: getattr(logging.handlers.QueueHandler, name) for name in _ON_THE_WAY}


def _is_plain(kind: type) -> bool:
    """Whether the handlers of a class do what ours do with a record, as the library defines it."""
    if not issubclass(kind, QueueHandler) or not {"args", "exc_info", "exc_text"} <= {
        *_OVERWRITTEN
    }:
        return False
    library = logging.handlers.QueueHandler
    sources = {LIBRARY_SOURCE, _HANDLERS_SOURCE}
    return all(getattr(kind, name) is own for name, own in _PLAIN.items()) and all(
        getattr(library, name) is own and own.__code__.co_filename in sources
        for name, own in _LIBRARY_ONES.items()
    )


_HANDS_ON = {name: getattr(_LIBRARY, name) for name in ("handle", "prepare")}


def _hands_on_plainly(kind: type) -> bool:
    """Whether the listeners of a class hand records on as the library's do."""
    return issubclass(kind, _LIBRARY) and all(
        getattr(kind, name) is own and own.__code__.co_filename == _HANDLERS_SOURCE
        for name, own in _HANDS_ON.items()
    )


_logboom.setup_lane(
    {
        "is_plain_handler": _is_plain,
        "is_plain_listener": _hands_on_plainly,
        "is_plain_queue": _sources.is_plain,
        "listener_class": QueueListener,
        "put_on": _context.put_on,
        "silent": _sources.silent,
        "formatter_class": logging.Formatter,
        **_sources.PARTS,
    }
)


def _resolve(name: str) -> Any:
    return logging.config._resolve(name)  # type: ignore[attr-defined]


def _made(queue: Any) -> Any:
    """The queue that an entry of a configuration describes, or the queue that was given."""
    if isinstance(queue, str):
        make = _resolve(queue)
        if not callable(make):
            raise TypeError(f"Invalid queue specifier {queue!r}")
        return make()
    if isinstance(queue, dict):
        if "()" not in queue:
            raise TypeError(f"Invalid queue specifier {queue!r}")
        options = {key: queue[key] for key in queue if key != "()"}
        make = queue["()"]
        return (make if callable(make) else _resolve(make))(**options)
    return queue


def _class_of(listener: Any) -> Callable[..., Any]:
    if listener is None:
        return QueueListener
    found = _resolve(listener) if isinstance(listener, str) else listener
    if (isinstance(found, type) and not issubclass(found, _LIBRARY)) or not callable(found):
        raise TypeError(f"Invalid listener specifier {listener!r}")
    return QueueListener if found is _LIBRARY else found


def _configured_beside(handlers: Any) -> Mapping[str, Any] | None:
    """The handlers of the configuration that this list is a part of."""
    configurator = getattr(handlers, "configurator", None)
    return None if configurator is None else configurator.config.get("handlers", {})


def _check(handler: Any, configured: Mapping[str, Any] | None) -> None:
    """Refuse now what cannot become a handler later."""
    if isinstance(handler, str):
        if handler not in (logging._handlers if configured is None else configured):  # type: ignore[attr-defined]
            raise ValueError(f"Unable to set required handler {handler!r}")
    elif not isinstance(handler, (logging.Handler, dict)):
        raise TypeError(f"invalid `handlers`: got {handler!r}, expected handlers or their names")


def _handler(handler: Any, configured: Mapping[str, Any] | None) -> logging.Handler:
    """The handler that is meant by a name, or by the entry that it was configured from."""
    if isinstance(handler, logging.Handler):
        return handler
    # An entry that a configuration refers to (``cfg://handlers.x``) bears the name it was found by.
    name = handler if isinstance(handler, str) else getattr(handler, "key", "")
    found = (logging._handlers if configured is None else configured).get(name)  # type: ignore[attr-defined]
    if not isinstance(found, logging.Handler):
        raise ValueError(f"Unable to set required handler {name!r}")  # noqa: TRY004 - as dictConfig
    return found
