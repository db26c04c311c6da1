"""Records for handlers behind a queue that are made natively: what the library would have put there."""

from __future__ import annotations

import asyncio
import gc
import logging
import logging.handlers
import multiprocessing
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import logboom
from logboom import _queues
from logboom._lane import lane

Log = Callable[[logging.Logger], object]
# What tells of the moment of the call.
TIMES = {"created", "msecs", "relativeCreated"}


@pytest.fixture(autouse=True)
def _installed(logging_as_it_was: None) -> Iterator[None]:
    logboom.install()
    yield


def logger_with(handler: logging.Handler) -> logging.Logger:
    logger = logging.Logger("tests.lane_records", logging.DEBUG)
    logger.addHandler(handler)
    return logger


def python_calls(call: Callable[[], object]) -> set[str]:
    """The names of the Python functions that run while this does."""
    names: set[str] = set()

    def note(frame: Any, event: str, _: object) -> None:
        if event == "call":
            names.add(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return names


def is_native(logger: logging.Logger, log: Log) -> bool:
    # The library keeps whether a level is enabled, once it was asked.
    assert logger.isEnabledFor(logging.INFO) and logger.isEnabledFor(logging.ERROR)
    for level in (logging.WARNING, 33):
        assert logger.isEnabledFor(level)
    return not python_calls(lambda: log(logger)) & {"makeRecord", "_make_record", "emit", "prepare"}


def put(kind: type[logging.handlers.QueueHandler], log: Log, **how: Any) -> list[dict[str, Any]]:
    """The attributes of what is put into a queue of this kind of handler."""
    source: queue.Queue[Any] = queue.Queue()
    handler = kind(source)
    handler.setFormatter(how.get("formatter"))
    log(logger_with(handler))
    assert source.unfinished_tasks == source.qsize()
    return [vars(record) for record in source.queue]


class Odd:
    def __str__(self) -> str:
        return "odd"


def raises(logger: logging.Logger) -> None:
    try:
        raise ValueError("as it should")
    except ValueError:
        logger.exception("failed %d", 1)


def with_context(logger: logging.Logger) -> None:
    with logboom.bound(user="ann", getMessage="no", order=3):
        logger.info("bound", extra={"order": 7, "list": [1]})
        logger.info("bound alone")


class Text(str):
    __slots__ = ()


CALLS: dict[str, Log] = {
    "plain": lambda log: log.info("plain"),
    "arguments": lambda log: log.warning("%s %d %.2f %r", "a", 1, 2.5, None),
    "an object": lambda log: log.error("%s", Odd()),
    "a mapping": lambda log: log.info("%(a)s", {"a": 1}),
    "an empty mapping": lambda log: log.info("%s", {}),
    "a message of no text": lambda log: log.info(Odd()),
    "a message of another class": lambda log: log.info(Text("x %d"), 1),
    "no text at all": lambda log: log.critical(5),
    "beyond ASCII": lambda log: log.info("grüße %s", "\N{SNOWMAN}"),
    "lone surrogates": lambda log: log.info("\ud800 %s", "\udfff"),
    "percent without arguments": lambda log: log.info("100 % sure"),
    "a level of one's own": lambda log: log.log(33, "odd"),
    "extra": lambda log: log.info("extra", extra={"a": 1, "b": Odd}),
    "bound fields": with_context,
    "an exception": raises,
    "no exception": lambda log: log.info("none", exc_info=True),
    "exc_info that is false": lambda log: log.info("none", exc_info=False),
    "an exception given": lambda log: log.info("given", exc_info=KeyError("k")),
    "an exception after a newline": lambda log: log.info("line\n", exc_info=KeyError("k")),
    "an empty message and an exception": lambda log: log.info("", exc_info=KeyError("k")),
    "twice from one place": lambda log: [log.info("number %d", number) for number in range(3)],
    "two levels from one place": lambda log: [log.log(level, "x") for level in (10, 20, 10)],
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "formatter", [None, logging.Formatter("<%(asctime).0s%(levelname)s %(module)s> %(message)s")]
)
def test_a_record_has_what_the_library_would_have_left(name, formatter):
    log = CALLS[name]
    theirs = put(logging.handlers.QueueHandler, log, formatter=formatter)
    ours = put(logboom.QueueHandler, log, formatter=formatter)
    assert len(theirs) == len(ours) > 0
    for expected, found in zip(theirs, ours, strict=True):
        if name != "bound fields":  # the library knows none, so other handlers add them behind
            assert list(expected) == list(found)
        for attribute, value in expected.items():
            assert type(found[attribute]) is type(value)
            if attribute not in TIMES | {"asctime"}:
                assert found[attribute] == value, attribute
        assert expected.keys() == found.keys()


def test_a_record_is_made_without_running_the_librarys_code():
    logger = logger_with(logboom.QueueHandler(queue.Queue()))
    names = ["plain", "arguments", "extra", "a level of one's own"]
    # Before 3.11 pytest brings a package that patches `traceback`.
    if sys.version_info >= (3, 11):
        names.append("an exception")
    for name in names:
        assert is_native(logger, CALLS[name]), name
    (handler,) = logger.handlers
    handler.setFormatter(logging.Formatter("%(message)s"))
    assert is_native(logger, CALLS["plain"])


def test_times_are_those_of_the_call():
    source: queue.Queue[Any] = queue.Queue()
    logger = logger_with(logboom.QueueHandler(source))
    before = logging.LogRecord("n", 20, "p", 1, "m", (), None)
    logger.info("now")
    after = logging.LogRecord("n", 20, "p", 1, "m", (), None)
    record = source.get()
    assert before.created <= record.created <= after.created
    assert before.relativeCreated <= record.relativeCreated <= after.relativeCreated
    assert record.msecs == int((record.created % 1) * 1000) or record.msecs in (999, 0)
    assert record.relativeCreated - before.relativeCreated == pytest.approx(
        (record.created - before.created) * 1000, abs=0.01
    )


def test_names_of_thread_process_and_task_are_those_of_the_moment(monkeypatch):
    source: queue.Queue[Any] = queue.Queue()
    logger = logger_with(logboom.QueueHandler(source))

    def log() -> None:
        logger.info("x")

    for name in ("first", "second"):
        monkeypatch.setattr(threading.current_thread(), "name", name)
        monkeypatch.setattr(multiprocessing.current_process(), "name", f"process {name}")
        log()
        record = source.get()
        assert (record.threadName, record.processName) == (name, f"process {name}")
        assert record.thread == threading.get_ident()
    thread = threading.Thread(target=log, name="another")
    thread.start()
    thread.join()
    assert source.get().threadName == "another"

    async def in_a_task() -> None:
        asyncio.current_task().set_name("the task")
        log()

    asyncio.run(in_a_task())
    log()
    names = [getattr(source.get(), "taskName", "none there") for _ in range(2)]
    expected = ["the task", None] if sys.version_info >= (3, 12) else ["none there"] * 2
    assert names == expected


def test_a_forked_child_has_its_own_number(run_python):
    run_python("""
        import logging, logboom, os, queue
        logboom.install()
        source = queue.Queue()
        logger = logging.getLogger("app")
        logger.propagate = False
        logger.addHandler(logboom.QueueHandler(source))
        def numbers():
            logger.warning("x")
            return source.get().process, os.getpid()
        parent = numbers()
        assert parent[0] == parent[1]
        child = os.fork()
        if child == 0:
            own = numbers()
            os._exit(0 if own[0] == own[1] != parent[0] else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert numbers() == parent
    """).ok()


class Overrides(logboom.QueueHandler):
    def prepare(self, record: logging.LogRecord) -> Any:
        record.own = True
        return record


class Plain(logboom.QueueHandler):
    """Overrides nothing on the way."""

    def close(self) -> None:
        super().close()


def change_nothing(_: object) -> None:
    pass


def set_method(handler: Any) -> None:
    handler.enqueue = handler.queue.put


def add_filter(handler: Any) -> None:
    handler.addFilter(lambda record: True)


def put_override(handler: Any) -> None:
    source = handler.queue
    source.put_nowait = source.put


def own_formatter(handler: Any) -> None:
    class Own(logging.Formatter):
        pass

    handler.setFormatter(Own())


def other_queue(handler: Any) -> None:
    handler.queue = queue.LifoQueue()


@pytest.mark.parametrize(
    ("kind", "change", "native"),
    [
        (Plain, change_nothing, True),
        (Overrides, change_nothing, False),
        (logboom.QueueHandler, set_method, False),
        (logboom.QueueHandler, add_filter, False),
        (logboom.QueueHandler, put_override, False),
        (logboom.QueueHandler, own_formatter, False),
        (logboom.QueueHandler, other_queue, False),
    ],
)
def test_what_is_overridden_is_called(kind, change, native):
    handler = kind(queue.Queue())
    logger = logger_with(handler)
    logger.info("before")
    change(handler)
    assert is_native(logger, CALLS["plain"]) is native
    assert handler.queue.get().getMessage() in {"before", "plain"}


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (logging.handlers.QueueHandler, "prepare"),
        (logging.handlers.QueueHandler, "enqueue"),
        (logging.handlers.QueueHandler, "emit"),
        (logboom.QueueHandler, "prepare"),
        (logging.Handler, "handle"),
        (queue.Queue, "put"),
        (queue.Queue, "_put"),
        (logging.LogRecord, "getMessage"),
        (logging.Logger, "makeRecord"),
    ],
    ids=lambda one: one if isinstance(one, str) else f"{one.__module__}.{one.__name__}",
)
def test_what_is_patched_is_called(target, name, monkeypatch):
    source: queue.Queue[Any] = queue.Queue()
    logger = logger_with(logboom.QueueHandler(source))
    logger.info("before")
    real, called = getattr(target, name), []

    def patched(*args: Any, **kwargs: Any) -> Any:
        called.append(name)
        return real(*args, **kwargs)

    monkeypatch.setattr(target, name, patched)
    logger.info("patched")
    assert called
    monkeypatch.undo()
    assert is_native(logger, CALLS["plain"])
    assert [record.msg for record in source.queue] == ["before", "patched", "plain"]


