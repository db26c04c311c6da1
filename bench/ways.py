"""What each way of a record costs, against the standard library's call of the same kind.

    python bench/ways.py [--calls N] [--rounds N] [--json]

Each case logs to a file with Litestar's default text format, once with the standard library's
`FileHandler` and plain loggers, once with logboom's and native ones, by turns in one process. Given is
the time of the calls, library / ours: above 1 ours is faster. Every line is counted in the files.
"""

import argparse
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import logboom

FORMAT = "%(levelname)s - %(asctime)s - %(name)s - %(module)s - %(message)s"


class Formatter(logging.Formatter):
    """One that is the program's own."""


class Foreign(logging.Handler):
    """One that does nothing with a record that is made."""

    def emit(self, record: logging.LogRecord) -> None:
        pass


def plain(logger: logging.Logger, records: int) -> None:
    for number in range(records):
        logger.info("record %d of %s", number, "some")


def objects(logger: logging.Logger, records: int) -> None:
    for number in range(records):
        logger.info("record %d of %s", number, ["a", "list"])


def extra(logger: logging.Logger, records: int) -> None:
    for number in range(records):
        logger.info("record %d of %s", number, "some", extra={"user": "ann"})


def exception(logger: logging.Logger, records: int) -> None:
    try:
        int("no number")
    except ValueError:
        for number in range(records):
            logger.info("record %d", number, exc_info=True)


def unchanged(logger: logging.Logger) -> None:
    """Nothing is in the way."""


def own_formatter(logger: logging.Logger) -> None:
    logger.handlers[0].setFormatter(Formatter(FORMAT))


def filtered(logger: logging.Logger) -> None:
    logger.addFilter(bool)


def foreign_handler(logger: logging.Logger) -> None:
    logger.addHandler(Foreign())


Case = tuple[Callable[[logging.Logger, int], None], Callable[[logging.Logger], None]]
CASES: dict[str, Case] = {
    "native": (plain, unchanged),
    "native, an argument of no builtin type": (objects, unchanged),
    "`extra=`": (extra, unchanged),
    "`exc_info=`": (exception, unchanged),
    "a formatter of one's own": (plain, own_formatter),
    "a filter on the logger": (plain, filtered),
    "a foreign handler beside ours": (plain, foreign_handler),
}


def timed(side: str, case: Case, records: int, path: str) -> float:
    call, change = case
    ours = side == "logboom"
    (logboom.install if ours else logboom.uninstall)()
    logger = logging.Logger("bench.ways", logging.INFO)
    handler = (logboom.FileHandler if ours else logging.FileHandler)(path)
    handler.setFormatter(logging.Formatter(FORMAT))
    logger.addHandler(handler)
    change(logger)
    call(logger, 10)
    before = time.perf_counter()
    call(logger, records)
    taken = time.perf_counter() - before
    handler.close()
    with open(path) as file:
        found = sum("record " in line for line in file)
    os.remove(path)
    if found != records + 10:
        sys.exit(f"{side}: {found} of {records + 10} records in the file")
    return taken / records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "ways.log")
        for name, case in CASES.items():
            taken: dict[str, list[float]] = {"library": [], "logboom": []}
            for _ in range(options.rounds):
                for side, times in taken.items():
                    times.append(timed(side, case, options.calls, path))
            pairs = zip(taken["library"], taken["logboom"], strict=True)
            ratios = sorted(theirs / ours for theirs, ours in pairs)
            figures[name] = {
                "ratio": statistics.median(ratios),
                "lowest": ratios[0],
                "highest": ratios[-1],
                **{f"{side}_us": statistics.median(times) * 1e6 for side, times in taken.items()},
            }
            if not options.json:
                one = figures[name]
                print(
                    f"{name:40} library / logboom {one['ratio']:6.2f} "
                    f"({one['lowest']:.2f}-{one['highest']:.2f}); "
                    f"{one['library_us']:.2f} and {one['logboom_us']:.2f} us a call"
                )
    if options.json:
        print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
