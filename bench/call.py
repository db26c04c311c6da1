"""What a log call costs, and how long until its line is in the file.

Every row is measured in turn with all others, round by round, in one process; what is reported is the
median over the rounds of each ratio, with its least and greatest value, never a single time. The
standard library's own loggers are plain `logging.Logger` objects beside the native ones. Lines are
counted in the files: a row that lost one says so and makes the program fail.

    python bench/call.py [--rounds 9] [--calls 20000] [--json]
"""

from __future__ import annotations

import argparse
import json
import logging
import logging.handlers
import platform
import queue
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# Litestar's default text format.
FORMAT = "%(levelname)s - %(asctime)s - %(name)s - %(module)s - %(message)s"

# Made before `install`: it becomes native as it is.
before_install = logging.getLogger("bench.before")

import logboom  # noqa: E402 - the logger above has to exist first


def call(logger: logging.Logger, calls: int) -> float:
    """Nanoseconds per call of the usual kind, with the loop around it."""
    start = time.perf_counter_ns()
    for _ in range(calls):
        logger.info("user %s did %d things", "alice", 42)
    return (time.perf_counter_ns() - start) / calls


def empty(_: object, calls: int) -> float:
    """The same for a native method that does nothing."""
    text = ""
    start = time.perf_counter_ns()
    for _ in range(calls):
        text.isascii()
    return (time.perf_counter_ns() - start) / calls


class Bench:
    """The loggers under test, and the files they write to."""

    def __init__(self, directory: Path, calls: int) -> None:
        self.calls = calls
        self.directory = directory
        self.files: dict[str, list[Path]] = {}
        self.expected: dict[str, int] = {}
        logboom.install()
        native = self._handler(logboom.FileHandler, "native")
        self.native = logging.getLogger("bench.native.logger")
        self.before = before_install
        for logger in (logging.getLogger("bench.native"), self.before):
            logger.addHandler(native)
            logger.setLevel(logging.INFO)
            logger.propagate = False
        self.native_disabled = logging.getLogger("bench.native.disabled")
        self.native_disabled.setLevel(logging.WARNING)
        self.disabled = logging.Logger("bench.disabled", logging.WARNING)
        self.sync = logging.Logger("bench.sync", logging.INFO)
        self.sync.addHandler(self._handler(logging.FileHandler, "sync"))
        self.queue: queue.Queue[Any] = queue.Queue(-1)
        self.queued = logging.Logger("bench.queued", logging.INFO)
        self.queued.addHandler(logging.handlers.QueueHandler(self.queue))
        self.queue_file = self._handler(logging.FileHandler, "queue")

    def _handler(self, cls: type[logging.FileHandler], name: str) -> logging.FileHandler:
        path = self.directory / f"{name}.log"
        self.files[name] = [path]
        self.expected[name] = 0
        handler = cls(path, "w", encoding="utf-8")
        handler.setFormatter(logging.Formatter(FORMAT))
        return handler

    def native_call(self, logger: logging.Logger) -> float:
        """A burst that fits into the ring, which is empty when it begins."""
        logboom.flush()
        self.expected["native"] += self.calls
        return call(logger, self.calls)

    def queue_call(self) -> float:
        """A burst onto the queue that nobody empties meanwhile."""
        cost = call(self.queued, self.calls)
        self.queue.queue.clear()
        return cost

    def sync_call(self) -> float:
        """The library's way without a thread."""
        self.expected["sync"] += self.calls
        return call(self.sync, self.calls)

    def drain_native(self) -> float:
        """Nanoseconds per record until the last line of a longer burst is in the file."""
        logboom.flush()
        calls = 5 * self.calls
        self.expected["native"] += calls
        start = time.perf_counter_ns()
        call(self.native, calls)
        logboom.flush()
        return (time.perf_counter_ns() - start) / calls

    def drain_queue(self) -> float:
        """The same through a queue and its listener."""
        self.expected["queue"] += self.calls
        listener = logging.handlers.QueueListener(self.queue, self.queue_file)
        start = time.perf_counter_ns()
        listener.start()
        call(self.queued, self.calls)
        listener.stop()
        self.queue_file.flush()
        return (time.perf_counter_ns() - start) / self.calls

    def rows(self) -> dict[str, Callable[[], float]]:
        """What is measured, in the order of one round."""
        return {
            "empty native method": lambda: empty(None, self.calls),
            "stdlib, disabled": lambda: call(self.disabled, self.calls),
            "logboom, disabled": lambda: call(self.native_disabled, self.calls),
            "logboom": lambda: self.native_call(self.native),
            "logboom, logger made before install": lambda: self.native_call(self.before),
            "stdlib, QueueHandler": self.queue_call,
            "stdlib, FileHandler": self.sync_call,
            "logboom, drained": self.drain_native,
            "stdlib queue, drained": self.drain_queue,
        }

    def lost(self) -> dict[str, int]:
        """How many lines are missing, by file."""
        logboom.flush()
        return {
            name: self.expected[name] - sum(1 for path in paths for _ in path.open("rb"))
            for name, paths in self.files.items()
        }


