"""What came of the runs: by round while they run, summed up when they are saved.

A saved result is one JSON object: ``header`` says where and with what, ``results`` holds for each
workload and peer the metrics as ``[median, least, greatest]``, the ratios to ours, and the faults,
``goals`` the rows of the goals. It is small, so that it can be committed.
"""

from __future__ import annotations

import json
import re
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT = 1
DIRECTORY = Path(__file__).resolve().parent / "results"
# What is divided when a peer is put beside us: above 1 we take less.
RATIOS = {"call": "call_ns", "drained": "drained_ns", "cpu": "cpu_ns"}
OURS = ("logboom", "logboom-rotating", "logboom-shared")

Spread = list[float]  # median, least, greatest


def rounded(value: float) -> float:
    """Keep four digits: there are no more in a measurement."""
    return float(f"{value:.4g}")


def spread(values: list[float]) -> Spread | None:
    """Give the median with its least and greatest value."""
    if not values:
        return None
    return [rounded(one) for one in (statistics.median(values), min(values), max(values))]


@dataclass
class Cell:
    """A workload with a peer: its metrics by round, and what went wrong."""

    rounds: dict[int, dict[str, float]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    unsupported: str = ""


class Table:
    """All cells."""

    def __init__(self) -> None:
        self.cells: dict[tuple[str, str], Cell] = {}

    def add(self, workload: str, peer: str, number: int, outcome: dict[str, Any]) -> None:
        """Take what a run printed, or what the driver says of it."""
        cell = self.cells.setdefault((workload, peer), Cell())
        cell.unsupported = outcome.get("unsupported", cell.unsupported)
        if "metrics" in outcome:
            cell.rounds[number] = outcome["metrics"]
        for fault in outcome.get("faults", []):
            cell.faults.append(f"round {number}: {fault}")

    def values(self, workload: str, peer: str, metric: str) -> list[float]:
        """Give a metric, round by round."""
        cell = self.cells.get((workload, peer), Cell())
        return [one[metric] for _, one in sorted(cell.rounds.items()) if metric in one]

    def ratios(
        self, workload: str, metric: str, above: str, below: str, other: str | None = None
    ) -> list[float]:
        """Divide within each round: the metric of one peer by that of another.

        Args:
            workload: of the peer above, and of the one below unless ``other`` names another.
            metric: what is divided.
            above: the peer whose metric is divided.
            below: the peer by whose metric it is divided.
            other: the workload of the peer below.
        """
        top = self.cells.get((workload, above), Cell()).rounds
        bottom = self.cells.get((other or workload, below), Cell()).rounds
        return [
            top[number][metric] / bottom[number][metric]
            for number in sorted(top.keys() & bottom.keys())
            if metric in top[number] and bottom[number].get(metric)
        ]

    def summary(self) -> dict[str, dict[str, Any]]:
        """Sum up every cell."""
        found: dict[str, dict[str, Any]] = {}
        for workload, peer in in_order(self.cells):
            cell = self.cells[workload, peer]
            names = dict.fromkeys(name for one in cell.rounds.values() for name in one)
            entry: dict[str, Any] = {
                "rounds": len(cell.rounds),
                "metrics": {name: spread(self.values(workload, peer, name)) for name in names},
            }
            ours = next((name for name in OURS if (workload, name) in self.cells), None)
            if ours and ours != peer:
                beside = {
                    name: spread(self.ratios(workload, metric, peer, ours))
                    for name, metric in RATIOS.items()
                }
                entry["to_ours"] = {name: value for name, value in beside.items() if value}
            if cell.faults:
                entry["faults"] = distinct(cell.faults)
            if cell.unsupported:
                entry["unsupported"] = cell.unsupported
            found.setdefault(workload, {})[peer] = entry
        return found


def in_order(cells: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put the cells into the order of the tables, whatever order they ran in."""
    order = {(one.name, peer): None for one in WORKLOADS for peer in one.peers}
    places = {cell: place for place, cell in enumerate(order)}
    return sorted(cells, key=lambda cell: places.get(cell, len(places)))


def distinct(faults: list[str], most: int = 2) -> list[str]:
    """Give the first faults, and how many more there were."""
    kept = faults[:most]
    return kept if len(faults) <= most else [*kept, f"and {len(faults) - most} more"]


def save(path: Path, result: dict[str, Any]) -> None:
    """Write a result; a reader of the path sees the old one or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".tmp")
    part.write_text(text(result), encoding="utf-8")
    part.replace(path)


def text(result: dict[str, Any]) -> str:
    """Give the JSON, each list of numbers on one line."""
    dumped = json.dumps(result, indent=1, ensure_ascii=False)
    numbers = re.compile(r"\[\s*(-?[\d.e+-]+(?:,\s+-?[\d.e+-]+)*)\s*\]")
    return numbers.sub(lambda found: f"[{' '.join(found[1].split())}]", dumped) + "\n"


def load(path: Path) -> dict[str, Any]:
    """Read a saved result."""
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if result.get("format") != FORMAT:
        raise ValueError(f"invalid result {path}: got format {result.get('format')}, expected 1")
    return result
