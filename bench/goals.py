"""The goals of the project, each with how its figure is made of the runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.results import Table, rounded, spread

if TYPE_CHECKING:
    from collections.abc import Callable

OURS = "logboom"
QUEUE = "stdlib-queue"


@dataclass(frozen=True)
class Goal:
    """A row: above ``limit`` or below it, and where the figure comes from."""

    name: str
    title: str
    at_most: bool
    limit: float
    values: Callable[[Table], list[float]]
    unit: str = ""

    @property
    def text(self) -> str:
        """The goal as it is written."""
        return f"{'≤' if self.at_most else '≥'} {self.limit:g}{self.unit}"

    def row(self, table: Table) -> dict[str, Any]:
        """Give the row for the result; without a value where it was not measured."""
        value = spread(self.values(table))
        met = None
        if value is not None:
            met = value[0] <= self.limit if self.at_most else value[0] >= self.limit
        return {
            "name": self.name,
            "axis": self.title,
            "goal": self.text,
            "value": value,
            "met": met,
        }


def of_ours(workload: str, metric: str) -> Callable[[Table], list[float]]:
    """Take a metric of ours as it is."""
    return lambda table: table.values(workload, OURS, metric)


def beside_queue(workload: str, metric: str) -> Callable[[Table], list[float]]:
    """Divide the metric of the standard library's queue by ours."""
    return lambda table: table.ratios(workload, metric, QUEUE, OURS)


def _requests(table: Table) -> list[float]:
    return table.ratios("litestar-10", "requests_per_s", OURS, "none")


def _requests_with_all(table: Table) -> list[float]:
    return table.ratios("litestar-10", "requests_per_s", "logboom-plugin", "none")


def _shared(table: Table) -> list[float]:
    return table.ratios("processes", "drained_per_s", "logboom-shared", "concurrent-log-handler")


GOALS = (
    Goal(
        *("call", "enabled call / disabled call of the standard library", True, 1.0),
        of_ours("text-2", "to_disabled"),
    ),
    Goal(
        *("call-apart", "the same, each call in a call of a function", True, 1.0),
        of_ours("text-2-apart", "to_disabled"),
    ),
    Goal(
        *("call-early", "the same, a logger made before install", True, 1.3),
        of_ours("early", "to_disabled"),
    ),
    Goal(
        *("call-empty", "enabled call / empty native method call", True, 6),
        of_ours("text-2", "to_empty"),
    ),
    Goal(
        *("call-empty-3", "the same, to an empty native call with as many arguments", True, 6),
        of_ours("text-2", "to_empty_3"),
    ),
    Goal(
        *("call-queue", "standard library's queue, call / ours", False, 75),
        beside_queue("text-2", "call_ns"),
    ),
    Goal(
        *("drained", "standard library's queue, drained / ours", False, 50),
        beside_queue("text-2", "drained_ns"),
    ),
    Goal(
        *("cpu", "standard library's queue, CPU of all threads a record / ours", False, 50),
        beside_queue("text-2", "cpu_ns"),
    ),
    Goal(
        *("p999", "p99.9 of the call under saturation / p99.9 of an empty call", True, 4),
        of_ours("text-2", "p999_to_empty"),
    ),
    Goal(
        *("disabled", "disabled call / disabled call of the standard library", True, 0.25),
        of_ours("disabled", "to_disabled"),
    ),
    Goal(
        *("json", "python-json-logger behind the queue, drained / ours", False, 40),
        beside_queue("json", "drained_ns"),
    ),
    Goal(
        *("exception", "the same exception, standard library's queue / ours", False, 20),
        beside_queue("exception", "drained_ns"),
    ),
    Goal(
        *("hosted", "a Python handler behind QueueListener / behind ours", False, 2),
        beside_queue("hosted", "drained_ns"),
    ),
    Goal(
        *("threads", "throughput of 8 threads / of 1", False, 0.9),
        of_ours("threads", "eight_to_one"),
    ),
    Goal(
        *("processes", "8 processes, one rotating file: ours / concurrent-log-handler", False, 20),
        _shared,
    ),
    Goal(
        *("processes-rate", "the same, ours", False, 600_000),
        lambda table: table.values("processes", "logboom-shared", "drained_per_s"),
        " lines/s",
    ),
    Goal(
        *("litestar", "Litestar, requests/s with 10 lines / with no logging", False, 0.97),
        _requests,
    ),
    Goal(
        *("litestar-all", "the same with access lines, ids, JSON and redaction", False, 0.95),
        _requests_with_all,
    ),
    Goal(
        *("loggers", "a call with 1,000,000 loggers / with 1", True, 1.1),
        of_ours("loggers", "many_to_one"),
    ),
    Goal(
        *("import", "`import logboom` and `install()` over `import logging`", True, 10),
        of_ours("import", "import_ms"),
        " ms",
    ),
    Goal(
        *("new-threads", "threads more after 2,000 configurations", True, 1),
        of_ours("reconfigure", "new_threads"),
    ),
    Goal(
        *("new-files", "descriptors more after 2,000 configurations", True, 0),
        of_ours("reconfigure", "new_files"),
    ),
    Goal(
        *("new-memory", "resident memory more after 2,000 configurations", True, 1024),
        of_ours("reconfigure", "new_kib"),
        " KiB",
    ),
    Goal(
        *("idle", "processor time when idle", True, 0.2),
        of_ours("idle", "idle_percent"),
        " %",
    ),
    Goal(
        *("latency", "longest time from call to line, at 4 records/s", True, 20),
        of_ours("latency", "latency_max_ms"),
        " ms",
    ),
)


def rows(table: Table) -> list[dict[str, Any]]:
    """Give every row."""
    return [goal.row(table) for goal in GOALS]


def shown(value: list[float] | None) -> str:
    """Write a figure with its spread."""
    if value is None:
        return "not measured"
    middle, low, high = (f"{rounded(one):g}" for one in value)
    return f"{middle} ({low} to {high})"


def verdict(met: bool | None) -> str:
    """Write whether a goal is met."""
    return "-" if met is None else "met" if met else "not met"
