"""The handler lane: any number of queue listeners on one thread."""

from __future__ import annotations

import gc
import logging
import logging.handlers
import queue
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest

import logboom
from logboom._lane import NAME, lane


class Collect(logging.Handler):
    """Keeps what it gets, and the thread it got it on."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.threads: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.threads.add(threading.current_thread().name)

    @property
    def texts(self) -> list[str]:
        return [record.getMessage() for record in self.records]


class Blocked(Collect):
    """Handles nothing before it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.go = threading.Event(), threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.entered.set()
        assert self.go.wait(60)
        super().emit(record)


def record(text: str, *args: object, **attributes: object) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": text, "args": args, "levelno": 20, **attributes})


def lanes() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == NAME]


@pytest.fixture
def started() -> Iterator[Callable[..., logboom.QueueListener]]:
    listeners = []

    def start(source: object, *handlers: logging.Handler, **how: bool) -> logboom.QueueListener:
        listener = logboom.QueueListener(source, *handlers, **how)
        listener.start()
        listeners.append(listener)
        return listener

    yield start
    for listener in listeners:
        listener.stop()


def test_any_number_of_listeners_share_one_thread_that_ends_with_the_last(started, wait_for):
    wait_for(lambda: not lanes(), "the end of the lane of another test")
    queues = [queue.Queue() for _ in range(300)]
    handlers = [Collect() for _ in queues]
    listeners = [started(*pair) for pair in zip(queues, handlers, strict=True)]
    before = threading.active_count()
    for number in range(20):
        for source in queues:
            source.put(record("%d", number))
    assert lane.drain(60)
    assert all(one.texts == [str(n) for n in range(20)] for one in handlers)
    assert {name for one in handlers for name in one.threads} == {NAME}
    assert threading.active_count() == before
    assert lanes() == [NAME]
    for listener in listeners:
        listener.stop()
    wait_for(lambda: not lanes(), "the end of the lane")
    started(queues[0], handlers[0])
    queues[0].put(record("again"))
    assert lane.drain(60)
    assert handlers[0].texts[-1] == "again"


def test_records_that_wait_when_it_starts_are_handed_on(started):
    source, handler = queue.Queue(), Collect()
    for number in range(1000):
        source.put(record("%d", number))
    started(source, handler)
    source.join()
    assert handler.texts == [str(number) for number in range(1000)]


def test_stop_hands_on_what_was_put_before_and_leaves_what_comes_after(started):
    source, handler = queue.Queue(), Blocked()
    listener = started(source, handler)
    for number in range(10):
        source.put(record("%d", number))
    assert handler.entered.wait(60)
    stopper = threading.Thread(target=listener.stop)
    stopper.start()
    while not any(item is None for item in list(source.queue)):
        handler.go.wait(0.001)  # until the sentinel is in the queue
    source.put(record("after"))
    handler.go.set()
    stopper.join(60)
    assert handler.texts == [str(number) for number in range(10)]
    assert source.get_nowait().msg == "after"
    # Nothing is left of it in the queue.
    assert "_put" not in vars(source)


@pytest.mark.parametrize("kind", [queue.Queue, queue.LifoQueue, queue.SimpleQueue])
def test_queues_of_each_kind(started, kind, wait_for):
    source, handler = kind(), Collect()
    started(source, handler)
    for number in range(100):
        source.put(record("%d", number))
    wait_for(lambda: len(handler.records) == 100, "what was put into the queue")
    assert sorted(map(int, handler.texts)) == list(range(100))


def test_a_priority_queue_is_handed_on_by_priority(started):
    class Urgent(logging.LogRecord):
        def __lt__(self, other):
            return self.levelno > other.levelno

    source, handler = queue.PriorityQueue(), Collect()
    for level in (10, 50, 30, 20, 40):
        source.put(Urgent("x", level, "", 0, str(level), (), None))
    started(source, handler)
    source.join()
    assert handler.texts == ["50", "40", "30", "20", "10"]
    # The sentinel could not be compared with the records, here or in the library.
    source.queue.clear()


def test_a_queue_that_overrides_get_is_asked_by_it(started):
    class Doubled(queue.Queue):
        def get(self, block=True, timeout=None):
            item = super().get(block, timeout)
            if item is not None:
                item.msg *= 2
            return item

    source, handler = Doubled(), Collect()
    started(source, handler)
    source.put(record("x"))
    source.join()
    assert handler.texts == ["xx"]


