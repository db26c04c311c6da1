"""Handlers: files and streams, their ends, their subclasses, and configuring them without end."""

from __future__ import annotations

import gc
import io
import logging
import logging.config
import os
import sys
import threading
import warnings
from pathlib import Path

import pytest

import logboom

pytestmark = pytest.mark.usefixtures("logging_as_it_was")


@pytest.fixture
def logger() -> logging.Logger:
    logboom.install()
    # In no hierarchy, as pytest puts handlers of its own onto the loggers that it finds.
    return logging.Logger("tests.handlers", logging.DEBUG)


def test_close_writes_everything_and_gives_the_descriptors_back(logger, log, open_files):
    before = open_files()
    for n in range(20):
        handler = logboom.FileHandler(log)
        logger.handlers = [handler]
        for k in range(50):
            logger.info("%d %d", n, k)
        handler.close()
        assert log.lines()[-1] == f"{n} 49"
    assert len(log.lines()) == 1000
    assert open_files() == before


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_handler_that_is_collected_without_close(logger, log, wait_for, open_files):
    for n in range(20):
        handler = logboom.FileHandler(log)
        logger.handlers = [handler]
        for k in range(50):
            logger.info("%d %d", n, k)
    logger.handlers = []
    del handler
    gc.collect()
    assert logboom.flush(30)
    assert log.lines() == [f"{n} {k}" for n in range(20) for k in range(50)]
    # Of this file alone: the collector may end what other tests left behind.
    wait_for(lambda: str(log) not in open_files(), "the descriptors of collected handlers")
    assert logboom.stats().routes == [] or all(
        route["name"] != str(log) for route in logboom.stats().routes
    )


def test_the_collector_may_end_handlers_while_one_is_listed(run_python):
    run_python("""
        import gc, logging, types, weakref
        import logboom
        from logboom import _handlers
        gc.disable()
        def ref(*arguments):
            gc.collect()  # as it may do by itself at whatever is made
            return weakref.ref(*arguments)
        _handlers.weakref = types.SimpleNamespace(ref=ref)
        made = []
        for number in range(20):
            for _ in range(3):
                garbage = logging.NullHandler()
                garbage.itself = garbage
            del garbage
            made.append(logboom.NullHandler())
        listed = [entry() for entry in logging._handlerList]
        assert [one for one in listed if one in made] == made, (made, listed)
    """).ok()


def test_a_handler_in_a_cycle_is_collected(logger, log):
    import weakref

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        handler = logboom.FileHandler(log)
        handler.setFormatter(logging.Formatter("%(message)s"))
        handler.formatter.handler = handler
        logger.addHandler(handler)
        logger.info("x")
        logger.handlers = []
        gone = weakref.ref(handler)
        del handler
        gc.collect()
    assert gone() is None


def test_flush_makes_lines_visible(logger, log):
    handler = logboom.FileHandler(log)
    logger.addHandler(handler)
    for n in range(100):
        logger.info("%d", n)
        handler.flush()
        assert log.lines()[-1] == str(n)
    handler.close()


def test_many_handlers_on_one_file_write_whole_lines(logger, log):
    handlers = [logboom.FileHandler(log) for _ in range(8)]
    logger.handlers = handlers

    def work(name: str) -> None:
        for n in range(300):
            logger.info("%s %d %s", name, n, "x" * 200)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for handler in handlers:
        handler.close()
    lines = log.lines()
    assert len(lines) == 3 * 300 * 8
    for name in "abc":
        for n in range(300):
            assert lines.count(f"{name} {n} {'x' * 200}") == 8


def test_a_handler_that_is_closed_while_threads_log_loses_nothing(logger, log):
    # As with the library's: the file is opened again for the next line.
    handler = logboom.FileHandler(log)
    logger.addHandler(handler)
    stop = threading.Event()
    counts = {}

    def work(name: str) -> None:
        n = 0
        while not stop.is_set() and n < 5000:
            logger.info("%s %d", name, n)
            n += 1
        counts[name] = n

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for _ in range(50):
        handler.close()
    stop.set()
    for thread in threads:
        thread.join()
    handler.close()
    lines = log.lines()
    for name, count in counts.items():
        own = [line for line in lines if line.startswith(name)]
        assert own == [f"{name} {n}" for n in range(count)]


