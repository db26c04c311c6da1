"""A Python handler behind a queue: the library's listener against the handler lane.

    python bench/lane.py [--calls N] [--rounds N] [--json]

A producer logs as fast as it can through a `QueueHandler`; a handler that formats and counts gets the
records. Both sides take turns in one process; a round ends when the last record was handled. Ratios
above 1 say by how much the lane is faster. Every record is counted.
"""

import argparse
import json
import logging
import logging.handlers
import queue
import statistics
import sys
import time

import logboom


class Count(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.format(record)
        self.count += 1


def run(handler_class: type, listener_class: type, records: int) -> tuple[float, float]:
    """Seconds of the calls, and until everything was handled."""
    source: queue.Queue = queue.Queue()
    count = Count()
    listener = listener_class(source, count)
    listener.start()
    logger = logging.Logger("bench", logging.DEBUG)
    logger.addHandler(handler_class(source))
    before = time.perf_counter()
    for number in range(records):
        logger.info("record %d of %s", number, "some")
    called = time.perf_counter()
    listener.stop()
    drained = time.perf_counter()
    if count.count != records:
        sys.exit(f"{listener_class}: handled {count.count} of {records}")
    return called - before, drained - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    sides = {
        "library": (logging.handlers.QueueHandler, logging.handlers.QueueListener),
        "lane": (logboom.QueueHandler, logboom.QueueListener),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(options.rounds):
        for name, classes in sides.items():
            taken[name].append(run(*classes, options.calls))
    figures = {}
    for at, what in enumerate(("call", "drained")):
        ratios = [
            ours_and_theirs[0][at] / ours_and_theirs[1][at]
            for ours_and_theirs in zip(taken["library"], taken["lane"], strict=True)
        ]
        each = {name: statistics.median(t[at] for t in times) for name, times in taken.items()}
        figures[what] = {
            "ratio": statistics.median(ratios),
            "lowest": min(ratios),
            "highest": max(ratios),
            **{f"{name}_us": seconds / options.calls * 1e6 for name, seconds in each.items()},
        }
    if options.json:
        print(json.dumps(figures, indent=1))
        return
    for what, one in figures.items():
        print(
            f"{what:8} library / lane {one['ratio']:.2f} ({one['lowest']:.2f}-{one['highest']:.2f}); "
            f"{one['library_us']:.1f} and {one['lane_us']:.1f} us a record"
        )


if __name__ == "__main__":
    main()
