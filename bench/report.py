"""The result as text, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench import goals
from bench.peers import PEERS
from bench.workloads import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

# Metric: what it is called, and by what it is divided.
COLUMNS = {
    "call_ns": ("call ns", 1),
    "to_disabled": ("to disabled", 1),
    "p50_ns": ("p50 ns", 1),
    "p99_ns": ("p99 ns", 1),
    "p999_ns": ("p99.9 ns", 1),
    "drained_per_s": ("records/s", 1),
    "cpu_ns": ("CPU ns", 1),
    "peak_kib": ("MiB more", 1024),
    "eight_to_one": ("8 / 1", 1),
    "many_to_one": ("many / 1", 1),
    "requests_per_s": ("requests/s", 1),
    "new_threads": ("threads", 1),
    "new_files": ("files", 1),
    "new_kib": ("KiB", 1),
    "configure_us": ("µs each", 1),
    "import_ms": ("ms", 1),
    "idle_percent": ("CPU %", 1),
    "latency_ms": ("ms", 1),
    "latency_max_ms": ("longest ms", 1),
}


def number(value: float) -> str:
    """Write a number with three digits, and the large ones whole."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def lines(result: dict[str, Any]) -> Iterator[str]:
    """Give the report line by line."""
    yield from header(result["header"])
    for name, peers in result["results"].items():
        yield f"\n{name}: {BY_NAME[name].title if name in BY_NAME else name}"
        yield from table(peers)
    yield "\ngoals"
    for row in result["goals"]:
        verdict = goals.verdict(row["met"])
        yield f"  {row['axis']:<66} {row['goal']:>10}  {goals.shown(row['value']):<30} {verdict}"


def header(values: dict[str, Any]) -> Iterator[str]:
    """Say where and with what."""
    for name, value in values.items():
        text = value
        if isinstance(value, dict):
            text = ", ".join(f"{key} {one}" for key, one in value.items())
        yield f"{name + ':':<14} {text}"


def table(peers: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Give one workload: medians, the ratio of drained time to ours with its spread, faults."""
    used = [name for name in COLUMNS if any(name in one["metrics"] for one in peers.values())]
    widths = {name: max(11, len(COLUMNS[name][0]) + 2) for name in used}
    yield "  " + " " * 36 + "".join(f"{COLUMNS[name][0]:>{widths[name]}}" for name in used)
    for peer, entry in peers.items():
        title = PEERS[peer].title if peer in PEERS else peer
        if entry.get("unsupported"):
            yield f"  {title[:36]:<36}  {entry['unsupported']}"
            continue
        cells = []
        for name in used:
            value = entry["metrics"].get(name)
            text = number(value[0] / COLUMNS[name][1]) if value else "-"
            cells.append(f"{text:>{widths[name]}}")
        beside = entry.get("to_ours", {})
        ratio = beside.get("drained") or beside.get("call")
        what = "drained" if "drained" in beside else "call"
        shown = f"   {what} / ours {goals.shown(ratio)}" if ratio else ""
        yield f"  {title[:36]:<36}" + "".join(cells) + shown
        for fault in entry.get("faults", []):
            yield f"      fault, {fault}"