def test_formatters_that_change_while_threads_log_lose_nothing(logger, log):
    handler = logboom.FileHandler(log)
    logger.addHandler(handler)
    formatters = [logging.Formatter(f"{n} %(message)s") for n in range(3)]
    formatters.append(type("Own", (logging.Formatter,), {})("3 %(message)s"))
    handler.setFormatter(formatters[0])

    def work(name: str) -> None:
        for n in range(2000):
            logger.info("%s %d", name, n)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    n = 0
    while any(thread.is_alive() for thread in threads):
        handler.setFormatter(formatters[n % 4])
        n += 1
    handler.close()
    lines = log.lines()
    assert len(lines) == 6000
    for name in "abc":
        own = [line.split(" ", 1)[1] for line in lines if f" {name} " in line]
        assert own == [f"{name} {n}" for n in range(2000)]


@pytest.mark.parametrize("capture", ["capsys", "capfd"])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_streams_of_pytest(logger, request, capture, name):
    captured = request.getfixturevalue(capture)
    handler = logboom.StreamHandler(getattr(sys, name))
    logger.handlers = [handler]
    for n in range(3):
        logger.info("into the capture %d", n)
    handler.flush()
    told = captured.readouterr()
    assert told._asdict() == {
        **{"out": "", "err": ""},
        name[3:]: "".join(f"into the capture {n}\n" for n in range(3)),
    }


def test_a_stream_handler_on_a_text_stream(logger):
    stream = io.StringIO()
    logger.addHandler(logboom.StreamHandler(stream))
    for n in range(3):
        logger.info("%d", n)
    assert stream.getvalue() == "0\n1\n2\n"
    assert logboom.stats().as_dict()["routes"] == []


def test_two_handlers_on_one_file_keep_their_order(run_python, log):
    run_python("""
        import logging, logboom
        logboom.install()
        a, b = logging.getLogger("a"), logging.getLogger("b")
        a.addHandler(logboom.FileHandler("app.log"))
        b.addHandler(logboom.FileHandler("app.log"))
        for n in range(1000):
            a.warning("%d", 2 * n)
            b.warning("%d", 2 * n + 1)
    """).ok()
    assert [int(line) for line in log.lines()] == list(range(2000))


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_standard_streams_are_native(run_python, stream):
    outcome = run_python(f"""
        import logging, sys, logboom
        logboom.install()
        logger = logging.getLogger("app")
        handler = logboom.StreamHandler(sys.{stream})
        logger.addHandler(handler)
        for n in range(1000):
            logger.warning("é %d", n)
        assert logboom.stats().submitted == 1000
        assert [route["sink"] for route in logboom.stats().routes] == ["{stream}"]
    """).ok()
    assert getattr(outcome, stream[3:]) == "".join(f"é {n}\n" for n in range(1000))


def test_two_handlers_on_one_standard_stream_keep_their_order(run_python):
    outcome = run_python("""
        import logging, sys, logboom
        logboom.install()
        a, b = logging.getLogger("a"), logging.getLogger("b")
        a.addHandler(logboom.StreamHandler(sys.stdout))
        b.addHandler(logboom.StreamHandler(sys.stdout))
        for n in range(1000):
            a.warning("%d", 2 * n)
            b.warning("%d", 2 * n + 1)
    """).ok()
    assert [int(line) for line in outcome.out.split()] == list(range(2000))


def test_two_thousand_configurations(run_python, thread_names):
    outcome = run_python("""
        import gc, logging, logging.config, os, warnings, logboom
        warnings.simplefilter("ignore")
        logboom.install()
        config = {
            "version": 1, "disable_existing_loggers": False,
            "formatters": {"f": {"format": "%(levelname)s %(name)s %(message)s"}},
            "handlers": {
                "file": {"class": "logboom.FileHandler", "filename": "app.log", "formatter": "f"},
                "out": {"class": "logboom.StreamHandler", "stream": "ext://sys.stdout"},
                "null": {"class": "logboom.NullHandler"},
            },
            "root": {"level": "INFO", "handlers": ["file", "out", "null"]},
        }
        def descriptors():
            gc.collect()
            assert logboom.flush(30)
            return len(os.listdir("/proc/self/fd"))
        for n in range(2000):
            logging.config.dictConfig(config)
            logging.getLogger(f"app.{n % 10}").info("line %d", n)
            if n == 0:
                first = descriptors()
        import time
        for _ in range(1000):
            if descriptors() == first: break
            time.sleep(0.005)
        assert descriptors() == first
        names = [open(f"/proc/self/task/{t}/comm").read().strip() for t in os.listdir("/proc/self/task")]
        assert names.count("logboom-writer") == 1 and len(names) == 2, names
        assert len(logboom.stats().routes) == 2, logboom.stats().routes
        stats = logboom.stats()
        assert stats.submitted == stats.written == 4000, stats
        logging.shutdown()
        lines = open("app.log").read().splitlines()
        assert lines == [f"INFO app.{n % 10} line {n}" for n in range(2000)]
    """).ok()
    assert outcome.out == "".join(f"line {n}\n" for n in range(2000))


