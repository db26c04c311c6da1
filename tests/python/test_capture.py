"""From the arguments of a call to a record: what is captured when, and what may run meanwhile."""

from __future__ import annotations

import gc
import logging
import re
import sys
import threading
import time
from collections.abc import Iterator

import pytest

import logboom


@pytest.fixture(autouse=True)
def _installed(logging_as_it_was: None) -> None:
    logboom.install()


@pytest.fixture
def logger(log) -> Iterator[logging.Logger]:
    # In no hierarchy, as pytest puts handlers of its own onto the loggers that it finds.
    logger = logging.Logger("tests.capture", logging.DEBUG)
    handler = logboom.FileHandler(log, encoding="utf-8")
    logger.addHandler(handler)
    yield logger
    handler.close()


def pattern(logger: logging.Logger, text: str, datefmt: str | None = None) -> None:
    logger.handlers[0].setFormatter(logging.Formatter(text, datefmt))


def written(log) -> list[str]:
    assert logboom.flush(timeout=30)
    return log.lines()


class Says:
    """Text that counts how often it is asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def __str__(self) -> str:
        self.asked += 1
        return f"said {self.asked}"


def test_text_is_asked_for_once(logger, log):
    said = Says()
    for _ in range(3):
        logger.info("%s", said)
    assert written(log) == ["said 1", "said 2", "said 3"]


def test_text_is_not_asked_for_where_nobody_listens(logger):
    said = Says()
    logger.setLevel(60)
    logger.info("%s", said)
    logger.setLevel(10)
    logger.handlers[0].setLevel(60)
    for _ in range(3):
        logger.info("%s", said)
    assert said.asked == 0


def test_arguments_are_not_kept(logger):
    import weakref

    class Value:
        pass

    value = Value()
    gone = weakref.ref(value)
    for _ in range(3):
        logger.info("%s %d", value, 1)
    del value
    gc.collect()
    assert gone() is None


def test_references_are_balanced(logger):
    template, name, number = "".join(["tem", "plate %s %s"]), "".join(["na", "me"]), 10**10
    for _ in range(10):
        logger.info(template, name, number)
    before = [sys.getrefcount(one) for one in (template, name, number, logger, logger.handlers[0])]
    for _ in range(1000):
        logger.info(template, name, number)
        logger.info(template, [name], number)
        logger.log(25, template, name, number)
    after = [sys.getrefcount(one) for one in (template, name, number, logger, logger.handlers[0])]
    assert after == before


def test_the_moment_is_that_of_the_call(logger, log):
    pattern(logger, "%(created).6f")
    bounds = []
    for n in range(100):
        before = time.time()
        logger.info("moment %d", n)
        bounds.append((before, time.time()))
    for line, (before, after) in zip(written(log), bounds, strict=True):
        assert before - 1e-6 <= float(line) <= after + 1e-6


def test_every_time_attribute_is_the_librarys_for_that_moment(logger, log):
    text = "%(asctime)s %(msecs)r %(relativeCreated)r"
    pattern(logger, "%(created)r|" + text)
    for n in range(50):
        logger.info("moment %d", n)
    formatter = logging.Formatter(text)
    compared = 0
    for line in written(log):
        created, told = line.split("|")
        seconds = float(created)
        if not 0.001 < seconds * 1000 % 1 < 0.999:
            continue  # as a float it does not tell on which side of a millisecond it was
        record = logging.makeLogRecord({})
        moment = int(seconds * 1e9) if sys.version_info >= (3, 13) else seconds
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                time, "time_ns" if sys.version_info >= (3, 13) else "time", lambda m=moment: m
            )
            record = logging.LogRecord("n", 20, "p", 1, "m", (), None)
        expected = formatter.format(record).split(" ")
        told = told.split(" ")
        assert told[:3] == expected[:3]
        assert abs(float(told[3]) - float(expected[3])) < 0.001
        compared += 1
    assert compared > 20


def test_one_record_has_one_moment_in_every_handler(logger, log, tmp_path):
    second = logboom.FileHandler(tmp_path / "second.log")
    logger.addHandler(second)
    pattern(logger, "%(created)r")
    second.setFormatter(logging.Formatter("%(created)r"))
    for n in range(20):
        logger.info("moment %d", n)
    lines = written(log)
    assert lines == (tmp_path / "second.log").read_text().splitlines()
    assert len(lines) == 20
    second.close()


def test_the_thread_is_that_of_the_call(logger, log):
    pattern(logger, "%(thread)d %(threadName)s %(message)s")
    idents = {}

    def work() -> None:
        name = threading.current_thread().name
        idents[name] = threading.get_ident()
        for n in range(3):
            logger.info("%s %d", name, n)

    for n in range(5):
        thread = threading.Thread(target=work, name=f"worker{n}")
        thread.start()
        thread.join()
    for line in written(log):
        ident, name, said, _ = line.split(" ")
        assert name == said
        assert int(ident) == idents[name]


def test_the_order_of_one_thread_is_kept_and_lines_are_whole(logger, log):
    barrier = threading.Barrier(6)

    def work(name: str) -> None:
        barrier.wait()
        for n in range(2000):
            logger.info("%s %d %s", name, n, "x" * (n % 300))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = written(log)
    assert len(lines) == 12_000
    for name in "abcdef":
        own = [line for line in lines if line[0] == name]
        assert own == [f"{name} {n} {'x' * (n % 300)}" for n in range(2000)]


def test_a_finaliser_that_logs_while_a_record_is_made(logger, log):
    class Dies:
        def __init__(self, n: int) -> None:
            self.n = n
            self.itself = self

        def __del__(self) -> None:
            logger.info("finaliser %s %d", [self.n], self.n)

        def __str__(self) -> str:
            return f"object {self.n}"

    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for n in range(500):
            logger.info("%s %s", Dies(n), [n])
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    lines = written(log)
    assert [line for line in lines if line.startswith("object")] == [
        f"object {n} [{n}]" for n in range(500)
    ]
    assert sum(line.startswith("finaliser") for line in lines) == 500


def test_signal_handlers_that_log(run_python):
    run_python("""
        import itertools, logging, signal, logboom
        logboom.install()
        logger = logging.getLogger("app")
        logger.setLevel(10)
        handler = logboom.FileHandler("app.log")
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
        numbers = itertools.count(1)
        ticks = []
        def tick(number, frame):
            n = next(numbers)
            logger.info("signal %d %s", n, [n])
            ticks.append(n)
        signal.signal(signal.SIGALRM, tick)
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        class Slow:
            def __str__(self):
                return "x" * sum(range(100))
        n = 0
        while len(ticks) < 200:
            logger.info("main %d %s", n, Slow())
            n += 1
        signal.setitimer(signal.ITIMER_REAL, 0)
        handler.close()
        lines = [line.split() for line in open("app.log")]
        assert [int(l[1]) for l in lines if l[0] == "main"] == list(range(n))
        # A handler may be interrupted by the next signal, so their order is not told.
        assert sorted(int(l[1]) for l in lines if l[0] == "signal") == sorted(ticks)
        assert len(lines) == n + len(ticks)
    """).ok()


def test_str_that_recurses_without_end_ends(logger, log):
    class Deep:
        def __str__(self) -> str:
            logger.info("%s", self)
            return "deep"

    with pytest.raises(RecursionError):
        logger.info("%s", Deep())
    logger.info("still there")
    assert written(log)[-1] == "still there"


def test_str_that_raises_lets_another_record_be_written(logger, log, capsys):
    class Bad:
        def __str__(self) -> str:
            raise ValueError("no text")

        def __repr__(self) -> str:
            return "<bad>"

    for n in range(3):
        logger.info("%s", Bad())
        logger.info("after %d", n)
    assert written(log) == ["after 0", "after 1", "after 2"]
    assert capsys.readouterr().err.count("ValueError: no text") == 3


def test_a_code_object_that_died_does_not_lend_its_place(logger, log):
    pattern(logger, "%(funcName)s %(lineno)d %(message)s")
    for n in range(300):
        namespace = {"logger": logger}
        source = "\n" * (n % 7) + f"def f{n}(): logger.info('%d', {n})"
        exec(compile(source, "<made>", "exec"), namespace)
        namespace[f"f{n}"]()
        del namespace
        gc.collect(0)
    assert written(log) == [f"f{n} {n % 7 + 1} {n}" for n in range(300)]


def test_a_template_that_died_does_not_lend_its_text(logger, log):
    for n in range(5000):
        logger.info("".join(["t", str(n), " %d"]), n)
    assert written(log) == [f"t{n} {n}" for n in range(5000)]


def test_a_path_with_every_kind_of_byte(logger, log):
    pattern(logger, "%(pathname)r %(filename)r %(module)r")
    lines = []
    for path in ("a.b.py", "/x/y", "/x/.hidden", "é/ü.py", "/", "a\\b.py", "\udc80.py", "/x/y.py/"):
        exec(compile("logger.info('x')", path, "exec"), {"logger": logger})
        record = logging.LogRecord("n", 20, path, 1, "m", (), None)
        lines.append(f"{record.pathname!r} {record.filename!r} {record.module!r}")
    assert written(log) == lines


def test_numbers_of_every_length(logger, log):
    numbers = [
        sign * (2**bits + d) for bits in range(0, 80, 3) for d in (-1, 0, 1) for sign in (1, -1)
    ]
    for number in numbers:
        logger.info("%d %s %x", number, number, number)
    assert written(log) == [f"{n} {n} {n:x}" for n in numbers]


def test_the_process_is_that_of_the_call(run_python):
    run_python("""
        import logging, os, logboom
        logboom.install()
        logger = logging.getLogger("app")
        handler = logboom.FileHandler("app.log")
        handler.setFormatter(logging.Formatter("%(process)d %(message)s"))
        logger.addHandler(handler)
        logger.warning("parent")
        handler.flush()
        pid = os.fork()
        if pid == 0:
            logger.warning("child")
            logboom.flush()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        logger.warning("parent")
        handler.close()
        assert open("app.log").read().splitlines() == [
            f"{os.getpid()} parent", f"{pid} child", f"{os.getpid()} parent"]
    """).ok()


def test_tables_that_are_full_change_nothing(run_python):
    run_python("""
        import logging, logboom
        logboom.configure(table_bytes=4096)
        logboom.install()
        logger = logging.getLogger("app")
        logger.setLevel(10)
        handler = logboom.FileHandler("app.log")
        handler.setFormatter(logging.Formatter("%(funcName)s %(lineno)d %(message)s"))
        logger.addHandler(handler)
        namespace = {"logger": logger}
        source = "".join(f"def f{n}():\\n    logger.info('template {n} %d', {n})\\n" for n in range(500))
        exec(compile(source, "made.py", "exec"), namespace)
        for _ in range(4):
            for n in range(500):
                namespace[f"f{n}"]()
        handler.close()
        expected = [f"f{n} {2 * n + 2} template {n} {n}" for n in range(500)] * 4
        assert open("app.log").read().splitlines() == expected
    """).ok()


def test_control_characters_of_the_library_pattern_stay(logger, log):
    logger.info("a\x1b[31mb")
    assert written(log) == ["a\x1b[31mb"]


def test_the_terminal_line_is_one_line(logger, log):
    logger.info("one\ntwo")
    assert re.fullmatch("one\ntwo\n", log.text() if logboom.flush() else "")
