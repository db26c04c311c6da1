"""`QueueHandler` and `QueueListener`: the library's, in programs and in configurations."""

from __future__ import annotations

import io
import logging
import logging.config
import logging.handlers
import queue
import sys
import threading
from collections.abc import Iterator

import pytest

import logboom
from logboom._lane import NAME, Seat


@pytest.fixture(autouse=True)
def _as_it_was(logging_as_it_was: None) -> Iterator[None]:
    yield
    for handler in list(logging._handlers.values()):
        handler.close()


def texts(log) -> list[str]:
    assert logboom.flush(timeout=60)
    return log.lines()


def test_a_listener_is_a_context_and_starts_once(log):
    source, handler = queue.Queue(), logboom.FileHandler(log)
    with logboom.QueueListener(source, handler) as listener:
        with pytest.raises(RuntimeError, match=r"^Listener already started$"):
            listener.start()
        source.put(logging.makeLogRecord({"msg": "inside"}))
    assert listener._thread is None
    listener.stop()
    assert texts(log) == ["inside"]
    handler.close()


@pytest.mark.parametrize("respect", [False, True])
def test_levels_of_handlers_count_where_asked(respect, log):
    source, handler = queue.Queue(), logboom.FileHandler(log)
    handler.setLevel(logging.ERROR)
    with logboom.QueueListener(source, handler, respect_handler_level=respect):
        for level in (20, 40):
            source.put(logging.makeLogRecord({"msg": f"at {level}", "levelno": level}))
    assert texts(log) == (["at 40"] if respect else ["at 20", "at 40"])
    handler.close()


def test_a_listener_of_a_handler_starts_with_the_first_record_and_only_once(log):
    handler = logboom.QueueHandler(queue.Queue())
    behind = logboom.FileHandler(log)
    handler.listener = listener = logboom.QueueListener(handler.queue, behind)
    logger = logging.Logger("tests.queues", 10)
    logger.addHandler(handler)
    assert listener._thread is None
    logger.info("first")
    assert isinstance(listener._thread, Seat)
    listener.start()  # what a program does that knows nothing of it
    with pytest.raises(RuntimeError):
        listener.start()
    logger.info("second")
    listener.stop()
    logger.info("nobody starts it again")
    assert listener._thread is None
    assert texts(log) == ["first", "second"]
    assert handler.queue.qsize() == 1
    behind.close()


def test_a_closed_handler_hands_on_what_waits_and_ends_what_began_by_itself(log):
    behind = logboom.FileHandler(log)
    handler = logboom.QueueHandler(handlers=[behind])
    logger = logging.Logger("tests.queues", 10)
    logger.addHandler(handler)
    for number in range(100):
        logger.info("line %d", number)
    handler.close()
    behind.close()
    assert log.lines() == [f"line {number}" for number in range(100)]
    assert handler.listener._thread is None
    assert "_put" not in vars(handler.queue)
    # As in the library, who logs on is heard.
    logger.info("afterwards")
    assert texts(log)[-1] == "afterwards"
    handler.close()
    behind.close()


def test_a_listener_that_the_program_started_is_the_programs_to_stop(log):
    behind = logboom.FileHandler(log)
    handler = logboom.QueueHandler(handlers=[behind])
    handler.listener.start()
    handler.close()
    handler.handle(logging.makeLogRecord({"msg": "x"}))
    assert texts(log) == ["x"]
    handler.listener.stop()
    behind.close()


def test_a_listener_of_the_library_becomes_one_of_ours_unless_it_runs(log):
    behind = logboom.FileHandler(log)
    handler = logboom.QueueHandler(queue.Queue())
    plain = logging.handlers.QueueListener(handler.queue, behind)
    handler.listener = plain
    assert handler.listener is plain
    assert type(plain) is logboom.QueueListener
    handler.emit(logging.makeLogRecord({"msg": "x"}))
    assert plain._thread.name == NAME
    plain.stop()
    running = logging.handlers.QueueListener(queue.Queue(), behind)
    running.start()
    handler.listener = running
    assert type(running) is logging.handlers.QueueListener
    running.stop()
    behind.close()


def test_a_full_queue_is_reported_as_by_the_library(capsys):
    for kind in (logging.handlers.QueueHandler, logboom.QueueHandler):
        handler = kind(queue.Queue(1))
        for _ in range(2):
            handler.handle(logging.makeLogRecord({"msg": "x"}))
        assert "queue.Full" in capsys.readouterr().err


