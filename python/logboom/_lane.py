"""The handler lane: one thread on which all queue listeners of the process hand on their records.

Invariants:

1. There is at most one thread, ``logboom-lane``: started with the first seat, ended with the last, and
   not while a call is due at some time (`_alarms`). A *seat* is the place of one listener on it, and
   stands where the library has the listener's thread.
2. Records of one queue are handed on in the order in which the queue gives them, each once. Seats
   take turns, so many records at a time; no listener starves another.
3. A seat lives as long as its queue can get records: the queue holds it (`_sources`), the lane only
   while there are records to hand on. So a listener whose handler and queue were collected is gone.
4. What a listener's handlers raise is reported through `threading.excepthook`, as a thread's own end
   would be, and ends nothing here.
5. No lock is held while code of others runs, and whoever puts a record takes no lock of ours: that
   may be a finaliser or a signal handler that interrupted anything.
6. A forked child has the seats of its parent and none of its records; its own start the thread anew.

The way: a producer puts a record, natively where nothing was changed; the queue's source marks the seat
as ready, and wakes the thread if that sleeps. The thread takes a batch, hands it to the listener, and
once nothing is ready waits a moment for more before it sleeps, so that a burst costs one wake-up and not
one a record.

What it does not do: make handlers faster. A handler that hangs holds up all others on the lane, but
neither the writer nor those who log.

Pinned by ``tests/python/test_lane.py``, ``test_lane_records.py`` and ``test_lane_forks_and_ends.py``.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from logboom import _logboom, _sources
from logboom._alarms import Alarms
from logboom._bell import Bell

if TYPE_CHECKING:
    import logging
    import logging.handlers
    from collections.abc import Callable, Iterator

# Records of one seat before it is the next one's turn.
_TURN = 256
# Seconds that the thread waits for more before it sleeps.
_NAP = 0.001
# Seconds between two looks at a queue that tells nobody of its records: doubled from one to the other.
_SOONEST, _LATEST = 0.001, 0.05

NAME = "logboom-lane"


class Seat:
    """The place of one listener on the lane; has what programs ask of a thread."""

    daemon = True
    name = NAME

    @property
    def lane(self) -> Lane:
        """The lane that it is on."""
        return lane

    def __init__(
        self,
        listener: logging.handlers.QueueListener,
        predecessor: threading.Thread | None = None,
    ) -> None:
        self.listener = listener
        # The thread that still hands on records of the same listener; nothing is taken before its end.
        self.predecessor = predecessor
        self.source = _sources.of(listener, self)
        self.marked = self.hurried = False
        # Records in the first two; a turn that has begun may have records in hand that are in neither.
        self.taken = self.handed_on = 0
        self.turns_begun = self.turns_ended = 0
        self.patience = _SOONEST
        self._ended = threading.Event()

    @property
    def ident(self) -> int | None:
        """The number of the lane's thread."""
        thread = lane.thread
        return None if thread is None else thread.ident

    def is_alive(self) -> bool:
        """Whether the listener was not stopped yet."""
        return not self._ended.is_set()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the listener has met its sentinel, ``timeout`` seconds at most.

        On the lane's own thread what is in the queue is handed on here and now, as another thread would
        have done; a handler of this very listener gets the `RuntimeError` of a thread that joins itself.
        Once the main thread has ended, no wait is longer than the option ``shutdown_timeout``, all
        together.
        """
        if not lane.is_current():
            self._ended.wait(lane.time_left(timeout))
        elif self.turns_begun > self.turns_ended:
            raise RuntimeError("cannot join current thread")
        else:
            self._serve_to_the_end()

    def _serve_to_the_end(self) -> None:
        if self.predecessor is not None:
            self.predecessor.join()
        while self.is_alive() and self.waiting():
            self.hand_on()

    def mark(self, now: bool = False) -> None:
        """Have the lane look here, ``now``: without waiting for more. Waits for no lock."""
        if not self.marked:
            self.marked = True
            self.hurried = False
            lane.ready.append(self)
        if now and not self.hurried:
            self.hurried = True
            lane.wake(now=True)
        else:
            lane.wake()

    def mark_for_put(self) -> None:
        """`mark`, by who put a record: at once before the queue is full, and producers are refused."""
        most = self.source.queue.maxsize
        self.mark(now=0 < most <= 2 * self.source.queue._qsize())

    def due(self) -> bool:
        """Whether its turn may come: the thread before it has ended."""
        if self.predecessor is not None and self.predecessor.is_alive():
            return False
        self.predecessor = None
        return True

    def hand_on(self) -> bool:
        """Hand on the records of one turn. Returns whether there may be more."""
        self.turns_begun += 1
        try:
            return self._hand_on()
        finally:
            self.turns_ended += 1

    def _hand_on(self) -> bool:
        try:
            records, ended = self.source.take(_TURN)
        except BaseException:  # noqa: BLE001 - the library's thread would end with it as well
            report(sys.exc_info()[1])
            self.end()
            return False
        self.taken += len(records)
        source = self.source
        _logboom.deliver(self, self.listener, records, source.queue, source.done, report)
        if ended:
            self.source.done()
            self.end()
        return len(records) == _TURN and not ended

    def waiting(self) -> int:
        """How many records are still to be handed on."""
        return self.source.size() + self.taken - self.handed_on

    def goal(self) -> tuple[int, int]:
        """What `has_reached` asks about, for everything that is in the queue by now to be handed on.

        The turns are asked last: what was taken from the queue before it was asked is in one of them.
        """
        return self.taken + self.source.size(), self.turns_begun

    def has_reached(self, goal: tuple[int, int]) -> bool:
        """Whether everything of then is handed on, by this listener or another on the same queue."""
        records, turns = goal
        done = self.handed_on >= records or not self.waiting()
        return not self.is_alive() or (done and self.turns_ended >= turns and self.due())

    def end(self) -> None:
        """Take no more records, and let those go on who wait for that."""
        self.source.close()
        lane.forget(self)
        self._ended.set()

    def begin_anew(self) -> None:
        """In a forked child: the records are the parent's, and so may be the queue."""
        self._ended = threading.Event()
        self.marked, self.predecessor = False, None
        self.handed_on = self.taken
        self.turns_ended = self.turns_begun
        if not self.source.begin_anew():
            self.end()


