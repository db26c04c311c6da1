"""Where the lane takes records from: queues of every kind, and how it learns that they have some.

A source takes without waiting, tells how much there is, and says how it tells of new records:

- `queue.Queue` and its subclasses hold their seat by a function in the place of their ``_put``, which
  every ``put`` calls under the queue's lock (CPython ``Lib/queue.py``: "Override these methods to
  implement other queue organizations"). Whoever puts a record marks the seat.
- The queues of ``multiprocessing`` have a descriptor to wait on.
- All others are *silent*: the lane asks them from time to time, and `logboom.QueueHandler` tells it.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from logboom._logboom import MarkingPut

if TYPE_CHECKING:
    import logging.handlers

    from logboom._lane import Seat

# What a queue may not have overridden if a batch is to be taken from it in one go.
_OF_A_PLAIN_QUEUE = ("get", "task_done", "_get", "_qsize")

# How a plain queue takes what is put into it.
_PUT = {
    name: vars(queue.Queue)[name] for name in ("put", "put_nowait", "_put", "_qsize", "task_done")
}


def is_plain() -> bool:
    """Whether nobody changed how `queue.Queue` puts what it is given, and counts what is done."""
    own = vars(queue.Queue)
    return all(own.get(name) is put for name, put in _PUT.items()) and all(
        getattr(put, "__code__", None) is not None and put.__code__.co_filename == _SOURCE
        for put in _PUT.values()
    )


_SOURCE = queue.Queue.__init__.__code__.co_filename
# What its attributes are made of.
PARTS = {
    "queue_class": queue.Queue,
    "simple_queue_class": queue.SimpleQueue,
    "deque_class": deque,
    "lock_class": type(threading.Lock()),
    "rlock_class": type(threading.RLock()),
    "condition_class": threading.Condition,
}

# Seats of silent queues by the queue's address, for handlers that put records there.
silent: dict[int, Seat] = {}


def of(listener: logging.handlers.QueueListener, seat: Seat) -> Source:
    """The source of a listener's records."""
    if isinstance(listener.queue, queue.Queue):
        return _InProcess(listener, seat)
    return Source(listener, seat)


def size(source: Any) -> int:
    """How many records are in a queue, as far as it can tell."""
    try:
        return int(source.qsize())
    except Exception:  # noqa: BLE001 - not on every system, not every queue; a closed connection
        return 0


class Source:
    """A queue of which nothing is known but what the library's listener asks of it."""

    # Whether the queue itself keeps the seat alive.
    holds_seat = False

    def __init__(self, listener: logging.handlers.QueueListener, seat: Seat) -> None:
        self.listener = listener
        self.queue: Any = listener.queue
        self.seat = seat
        self._has_task_done = hasattr(self.queue, "task_done")
        self._reader = getattr(self.queue, "_reader", None)

    @property
    def silent(self) -> bool:
        """Whether nobody tells when there is a record."""
        return self.descriptor() is None

    def descriptor(self) -> int | None:
        """What becomes readable with a record; `None` where there is no such thing."""
        try:
            return None if self._reader is None else int(self._reader.fileno())
        except (AttributeError, OSError, ValueError):  # something else, or closed
            return None

    def open(self) -> None:
        """Begin to tell of records."""
        if self.silent:
            silent[id(self.queue)] = self.seat

    def close(self) -> None:
        """Tell of no more."""
        if silent.get(id(self.queue)) is self.seat:
            del silent[id(self.queue)]

    def take(self, most: int) -> tuple[list[Any], bool]:
        """Take some records without waiting; whether the sentinel followed them.

        Raises what the queue raises, but for being empty.
        """
        records: list[Any] = []
        sentinel = self.listener._sentinel  # type: ignore[attr-defined]
        try:
            while len(records) < most:
                record = self.listener.dequeue(False)
                if record is sentinel:
                    return records, True
                records.append(record)
        except queue.Empty:
            pass
        return records, False

    def done(self) -> None:
        """One record was handed on."""
        if self._has_task_done:
            self.queue.task_done()

    def size(self) -> int:
        """How many records are there, as far as the queue can tell."""
        return size(self.queue)

    def begin_anew(self) -> bool:
        """In a forked child: forget the parent's records; `False` where the queue is the parent's."""
        if type(self.queue) is not queue.SimpleQueue:
            return False
        while not self.queue.empty():
            self.queue.get_nowait()
        return True


class _InProcess(Source):
    """`queue.Queue` and its subclasses."""

    holds_seat = True
    silent = False

    def __init__(self, listener: logging.handlers.QueueListener, seat: Seat) -> None:
        super().__init__(listener, seat)
        kind = type(self.queue)
        self._plain = all(
            getattr(kind, name) is getattr(queue.Queue, name) for name in _OF_A_PLAIN_QUEUE
        )
        self._hook: Any = None

    def descriptor(self) -> int | None:
        """None: who puts a record tells."""
        return None

    def open(self) -> None:
        """Stand in the place of the queue's ``_put``."""
        plain = "_put" not in vars(self.queue) and type(self.queue) is queue.Queue
        owner: list[Seat] = [self.seat]
        hook = MarkingPut(self.queue._put, owner, self.seat.lane, plain)
        self._hook = (hook, owner)
        self.queue._put = hook

    def close(self) -> None:
        """Give the queue its own method back."""
        if self._hook is None:
            return
        hook, owner = self._hook
        # Another listener's may stand in front of this one: it stays, and does nothing.
        owner.clear()
        if vars(self.queue).get("_put") is hook:
            del self.queue._put

    def take(self, most: int) -> tuple[list[Any], bool]:
        """Take a batch under one lock."""
        if not self._plain:
            return super().take(most)
        records: list[Any] = []
        sentinel = self.listener._sentinel  # type: ignore[attr-defined]
        source = self.queue
        ended = False
        with source.mutex:
            get = source.queue.popleft
            for _ in range(min(most, len(source.queue))):
                record = get()
                if record is sentinel:
                    ended = True
                    break
                records.append(record)
            if source.maxsize > 0:
                source.not_full.notify(len(records) + ended)
        return records, ended

    def begin_anew(self) -> bool:
        """In a forked child: another thread of the parent's may have held the locks."""
        fresh: queue.Queue[Any] = queue.Queue(self.queue.maxsize)
        for name in ("mutex", "not_empty", "not_full", "all_tasks_done", "unfinished_tasks"):
            setattr(self.queue, name, getattr(fresh, name))
        self.queue._init(self.queue.maxsize)
        return True