def test_a_record_factory_is_asked(monkeypatch):
    class Own(logging.LogRecord):
        pass

    source: queue.Queue[Any] = queue.Queue()
    logger = logger_with(logboom.QueueHandler(source))
    logger.info("before")
    monkeypatch.setattr(logging, "_logRecordFactory", Own)
    logger.info("after")
    assert [type(record) for record in source.queue] == [logging.LogRecord, Own]


def test_levels_of_handlers_and_changes_of_the_queue_are_seen_at_once():
    first: queue.Queue[Any] = queue.Queue()
    second: queue.Queue[Any] = queue.Queue()
    handler = logboom.QueueHandler(first)
    logger = logger_with(handler)
    logger.info("first")
    handler.setLevel(logging.ERROR)
    logger.info("too low")
    logger.error("high")
    handler.setLevel(logging.NOTSET)
    handler.queue = second
    logger.info("second")
    logger.removeHandler(handler)
    logger.addHandler(logging.NullHandler())
    logger.info("nowhere")
    assert [record.msg for record in first.queue] == ["first", "high"]
    assert [record.msg for record in second.queue] == ["second"]


def test_a_text_that_is_asked_for_may_change_where_the_record_goes():
    handler = logboom.QueueHandler(queue.Queue())
    logger = logger_with(handler)
    logger.info("before")
    other: queue.Queue[Any] = queue.Queue()

    class Moves:
        def __str__(self) -> str:
            handler.queue = other
            return "moved"

    logger.info("%s", Moves())
    assert [record.msg for record in other.queue] == ["moved"]