def report(error: BaseException | None) -> None:
    """Tell of an exception, also of `SystemExit`, as of one that ended a thread."""
    traceback = None if error is None else error.__traceback__
    arguments = (type(error), error, traceback, threading.current_thread())
    with contextlib.suppress(Exception):  # nobody is left who could be told
        threading.excepthook(threading.ExceptHookArgs(arguments))


class Lane:
    """The thread and what it knows of the seats."""

    def __init__(self) -> None:
        self.ready: deque[Seat] = deque()
        self.thread: threading.Thread | None = None
        # By the seat's address; whoever drops the last reference to a seat takes it out.
        self._seats: dict[int, weakref.ref[Seat]] = {}
        # Of queues that cannot hold their seat.
        self._kept: set[Seat] = set()
        self._lock = threading.Lock()
        self._progress = threading.Condition(threading.Lock())
        self._waiters = 0
        self.asleep = False
        self._bell = Bell()
        self._alarms = Alarms()
        # When waiting for handlers has to be over; set when the process begins to end.
        self._end: float | None = None
        # How often somebody woke the thread; for tests of what a record costs.
        self.wake_ups = 0

    def is_current(self) -> bool:
        """Whether the calling thread is the lane's."""
        return threading.current_thread() is self.thread

    def seats(self) -> list[Seat]:
        """The seats there are."""
        found = (entry() for entry in list(self._seats.values()))
        return [seat for seat in found if seat is not None]

    def take_in(self, seat: Seat) -> None:
        """Give a listener its place, and start the thread if there is none.

        Raises `RuntimeError` where no thread can be started; the seat is not taken then.
        """
        key = id(seat)

        def gone(_: object) -> None:
            self._seats.pop(key, None)
            self.wake()

        with self._lock:
            self._seats[key] = weakref.ref(seat, gone)
            if not seat.source.holds_seat or seat.predecessor is not None:
                self._kept.add(seat)
        try:
            seat.source.open()
            with self._lock:
                self._start()
        except BaseException:
            seat.end()
            raise
        # There may be records already.
        seat.mark()

    def forget(self, seat: Seat) -> None:
        """A seat has ended."""
        with self._lock:
            self._seats.pop(id(seat), None)
            self._kept.discard(seat)
        self.wake()

    def wake(self, now: bool = False) -> None:
        """Have the thread look at what is ready; ``now``: also where it waits for more."""
        if self.asleep or now:
            self.asleep = False
            self.wake_ups += 1
            self._bell.ring()
        # Whoever holds the lock instead looks at the seats before it lets a thread end.
        if (
            self.thread is None
            and (self._seats or self._alarms)
            and self._lock.acquire(blocking=False)
        ):
            try:
                self._start()
            except RuntimeError:
                # No room for a thread now: the next record tries again.
                for seat in self.seats():
                    seat.marked = False
            finally:
                self._lock.release()

    def call_at(self, call: Callable[[], float | None], at: float) -> None:
        """Have the thread run a call at this time of `time.monotonic`, and start it if there is none.

        The call gives the time of its next turn, or `None`, and has to be short. Raises `RuntimeError`
        where no thread can be started.
        """
        self._alarms.set(call, at)
        with self._lock:
            self._start()
        self.wake(now=True)

    def _start(self) -> None:
        """Start the thread if there is none. With the lock held."""
        if self.thread is not None:
            return
        self._bell.open()
        self.thread = threading.Thread(target=self._run, name=NAME, daemon=True)
        try:
            self.thread.start()
        except BaseException:
            self.thread = None
            raise

    def _run(self) -> None:
        napped = False
        while True:
            if self._alarms:
                self._alarms.ring()
            if self._take_turns():
                napped = False
            elif not napped:
                napped = True
                self._wait(_NAP)
            else:
                self.asleep = True
                # What became ready before saw no sleeper to wake.
                if self.ready:
                    self.asleep = False
                elif self._ends():
                    return
                else:
                    self._wait(self._look_again_in())
                    self.asleep = False
                    # Nobody tells that these have something.
                    self._mark_silent()

    def _take_turns(self) -> bool:
        """One turn for each seat that is ready. Returns whether any had a record."""
        worked = False
        for _ in range(len(self.ready)):
            seat = self.ready.popleft()
            # Before the look: what is put from here on marks it again.
            seat.marked = False
            before = seat.taken
            if seat.due():
                if seat.source.holds_seat and seat in self._kept:
                    with self._lock:
                        self._kept.discard(seat)
                if seat.hand_on():
                    seat.mark()
            idle = seat.taken == before
            seat.patience = min(_LATEST, seat.patience * 2) if idle else _SOONEST
            worked = worked or not idle
            del seat  # the last one, maybe
        if self._waiters:
            with self._progress:
                self._progress.notify_all()
        return worked

    def _silent(self) -> Iterator[Seat]:
        """Seats that are to be asked, as nobody tells when they have something."""
        return (one for one in list(self._kept) if one.predecessor or one.source.silent)

    def _look_again_in(self) -> float | None:
        soonest = min((seat.patience for seat in self._silent()), default=None)
        alarm = self._alarms.next_in()
        return soonest if alarm is None else min(alarm, soonest or alarm)

    def _mark_silent(self) -> None:
        for seat in self._silent():
            seat.mark()

    def _wait(self, seconds: float | None) -> None:
        """Wait for a wake-up, or for records in queues that have a descriptor."""
        told = {}
        for seat in list(self._kept):
            descriptor = seat.source.descriptor()
            if descriptor is not None and not seat.predecessor:
                told[descriptor] = seat
        for descriptor in self._bell.wait(seconds, told):
            told[descriptor].mark()

    def _ends(self) -> bool:
        """End the thread if there is no seat left."""
        if self._seats or self._alarms:
            return False
        with self._lock:
            if self._seats or self._alarms:
                return False
            self.asleep = False
            self.thread = None
        return True

    def time_left(self, timeout: float | None) -> float | None:
        """This time-out, or what the end of the process leaves of it."""
        if threading.main_thread().is_alive():
            return timeout
        if self._end is None:
            self._end = time.monotonic() + _logboom.options()["shutdown_timeout"]
        left = max(0.0, self._end - time.monotonic())
        return left if timeout is None else min(left, timeout)

    def drain(self, timeout: float | None = None) -> bool:
        """Wait until every record that is in a queue of a seat was handed on.

        ``timeout``: seconds; default none. Returns whether that came true in time. On the lane's own
        thread, which would wait for itself, there is nothing to wait for.
        """
        if self.is_current():
            return True
        # What comes in meanwhile is not waited for.
        goals = [(seat, seat.goal()) for seat in self.seats()]
        goals = [(seat, goal) for seat, goal in goals if not seat.has_reached(goal)]
        if not goals:
            return True
        for seat, _ in goals:
            seat.mark()
        timeout = self.time_left(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        self._waiters += 1
        try:
            with self._progress:
                while not all(seat.has_reached(goal) for seat, goal in goals):
                    left = 0.1 if deadline is None else min(0.1, deadline - time.monotonic())
                    if left <= 0:
                        return False
                    # Others may take records from a queue as well, and tell nobody.
                    self._progress.wait(left)
        finally:
            self._waiters -= 1
        return True

    def waiting(self) -> int:
        """How many records are still to be handed on."""
        return sum(seat.waiting() for seat in self.seats())

    def hung(self) -> list[logging.Handler]:
        """The handlers of waiting listeners that somebody is in at this moment."""
        found = []
        for seat in self.seats():
            for handler in seat.listener.handlers if seat.waiting() else ():
                lock = handler.lock
                if lock is None:
                    continue
                if lock.acquire(blocking=False):
                    lock.release()
                else:
                    found.append(handler)
        return found

    def before_fork(self) -> None:
        """Keep changes off while the process forks."""
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._lock.release()
        # Who put a record meanwhile could start no thread.
        self.wake()

    def after_fork_in_child(self) -> None:
        """Begin anew, with the same seats and without records."""
        self._lock = threading.Lock()
        self._progress = threading.Condition(threading.Lock())
        self._waiters, self.asleep, self.thread, self._end = 0, False, None, None
        self.ready.clear()
        self._bell.begin_anew()
        for seat in self.seats():
            seat.begin_anew()
        if self._alarms:
            # Nobody else starts it, and what is due has to be done in an idle child as well.
            with contextlib.suppress(RuntimeError):
                self._start()


lane = Lane()


def start(
    listener: logging.handlers.QueueListener, predecessor: threading.Thread | None = None
) -> Any:
    """Give a listener its seat, which takes the place of its thread."""
    seat = Seat(listener, predecessor)
    listener._thread = seat  # type: ignore[assignment]
    try:
        lane.take_in(seat)
    except BaseException:
        listener._thread = None
        raise
    return seat