def test_a_path_that_cannot_be_written_leaves_nothing_behind(tmp_path, open_files):
    known, files = list(logging._handlerList), open_files()
    routes = logboom.stats().routes
    threads = logboom.stats().native_threads
    for path, error in (
        (tmp_path, IsADirectoryError),
        (tmp_path / "no" / "where", FileNotFoundError),
        ("/proc/self/mem/x", NotADirectoryError),
    ):
        with pytest.raises(error):
            logboom.FileHandler(path)
    gc.collect()
    assert logging._handlerList == known
    assert open_files() == files
    assert logboom.stats().routes == routes
    assert logboom.stats().native_threads == threads


def test_a_wrong_configuration_is_refused_on_the_callers_thread(run_python):
    run_python("""
        import logging.config, os, logboom
        before = logging.root.handlers[:]
        try:
            logging.config.dictConfig({
                "version": 1,
                "handlers": {"file": {"class": "logboom.FileHandler", "filename": "/no/where"}},
                "root": {"handlers": ["file"]},
            })
        except ValueError as error:
            assert str(error) == "Unable to configure handler 'file'", error
            assert type(error.__cause__) is FileNotFoundError
        else:
            raise SystemExit("not refused")
        assert logging.root.handlers == before
        assert len(os.listdir("/proc/self/task")) == 1
    """).ok()


def test_file_config(run_python, tmp_path):
    (tmp_path / "log.ini").write_text(
        "[loggers]\nkeys=root\n[handlers]\nkeys=file\n[formatters]\nkeys=f\n"
        "[logger_root]\nlevel=INFO\nhandlers=file\n"
        "[handler_file]\nclass=logboom.FileHandler\nargs=('app.log', 'w')\nformatter=f\n"
        "[formatter_f]\nformat=%(levelname)s %(message)s\n"
    )
    run_python("""
        import logging.config, logboom
        logboom.install()
        logging.config.fileConfig("log.ini")
        logging.info("line %d", 1)
        assert logboom.stats().submitted == 1
    """).ok()
    assert (tmp_path / "app.log").read_text() == "INFO line 1\n"


def test_a_file_that_another_process_truncates_is_appended_to(logger, log):
    handler = logboom.FileHandler(log)
    logger.addHandler(handler)
    logger.info("before")
    handler.flush()
    os.truncate(log, 0)
    logger.info("after")
    handler.close()
    assert log.text() == "after\n"


def test_a_closed_standard_descriptor_does_not_become_a_log_file(run_python, log):
    run_python("""
        import logging, os, sys, logboom
        logboom.install()
        logger = logging.getLogger("app")
        logger.addHandler(logboom.FileHandler("app.log"))
        for descriptor in (0, 1, 2):
            os.close(descriptor)
        logger.warning("into the file")
        assert logboom.flush()
        assert not os.path.exists("/proc/self/fd/1")
    """)
    assert log.lines() == ["into the file"]


def test_handlers_show_what_a_program_looks_for(tmp_path):
    handler = logboom.FileHandler(tmp_path / "x.log", "w", encoding="utf-8", errors="replace")
    assert repr(handler) == f"<FileHandler {tmp_path / 'x.log'} (NOTSET)>"
    assert handler.baseFilename == str(tmp_path / "x.log")
    assert (handler.mode, handler.encoding, handler.errors) == ("w", "utf-8", "replace")
    assert isinstance(handler, logging.FileHandler)
    assert isinstance(handler, logging.StreamHandler)
    assert vars(handler) == {}
    handler.close()
    assert isinstance(logboom.NullHandler(), logging.NullHandler)
    assert repr(logboom.StreamHandler(sys.__stderr__)) == "<StreamHandler <stderr> (NOTSET)>"