def test_a_text_that_logs_comes_first():
    source: queue.Queue[Any] = queue.Queue()
    logger = logger_with(logboom.QueueHandler(source))

    class Logs:
        def __str__(self) -> str:
            logger.info("inner")
            return "outer"

    logger.info("%s", Logs())
    assert [record.msg for record in source.queue] == ["inner", "outer"]


def test_what_cannot_be_formatted_is_reported_by_the_library(capsys):
    source: queue.Queue[Any] = queue.Queue()
    logger = logger_with(logboom.QueueHandler(source))
    logger.info("%d", "no number")
    assert "--- Logging error ---" in capsys.readouterr().err
    assert source.empty()
    with pytest.raises(KeyError, match="Attempt to overwrite 'name' in LogRecord"):
        logger.info("x", extra={"name": 1})
    with pytest.raises(Stopped):
        # What is no error of formatting belongs to the caller: a signal handler's exception.
        logger.info("%s", Interrupts())


class Interrupts:
    def __str__(self) -> str:
        raise Stopped


class Stopped(BaseException):
    pass


def test_a_full_queue_is_told_once(capsys):
    source: queue.Queue[Any] = queue.Queue(2)
    logger = logger_with(logboom.QueueHandler(source))
    for number in range(4):
        logger.info("line %d", number)
    assert [record.msg for record in source.queue] == ["line 0", "line 1"]
    assert capsys.readouterr().err.count("queue.Full") == 2


def test_a_thread_that_waits_for_a_record_gets_it():
    source: queue.Queue[Any] = queue.Queue()
    logger = logger_with(logboom.QueueHandler(source))
    found = []
    thread = threading.Thread(target=lambda: found.append(source.get(timeout=60)))
    thread.start()
    while not source.not_empty._waiters:  # type: ignore[attr-defined]
        thread.join(0.001)
    logger.info("woken")
    thread.join(60)
    assert [record.msg for record in found] == ["woken"]
    source.task_done()
    source.join()


