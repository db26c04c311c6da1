"""Any program leaves the same files with our handlers that rotate as with the library's.

A program is a list of steps drawn by chance; it runs once on each side, in a directory of its own.
"""

from __future__ import annotations

import logging
import logging.handlers
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import logboom

pytestmark = pytest.mark.usefixtures("logging_as_it_was")

NAMES = ("RotatingFileHandler", "TimedRotatingFileHandler", "WatchedFileHandler")
FORMATTERS = {
    "plain": logging.Formatter("%(levelname)s %(message)s"),
    "brace": logging.Formatter("{message} {name:>12}", style="{"),
    "none": None,
}


class Upper(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).upper()


FORMATTERS["python"] = Upper()


def program(chance: random.Random, name: str) -> list[tuple[str, Any]]:
    kinds = ["log"] * 10 + ["formatter", "rollover", "flush", "stream", "close", "level", "anew"]
    kinds += ["terminator", "encoding", "baseFilename", "filter", "own"]
    if name == "RotatingFileHandler":
        kinds += ["maxBytes", "backupCount", "namer", "should", "mode"] * 2 + ["move"]
    if name == "TimedRotatingFileHandler":
        kinds += ["rolloverAt", "rolloverAt", "namer", "should", "move"]
    if name == "WatchedFileHandler":
        kinds = [kind for kind in kinds if kind != "rollover"]
        kinds += ["reopen", "move", "remove", "move"]
    return [step(chance, number, chance.choice(kinds)) for number in range(chance.randrange(5, 40))]


def step(chance: random.Random, number: int, kind: str) -> tuple[str, Any]:
    value: Any = {
        "log": lambda: [
            f"{number}.{k} " + chance.choice("xé€𝄞\ud800\n") * chance.choice((0, 3, 9, 90))
            for k in range(chance.randrange(12))
        ],
        "formatter": lambda: chance.choice(sorted(FORMATTERS)),
        "maxBytes": lambda: chance.choice((0, 1, 40, 77, 200, 1000)),
        "backupCount": lambda: chance.choice((0, 1, 2, 7)),
        "namer": lambda: chance.choice((None, ".named")),
        "mode": lambda: chance.choice("aaaw"),
        "rolloverAt": lambda: 1_600_000_000 + chance.randrange(100) * 86_400,
        "move": lambda: f"moved.{number}",
        "level": lambda: chance.choice((0, 30)),
        "terminator": lambda: chance.choice(("\n", "\n", "\r\n", "")),
        "encoding": lambda: chance.choice(("utf-8", "utf-8", "latin-1", "ascii", None)),
        "baseFilename": lambda: chance.choice(("app.log", "other.log")),
        "own": lambda: chance.choice(("_open", "format", "rotate", "mark")),
    }.get(kind, lambda: None)()
    return kind, value


class Run:
    """One side of a program: each kind of step is a method, which gives what is seen."""

    def __init__(self, make: Callable[[], Any], directory: Path) -> None:
        self.make, self.directory = make, directory
        self.logger = logging.Logger("tests.programs", logging.DEBUG)
        self.anew(None)

    def anew(self, value: None) -> None:
        for handler in self.logger.handlers:
            handler.close()
        self.handler = self.make()
        self.logger.handlers = [self.handler]
        self.path = Path(self.handler.baseFilename)

    def log(self, value: list[str]) -> None:
        for text in value:
            self.logger.info("%s", text)

    def formatter(self, value: str) -> None:
        self.handler.setFormatter(FORMATTERS[value])

    def rollover(self, value: None) -> None:
        self.handler.doRollover()

    def should(self, value: None) -> bool:
        return bool(
            self.handler.shouldRollover(logging.makeLogRecord({"msg": "x" * 30, "name": "n"}))
        )

    def flush(self, value: None) -> object:
        self.handler.flush()
        return self.path.exists() and self.path.stat().st_size

    def stream(self, value: None) -> object:
        stream = self.handler.stream
        if stream is None:
            return None
        stream.write("by hand\n")
        stream.flush()
        return stream.tell()

    def close(self, value: None) -> None:
        self.handler.close()

    def level(self, value: int) -> None:
        self.handler.setLevel(value)

    def namer(self, value: str | None) -> None:
        self.handler.namer = value and (lambda name: name + value)

    def reopen(self, value: None) -> None:
        self.handler.reopenIfNeeded()

    def move(self, value: str) -> None:
        self.handler.flush()
        if self.path.exists():
            self.path.rename(self.directory / value)

    def baseFilename(self, value: str) -> None:
        self.path = self.directory / value
        self.handler.baseFilename = str(self.path)

    def filter(self, value: None) -> None:
        filters = self.handler.filters
        if filters:
            self.handler.removeFilter(filters[0])
        else:
            self.handler.addFilter(lambda record: not record.getMessage().endswith(" "))

    def own(self, value: str) -> None:
        """Set something on the handler itself, or take it off again."""
        if value in vars(self.handler):
            delattr(self.handler, value)
        elif hasattr(self.handler, value) and value != "mark":
            setattr(self.handler, value, getattr(self.handler, value))
        elif value == "mark":
            self.handler.mark = 1

    def remove(self, value: None) -> None:
        self.handler.flush()
        self.path.unlink(missing_ok=True)

    def __getattr__(self, name: str) -> Callable[[Any], None]:
        # The settings.
        return lambda value: setattr(self.handler, name, value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(25))
def test_any_program_leaves_the_same_files(tmp_path, capsys, name, seed):
    logboom.install()
    options = {
        "RotatingFileHandler": {"maxBytes": 150, "backupCount": 3},
        "TimedRotatingFileHandler": {"when": "D", "utc": True, "backupCount": 4},
    }.get(name, {})
    steps = program(random.Random(f"{name} {seed}"), name)
    found = []
    for side in (logging.handlers, logboom):
        directory = tmp_path / side.__name__
        directory.mkdir()
        path = directory / "app.log"

        def make(side=side, path=path):
            handler = getattr(side, name)(path, encoding="utf-8", **options)
            if name == "TimedRotatingFileHandler":
                handler.rolloverAt = 4_000_000_000
            return handler

        program_run = Run(make, directory)
        seen = [getattr(program_run, kind)(value) for kind, value in steps]
        program_run.handler.close()
        files = {file.name: file.read_bytes() for file in sorted(directory.iterdir())}
        found.append((seen, files))
    assert found[1] == found[0], steps