def test_a_subclass_with_attributes_of_its_own(logger, tmp_path):
    class Own(logboom.FileHandler):
        def __init__(self, path: Path, colour: str) -> None:
            super().__init__(path)
            self.colour = colour

    handler = Own(tmp_path / "x.log", "red")
    logger.addHandler(handler)
    before = logboom.stats().submitted
    for n in range(3):
        logger.info("%d", n)
    assert logboom.stats().submitted == before + 3
    handler.close()
    assert (tmp_path / "x.log").read_text() == "0\n1\n2\n"


def test_a_lock_that_is_held_does_not_hold_a_native_call(logger, log):
    handler = logboom.FileHandler(log)
    logger.addHandler(handler)
    logger.info("opens the route")
    done = threading.Event()
    with handler.lock:
        thread = threading.Thread(target=lambda: (logger.info("native"), done.set()))
        thread.start()
        assert done.wait(30)
    thread.join()
    handler.close()
    assert log.lines() == ["opens the route", "native"]


def test_a_handler_that_is_collected_waits_for_no_lock(run_python):
    # As when the collector runs in an `emit` while another thread configures logging.
    run_python(
        """
        import gc, logging, threading, logboom
        handlers = [logboom.FileHandler("a.log"), logboom.StreamHandler(), logboom.NullHandler()]
        before = len(logging._handlerList)
        held, done = threading.Event(), threading.Event()
        def configure():
            with logging._lock:
                held.set()
                done.wait()
        thread = threading.Thread(target=configure)
        thread.start()
        held.wait()
        handlers.clear()            # with the library's entries this waits for ever
        gc.collect()
        done.set()
        thread.join()
        assert sum(entry() is None for entry in logging._handlerList) == 3
        last = logboom.NullHandler()
        assert [entry() for entry in logging._handlerList][-1] is last
        assert len(logging._handlerList) == before - 3 + 1
        del last
        assert len(logging._handlerList) == before - 3
        """
    ).ok()


def test_a_handler_is_closed_behind_a_call_that_waits(run_python):
    # The pipe is full and so is the ring, with a record whose call waits for room.
    program = run_python.start(
        """
        import logging, sys, threading, logboom
        logboom.install()
        logboom.configure(capacity_bytes=65536, overflow="block")
        logger = logging.getLogger("app")
        handler = logboom.StreamHandler(sys.stdout)
        logger.addHandler(handler)
        def work():
            for n in range(1000):
                logger.warning("%d %s", n, "x" * 500)
        thread = threading.Thread(target=work)
        thread.start()
        while logboom.stats().as_dict()["ring"]["used_bytes"] < 64000:
            pass
        closer = threading.Thread(target=handler.close)
        closer.start()
        print("closing", file=sys.stderr, flush=True)
        thread.join()
        closer.join()
        assert logboom.flush()
        print(logboom.stats().rejected, file=sys.stderr)
        """
    )
    assert program.stderr.readline() == "closing\n"
    out, err = program.communicate(timeout=60)
    assert program.returncode == 0, err
    assert [line.split()[0] for line in out.splitlines()] == [str(n) for n in range(1000)]
    assert err.splitlines()[-1] == "0"


def test_classes_do_not_push_each_other_out_of_what_is_known(logger, tmp_path):
    """Wherever the class of a handler lies in memory, its records go natively."""
    path = tmp_path / "app.log"
    # Far more than the table of known classes has places, so that some fall together.
    classes = [type(f"Handler{n}", (logboom.FileHandler,), {}) for n in range(500)]
    slow = []
    for cls in classes:
        handler = cls(path, encoding="utf-8")
        logger.handlers = [handler]
        for n in range(3):
            logger.info("warm %d", n)
        seen = []
        sys.setprofile(lambda frame, event, _, seen=seen: event == "call" and seen.append(frame))
        logger.info("native")
        sys.setprofile(None)
        if seen:
            slow.append(cls.__name__)
        handler.close()
    assert slow == []
