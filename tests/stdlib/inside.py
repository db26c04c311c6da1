"""Runs CPython's logging tests in the interpreter that runs this, in one mode and layout.

Started by ``run.py``; prints one JSON document. The layouts: ``together`` is the whole suite in one
process, ``apart`` a process for each test.

1. Every process of tests is forked from one that has imported what the suite imports, and in which
   nothing was logged. It has a directory of its own, and no thread that the suite did not start.
2. Before each test `install` is in effect, or the test does not count as passed. A test that undoes
   it is followed by another `install`.
3. A test that outlives the deadline is ``hung``, one that takes its process along ``crashed``; the
   tests after it run in a new process. Every test has exactly one outcome.

Outcomes: passed, failed, skipped, hung, crashed, missing (never started).
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import importlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
import unittest
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

import suite

sys.path.append(str(Path(__file__).resolve().parents[1]))

from witness import in_effect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

POLL = 0.02


class Told(unittest.TestResult):
    """Tells the parent of each test's start and end, over a pipe."""

    def __init__(self, mode: str, pipe: int) -> None:
        super().__init__()
        self.mode = mode
        self.pipe = pipe
        self.outcome = "passed"
        self.detail = ""

    def tell(self, **event: Any) -> None:
        """Send one event."""
        os.write(self.pipe, json.dumps(event).encode() + b"\n")

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.outcome, self.detail = "passed", ""
        self.tell(start=test.id())
        if self.mode != "plain" and in_effect():
            import logboom

            logboom.uninstall()
            logboom.install()
            if reason := in_effect():
                self.note("failed", reason)

    def stopTest(self, test: unittest.TestCase) -> None:
        self.tell(end=test.id(), outcome=self.outcome, detail=self.detail)
        super().stopTest(test)

    def note(self, outcome: str, detail: str) -> None:
        """Keep what became of the test; a failure stays one."""
        if self.outcome != "failed":
            self.outcome = outcome
        self.detail += detail

    def addError(self, test: Any, err: Any) -> None:
        self.note("failed", "".join(traceback.format_exception(*err)))
        if not isinstance(test, unittest.TestCase):
            self.tell(note=f"{test}: {self.detail}")

    def addFailure(self, test: Any, err: Any) -> None:
        self.addError(test, err)

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self.note("failed", f"{subtest}\n" + "".join(traceback.format_exception(*err)))

    def addSkip(self, test: Any, reason: str) -> None:
        self.note("skipped", reason)

    def addUnexpectedSuccess(self, test: Any) -> None:
        self.note("failed", "unexpected success")