def test_a_simple_queue_is_told_of_at_once(log):
    source, behind = queue.SimpleQueue(), logboom.FileHandler(log)
    handler = logboom.QueueHandler(source)
    with logboom.QueueListener(source, behind):
        for number in range(10):
            handler.handle(logging.makeLogRecord({"msg": f"line {number}"}))
    assert texts(log) == [f"line {number}" for number in range(10)]
    behind.close()


class Own(logging.LogRecord):
    pass


def _records() -> Iterator[logging.LogRecord]:
    yield logging.makeLogRecord({"msg": "%s and %d", "args": ("a", 1), "extra": [1]})
    yield logging.makeLogRecord({"msg": "%(a)s", "args": {"a": 1}, "stack_info": "a stack"})
    try:
        raise ValueError("x")
    except ValueError:
        yield logging.makeLogRecord({"msg": "failed", "args": (), "exc_info": sys.exc_info()})
        yield logging.LogRecord("n", 40, "/p/q.py", 3, "failed", (), sys.exc_info(), "f", "stack")
    yield Own("n", 40, "/p/q.py", 3, "m %s", (1,), None)


@pytest.mark.parametrize("formatter", [None, logging.Formatter("<%(levelname)s> %(message)s")])
def test_records_are_prepared_as_the_library_prepares_them(formatter):
    library, ours = logging.handlers.QueueHandler(queue.Queue()), logboom.QueueHandler()
    for handler in (library, ours):
        handler.setFormatter(formatter)
    for record, same in zip(_records(), _records(), strict=True):
        vars(same).update(vars(record))
        theirs, mine = library.prepare(record), ours.prepare(same)
        assert vars(theirs) == vars(mine)
        assert type(theirs) is type(mine)
        # What formatting leaves on the record that other handlers get, too.
        assert vars(record) == vars(same)
        assert mine is not same
    ours.listener.stop()


def test_the_bound_fields_are_those_of_the_call(log):
    behind = logboom.FileHandler(log)
    behind.setFormatter(logging.Formatter("%(user)s %(message)s"))
    handler = logboom.QueueHandler(queue.Queue())
    logger = logging.Logger("plain", 10)  # one that does not put them on by itself
    logger.addHandler(handler)
    with logboom.QueueListener(handler.queue, behind), logboom.bound(user="ann"):
        logger.info("hello")
    assert texts(log) == ["ann hello"]
    behind.close()


def test_handlers_may_be_given_without_a_queue(log):
    behind = logboom.FileHandler(log)
    handler = logboom.QueueHandler(handlers=[behind])
    handler.handle(logging.makeLogRecord({"msg": "x"}))
    assert texts(log) == ["x"]
    handler.listener.stop()
    behind.close()


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"handlers": ["nobody"]}, ValueError, "Unable to set required handler 'nobody'"),
        ({"handlers": [5]}, TypeError, "got 5, expected handlers or their names"),
        ({"queue": {"no": 1}}, TypeError, "Invalid queue specifier"),
        ({"queue": "logging.INFO"}, TypeError, "Invalid queue specifier"),
        ({"handlers": [], "listener": "logging.Logger"}, TypeError, "Invalid listener specifier"),
        ({"handlers": [], "listener": "no.such.thing"}, ImportError, "no"),
    ],
)
def test_what_cannot_be_is_refused_at_once(wrong, error, message):
    with pytest.raises(error, match=message):
        logboom.QueueHandler(**wrong)


def configuration(path: object, entry: dict) -> dict:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"format": "%(levelname)s %(message)s"}},
        "handlers": {
            "aside": {
                "class": "logboom.FileHandler",
                "filename": str(path),
                "formatter": "plain",
            },
            "queue": entry,
            "zoo": {"class": "logboom.FileHandler", "filename": f"{path}.zoo"},
        },
        "loggers": {"app": {"level": "INFO", "handlers": ["queue"], "propagate": False}},
    }


