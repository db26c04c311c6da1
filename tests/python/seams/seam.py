"""Runs one scenario at a seam with another package, with the standard library alone or under logboom.

`python seam.py SIDE TOPIC SCENARIO` runs the function `SCENARIO` of the module `TOPIC` beside this
file, in the current directory. Scenarios assert what the package promises, and print what else they
saw; `test_seams.py` compares the two sides. Loggers are taken from `Side.logger`, and have to be ours
at the end, where there are any of ours.
"""

from __future__ import annotations

import faulthandler
import importlib
import inspect
import logging
import sys
from pathlib import Path
from typing import Any

# Calls enough for everything that is learnt at a call site to have been learnt.
WARM = 4


class Side:
    """What a scenario runs on."""

    def __init__(self, name: str) -> None:
        self.ours = name == "logboom"
        self._loggers: list[logging.Logger] = []
        self.StreamHandler: type[logging.StreamHandler[Any]] = logging.StreamHandler
        self.FileHandler: type[logging.FileHandler] = logging.FileHandler
        # As configurations name them.
        self.stream_handler, self.file_handler = "logging.StreamHandler", "logging.FileHandler"
        if self.ours:
            import logboom

            self.StreamHandler, self.FileHandler = logboom.StreamHandler, logboom.FileHandler
            self.stream_handler, self.file_handler = "logboom.StreamHandler", "logboom.FileHandler"

    def install(self) -> None:
        """Make loggers native, on the side that has such."""
        if self.ours:
            import logboom

            logboom.install()

    def logger(self, name: str | None = "app", level: int = logging.DEBUG) -> logging.Logger:
        """Give a logger, which has to be ours."""
        logger = logging.getLogger(name)
        logger.setLevel(level)
        self._loggers.append(logger)
        return logger

    def file(self, logger: logging.Logger, fmt: str = "%(levelname)s:%(name)s:%(message)s") -> Path:
        """Have a logger write to a file too, through a handler of ours; gives the file."""
        handler = self.FileHandler(f"{logger.name}.log")
        handler.setFormatter(logging.Formatter(fmt))
        logger.addHandler(handler)
        return Path(handler.baseFilename)

    def reached_the_engine(self, records: int) -> bool:
        """Whether this many records went to our engine, where there is any of ours."""
        if not self.ours:
            return True
        import logboom

        return logboom.stats().submitted >= records

    def check(self) -> None:
        """Prove that the scenario's loggers were ours."""
        assert self._loggers, "the scenario took no logger from its side"
        for logger in self._loggers if self.ours else ():
            found = inspect.getattr_static(type(logger), "info")
            assert type(found).__name__ == "method_descriptor", (logger, found)


def late(scenario: Any) -> Any:
    """Mark a scenario that installs by itself, after something else."""
    scenario.late = True
    return scenario


def flush(logger: logging.Logger) -> None:
    """Flush a logger's handlers: what was logged is in its file then."""
    for handler in logger.handlers:
        handler.flush()


def text(path: Path, logger: logging.Logger) -> str:
    """Give what a logger wrote to a file."""
    flush(logger)
    return path.read_text(encoding="utf-8")


def main() -> None:
    name, topic, scenario = sys.argv[1:]
    faulthandler.dump_traceback_later(80, exit=True)
    side = Side(name)
    function = getattr(importlib.import_module(topic), scenario)
    if not getattr(function, "late", False):
        side.install()
    function(side)
    side.check()


if __name__ == "__main__":
    # So that `import seam` in a topic is this very module.
    sys.modules["seam"] = sys.modules["__main__"]
    main()
