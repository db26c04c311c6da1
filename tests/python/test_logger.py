"""Native loggers: when a call is native, what install and uninstall do to loggers that exist."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

import logboom


@pytest.fixture(autouse=True)
def _installed(logging_as_it_was: None) -> None:
    logboom.install()


@pytest.fixture
def logger(log) -> Iterator[logging.Logger]:
    # In no hierarchy, as pytest puts handlers of its own onto the loggers that it finds.
    logger = logging.Logger("tests.logger", logging.DEBUG)
    handler = logboom.FileHandler(log)
    logger.addHandler(handler)
    yield logger
    handler.close()


def python_calls(call: Callable[[], object]) -> list[str]:
    """Give the names of the Python functions that run because of a call."""
    names: list[str] = []

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            names.append(frame.f_code.co_name)

    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(None)
    return names[1:]  # the call itself


NATIVE = {
    "debug": lambda logger: logger.debug("debug %d", 1),
    "info": lambda logger: logger.info("info"),
    "warning": lambda logger: logger.warning("warning %s %s", "a", 1.5),
    "error": lambda logger: logger.error("error %s", None),
    "critical": lambda logger: logger.critical("critical %r", True),
    "log": lambda logger: logger.log(20, "log %d", 5),
    "isEnabledFor": lambda logger: logger.isEnabledFor(20),
    "an object": lambda logger: logger.info("lists %s %s", [1], []),
}


@pytest.mark.parametrize("name", NATIVE)
def test_a_call_runs_no_python_code(logger, name):
    def call() -> None:
        NATIVE[name](logger)

    for _ in range(3):
        call()
    assert python_calls(call) == ["<lambda>"]


def test_a_call_that_is_not_enabled_runs_no_python_code(logger):
    logger.setLevel(60)
    for _ in range(2):
        for level in (10, 20, 30, 40, 50):
            logger.isEnabledFor(level)
    for call in (logger.debug, logger.info, logger.warning, logger.error, logger.exception):
        assert python_calls(lambda call=call: call("x %d", 1, extra={"a": 1})) == []


def test_old_new_and_root_loggers_are_native(run_python):
    run_python("""
        import logging, sys, logboom
        old = logging.getLogger("old")
        parent = logging.getLogger("a.b")
        logboom.install()
        handler = logboom.FileHandler("app.log")
        logging.root.addHandler(handler)
        loggers = [old, logging.root, parent, logging.getLogger("a"), logging.getLogger("a.b.c.d")]
        def profile(frame, event, _):
            if event == "call":
                names.append(frame.f_code.co_name)
        for logger in loggers:
            for _ in range(3):
                logger.warning("x %d", 1)
            names = []
            sys.setprofile(profile)
            logger.warning("x %d", 1)
            sys.setprofile(None)
            assert names == [], (logger, names)
        handler.close()
        assert open("app.log").read() == "x 1\\n" * 20
    """).ok()


def test_what_is_not_native_runs_the_librarys_code(logger):
    logger.info("x")
    assert "makeRecord" in python_calls(lambda: logger.info("x", stack_info=True))
    logger.addHandler(logging.StreamHandler(io.StringIO()))
    assert "callHandlers" in python_calls(lambda: logger.info("x"))


@pytest.mark.skipif(
    sys.version_info < (3, 11), reason="pytest brings `exceptiongroup`, which patches `traceback`"
)
def test_an_exception_goes_natively(logger, log):
    try:
        raise ValueError("bad")
    except ValueError as error:
        given = (error, True, (type(error), error, error.__traceback__), None, False)
        for _ in range(2):
            logger.exception("x %d", 1)
            for exc_info in given:
                logger.info("x %d", 1, exc_info=exc_info)
        assert python_calls(lambda: logger.exception("x %d", 1)) == []
        for exc_info in given:
            assert python_calls(lambda one=exc_info: logger.log(20, "x", exc_info=one)) == []
        assert "makeRecord" in python_calls(lambda: logger.info("x %s", [], exc_info=True))
    logger.handlers[0].flush()
    text = Path(logger.handlers[0].baseFilename).read_text()
    assert text.count("ValueError: bad\n") == 2 * 4 + 1 + 3 + 1


def test_a_call_becomes_native_again(logger, log):
    foreign = logging.NullHandler()
    foreign.addFilter(lambda record: True)
    logger.info("native")
    added = logging.StreamHandler(open(log, "a"))
    logger.addHandler(added)
    logger.info("not native")
    added.stream.close()
    logger.removeHandler(added)
    logger.info("learns")
    assert python_calls(lambda: logger.info("native")) == []


def test_subclasses_that_change_nothing_are_native(logger):
    class Own(logging.Logger):
        def notice(self, msg):
            self.info(msg)

    own = Own("own", 10)
    own.addHandler(logger.handlers[0])
    own.info("x")
    assert python_calls(lambda: own.info("x")) == []
    assert python_calls(lambda: own.notice("x")) == ["notice"]


def test_a_logger_is_what_it_is_without_install(run_python):
    seen = [
        run_python(f"""
            import logging, logboom
            logboom.{do}()
            handler = logboom.FileHandler("app.log")
            made = [logging.getLogger("new"), logging.Logger("own"), logging.root]
            for logger in made:
                logger.addHandler(handler)
                for _ in range(3):
                    logger.warning("x")
                logger.removeHandler(handler)
                logger.colour = "red"
                own = vars(logger)
                assert own is logger.__dict__ and own["colour"] == "red"
                print(type(logger).__mro__, list(own), own["disabled"], own["_cache"], repr(logger))
            print(type(made[0]) is logging.Logger, logging.getLoggerClass() is logging.Logger)
        """)
        .ok()
        .out
        for do in ("install", "uninstall")
    ]
    assert seen[0] == seen[1]


def test_what_a_program_holds_of_a_loggers_attributes_stays_theirs(logger):
    own = vars(logger)
    logger.info("x")
    assert vars(logger) is own
    logger.info("x")
    own["disabled"] = True
    assert not logger.isEnabledFor(50)


def test_a_class_that_reads_attributes_in_its_own_way_is_not_native(logger):
    class Own(logging.Logger):
        def __getattribute__(self, name):
            return True if name == "disabled" else super().__getattribute__(name)

    class Computed(logging.Logger):
        disabled = property(lambda self: True, lambda self, value: None)

    for cls in (Own, Computed):
        own = cls("own", 10)
        own.addHandler(logger.handlers[0])
        for _ in range(3):
            own.info("x")
            assert not own.isEnabledFor(50)
    logger.handlers[0].flush()
    assert Path(logger.handlers[0].baseFilename).read_text() == ""


def test_exception_calls_the_error_of_a_subclass_though_it_is_not_enabled():
    seen = []

    class Own(logging.Logger):
        def error(self, msg, *args, **kwargs):
            seen.append(msg)

    own = Own("own", 60)
    own.exception("first")
    own.isEnabledFor(logging.ERROR)
    own.exception("second")
    plain = logging.Logger("plain", 60)
    plain.isEnabledFor(logging.ERROR)
    plain.exception("nobody sees it")
    plain.error = lambda msg, **kwargs: seen.append((msg, kwargs))
    plain.exception("third")
    assert seen == ["first", "second", ("third", {"exc_info": True})]


def test_install_and_uninstall_and_again(log):
    old = logging.getLogger("tests.old")
    for _ in range(3):
        logboom.install()
        logboom.install()
        assert logboom.installed()
        new = logging.getLogger("tests.new")
        assert isinstance(new, logging.Logger)
        assert logging.getLoggerClass() is logging.Logger
        logboom.uninstall()
        logboom.uninstall()
        assert not logboom.installed()
        assert logging.getLoggerClass() is logging.Logger
        assert type(logging.root) is logging.RootLogger
        assert type(old) is logging.Logger
        del logging.root.manager.loggerDict["tests.new"]


def test_uninstall_leaves_no_trace(run_python):
    run_python("""
        import logging, logging.config, logging.handlers
        import logboom
        modules = (logging, logging.config, logging.handlers)
        classes = (logging.Logger, logging.RootLogger, logging.Handler, logging.Manager)
        old = logging.getLogger("old")
        handler = logboom.FileHandler("app.log")  # its entry in the library's list is its own
        def state():
            return [
                *(dict(vars(one)) for one in (*modules, *classes)),
                *((type(one), dict(vars(one))) for one in (old, logging.root)),
                dict(vars(logging.root.manager)), list(logging._handlerList),
            ]
        before = state()
        logboom.install()
        assert state() != before
        old.addHandler(handler)
        old.warning("native")
        old.removeHandler(handler)
        old._cache.clear()
        logboom.uninstall()
        after = state()
        assert after == before, [pair for pair in zip(before, after) if pair[0] != pair[1]]
    """).ok()


@pytest.mark.parametrize(("place", "other"), [("BEFORE", "AFTER"), ("AFTER", "BEFORE")])
def test_what_was_patched_before_install_survives_it(run_python, place, other):
    run_python(
        """
        import logging
        calls = []
        def patched(self, msg, *args, original=logging.Logger.info, **kwargs):
            calls.append(msg)
            original(self, msg, *args, **kwargs)
        BEFORE
        import logboom
        AFTER
        logboom.install()
        handler = logboom.FileHandler("app.log")
        logging.root.addHandler(handler)
        logger = logging.getLogger("app")
        logger.setLevel(10)
        logger.info("one")
        logger.warning("two")
        logboom.uninstall()
        assert logging.Logger.info is patched
        logger.info("three")
        handler.close()
        assert calls == ["one", "three"], calls
        assert open("app.log").read() == "one\\ntwo\\nthree\\n"
    """.replace(place, "logging.Logger.info = patched").replace(other, "pass")
    ).ok()


def test_what_was_patched_while_installed_survives_uninstall():
    logboom.uninstall()
    original = logging.Logger.info
    logboom.install()
    logging.Logger.info = lambda self, *args: "patched"
    try:
        logboom.uninstall()
        assert logging.getLogger("tests.x").info("x") == "patched"
    finally:
        logging.Logger.info = original


def test_loggers_go_on_after_uninstall_as_the_librarys(log):
    logger = logging.getLogger("tests.goes.on")
    logger.setLevel(10)
    logger.propagate = False
    handler = logboom.FileHandler(log)
    handler.setFormatter(logging.Formatter("%(funcName)s %(message)s"))
    logger.addHandler(handler)
    logger.info("native")
    logboom.uninstall()
    logger.info("library")
    assert "makeRecord" in python_calls(lambda: logger.info("library %d", 2))
    logboom.install()
    logger.info("native %d", 2)
    logboom.uninstall()
    handler.close()
    name = "test_loggers_go_on_after_uninstall_as_the_librarys"
    assert log.lines() == [
        f"{name} native",
        f"{name} library",
        "<lambda> library 2",
        f"{name} native 2",
    ]


def test_a_class_set_by_the_user_stays(log):
    class Own(logging.Logger):
        pass

    logboom.uninstall()
    before = logging.getLoggerClass()
    logging.setLoggerClass(Own)
    try:
        logboom.install()
        assert type(logging.getLogger("tests.own.class")) is Own
        logboom.uninstall()
        assert logging.getLoggerClass() is Own
    finally:
        logging.setLoggerClass(before)


def test_loggers_are_collected(logger):
    import gc
    import weakref

    free = logging.Logger("free")
    free.addHandler(logger.handlers[0])
    free.info("x")
    free.itself = free
    gone = weakref.ref(free)
    del free
    gc.collect()
    assert gone() is None


def test_threads_that_log_while_it_is_installed_and_uninstalled(run_python):
    run_python("""
        import logging, threading, logboom
        handler = logboom.FileHandler("app.log")
        handler.setFormatter(logging.Formatter("%(message)s"))
        logging.root.addHandler(handler)
        logging.root.setLevel(10)
        barrier = threading.Barrier(4)
        def work(name):
            logger = logging.getLogger("w" + name)
            barrier.wait()
            for n in range(3000):
                logger.info("%s %d", name, n)
        threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
        for thread in threads: thread.start()
        barrier.wait()
        while any(thread.is_alive() for thread in threads):
            logboom.install()
            logboom.uninstall()
        handler.close()
        lines = open("app.log").read().splitlines()
        for name in "abc":
            assert [line for line in lines if line[0] == name] == [f"{name} {n}" for n in range(3000)]
        assert len(lines) == 9000
    """).ok()