@pytest.mark.parametrize(
    "entry",
    [
        {"handlers": ["aside"]},
        {"handlers": ["aside"], "queue": "queue.Queue"},
        {"handlers": ["aside"], "queue": {"()": "queue.Queue", "maxsize": 1000}},
        {"handlers": ["aside"], "listener": "logboom.QueueListener"},
        {"handlers": ["aside"], "listener": logboom.QueueListener},
        {"handlers": ["aside"], "listener": "logging.handlers.QueueListener"},
        {"handlers": ["aside"], "respect_handler_level": True},
        {"handlers": ["aside", "zoo"]},
    ],
)
def test_the_keys_of_dict_config_on_every_version(entry, log):
    logging.config.dictConfig(configuration(log, {"class": "logboom.QueueHandler", **entry}))
    logger = logging.getLogger("app")
    before = threading.active_count()
    for number in range(10):
        logger.info("line %d", number)
    assert texts(log) == [f"INFO line {number}" for number in range(10)]
    if "zoo" in entry["handlers"]:  # configured after the queue
        assert open(f"{log}.zoo").read() == "".join(f"line {n}\n" for n in range(10))
    (handler,) = logger.handlers
    assert type(handler.listener) is logboom.QueueListener
    assert handler.listener.respect_handler_level is entry.get("respect_handler_level", False)
    assert threading.active_count() <= before + 1
    handler.listener.stop()


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the library resolves the names itself")
def test_a_name_that_no_handler_has_is_refused_by_dict_config(log):
    entry = {"class": "logboom.QueueHandler", "handlers": ["nobody"]}
    with pytest.raises(ValueError, match="Unable to configure handler 'queue'"):
        logging.config.dictConfig(configuration(log, entry))


LITESTAR = {
    "before 3.12": {"class": "logboom.QueueHandler", "level": "DEBUG", "formatter": "plain"},
    "before 3.12, with handlers": {
        "class": "logboom.QueueHandler",
        "level": "DEBUG",
        "handlers": ["cfg://handlers.aside"],
    },
    "from 3.12 on": {
        "class": "logboom.QueueHandler",
        "level": "DEBUG",
        "queue": {"()": "queue.Queue", "maxsize": -1},
        "listener": "logboom.QueueListener",
        "handlers": ["aside"],
    },
}


@pytest.mark.parametrize("form", LITESTAR)
def test_the_entries_of_litestar_with_our_names(form, log, monkeypatch):
    entry = LITESTAR[form]
    if sys.version_info >= (3, 12) and form != "from 3.12 on":
        pytest.skip("the library asks for `handlers`, and for their names")
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    logging.config.dictConfig(configuration(log, entry))
    logger = logging.getLogger("app")
    logger.info("hello")
    assert logboom.flush(60)
    if "handlers" in entry:
        assert log.lines() == ["INFO hello"]
    else:
        assert written.getvalue() == "INFO hello\n"
    logger.handlers[0].listener.stop()


def test_two_thousand_configurations_start_one_thread_and_lose_nothing(run_python, thread_names):
    outcome = run_python("""
        import gc, logging, logging.config, logboom, os, threading
        logboom.install()
        def configure():
            logging.config.dictConfig({
                "version": 1,
                "disable_existing_loggers": False,
                "handlers": {
                    "file": {"class": "logboom.FileHandler", "filename": "app.log"},
                    "queue": {
                        "class": "logboom.QueueHandler",
                        "queue": {"()": "queue.Queue", "maxsize": -1},
                        "listener": "logboom.QueueListener",
                        "handlers": ["file"],
                    },
                },
                "root": {"level": "INFO", "handlers": ["queue"]},
            })
        def sizes():
            gc.collect()
            statm = open("/proc/self/statm").read().split()
            return len(os.listdir("/proc/self/fd")), int(statm[1]) * os.sysconf("SC_PAGESIZE")
        log = logging.getLogger("app")
        for number in range(2000):
            configure()
            log.info("line %d", number)
            if number == 200:
                logboom.flush()
                before = sizes()
        assert logboom.flush(60)
        after = sizes()
        names = sorted(open(f"/proc/self/task/{t}/comm").read().strip()
                       for t in os.listdir("/proc/self/task"))
        print(names, [t.name for t in threading.enumerate()])
        assert after[0] - before[0] <= 2, (before, after)
        assert after[1] - before[1] < 2 << 20, (before, after)
        assert open("app.log").read().split("\\n")[:-1] == [f"line {n}" for n in range(2000)]
    """).ok()
    names = outcome.out
    assert names.count("logboom-lane") <= 2
    assert "['MainThread', 'logboom-lane']" in names