def test_a_queue_of_multiprocessing(started, wait_for):
    import multiprocessing

    source, handler = multiprocessing.Queue(), Collect()
    started(source, handler)
    for number in range(100):
        source.put(record("%d", number))
    wait_for(lambda: len(handler.records) == 100, "what was put into the queue")
    assert handler.texts == [str(number) for number in range(100)]
    assert handler.threads == {NAME}


def test_a_bounded_queue_lets_producers_go_on(started):
    source, handler = queue.Queue(4), Collect()
    started(source, handler)
    for number in range(500):
        source.put(record("%d", number), timeout=60)
    source.join()
    assert handler.texts == [str(number) for number in range(500)]


def test_a_busy_listener_does_not_keep_others_waiting(started):
    busy, quiet = queue.Queue(), queue.Queue()
    seen = []

    class Note(logging.Handler):
        def emit(self, record):
            seen.append(record.msg)

    gate = Blocked()
    gated = queue.Queue()
    started(gated, gate)
    gated.put(record("hold the lane"))
    assert gate.entered.wait(60)
    started(busy, Note())
    started(quiet, Note())
    for _ in range(5000):
        busy.put(record("busy"))
    quiet.put(record("quiet"))
    gate.go.set()
    busy.join()
    quiet.join()
    assert seen.index("quiet") < 1000


def test_a_slow_handler_holds_up_neither_callers_nor_the_writer(started, logging_as_it_was, log):
    logboom.install()
    source, slow = queue.Queue(), Blocked()
    started(source, slow)
    logger = logging.Logger("tests.lane", 10)
    logger.addHandler(logboom.QueueHandler(source))
    handler = logboom.FileHandler(log)
    logger.addHandler(handler)
    for number in range(100):
        logger.info("line %d", number)
    assert slow.entered.wait(60)
    handler.flush()
    assert log.lines() == [f"line {number}" for number in range(100)]
    assert not logboom.flush(timeout=0.01)
    slow.go.set()
    assert logboom.flush(timeout=60)
    assert slow.texts == log.lines()
    handler.close()


def test_what_a_handler_raises_is_reported_and_the_next_record_handed_on(started, monkeypatch):
    reported = []
    monkeypatch.setattr(threading, "excepthook", reported.append)

    class Fails(Collect):
        def handle(self, record):
            if record.msg == "bad":
                raise ZeroDivisionError("as it should")
            return super().handle(record)

    source, handler, other = queue.Queue(), Fails(), Collect()
    second = queue.Queue()
    started(source, handler)
    started(second, other)
    for text in ("a", "bad", "b"):
        source.put(record(text))
    second.put(record("c"))
    source.join()
    second.join()
    assert handler.texts == ["a", "b"]
    assert other.texts == ["c"]
    assert [(one.exc_type, one.thread.name) for one in reported] == [(ZeroDivisionError, NAME)]


def test_a_handler_that_exits_ends_no_thread_of_others(started, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)  # pytest's own warns

    class Exits(Collect):
        def handle(self, record):
            super().handle(record)
            raise SystemExit

    source, handler = queue.Queue(), Exits()
    started(source, handler)
    for text in ("a", "b"):
        source.put(record(text))
    source.join()
    assert handler.texts == ["a", "b"]


def test_a_queue_that_fails_ends_its_listener_only(started, monkeypatch, wait_for):
    reported = []
    monkeypatch.setattr(threading, "excepthook", reported.append)

    class Broken(queue.Queue):
        def get(self, block=True, timeout=None):
            raise ConnectionError("gone")

    good, handler = queue.Queue(), Collect()
    started(good, handler)
    listener = logboom.QueueListener(Broken(), Collect())
    listener.start()
    wait_for(lambda: not listener._thread.is_alive(), "the end of a listener")
    good.put(record("x"))
    good.join()
    assert handler.texts == ["x"]
    assert [one.exc_type for one in reported] == [ConnectionError]


def test_a_listener_stopped_on_its_own_thread_is_refused_as_by_the_library(started):
    refused = []

    class Stops(logging.Handler):
        def emit(self, record):
            try:
                listener.stop()
            except RuntimeError as error:
                refused.append(str(error))

    source = queue.Queue()
    listener = started(source, Stops())
    source.put(record("x"))
    source.join()
    assert refused == ["cannot join current thread"]


