"""structlog's loggers log as the standard library's do, natively."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import TYPE_CHECKING, Any

import pytest

import logboom

structlog = pytest.importorskip("structlog", reason="structlog is not installed")

from structlog.testing import capture_logs  # noqa: E402

import logboom.structlog  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Log

PLACE = "%(levelname)s %(name)s %(filename)s:%(lineno)d %(funcName)s %(threadName)s %(message)s"


@pytest.fixture(autouse=True)
def configuration_as_it_was(logging_as_it_was: None) -> Iterator[None]:
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def shop(log: Log, closing: Callable[..., logging.Handler]) -> logging.Logger:
    handler = closing(logboom.FileHandler(log))
    handler.setFormatter(logboom.JsonFormatter())
    logger = logging.getLogger("shop")
    logger.propagate = False
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    return logger


def entries(log: Log) -> list[dict[str, Any]]:
    logboom.flush()
    found = [json.loads(line) for line in log.lines()]
    for entry in found:
        del entry["timestamp"]
    return found


def test_a_call_is_the_record_that_the_library_would_make(shop: logging.Logger, log: Log) -> None:
    logboom.structlog.configure()
    bound = structlog.get_logger("shop").bind(user=7)
    for n in range(3):
        bound.info("bought %d of %s", n, "four", price=2.5, gift=None)
        shop.info("bought %d of %s", n, "four", extra={"user": 7, "price": 2.5, "gift": None})
    found = entries(log)
    assert found[::2] == found[1::2]
    assert found[2] == {
        "level": "INFO",
        "logger": "shop",
        "message": "bought 1 of four",
        "user": 7,
        "price": 2.5,
        "gift": None,
    }


def test_calls_are_captured_natively(shop: logging.Logger, log: Log) -> None:
    shop.handlers[0].setFormatter(logging.Formatter(PLACE))
    logboom.structlog.configure()
    bound = structlog.get_logger("shop")
    # pytest gives its own handlers to loggers that propagate nothing.
    shop.handlers = shop.handlers[:1]
    bound.info("first")
    library = logging.addLevelName.__code__.co_filename
    ran: list[str] = []

    def note(frame: Any, happened: str, _: object) -> None:
        if happened == "call" and frame.f_code.co_filename == library:
            ran.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        bound.info("here", user=7)
    finally:
        sys.setprofile(None)
    logboom.flush()
    assert ran == []
    assert " test_calls_are_captured_natively " in log.lines()[1]


def test_the_place_is_the_programs(shop: logging.Logger, log: Log) -> None:
    shop.handlers[0].setFormatter(logging.Formatter(PLACE))
    logboom.structlog.configure()
    bound = structlog.get_logger("shop")

    def outer() -> None:
        inner()

    def inner() -> None:
        bound.warning("above", stacklevel=2)

    async def coroutine() -> None:
        await bound.ainfo("awaited")
        await bound.alog(logging.ERROR, "awaited %s", "too")

    bound.error("at once")
    bound.log(35, "of its own level")
    outer()
    asyncio.run(coroutine())
    logboom.flush()
    assert [line.split(".py:")[1].split(" ", 1)[1] for line in log.lines()] == [
        "test_the_place_is_the_programs MainThread at once",
        "test_the_place_is_the_programs MainThread of its own level",
        "outer MainThread above",
        "coroutine MainThread awaited",
        "coroutine MainThread awaited too",
    ]
    assert all("test_structlog.py" in line for line in log.lines())


def test_exceptions_are_the_librarys(shop: logging.Logger, log: Log) -> None:
    logboom.structlog.configure()
    bound = structlog.get_logger("shop")

    async def fails() -> None:
        try:
            raise LookupError("no such order")
        except LookupError:
            await bound.aexception("failed")

    try:
        raise LookupError("no such order")
    except LookupError as error:
        bound.exception("failed")
        bound.error("failed", exc_info=True)
        bound.error("failed", exc_info=error)
        shop.exception("failed")
    asyncio.run(fails())
    bound.error("with the stack", stack_info=True)
    *found, other, stack = entries(log)
    assert found == [found[3]] * 4
    assert found[0]["exception"].endswith("LookupError: no such order")
    assert other["exception"].endswith("LookupError: no such order")
    assert "test_exceptions_are_the_librarys" in json.dumps(stack)


def test_no_name_of_a_field_makes_a_call_raise(shop: logging.Logger, log: Log) -> None:
    logboom.structlog.configure()
    structlog.get_logger("shop").info(
        "hired", name="Ada", name_="L.", args=1, getMessage=2, extra={"more": 3}, message="m"
    )
    structlog.get_logger("shop").info(user=7)
    first, second = entries(log)
    assert first == {
        "level": "INFO",
        "logger": "shop",
        "message": "hired",
        "more": 3,
        "name__": "Ada",
        "name_": "L.",
        "args_": 1,
        "getMessage_": 2,
        "message_": "m",
    }
    assert second == {"level": "INFO", "logger": "shop", "message": "", "user": 7}


def test_a_call_below_the_level_runs_no_processor(shop: logging.Logger, log: Log) -> None:
    ran = []

    def note(_: object, method: str, event_dict: dict[str, Any]) -> dict[str, Any]:
        ran.append((method, dict(event_dict)))
        return {**event_dict, "noted": True}

    def drop(_: object, __: str, event_dict: dict[str, Any]) -> dict[str, Any]:
        if event_dict.get("secret"):
            raise structlog.DropEvent
        return event_dict

    logboom.structlog.configure(processors=[note, drop])
    bound = structlog.get_logger("shop")
    bound.debug("not this")
    bound.info("this %s", "one", user=7)
    bound.info("nor this", secret=True)
    assert ran[0] == ("info", {"event": "this %s", "positional_args": ("one",), "user": 7})
    assert [entry["message"] for entry in entries(log)] == ["this one"]
    assert entries(log)[0]["noted"] is True
    shop.setLevel(logging.DEBUG)
    bound.debug("now this")
    assert entries(log)[-1]["message"] == "now this"


def test_structlogs_context_variables_are_merged(shop: logging.Logger, log: Log) -> None:
    logboom.structlog.configure()
    structlog.contextvars.bind_contextvars(request="r1", user=0)
    with logboom.bound(tenant="t1"):
        structlog.get_logger("shop").info("merged", user=7)
    logboom.structlog.configure(contextvars=False)
    structlog.get_logger("shop").info("not merged")
    first, second = entries(log)
    assert (first["request"], first["user"], first["tenant"]) == ("r1", 7, "t1")
    assert "request" not in second


def test_capture_logs_sees_every_call(shop: logging.Logger, log: Log) -> None:
    logboom.structlog.configure()
    bound = structlog.get_logger("shop").bind(user=7)
    bound.info("before")
    with capture_logs() as captured:
        bound.debug("below the level", n=1)
        asyncio.run(bound.ainfo("awaited"))
        bound.exception("failed")
    bound.info("after")
    assert captured == [
        {"event": "below the level", "user": 7, "n": 1, "log_level": "debug"},
        {"event": "awaited", "user": 7, "log_level": "info"},
        {"event": "failed", "user": 7, "exc_info": True, "log_level": "error"},
    ]
    assert [entry["message"] for entry in entries(log)] == ["before", "after"]


def test_a_renderers_text_is_the_message(shop: logging.Logger, log: Log) -> None:
    logboom.structlog.configure(processors=[structlog.processors.KeyValueRenderer()])
    structlog.get_logger("shop").info("bought", n=3)
    assert entries(log)[0]["message"] == "n=3 event='bought'"


def test_a_logger_without_a_name_is_the_modules(shop: logging.Logger) -> None:
    logboom.structlog.configure()
    assert structlog.get_logger().bind().name == __name__
    assert type(logging.getLogger("made.now")) is logging.Logger


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"processors": 7}, "invalid `processors`: got 7, expected a list of callables"),
        ({"processors": ["x"]}, "invalid `processors`: got ['x'], expected a list of callables"),
        ({"processors": len}, "invalid `processors`: got <built-in function len>, expected a list"),
        ({"contextvars": 1}, "invalid `contextvars`: got 1, expected True or False"),
        (
            {"cache_logger_on_first_use": None},
            "invalid `cache_logger_on_first_use`: got None, expected True or False",
        ),
    ],
)
def test_options_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(logboom.ConfigError) as caught:
        logboom.structlog.configure(**options)
    assert str(caught.value).startswith(message)
    assert not structlog.is_configured()
