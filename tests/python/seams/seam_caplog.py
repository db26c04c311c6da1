"""pytest's caplog, in a nested run whose conftest installs, with a handler of ours on the logger."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest
import seam

CONFTEST = """
import logging, sys
import pytest
import seam

side = sys.modules["seam"].nested
side.install()

@pytest.fixture
def logger():
    logger = side.logger("nested")
    path = side.file(logger)
    yield logger
    for handler in list(logger.handlers):
        handler.close()
        logger.removeHandler(handler)
    logger.disabled, logger.propagate = False, True
"""

TESTS = """
import logging

def log(logger):
    for turn in range(4):
        logger.debug("turn %d", turn)
        logger.warning("turn %d of %s", turn, "four")

def test_text_and_records(caplog, logger):
    log(logger)
    assert [one.getMessage() for one in caplog.records] == [
        text for turn in range(4) for text in (f"turn {turn}", f"turn {turn} of four")
    ]
    assert caplog.record_tuples[1] == ("nested", logging.WARNING, "turn 0 of four")
    assert caplog.messages[-1] == "turn 3 of four"
    assert "WARNING  nested:test_nested.py:7 turn 0 of four" in caplog.text
    assert {one.funcName for one in caplog.records} == {"log"}

def test_at_level(caplog, logger):
    with caplog.at_level(logging.WARNING, logger="nested"):
        log(logger)
        assert len(caplog.records) == 4
    log(logger)
    assert len(caplog.records) == 12

def test_set_level(caplog, logger):
    caplog.set_level(logging.ERROR, logger="nested")
    log(logger)
    assert caplog.records == []
    caplog.set_level(logging.WARNING)
    logger.setLevel(logging.DEBUG)
    log(logger)
    assert {one.levelname for one in caplog.records} == {"WARNING"}

def test_level_is_put_back(caplog, logger):
    assert logger.level == logging.DEBUG
    log(logger)
    assert len(caplog.records) == 8

def test_clear(caplog, logger):
    log(logger)
    caplog.clear()
    assert caplog.records == [] and caplog.text == ""
    log(logger)
    assert len(caplog.records) == 8

def test_disabled(caplog, logger):
    logger.disabled = True
    log(logger)
    assert caplog.records == []
    logger.disabled = False
    logging.disable(logging.WARNING)
    log(logger)
    assert caplog.records == []
    with caplog.at_level(logging.WARNING):
        log(logger)
    assert len(caplog.records) == 4
    log(logger)
    assert len(caplog.records) == 4
    logging.disable(logging.NOTSET)

def test_no_propagation(caplog, logger):
    logger.propagate = False
    log(logger)
    assert caplog.records == []
    logger.addHandler(caplog.handler)
    log(logger)
    assert len(caplog.records) == 8

def test_filtering(caplog, logger):
    only = logging.Filter("nested.child")
    with caplog.filtering(only):
        log(logger)
        logging.getLogger("nested.child").warning("seen")
    assert caplog.messages == ["seen"]

def test_that_fails_shows_what_was_logged(logger):
    log(logger)
    assert False

def test_phases(caplog, logger):
    log(logger)
    assert caplog.get_records("setup") == []
    assert len(caplog.get_records("call")) == 8
"""


class _Outcomes:
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            print(report.nodeid, report.outcome)
            for name, content in report.sections:
                print(f"{name}:\n{content}")
            if report.outcome == "failed" and "shows_what" not in report.nodeid:
                sys.exit(str(report.longrepr))


def _run(side: seam.Side, *options: str) -> None:
    Path("conftest.py").write_text(CONFTEST)
    Path("test_nested.py").write_text(TESTS)
    seam.nested = side  # type: ignore[attr-defined]
    options = ("-p", "no:cacheprovider", "-p", "no:terminal", *options)
    code = pytest.main([*options, "."], plugins=[_Outcomes()])
    assert code == pytest.ExitCode.TESTS_FAILED, code
    assert side.reached_the_engine(seam.WARM)
    assert logging.getLogger("nested").handlers == []


@seam.late
def nested(side: seam.Side) -> None:
    _run(side)


@seam.late
def nested_with_a_log_file(side: seam.Side) -> None:
    _run(side, "--log-file=session.log", "--log-file-level=WARNING", "--log-level=DEBUG")


def nested_under_pytest_that_came_after(side: seam.Side) -> None:
    _run(side)