def test_a_handler_may_stop_another_listener(started):
    others, handler = queue.Queue(), Collect()
    other = started(others, handler)
    left = []

    class Stops(logging.Handler):
        def emit(self, record):
            for number in range(1000):
                others.put(globals()["record"]("%d", number))
            other.stop()
            left.append((len(handler.records), other._thread))

    source = queue.Queue()
    started(source, Stops())
    source.put(record("x"))
    source.join()
    assert left == [(1000, None)]


def test_a_handler_on_the_lane_may_flush_and_log(started, logging_as_it_was):
    source, collect = queue.Queue(), Collect()

    class Logs(logging.Handler):
        def emit(self, record):
            assert logboom.flush(timeout=60)
            if record.msg == "first":
                source.put(globals()["record"]("second"))

    started(source, Logs(), collect)
    source.put(record("first"))
    assert lane.drain(60)
    source.join()
    assert collect.texts == ["first", "second"]


def test_listeners_on_one_queue_share_its_records(started):
    source, handlers = queue.Queue(), [Collect(), Collect()]
    first, second = (started(source, handler) for handler in handlers)
    for number in range(100):
        source.put(record("%d", number))
    source.join()
    assert sorted(int(text) for one in handlers for text in one.texts) == list(range(100))
    first.stop()
    source.put(record("to the second"))
    source.join()
    assert handlers[1].texts[-1] == "to the second"
    second.stop()
    assert "_put" not in vars(source) or vars(source)["_put"](record("kept")) is None


def test_a_listener_lives_as_long_as_its_queue_and_no_longer(wait_for):
    source, handler = queue.Queue(), Collect()
    # As the library's thread does, the queue keeps the listener that nobody else knows.
    logboom.QueueListener(source, handler).start()
    gc.collect()
    source.put(record("x"))
    source.join()
    assert handler.texts == ["x"]
    seen = [weakref.ref(handler), weakref.ref(source)]
    source.put(record("the last, which nobody waits for"))
    texts = handler.records
    del source, handler
    wait_for(lambda: gc.collect() is not None and not any(one() for one in seen), "the collection")
    assert [one.msg for one in texts] == ["x", "the last, which nobody waits for"]
    wait_for(lambda: not lanes(), "the end of the lane")


def test_a_burst_wakes_the_lane_few_times(started):
    source, handler = queue.Queue(), Collect()
    started(source, handler)
    source.put(record("x"))
    source.join()
    gate = Blocked()
    gated = queue.Queue()
    started(gated, gate)
    gated.put(record("hold the lane"))
    assert gate.entered.wait(60)
    before = lane.wake_ups
    for _ in range(1000):
        source.put(record("x"))
    assert lane.wake_ups - before <= 1
    gate.go.set()
    source.join()
    assert len(handler.records) == 1001


def test_a_flush_waits_for_what_was_just_taken_from_a_queue(started):
    class Slow(queue.Queue):
        def get(self, block=True, timeout=None):
            item = super().get(block, timeout)
            taken.set()
            assert go.wait(60)
            return item

    taken, go = threading.Event(), threading.Event()
    source, handler = Slow(), Collect()
    started(source, handler)
    source.put(record("in hand"))
    assert taken.wait(60)
    assert source.empty()
    assert not lane.drain(0.01)
    go.set()
    assert lane.drain(60)
    assert handler.texts == ["in hand"]


def test_a_class_with_its_own_loop_has_its_own_thread():
    class Own(logboom.QueueListener):
        def dequeue(self, block):
            return self.queue.get(block)

    source, handler = queue.Queue(), Collect()
    with Own(source, handler) as listener:
        assert isinstance(listener._thread, threading.Thread)
        source.put(record("x"))
    assert handler.texts == ["x"]
    assert NAME not in handler.threads


def test_a_system_without_a_thread_left_refuses_as_the_library_does(run_python):
    run_python("""
        import logging, logboom, queue, threading
        start, real = threading.Thread.start, []
        def refuse(self):
            raise RuntimeError("can't start new thread")
        threading.Thread.start = refuse
        source = queue.Queue()
        listener = logboom.QueueListener(source, logging.NullHandler())
        try:
            listener.start()
        except RuntimeError as error:
            print(error)
        assert listener._thread is None and "_put" not in vars(source)
        threading.Thread.start = start
        listener.start()
        source.put(logging.makeLogRecord({}))
        source.join()
        listener.stop()
    """).ok()
