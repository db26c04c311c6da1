"""The pytest plugin that watches a run of somebody's tests, and keeps `install` in effect for each.

Loaded with ``-p`` into the environment of a project, in a process that ``LOGBOOM_OTHERS`` tells what
to do: a JSON object of ``mode`` (``plain`` or ``install``), ``tests`` (the directory that holds
``witness.py``) and ``told`` (the file that is told of each test). Processes that the tests start are
told nothing; `install` is in effect there as well, by the environment's ``.pth`` file (``prepare.py``).

1. Before each test `install` is in effect, or the test does not count as passed. What a test undid is
   followed by another `install`.
2. Each test starts with the class of new loggers that there was before the first, in both modes: the
   library's, or one that the project gave to `logging.setLoggerClass` when it was imported.
3. Every test has one outcome: failed if its set-up, call or end failed, skipped, or passed. What is
   expected to fail is ``xfailed``, and what passes all the same ``xpassed``.
4. Each line is whole and with the system before the next test begins, so a crash loses none.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

_VARIABLE = "LOGBOOM_OTHERS"


class Watch:
    """Tells of each test."""

    def __init__(self, told: int, installing: bool) -> None:
        self.told = told
        self.installing = installing
        self.pid = os.getpid()
        self.outcome, self.detail = "", ""
        self.again = 0
        self.new_loggers = logging.getLoggerClass()

    def pytest_collection_finish(self) -> None:
        self.new_loggers = logging.getLoggerClass()

    def tell(self, **event: Any) -> None:
        """Write one line; a forked child of a test has nothing to tell."""
        if os.getpid() == self.pid:
            os.write(self.told, json.dumps(event).encode() + b"\n")

    def note(self, outcome: str, detail: str = "") -> None:
        """Keep what became of the test; a failure stays one."""
        if self.outcome != "failed":
            self.outcome = outcome
        self.detail += detail

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: object
    ) -> Generator[None, object, object]:
        self.outcome, self.detail = "passed", ""
        self.tell(start=item.nodeid)
        if self.installing:
            self.install()
        if logging.getLoggerClass() is not self.new_loggers:
            logging.setLoggerClass(self.new_loggers)
        try:
            return (yield)
        finally:
            self.tell(end=item.nodeid, outcome=self.outcome, detail=self.detail[-4000:])

    def install(self) -> None:
        """Have `install` in effect."""
        from witness import in_effect

        import logboom

        if not in_effect():
            return
        self.again += 1
        logboom.uninstall()
        logboom.install()
        if reason := in_effect():
            self.note("failed", reason)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        expected = hasattr(report, "wasxfail")
        if report.failed:
            self.note("failed", str(report.longrepr))
        elif report.skipped:
            self.note("xfailed" if expected else "skipped", str(report.longrepr))
        elif report.when == "call" and expected:
            self.note("xpassed")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.tell(broken=f"{report.nodeid}: {report.longrepr}"[-4000:])

    def pytest_sessionfinish(self) -> None:
        from witness import class_of

        loggers: dict[str, int] = {}
        # Not by `loggerDict`: tests put it back, and make loggers that are in none.
        for one in gc.get_objects():
            if issubclass(type(one), logging.Logger):
                name = class_of(one)
                loggers[name] = loggers.get(name, 0) + 1
        self.tell(loggers=loggers, installed_again=self.again)


def pytest_configure(config: pytest.Config) -> None:
    """Start to watch, unless this is a run that a test started."""
    text = os.environ.get(_VARIABLE)
    if text is None or config.pluginmanager.has_plugin("logboom-watching"):
        return
    order = json.loads(text)
    sys.path.append(order["tests"])
    told = os.open(order["told"], os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o644)
    watch = Watch(told, order["mode"] == "install")
    if watch.installing:
        watch.install()
    config.pluginmanager.register(watch, "logboom-watching")
