"""`adopt` moves listeners that run onto the lane, and loses and reorders nothing."""

from __future__ import annotations

import json
import logging
import logging.handlers
import queue
import threading

import pytest

import logboom
from logboom._lane import NAME, Seat


class Collect(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.threads: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
        self.threads.add(threading.current_thread().name)


class Blocked(Collect):
    def __init__(self) -> None:
        super().__init__()
        self.entered, self.go = threading.Event(), threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.entered.set()
        assert self.go.wait(60)
        super().emit(record)


def record(text: str) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": text})


def ours(report: logboom.AdoptReport) -> list[logboom.AdoptedListener]:
    """Those with handlers of this module: other tests may have left some."""
    return [one for one in report.listeners if any(__name__ in name for name in one.handlers)]


@pytest.mark.parametrize("kind", [queue.Queue, queue.SimpleQueue])
def test_listeners_go_on_without_their_threads(kind):
    pairs = [(kind(), Collect()) for _ in range(50)]
    listeners = [logging.handlers.QueueListener(*pair) for pair in pairs]
    for listener in listeners:
        listener.start()
    stop, put = threading.Event(), [0]

    def log() -> None:
        while not stop.is_set():
            for source, _ in pairs:
                source.put(record(str(put[0])))
            put[0] += 1

    producer = threading.Thread(target=log)
    producer.start()
    report = logboom.adopt(timeout=60)
    assert [one.outcome for one in ours(report)] == ["moved"] * 50
    assert report.threads_ended >= 50
    assert [type(one._thread) for one in listeners] == [Seat] * 50
    assert [one.outcome for one in ours(logboom.adopt())] == ["on the lane"] * 50
    stop.set()
    producer.join()
    for listener in listeners:
        listener.stop()
    for _, handler in pairs:
        assert handler.texts == [str(number) for number in range(put[0])]
        assert NAME in handler.threads


def test_a_thread_that_is_in_a_handler_is_followed_when_it_comes_back():
    source, handler = queue.Queue(), Blocked()
    listener = logging.handlers.QueueListener(source, handler)
    listener.start()
    old = listener._thread
    for number in range(10):
        source.put(record(str(number)))
    assert handler.entered.wait(60)
    (found,) = ours(logboom.adopt(timeout=0))
    assert (found.outcome, found.waiting) == ("moving", 9)
    assert old.is_alive()
    assert not logboom.flush(timeout=0.01)
    for number in range(10, 20):
        source.put(record(str(number)))
    handler.go.set()
    assert logboom.flush(timeout=60)
    assert handler.texts == [str(number) for number in range(20)]
    assert not old.is_alive()
    assert NAME in handler.threads
    listener.stop()


def test_called_by_a_handler_on_the_very_thread(wait_for):
    outcomes = []

    class Adopts(Collect):
        def emit(self, record):
            if not outcomes:
                outcomes.extend(one.outcome for one in ours(logboom.adopt(timeout=60)))
            super().emit(record)

    source, handler = queue.Queue(), Adopts()
    listener = logging.handlers.QueueListener(source, handler)
    listener.start()
    for number in range(5):
        source.put(record(str(number)))
    wait_for(lambda: len(handler.texts) == 5, "all records")
    assert outcomes == ["moving"]
    source.put(record("5"))
    wait_for(lambda: len(handler.texts) == 6, "one more")
    assert handler.texts == [str(number) for number in range(6)]
    listener.stop()


def test_two_listeners_on_one_queue_are_both_moved():
    source, handler = queue.Queue(), Collect()
    listeners = [logging.handlers.QueueListener(source, handler) for _ in range(2)]
    for listener in listeners:
        listener.start()
    assert [one.outcome for one in ours(logboom.adopt(timeout=60))] == ["moved"] * 2
    for number in range(100):
        source.put(record(str(number)))
    source.join()
    assert sorted(map(int, handler.texts)) == list(range(100))
    for listener in listeners:
        listener.stop()


def test_one_with_a_loop_of_its_own_is_left_and_told():
    class Own(logging.handlers.QueueListener):
        def dequeue(self, block):
            return self.queue.get(block)

    source, handler = queue.Queue(), Collect()
    listener = Own(source, handler)
    listener.start()
    (found,) = ours(logboom.adopt())
    assert (found.outcome, found.reason) == ("left", "its class has its own `dequeue`")
    source.put(record("x"))
    listener.stop()
    assert handler.texts == ["x"]
    assert ours(logboom.adopt()) == []


def test_the_report_is_for_people_and_machines():
    source, handler = queue.Queue(), Collect()
    listener = logging.handlers.QueueListener(source, handler)
    listener.start()
    report = logboom.adopt()
    listener.stop()
    (found,) = ours(report)
    assert (
        f"  logging.handlers.QueueListener on queue.Queue to {__name__}.Collect: moved"
        " (0 records waiting)"
    ) in str(report).splitlines()
    assert str(report).startswith(f"{len(report.listeners)} queue listeners found, ")
    told = json.loads(json.dumps(report.as_dict()))
    assert told["threads_ended"] == report.threads_ended >= 1
    assert {
        "listener": "logging.handlers.QueueListener",
        "queue": "queue.Queue",
        "handlers": [f"{__name__}.Collect"],
        "waiting": found.waiting,
        "outcome": "moved",
        "reason": "",
    } in told["listeners"]


def test_a_negative_time_out_is_refused():
    with pytest.raises(
        ValueError, match=r"^invalid `timeout`: got -1, expected a number of seconds"
    ):
        logboom.adopt(timeout=-1)


def test_the_leak_of_litestar_ends(run_python):
    outcome = run_python("""
        import logging, logboom, threading
        from litestar.logging import LoggingConfig
        before = threading.active_count()
        for number in range(100):
            get_logger = LoggingConfig(
                formatters={"standard": {"format": "%(message)s"}},
                log_exceptions="always",
            ).configure()
            get_logger("litestar").info("before %d", number)
        leaked = threading.active_count() - before
        report = logboom.adopt()
        get_logger("litestar").info("after")
        logboom.flush(60)
        print(leaked, report.threads_ended, threading.active_count() - before)
        print(str(report).splitlines()[1])
    """).ok()
    first, second = outcome.out.splitlines()
    assert first == "100 100 1"
    assert second.startswith(
        "  litestar.logging.standard.LoggingQueueListener on queue.Queue to logging.StreamHandler: moved"
    )
    # A hundred listeners keep no order among them.
    *before, after = outcome.err.splitlines()
    assert sorted(before) == sorted(f"before {number}" for number in range(100))
    assert after == "after"