def tests_of(found: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    """Give the tests of a suite, in order."""
    for test in found:
        if isinstance(test, unittest.TestSuite):
            yield from tests_of(test)
        else:
            yield test


def names(code: CodeType, directory: Path) -> list[str]:
    """Give the names of the tests, which a process of its own finds out."""
    source, pipe = os.pipe()
    child = os.fork()
    if child == 0:
        with leaving(directory):
            module = suite.made(code, "plain")
            found = tests_of(unittest.defaultTestLoader.loadTestsFromModule(module))
            with open(pipe, "w") as out:
                json.dump([test.id() for test in found], out)
    os.close(pipe)
    with open(source) as text:
        answer = text.read()
    os.waitpid(child, 0)
    if not answer:
        sys.exit(f"the suite cannot be loaded:\n{(directory / 'output').read_text()}")
    return list(json.loads(answer))


@contextlib.contextmanager
def leaving(directory: Path) -> Iterator[None]:
    """Work in a directory of one's own, output going to a file there; then end the process."""
    code = 1
    try:
        directory.mkdir(exist_ok=True)
        os.chdir(directory)
        output = os.open("output", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        faulthandler.enable()
        yield
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        # Not `sys.exit`: this process is a copy, and what its parent set up is not its own.
        os._exit(code)


def run_group(code: CodeType, mode: str, group: list[str], pipe: int, witness: bool) -> None:
    """Run tests in this process, telling of each."""
    census = suite.Census(calls=witness)
    result = Told(mode, pipe)
    module = suite.made(code, mode)
    wanted = set(group)
    found = tests_of(unittest.defaultTestLoader.loadTestsFromModule(module))
    chosen = unittest.TestSuite(test for test in found if test.id() in wanted)
    chosen.run(result)
    native = 0
    if mode != "plain":
        import logboom

        native = logboom.stats().submitted
    result.tell(census=census.counts, native_records=native)


class Process:
    """A process that runs a group of tests, as its parent sees it."""

    def __init__(self, code: CodeType, mode: str, group: list[str], base: Path, witness: bool):
        self.rest = group
        self.directory = Path(tempfile.mkdtemp(dir=base))
        self.source, pipe = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            # A group of its own, so that what the tests leave behind can be ended with it.
            os.setpgid(0, 0)
            with leaving(self.directory):
                run_group(code, mode, group, pipe, witness)
        os.close(pipe)
        os.set_blocking(self.source, False)
        self.unread = b""
        self.running: str | None = None
        self.since = time.monotonic()
        self.hung = False

    def events(self) -> list[dict[str, Any]]:
        """Give what it told since the last time."""
        with contextlib.suppress(BlockingIOError):
            while more := os.read(self.source, 65536):
                self.unread += more
        *lines, self.unread = self.unread.split(b"\n")
        if lines:
            self.since = time.monotonic()
        return [json.loads(line) for line in lines]

    def gone(self, deadline: float) -> bool:
        """Whether it is gone; asks it to go, showing its threads, once the deadline is over."""
        late = time.monotonic() - self.since
        if late > deadline:
            # `faulthandler` prints where every thread stands; who does not even die of that is killed.
            self.hung = True
            os.kill(self.pid, signal.SIGABRT if late < deadline + 5 else signal.SIGKILL)
        state = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return state is not None

    def end(self) -> None:
        """End it, and what its tests left behind: some leave that to the end of the process."""
        # Before it is waited for: until then nobody else's group can have its number.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.source)

    def output(self) -> str:
        """Give the end of what it printed."""
        return (self.directory / "output").read_text(errors="replace")[-6000:]


class Run:
    """All groups of one mode and layout."""

    def __init__(self, code: CodeType, mode: str, deadline: float, base: Path, witness: bool):
        self.code, self.mode, self.deadline = code, mode, deadline
        self.base, self.witness = base, witness
        self.tests: dict[str, dict[str, str]] = {}
        self.census: dict[str, dict[str, int]] = {}
        self.native_records = 0

    def take(self, process: Process) -> None:
        """Note what a process told."""
        for event in process.events():
            if "start" in event:
                process.running = event["start"]
            elif "end" in event:
                process.rest = [name for name in process.rest if name != event["end"]]
                process.running = None
                self.tests[event["end"]] = {key: event[key] for key in ("outcome", "detail")}
            elif "census" in event:
                for what, counts in event["census"].items():
                    total = self.census.setdefault(what, {})
                    for name, count in counts.items():
                        total[name] = total.get(name, 0) + count
                self.native_records += event["native_records"]

    def bury(self, process: Process) -> list[str]:
        """Note what became of the test that took its process along. Gives what is still to run."""
        if not process.rest:
            return []
        if process.running is None:
            for name in process.rest:
                self.tests[name] = {"outcome": "missing", "detail": process.output()}
            return []
        outcome = "hung" if process.hung else "crashed"
        self.tests[process.running] = {"outcome": outcome, "detail": process.output()}
        return [name for name in process.rest if name != process.running]

    def go(self, groups: list[list[str]], jobs: int) -> None:
        """Run the groups, a few at a time."""
        waiting: deque[list[str]] = deque(groups)
        processes: list[Process] = []
        try:
            while waiting or processes:
                while waiting and len(processes) < jobs:
                    group = waiting.popleft()
                    processes.append(Process(self.code, self.mode, group, self.base, self.witness))
                time.sleep(POLL)
                for process in list(processes):
                    gone = process.gone(self.deadline)
                    self.take(process)
                    if gone:
                        processes.remove(process)
                        process.end()
                        if rest := self.bury(process):
                            waiting.appendleft(rest)
        finally:
            for process in processes:
                process.end()


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=suite.MODES)
    parser.add_argument("layout", choices=("together", "apart"))
    parser.add_argument("--deadline", type=float, required=True)
    parser.add_argument("--jobs", type=int, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--witness", action="store_true")
    options = parser.parse_args()
    try:
        code = suite.compiled(options.mode)
    except suite.Missing as error:
        sys.exit(str(error))
    # What the suite imports is imported once, here; the suite itself is made anew in each process.
    importlib.import_module(suite.NAME)
    del sys.modules[suite.NAME]
    with tempfile.TemporaryDirectory(prefix="logboom-stdlib-") as base:
        known = names(
            code if options.mode == "plain" else suite.compiled("plain"), Path(base) / "n"
        )
        known = [name for name in known if options.only in name]
        groups = [known] if options.layout == "together" else [[name] for name in known]
        run = Run(code, options.mode, options.deadline, Path(base), options.witness)
        run.go(groups, options.jobs)
    answer = {key: getattr(run, key) for key in ("tests", "census", "native_records")}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
