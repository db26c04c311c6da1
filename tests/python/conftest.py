"""What every Python test can use.

Tests that install, fork, exit or count threads run their program in a fresh interpreter
(`run_python`): what one of them leaves behind is nothing to the next. Nothing sleeps to wait;
`wait_for` polls a condition up to a deadline that no healthy machine comes near.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import logboom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# How long anything may take before a test calls it hung.
DEADLINE = 60.0


class Outcome:
    """What a program printed and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self) -> str:
        return f"exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"

    def ok(self) -> Outcome:
        """Give itself, having checked that the program ended well."""
        assert self.code == 0, self
        return self


class Runner:
    """Runs programs in fresh interpreters, in the test's own directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._started: list[subprocess.Popen[str]] = []

    def __call__(
        self, code: str, *arguments: str, deadline: float = DEADLINE, **env: str
    ) -> Outcome:
        """Run a program to its end, and give what it printed."""
        program = self.start(code, *arguments, **env)
        try:
            out, err = program.communicate(timeout=deadline)
        except subprocess.TimeoutExpired:
            program.kill()
            out, err = program.communicate()
            pytest.fail(f"hung for {deadline} s: {Outcome(-9, out, err)}")
        return Outcome(program.returncode, out, err)

    def start(self, code: str, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Start a program, and leave it running; it is killed at the end of the test."""
        program = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(code), *arguments],
            cwd=self.directory,
            env={**clean_environment(), **env},
            preexec_fn=_with_default_signals,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._started.append(program)
        return program

    def end(self) -> None:
        """Kill what still runs, and close the pipes."""
        for program in self._started:
            if program.poll() is None:
                program.kill()
            program.wait()
            for pipe in (program.stdin, program.stdout, program.stderr):
                if pipe is not None:
                    pipe.close()


def _with_default_signals() -> None:
    # A shell starts what runs in its background with the one ignored, and nohup with the other.
    for name in ("SIGINT", "SIGHUP"):
        if (number := getattr(signal, name, None)) is not None:
            signal.signal(number, signal.SIG_DFL)


def wait_until_blocked(pid: int) -> None:
    """Wait until a process's main thread has used no time for a while: it waits for something."""

    def used() -> int:
        fields = Path(f"/proc/{pid}/task/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    quiet, last = 0, -1
    for _ in range(6000):
        now = used()
        quiet = quiet + 1 if now == last else 0
        last = now
        if quiet > 50:
            return
        time.sleep(0.01)
    pytest.fail("never blocked")


def clean_environment() -> dict[str, str]:
    """Give the environment without what changes how Python runs or prints."""
    changes = ("PYTHON", "LOGBOOM", "COVERAGE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(changes)}
    return {**kept, "PYTHONIOENCODING": "utf-8", "TZ": "UTC"}


@pytest.fixture
def run_python(tmp_path: Path) -> Iterator[Runner]:
    """Give the runner: `run_python(code, *arguments, **env)` or `run_python.start(...)`."""
    runner = Runner(tmp_path)
    yield runner
    runner.end()


class Log:
    """A log file of a test."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def text(self) -> str:
        """Give everything that is in the file; nothing where there is none."""
        return self.path.read_text(encoding="utf-8") if self.path.exists() else ""

    def lines(self) -> list[str]:
        """Give the whole lines; a torn one at the end fails the test."""
        text = self.text()
        assert text == "" or text.endswith("\n"), f"torn line: {text[-200:]!r}"
        return text.split("\n")[:-1]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """Give a log file, not there yet, in the test's own directory."""
    return Log(tmp_path / "app.log")


@pytest.fixture
def closing() -> Iterator[Callable[[logging.Handler], logging.Handler]]:
    """Close what a test made, also where it failed."""
    handlers: list[logging.Handler] = []

    def add(handler: logging.Handler) -> logging.Handler:
        handlers.append(handler)
        return handler

    yield add
    for handler in handlers:
        handler.close()


class JsonLines:
    """What some loggers wrote as JSON."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._seen = 0

    def all(self) -> list[dict[str, Any]]:
        """Give every line."""
        assert logboom.flush(timeout=30)
        return [json.loads(line) for line in self._log.lines()]

    def new(self) -> list[dict[str, Any]]:
        """Give those that came since it was last asked for these."""
        lines = self.all()
        new, self._seen = lines[self._seen :], len(lines)
        return new


@pytest.fixture
def json_lines(
    log: Log, closing: Callable[[logging.Handler], logging.Handler]
) -> Callable[..., JsonLines]:
    """Give `json_lines(*names)`, which has these loggers write JSON to the log, and nothing else."""

    def write(*names: str) -> JsonLines:
        handler = closing(logboom.FileHandler(log.path))
        handler.setFormatter(logboom.JsonFormatter())
        for name in names:
            logger = logging.getLogger(name)
            logger.setLevel(logging.INFO)
            logger.propagate = False
            logger.handlers = [handler]
        return JsonLines(log)

    return write


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    """Take back whatever the test does to the standard library's loggers, in this process."""
    known = logging.root.manager.loggerDict
    loggers = [logging.root, *(one for one in known.values() if isinstance(one, logging.Logger))]
    before = [(one, one.level, one.propagate, one.disabled, [*one.handlers]) for one in loggers]
    names = set(known)
    yield
    logboom.uninstall()
    for logger, level, logger.propagate, logger.disabled, logger.handlers in before:
        logger.setLevel(level)
    for name in set(known) - names:
        del known[name]


@pytest.fixture
def thread_names() -> Callable[[int], list[str]]:
    """Give what lists the operating system's threads of a process by name, sorted."""
    if not Path("/proc/self/task").exists():
        pytest.skip("needs /proc")
    return _thread_names


def _thread_names(pid: int) -> list[str]:
    names = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            names.append((task / "comm").read_text().strip())
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
    return sorted(names)


@pytest.fixture
def open_files() -> Callable[[], list[str]]:
    """Give what lists the files that this process has open, sorted."""
    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    return _open_files


def _open_files() -> list[str]:
    names = []
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            names.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        except FileNotFoundError:
            continue  # the listing's own
    return sorted(names)


@pytest.fixture
def wait_for() -> Callable[..., None]:
    """Give `wait_for(condition, what)`, which returns once the condition holds."""
    return _wait_for


def _wait_for(condition: Callable[[], object], what: str, deadline: float = DEADLINE) -> None:
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited {deadline} s in vain for {what}")
        time.sleep(0.005)
