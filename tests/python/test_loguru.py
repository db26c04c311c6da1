"""loguru's messages go to the standard library's loggers and back, with what they had."""

from __future__ import annotations

import json
import logging
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

import logboom

loguru = pytest.importorskip("loguru", reason="loguru is not installed")

import logboom.loguru  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Log


@pytest.fixture(autouse=True)
def sinks_as_they_were(logging_as_it_was: None) -> Iterator[None]:
    yield
    loguru.logger.remove()


class Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def seen() -> Records:
    """Give a handler of the logger that is named as this module."""
    logger = logging.getLogger(__name__)
    handler = Records()
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(1)
    return handler


def test_a_message_arrives_with_what_it_had(seen: Records) -> None:
    logboom.loguru.forward()
    taken: list[Any] = []
    loguru.logger.add(lambda message: taken.append(message.record))
    loguru.logger.bind(user=7, name="Ada").success("bought {} of {n}", 3, n=4)
    loguru.logger.trace("fine")
    loguru.logger.log("WARNING", "braces {}")
    record, fine, braces = seen.records
    assert record.getMessage() == "bought 3 of 4"
    assert (record.name, record.levelno, record.levelname) == (__name__, 25, "SUCCESS")
    assert (record.user, record.name_, record.n) == (7, "Ada", 4)  # type: ignore[attr-defined]
    assert record.funcName == "test_a_message_arrives_with_what_it_had"
    assert (record.pathname, record.lineno) == (__file__, taken[0]["line"])
    assert (record.thread, record.threadName) == (threading.get_ident(), "MainThread")
    assert record.created == taken[0]["time"].timestamp()
    assert (fine.levelname, braces.getMessage()) == ("TRACE", "braces {}")


def test_an_exception_arrives_as_the_library_writes_it(
    seen: Records, log: Log, closing: Callable[..., logging.Handler]
) -> None:
    handler = closing(logboom.FileHandler(log))
    handler.setFormatter(logboom.JsonFormatter())
    logging.getLogger(__name__).handlers.append(handler)
    logboom.loguru.forward()
    try:
        raise LookupError("no such order")
    except LookupError as error:
        loguru.logger.bind(order=7).exception("failed")
        assert seen.records[0].exc_info == (LookupError, error, error.__traceback__)
    logboom.flush()
    (line,) = map(json.loads, log.lines())
    assert (line["message"], line["order"], line["level"]) == ("failed", 7, "ERROR")
    assert line["exception"].endswith("LookupError: no such order")
    assert datetime.fromisoformat(line["timestamp"].replace("Z", "+00:00")).tzinfo == timezone.utc


def test_levels_of_both_sides_decide(seen: Records) -> None:
    logging.getLogger(__name__).setLevel(logging.INFO)
    number = logboom.loguru.forward(level="DEBUG")
    loguru.logger.debug("below the logger's")
    loguru.logger.info("let through")
    loguru.logger.remove(number)
    logboom.loguru.forward(level=40)
    loguru.logger.warning("below the sink's")
    loguru.logger.log(45, "without a name")
    assert [record.getMessage() for record in seen.records] == ["let through", "without a name"]
    assert seen.records[1].levelname == "Level 45"


def test_one_logger_can_take_them_all_and_other_sinks_stay(seen: Records) -> None:
    texts: list[str] = []
    loguru.logger.add(texts.append, format="{message}")
    logboom.loguru.forward(logger=f"{__name__}.child", keep=True)
    loguru.logger.info("both")
    assert seen.records[0].name == f"{__name__}.child"
    assert texts == ["both\n"]


def test_a_queue_of_logurus_keeps_time_and_thread(seen: Records) -> None:
    loguru.logger.remove()
    loguru.logger.add(logboom.loguru.sink(), enqueue=True)
    loguru.logger.info("queued")
    loguru.logger.complete()
    assert seen.records[0].threadName == "MainThread"
    assert seen.records[0].funcName == "test_a_queue_of_logurus_keeps_time_and_thread"


def test_a_record_of_logging_arrives_in_loguru() -> None:
    loguru.logger.remove()
    taken: list[Any] = []
    loguru.logger.add(lambda message: taken.append(message.record), level=0)
    logger = logging.getLogger("shop.orders")
    logger.handlers, logger.propagate = [logboom.loguru.InterceptHandler()], False
    logger.setLevel(1)
    logboom.install()
    try:
        raise LookupError("no such order")
    except LookupError as raised:
        logger.error("of %s {}", "four", extra={"user": 7}, exc_info=True)
        error = raised
    logger.log(35, "of its own level")
    record, other = taken
    assert (record["message"], record["name"]) == ("of four {}", "shop.orders")
    assert record["function"] == "test_a_record_of_logging_arrives_in_loguru"
    assert record["file"].path == __file__
    assert record["extra"] == {"user": 7}
    assert record["exception"].value is error
    assert (record["level"].name, other["level"].no) == ("ERROR", 35)


def test_loguru_can_silence_the_module_that_logged() -> None:
    loguru.logger.remove()
    texts: list[str] = []
    loguru.logger.add(texts.append, format="{message}")
    logger = logging.getLogger("shop")
    logger.handlers, logger.propagate = [logboom.loguru.InterceptHandler()], False
    logger.warning("heard")
    loguru.logger.disable(__name__)
    try:
        logger.warning("not heard")
    finally:
        loguru.logger.enable(__name__)
    assert texts == ["heard\n"]


def test_both_directions_at_once_are_no_loop(seen: Records) -> None:
    logboom.loguru.forward()
    texts: list[str] = []
    loguru.logger.add(texts.append, format="{message}")
    logging.getLogger(__name__).addHandler(logboom.loguru.InterceptHandler())
    loguru.logger.info("from loguru")
    logging.getLogger(__name__).info("from logging")
    assert texts == ["from loguru\n", "from logging\n"]
    assert [record.getMessage() for record in seen.records] == ["from loguru", "from logging"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"logger": 7}, "invalid `logger`: got 7, expected a name or None"),
        (
            {"level": "LOUD"},
            "invalid `level`: got 'LOUD', expected a level of loguru's or a number",
        ),
        ({"level": -1}, "invalid `level`: got -1"),
        ({"level": None}, "invalid `level`: got None"),
        ({"keep": 1}, "invalid `keep`: got 1, expected True or False"),
    ],
)
def test_options_are_checked_before_a_sink_goes(options: dict[str, Any], message: str) -> None:
    texts: list[str] = []
    loguru.logger.add(texts.append)
    with pytest.raises(logboom.ConfigError) as caught:
        logboom.loguru.forward(**options)
    assert str(caught.value).startswith(message)
    loguru.logger.info("still there")
    assert len(texts) == 1
