"""`logboom_records` has the records of a test; without it the plugin does nothing.

The plugin is loaded from its entry point by the pytest that runs these tests.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest

import logboom

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Log, Runner
    from logboom.pytest import CapturedRecords

LIBRARY = logging.Logger.callHandlers


@pytest.fixture(autouse=True)
def loggers_as_they_were(logging_as_it_was: None) -> None:
    """Levels and handlers of a test are its own."""


@pytest.mark.parametrize("installed", [False, True])
def test_records_have_typed_fields_and_all_else(
    installed: bool, logboom_records: CapturedRecords, caplog: pytest.LogCaptureFixture
) -> None:
    if installed:
        logboom.install()
    logboom_records.set_level("DEBUG", "shop")
    with logboom.bound(tenant="t1"):
        logging.getLogger("shop.orders").debug(
            "%d of %s", 3, "four", extra={"user": 7, "new": True}
        )
    (record,) = logboom_records
    assert (record.message, record.template, record.args) == ("3 of four", "%d of %s", (3, "four"))
    assert (record.logger, record.level, record.level_name) == ("shop.orders", 10, "DEBUG")
    assert record.fields == {"user": 7, "new": True, "tenant": "t1"}
    assert record.function == "test_records_have_typed_fields_and_all_else"
    assert (record.pathname, record.exception) == (__file__, None)
    assert caplog.messages == ["3 of four"]
    assert caplog.records == [record.log_record]


def test_loggers_that_propagate_nothing_are_heard(
    logboom_records: CapturedRecords, log: Log
) -> None:
    handler = logboom.FileHandler(log)
    logger = logging.getLogger("shop")
    logger.propagate, logger.handlers = False, [handler]
    logboom.install()
    thread = threading.Thread(target=logger.error, args=("on a thread",))
    thread.start()
    thread.join()
    logging.getLogger("shop.handlerless").warning("below it")
    handler.close()
    assert logboom_records.messages == ["on a thread", "below it"]
    assert log.lines() == logboom_records.messages


def test_what_a_level_or_filter_refuses_is_not_there(logboom_records: CapturedRecords) -> None:
    logger = logging.getLogger("shop")
    logger.setLevel(logging.WARNING)
    logger.addFilter(lambda record: "secret" not in record.getMessage())
    logger.info("below")
    logger.warning("secret")
    logger.warning("heard")
    logger.filters.clear()
    assert logboom_records.messages == ["heard"]


def test_an_exception_and_a_message_that_cannot_be_formatted(
    logboom_records: CapturedRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logger = logging.getLogger("shop")
    logger.propagate, logger.handlers = False, [logging.NullHandler()]
    try:
        raise LookupError("no such order")
    except LookupError as raised:
        logger.exception("failed")
        error = raised
    logger.error("%d", "x")
    assert logboom_records[0].exception is error
    assert logboom_records[1].message == "%d"


def test_records_are_chosen_by_fields_logger_and_level(logboom_records: CapturedRecords) -> None:
    logging.getLogger("shop").error("one", extra={"user": 7, "n": 1})
    logging.getLogger("shop.orders").warning("two", extra={"user": 7, "n": True})
    logging.getLogger("shopping").warning("three", extra={"user": "7"})
    assert [one.message for one in logboom_records.with_fields(user=7)] == ["one", "two"]
    assert logboom_records.only(user=7, n=1).message == "one"
    assert [one.message for one in logboom_records.of("shop")] == ["one", "two"]
    assert [one.message for one in logboom_records.of("root", level="ERROR")] == ["one"]
    with pytest.raises(AssertionError) as caught:
        logboom_records.only(user=8)
    assert str(caught.value).splitlines() == [
        "0 records have user=8",
        "records of the test:",
        "  ERROR shop: one user=7 n=1",
        "  WARNING shop.orders: two user=7 n=True",
        "  WARNING shopping: three user='7'",
    ]
    with pytest.raises(AssertionError, match="2 records have user=7"):
        logboom_records.only(user=7)
    assert [one.message for one in logboom_records[1:]] == ["two", "three"]
    logboom_records.clear()
    assert len(logboom_records) == 0


def test_without_the_fixture_nothing_is_patched() -> None:
    assert logging.Logger.callHandlers is LIBRARY


PROGRAM = """
import logging

def test_with(logboom_records):
    logboom_records.set_level(5, "shop")
    assert logging.Logger.callHandlers.__module__ == "logboom.pytest"

def test_after():
    assert logging.Logger.callHandlers.__module__ == "logging"
    assert logging.getLogger("shop").level == 0
"""
RUN = "import sys, pytest; sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', *sys.argv[1:]]))"


def test_it_is_undone_at_the_end_and_can_be_left_away(run_python: Runner, tmp_path: Path) -> None:
    (tmp_path / "test_program.py").write_text(PROGRAM)
    assert "2 passed" in run_python(RUN).ok().out
    without = run_python(RUN, "-p", "no:logboom")
    assert "fixture 'logboom_records' not found" in without.out
    assert "1 passed, 1 error" in without.out
