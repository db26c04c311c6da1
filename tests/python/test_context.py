"""Fields bound by context: who sees them, what they are in formats, records and filters."""

from __future__ import annotations

import asyncio
import contextvars
import io
import logging
import threading
import uuid
from collections.abc import Iterator

import pytest

import logboom


@pytest.fixture(autouse=True)
def _clean(logging_as_it_was: None) -> Iterator[None]:
    logboom.install()
    token = logboom.clear()
    yield
    logboom.reset(token)


@pytest.fixture
def logger(log) -> Iterator[logging.Logger]:
    # In no hierarchy, as pytest puts handlers of its own onto the loggers that it finds.
    logger = logging.Logger("tests.context", logging.DEBUG)
    handler = logboom.FileHandler(log, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(request_id)s %(message)s"))
    logger.addHandler(handler)
    yield logger
    handler.close()


def written(log) -> list[str]:
    assert logboom.flush(timeout=30)
    return log.lines()


def test_bind_unbind_clear_and_reset():
    assert logboom.context() == {}
    first = logboom.bind(a=1, b="x")
    second = logboom.bind(b="y", c=None)
    assert logboom.context() == {"a": 1, "b": "y", "c": None}
    assert list(logboom.context()) == ["a", "b", "c"]
    third = logboom.unbind("a", "nobody")
    assert logboom.context() == {"b": "y", "c": None}
    fourth = logboom.clear()
    assert logboom.context() == {}
    logboom.reset(fourth)
    assert logboom.context() == {"b": "y", "c": None}
    logboom.reset(third)
    logboom.reset(second)
    assert logboom.context() == {"a": 1, "b": "x"}
    logboom.reset(first)
    assert logboom.context() == {}
    with pytest.raises(RuntimeError):
        logboom.reset(first)
    logboom.unbind("nothing")
    assert logboom.context() == {}


def test_context_gives_the_objects_that_were_bound_in_a_dict_of_ones_own():
    value = object()
    with logboom.bound(value=value):
        got = logboom.context()
        assert got["value"] is value
        got["other"] = 1
        assert logboom.context() == {"value": value}


def test_bound_is_nested_and_ends_with_an_exception(logger, log):
    with logboom.bound(request_id=1, user="u"):
        logger.info("one")
        with logboom.bound(request_id=2):
            logger.info("two")
            assert logboom.context() == {"request_id": 2, "user": "u"}
        with pytest.raises(KeyError), logboom.bound(request_id=3):
            logger.info("three")
            raise KeyError
        logger.info("one")
    assert logboom.context() == {}
    assert written(log) == ["1 one", "2 two", "3 three", "1 one"]


def test_one_bound_may_be_entered_again_and_again(logger, log):
    request = logboom.bound(request_id="r")
    for _ in range(3):
        with request, request:
            logger.info("x")
        assert logboom.context() == {}
    assert written(log) == ["r x"] * 3


VALUES = [
    *("text", "naïve €", "", "a b", "\n", 0, 1, -5, 2**63, 10**30, True, False, None, 1.5, 1e300),
    *(float("nan"), b"bytes", [1, "a"], ("t",), {"k": 1}, uuid.UUID(int=1), ValueError("error")),
]
CONVERSIONS = [
    *("%(f)s", "%(f)10s|", "%(f)-10s|", "%(f).2s"),
    *("%(f)r", "%(f)d", "%(f)05d", "%(f).2f", "%(f)x"),
]


@pytest.mark.parametrize("conversion", CONVERSIONS)
def test_a_field_is_formatted_as_the_library_formats_it_from_extra(logger, log, conversion, capsys):
    logger.handlers[0].setFormatter(logging.Formatter(f"<{conversion}> %(message)s"))
    expected, told = [], []
    reference = logging.StreamHandler(stream := io.StringIO())
    reference.setFormatter(logging.Formatter(f"<{conversion}> %(message)s"))
    for n, value in enumerate(VALUES):
        record = logging.makeLogRecord({"f": value, "msg": f"{n}"})
        reference.handle(record)
        told.append(capsys.readouterr().err.count("--- Logging error ---"))
    expected = stream.getvalue()
    reported = []
    for n, value in enumerate(VALUES):
        with logboom.bound(f=value):
            logger.info(f"{n}")
        reported.append(capsys.readouterr().err.count("--- Logging error ---"))
    assert logboom.flush(timeout=30)
    assert log.text() == expected
    assert reported == told


def test_a_value_is_captured_as_it_was_bound(logger, log):
    items = [1]
    with logboom.bound(request_id=items):
        logger.info("a")
        items.append(2)
        logger.info("b")
    assert written(log) == ["[1] a", "[1] b"]


def test_what_the_text_of_a_value_raises_comes_from_bind():
    class Bad:
        def __str__(self) -> str:
            raise ValueError("no text")

    with pytest.raises(ValueError, match="no text"):
        logboom.bind(a=1, bad=Bad())
    assert logboom.context() == {}


def test_a_field_that_is_missing_is_reported_as_the_library_does(logger, log, capsys):
    for _ in range(3):
        logger.info("without")
        with logboom.bound(request_id=1):
            logger.info("with")
        with logboom.bound(other=1):
            logger.info("another")
    assert written(log) == ["1 with"] * 3
    err = capsys.readouterr().err
    assert err.count("--- Logging error ---") == 6
    assert err.count("Formatting field not found in record: 'request_id'") == 6


def test_defaults_stand_in_for_what_is_missing(logger, log):
    formatter = logging.Formatter("%(request_id)s %(message)s", defaults={"request_id": "-"})
    logger.handlers[0].setFormatter(formatter)
    for _ in range(3):
        logger.info("without")
        with logboom.bound(request_id=1):
            logger.info("with")
    assert written(log) == ["- without", "1 with"] * 3


@pytest.mark.parametrize(
    ("style", "text"), [("{", "{request_id} {message}"), ("$", "$request_id $message")]
)
def test_other_styles(logger, log, style, text):
    logger.handlers[0].setFormatter(logging.Formatter(text, style=style))
    for _ in range(3):
        with logboom.bound(request_id=1):
            logger.info("with")
    assert written(log) == ["1 with"] * 3


def test_extra_comes_before_context(logger, log):
    for _ in range(3):
        with logboom.bound(request_id="context"):
            logger.info("x", extra={"request_id": "extra"})
            logger.info("x", extra={"other": 1})
    assert written(log) == ["extra x", "context x"] * 3


def test_fields_are_attributes_for_filters_factories_and_foreign_handlers(logger):
    seen = []

    class Collects(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append((record.request_id, record.number))

    logger.handlers[0].addFilter(lambda record: seen.append(record.request_id) or True)
    logger.addFilter(lambda record: seen.append(record.number) or True)
    logger.addHandler(Collects())
    value = object()
    with logboom.bound(request_id="r", number=value):
        logger.info("x")
    assert seen == [value, "r", ("r", value)]


CLASHES = [
    *("name", "msg", "args", "levelname", "levelno", "pathname", "filename", "module", "exc_info"),
    *(
        "exc_text",
        "stack_info",
        "lineno",
        "funcName",
        "created",
        "msecs",
        "relativeCreated",
        "thread",
    ),
    *(
        "threadName",
        "processName",
        "process",
        "message",
        "asctime",
        "taskName",
        "getMessage",
        "self",
    ),
    *("extra", "__dict__", "__class__", "é", "a b", "", "%"),
]


@pytest.mark.parametrize("name", CLASHES)
def test_a_name_that_clashes_never_raises_and_never_wins(logger, log, name, capsys):
    logger.handlers[0].setFormatter(
        logging.Formatter("%(levelname)s %(name)s %(message)s %(funcName)s")
    )
    with logboom.bound(**{name: "bound"}):
        for _ in range(3):
            logger.info("native %d", 1)
            logger.info("library", extra={"a": 1})
            try:
                raise ValueError
            except ValueError:
                logger.exception("exception")
    assert logboom.flush(timeout=30)
    heads = [line for line in log.lines() if "tests.context" in line]
    here = "test_a_name_that_clashes_never_raises_and_never_wins"
    assert (
        heads
        == [
            f"INFO tests.context native 1 {here}",
            f"INFO tests.context library {here}",
            f"ERROR tests.context exception {here}",
        ]
        * 3
    )
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("kind", ["file", "text", "latin-1"])
def test_plain_loggers_with_our_handlers(log, kind):
    logboom.uninstall()
    logger = logging.Logger("plain", 10)
    stream = io.StringIO()
    handler = {
        "file": lambda: logboom.FileHandler(log),
        "text": lambda: logboom.StreamHandler(stream),
        "latin-1": lambda: logboom.FileHandler(log, encoding="latin-1"),
    }[kind]()
    handler.setFormatter(logging.Formatter("%(request_id)s %(message)s"))
    logger.addHandler(handler)
    for n in range(3):
        with logboom.bound(request_id=n):
            logger.info("x")
    handler.close()
    assert (stream.getvalue() or log.text()) == "0 x\n1 x\n2 x\n"


def test_a_new_thread_starts_with_nothing_bound(logger, log):
    with logboom.bound(request_id="main"):
        seen = []
        thread = threading.Thread(target=lambda: seen.append(logboom.context()))
        thread.start()
        thread.join()
        logger.info("x")
    import sys

    inherits = getattr(sys.flags, "thread_inherit_context", 0)
    assert seen == [{"request_id": "main"} if inherits else {}]
    assert written(log) == ["main x"]


def test_threads_are_apart(logger, log):
    barrier = threading.Barrier(4)

    def work(name: str) -> None:
        with logboom.bound(request_id=name):
            barrier.wait()
            for n in range(500):
                logger.info("%s %d", name, n)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = written(log)
    assert len(lines) == 2000
    assert all(line.split()[0] == line.split()[1] for line in lines)


def test_tasks_see_what_was_bound_where_they_began_and_keep_their_own(logger, log):
    async def work(name: str) -> None:
        logger.info("start %s", name)
        logboom.bind(request_id=name)
        for _ in range(3):
            await asyncio.sleep(0)
            logger.info("in %s", name)
        async with logboom.bound(request_id=name + "!"):
            await asyncio.sleep(0)
            logger.info("within %s", name)

    async def main() -> None:
        logboom.bind(request_id="main")
        await asyncio.gather(*(work(name) for name in "abc"))
        logger.info("after")
        await asyncio.to_thread(logger.info, "in a thread")
        await asyncio.get_running_loop().run_in_executor(
            None, lambda: seen.append(logboom.context())
        )

    seen: list[dict] = []
    asyncio.run(main())
    assert logboom.context() == {}
    lines = written(log)
    assert [line for line in lines if "start" in line] == [f"main start {name}" for name in "abc"]
    for name in "abc":
        assert lines.count(f"{name} in {name}") == 3
        assert lines.count(f"{name}! within {name}") == 1
    assert lines[-2:] == ["main after", "main in a thread"]
    assert seen == [{}]
    assert len(lines) == 3 + 9 + 3 + 2


def test_a_generator_that_is_closed_in_another_context():
    def generator() -> Iterator[int]:
        with logboom.bound(inside=1):
            yield 1

    made = generator()
    context = contextvars.copy_context()
    context.run(next, made)
    assert context.run(logboom.context) == {"inside": 1}
    logboom.bind(outer=1)
    made.close()
    # There is no telling what was bound here before; what the block found when it began is.
    assert "inside" not in logboom.context()


def test_an_async_generator_that_is_closed_by_the_loop(logger):
    async def steps():
        async with logboom.bound(inside=1):
            yield 1
            yield 2

    async def main() -> None:
        async for _ in steps():
            break
        await asyncio.get_running_loop().shutdown_asyncgens()

    asyncio.run(main())


def test_a_copied_context_is_its_own():
    logboom.bind(a=1)
    context = contextvars.copy_context()
    context.run(logboom.bind, a=2)
    assert logboom.context() == {"a": 1}
    assert context.run(logboom.context) == {"a": 2}


def test_many_fields(logger, log):
    names = [f"field_{n}" for n in range(200)]
    logger.handlers[0].setFormatter(logging.Formatter(" ".join(f"%({name})s" for name in names)))
    with logboom.bound(**{name: n for n, name in enumerate(names)}):
        for _ in range(3):
            logger.info("x")
    assert written(log) == [" ".join(map(str, range(200)))] * 3


def test_values_are_let_go():
    import gc
    import weakref

    class Value:
        pass

    value = Value()
    gone = weakref.ref(value)
    with logboom.bound(value=value):
        pass
    del value
    gc.collect()
    assert gone() is None


def test_values_in_a_cycle_with_the_context_are_collected():
    import gc
    import weakref

    class Value:
        pass

    def make() -> weakref.ref:
        value = Value()
        value.context = contextvars.copy_context()
        value.context.run(logboom.bind, value=value)
        return weakref.ref(value)

    gone = make()
    gc.collect()
    assert gone() is None
