"""Runs one scenario with the standard library alone, or with logboom in its place.

`python harness.py SIDE TOPIC SCENARIO` runs the function `SCENARIO` of the module `TOPIC` beside this
file, in the current directory. A scenario takes a `Side`, whose handlers are the library's or ours,
and shows what it saw by printing it; everything it logs, prints and leaves in files must be the same
on both sides. `test_parity.py` compares.

A scenario must not show what differs between any two runs: times, ids of threads and processes,
addresses.
"""

from __future__ import annotations

import faulthandler
import importlib
import logging
import logging.handlers
import sys
from collections.abc import Callable
from typing import Any

# Calls enough for everything that is learnt of a logger or a call site to have been learnt, and used.
WARM = 9


class Side:
    """What a scenario runs on."""

    def __init__(self, name: str) -> None:
        self.name = name
        if name == "logboom":
            import logboom

            self.FileHandler: type[logging.FileHandler] = logboom.FileHandler
            self.StreamHandler: type[logging.StreamHandler[Any]] = logboom.StreamHandler
        else:
            self.FileHandler = logging.FileHandler
            self.StreamHandler = logging.StreamHandler

    def of(self, name: str) -> Any:
        """Give the handler class of this name, from `logging`, `logging.handlers` or ours."""
        if self.name == "logboom":
            import logboom

            return getattr(logboom, name)
        return getattr(logging, name, None) or getattr(logging.handlers, name)

    def install(self) -> None:
        """Make loggers native, on the side that has such."""
        if self.name == "logboom":
            import logboom

            logboom.install()

    def file(
        self,
        fmt: str | None = "%(levelname)s:%(name)s:%(message)s",
        name: str = "app.log",
        **how: Any,
    ) -> logging.Handler:
        """Give a handler that writes to a file in the current directory."""
        handler = self.FileHandler(name, **how)
        if fmt is not None:
            handler.setFormatter(logging.Formatter(fmt))
        return handler

    def logger(self, name: str = "app", fmt: str | None = None, level: int = 1) -> logging.Logger:
        """Give a logger that writes to `app.log` and nowhere else."""
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.propagate = False
        logger.addHandler(self.file(fmt or "%(levelname)s:%(name)s:%(message)s"))
        return logger


def show(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call, and print what came of it."""
    try:
        result = call(*args, **kwargs)
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
        return None
    print(repr(result))
    return result


def main() -> None:
    side, topic, scenario = sys.argv[1:]
    faulthandler.dump_traceback_later(60, exit=True)
    chosen = Side(side)
    function = getattr(importlib.import_module(topic), scenario)
    if not getattr(function, "installs_itself", False):
        chosen.install()
    function(chosen)


def installs_itself(scenario: Callable[[Side], None]) -> Callable[[Side], None]:
    """Mark a scenario that does something before it installs."""
    scenario.installs_itself = True  # type: ignore[attr-defined]
    return scenario


if __name__ == "__main__":
    # So that `import harness` in a topic is this very module.
    sys.modules["harness"] = sys.modules["__main__"]
    main()