# What is divided by what.
RATIOS = {
    "enabled call / disabled stdlib call": ("logboom", "stdlib, disabled"),
    "enabled call, old logger / disabled stdlib call": (
        "logboom, logger made before install",
        "stdlib, disabled",
    ),
    "enabled call / empty native method": ("logboom", "empty native method"),
    "disabled call / disabled stdlib call": ("logboom, disabled", "stdlib, disabled"),
    "stdlib queue call / our call": ("stdlib, QueueHandler", "logboom"),
    "stdlib sync call / our call": ("stdlib, FileHandler", "logboom"),
    "stdlib queue drained / ours": ("stdlib queue, drained", "logboom, drained"),
}


def measure(bench: Bench, rounds: int) -> dict[str, list[float]]:
    """Every row once a round; the first round is not counted."""
    times: dict[str, list[float]] = {name: [] for name in bench.rows()}
    for number in range(rounds + 1):
        show = sys.stderr.isatty()
        for name, row in bench.rows().items():
            if show:
                print(f"\r\033[Kround {number}/{rounds}: {name}", end="", file=sys.stderr)
            cost = row()
            if number:
                times[name].append(cost)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return times


def summary(values: list[float]) -> dict[str, float]:
    """Median and spread."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def main() -> int:
    """Measure and print; 1 if a line was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="counted rounds (default 9)")
    parser.add_argument(
        "--calls", type=int, default=20_000, help="calls a burst; must fit into the ring"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(Path(directory), arguments.calls)
        times = measure(bench, arguments.rounds)
        lost = bench.lost()
        logging.shutdown()
    ratios = {
        name: [a / b for a, b in zip(times[top], times[bottom], strict=True)]
        for name, (top, bottom) in RATIOS.items()
    }
    result = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "logboom": logboom.__version__,
        "rounds": arguments.rounds,
        "calls": arguments.calls,
        "ns_per_call": {name: summary(values) for name, values in times.items()},
        "ratios": {name: summary(values) for name, values in ratios.items()},
        "lost": lost,
    }
    if arguments.json:
        print(json.dumps(result, indent=2))
    else:
        show(result)
    return 1 if any(lost.values()) else 0


def show(result: dict[str, Any]) -> None:
    """Print the tables."""
    python, machine, rounds = result["python"], result["machine"], result["rounds"]
    print(f"CPython {python}, {machine}, {rounds} rounds: median (min to max)")
    for title, unit, rows in (
        ("ns per call", 1, result["ns_per_call"]),
        ("ratio", 2, result["ratios"]),
    ):
        print(f"\n{title}")
        for name, row in rows.items():
            spread = f"({row['min']:.{unit}f} to {row['max']:.{unit}f})"
            print(f"  {name:<50} {row['median']:>10.{unit}f}  {spread}")
    print("\nlines lost: " + ", ".join(f"{name} {n}" for name, n in result["lost"].items()))


if __name__ == "__main__":
    sys.exit(main())