@pytest.mark.parametrize("held", ["lock of the handler", "lock of the queue"])
def test_a_lock_that_another_thread_holds_is_waited_for(held):
    source: queue.Queue[Any] = queue.Queue()
    handler = logboom.QueueHandler(source)
    logger = logger_with(handler)
    logger.info("before")
    assert handler.lock is not None
    lock = handler.lock if held == "lock of the handler" else source.mutex
    entered, done = threading.Event(), threading.Event()

    def log() -> None:
        entered.set()
        logger.info("after")
        done.set()

    with lock:
        thread = threading.Thread(target=log)
        thread.start()
        assert entered.wait(60)
        # Long enough to see one that does not wait; one that does is never seen to.
        assert not done.wait(0.05)
        assert len(source.queue) == 1
    thread.join(60)
    assert [record.msg for record in source.queue] == ["before", "after"]


def test_threads_lose_and_reorder_nothing():
    source: queue.Queue[Any] = queue.Queue()
    logger = logger_with(logboom.QueueHandler(source))
    seen: list[tuple[str, int]] = []

    class Note(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            thread, number = record.getMessage().split()
            seen.append((thread, int(number)))

    def log(name: str) -> None:
        for number in range(5000):
            logger.info("%s %d", name, number)

    with logboom.QueueListener(source, Note()):
        threads = [threading.Thread(target=log, args=(f"t{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert lane.drain(60)
        source.join()
        assert source.unfinished_tasks == 0
    for name in ("t0", "t1", "t2", "t3"):
        assert [number for thread, number in seen if thread == name] == list(range(5000))


@pytest.mark.parametrize("kind", [queue.Queue, queue.SimpleQueue])
def test_a_listener_that_begins_by_itself_gets_the_first_record_and_all_after_it(kind, wait_for):
    texts: list[str] = []

    class Note(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            texts.append(record.getMessage())

    source = kind()
    handler = logboom.QueueHandler(source, handlers=[Note()])
    logger = logger_with(handler)
    for number in range(1000):
        logger.info("%d", number)
    wait_for(lambda: len(texts) == 1000, "what was logged")
    assert is_native(logger, CALLS["plain"])
    handler.close()
    # Nobody hands on any more; the next record begins anew.
    logger.info("again")
    wait_for(lambda: "again" in texts, "a listener that began anew")
    assert texts == [*map(str, range(1000)), "plain", "again"]
    handler.close()


def test_a_finaliser_that_logs_from_the_same_place_disturbs_no_record():
    source: queue.Queue[Any] = queue.Queue()
    handler = logboom.QueueHandler(source)
    loggers = [logging.Logger(name, 10) for name in ("outer", "inner")]
    for logger in loggers:
        logger.addHandler(handler)

    def log(at: int) -> None:
        loggers[at].info("from %d", at)

    class Logs:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            log(1)

    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(500):
            Logs()
            log(0)
    finally:
        gc.set_threshold(*before)
    gc.collect()
    found = [(record.name, record.msg) for record in source.queue]
    assert found.count(("outer", "from 0")) == 500
    assert found.count(("inner", "from 1")) == 500
    assert len(found) == 1000


def test_records_leave_nothing_behind():
    source: queue.Queue[Any] = queue.Queue()
    logger = logger_with(logboom.QueueHandler(source))

    def log(times: int) -> int:
        for number in range(times):
            logger.info("number %d", number)
            logger.info("fields %d", number, extra={"a": number})
            source.get_nowait()
            source.get_nowait()
        gc.collect()
        return sys.getallocatedblocks()

    log(100)
    before = log(100)
    assert log(5000) - before < 200


def test_explain_says_that_a_record_is_made():
    logger = logger_with(logboom.QueueHandler(queue.Queue()))
    way = logboom.explain(logger, file=_Nowhere())
    assert not way.native
    assert way.handlers[0].way == "library"
    assert way.handlers[0].reason == "logboom._queues.QueueHandler gets a LogRecord at the call"


class _Nowhere:
    def write(self, _: str) -> int:
        return 0


# What the lane does with a record.


class Note(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[object] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(record.msg)


def handed_on(listener: logboom.QueueListener, *texts: str, level: int = 20) -> None:
    source = listener.queue
    with listener:
        for text in texts:
            source.put(logging.makeLogRecord({"msg": text, "levelno": level}))
        source.join()


def test_methods_of_handlers_and_listeners_are_called_where_they_are_the_programs():
    called: list[str] = []

    class Handles(Note):
        def handle(self, record: logging.LogRecord) -> bool:
            called.append("handle")
            return bool(super().handle(record))

    class Filters(Note):
        def filter(self, record: logging.LogRecord) -> bool:
            called.append("filter")
            return record.msg != "drop"

    class Acquires(Note):
        def acquire(self) -> None:
            called.append("acquire")
            super().acquire()

    class Prepares(logboom.QueueListener):
        def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
            called.append("prepare")
            return record

    own, filtered = Note(), Note()
    own.emit = lambda record: called.append(f"own emit {record.msg}")  # type: ignore[method-assign]
    filtered.addFilter(lambda record: record.msg == "x")
    handlers = [Handles(), Filters(), Acquires(), own, filtered]
    handed_on(Prepares(queue.Queue(), *handlers), "x", "drop")
    once = ["prepare", "handle", "filter", "acquire", "own emit x"]
    again = ["prepare", "handle", "filter", "acquire", "own emit drop"]
    if sys.version_info >= (3, 13):  # the library takes the lock itself
        once.remove("acquire")
        again.remove("acquire")
    assert called == [*once, *again]
    assert [one.seen for one in (handlers[0], handlers[1], handlers[2], filtered)] == [
        ["x", "drop"],
        ["x"],
        ["x", "drop"],
        ["x"],
    ]


def test_a_method_set_between_two_records_counts_for_the_second():
    called: list[str] = []

    class Changes(Note):
        def emit(self, record: logging.LogRecord) -> None:
            super().emit(record)
            self.handle = lambda record: called.append(record.msg)  # type: ignore[method-assign]

    handler = Changes()
    handed_on(logboom.QueueListener(queue.Queue(), handler), "first", "second")
    assert (handler.seen, called) == (["first"], ["second"])


def test_a_handlers_lock_is_held_while_it_emits_and_let_go_whatever_happens(monkeypatch):
    reported: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", reported.append)
    held: list[bool] = []

    class Fails(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            held.append(self.lock._is_owned())  # type: ignore[union-attr]
            raise ZeroDivisionError(record.msg)

    handler, other = Fails(), Note()
    handed_on(logboom.QueueListener(queue.Queue(), handler, other), "a", "b")
    assert held == [True, True]
    assert not handler.lock._is_owned()  # type: ignore[union-attr]
    assert handler.lock.acquire(blocking=False)  # type: ignore[union-attr]
    handler.release()
    assert [str(one.exc_value) for one in reported] == ["a", "b"]
    # The traceback leads to the handler.
    frames = reported[0].exc_traceback
    while frames.tb_next is not None:
        frames = frames.tb_next
    assert frames.tb_frame.f_code is Fails.emit.__code__
    # As in the library, the handlers behind it do not get the record.
    assert other.seen == []


def test_levels_count_where_that_is_asked_for():
    low, high = Note(), Note()
    high.setLevel(30)
    handed_on(logboom.QueueListener(queue.Queue(), low, high, respect_handler_level=True), "low")
    handed_on(logboom.QueueListener(queue.Queue(), low, high), "all")
    assert (low.seen, high.seen) == (["low", "all"], ["all"])


def test_tasks_are_counted_one_by_one():
    counted: list[int] = []
    source: queue.Queue[Any] = queue.Queue()

    class Counts(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            counted.append(source.unfinished_tasks)

    for number in range(5):
        source.put(logging.makeLogRecord({"msg": number}))
    handed_on(logboom.QueueListener(source, Counts()))
    # The sentinel of `stop` may be in the queue already, or not.
    assert [one - counted[-1] for one in counted] == [4, 3, 2, 1, 0] or counted[0] == 6
    assert source.unfinished_tasks == 0


def test_a_class_that_is_patched_while_it_runs_is_seen(monkeypatch):
    called: list[object] = []
    source: queue.Queue[Any] = queue.Queue()
    handler = Note()
    with logboom.QueueListener(source, handler):
        source.put(logging.makeLogRecord({"msg": "before"}))
        source.join()
        monkeypatch.setattr(
            logging.handlers.QueueListener, "handle", lambda self, record: called.append(record.msg)
        )
        source.put(logging.makeLogRecord({"msg": "after"}))
        source.join()
    assert (handler.seen, called) == (["before"], ["after"])


def test_the_classes_are_known_as_plain():
    assert _queues._is_plain(logboom.QueueHandler)
    assert _queues._is_plain(Plain)
    assert not _queues._is_plain(Overrides)
    assert not _queues._is_plain(logging.handlers.QueueHandler)
    assert _queues._hands_on_plainly(logboom.QueueListener)
