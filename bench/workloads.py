"""The table of workloads: what is measured, and of whom.

``kind`` names the function of ``measure.py`` that does it, ``call`` the call of the peer that it
makes. A workload with ``most_rounds`` takes long or varies little, and runs in that many rounds.
"""

from __future__ import annotations

from dataclasses import dataclass

STANDARD = ("stdlib-sync", "stdlib-queue")
OURS = ("logboom",)
TEXT = (
    *STANDARD,
    *("structlog", "loguru", "loguru-enqueue", "picologging", "picologging-queue"),
    *("logxide", "logly", "logust"),
    *OURS,
)
JSON = (*STANDARD, "structlog", "loguru", "logxide", "logly", "logust", *OURS)


@dataclass(frozen=True)
class Workload:
    """One row of the table."""

    name: str
    title: str
    kind: str
    peers: tuple[str, ...]
    call: str = "two"
    style: str = "text"
    early: bool = False  # the logger is made before the peer is set up
    apart: bool = False  # each call from a function of its own
    lines: int = 0  # a request, or a million of them
    most_rounds: int | None = None
    deadline: float = 60.0  # seconds, for one process


WORKLOADS = (
    Workload("text-2", "text, 2 arguments", "calls", TEXT),
    Workload("text-0", "text, no argument", "calls", TEXT, call="none"),
    Workload("text-6", "text, 6 arguments", "calls", TEXT, call="six"),
    Workload(
        "text-2-apart",
        "text, 2 arguments, each call in a call of a function",
        "calls",
        (*STANDARD, *OURS),
        apart=True,
    ),
    Workload("early", "a logger made before install", "calls", OURS, early=True),
    Workload("disabled", "a level that is off", "disabled", TEXT, call="off"),
    Workload(
        "json", "4 fields by `extra` to JSON lines", "calls", JSON, call="fields", style="json"
    ),
    Workload("exception", "the same exception, 7 frames", "calls", TEXT, call="exception"),
    Workload("threads", "8 threads against 1", "threads", TEXT),
    Workload(
        *("loggers", "1,000,000 loggers against 1", "loggers", ("stdlib-sync", *OURS)),
        most_rounds=2,
        deadline=120,
    ),
    Workload("hosted", "a Python handler behind a queue", "hosted", ("stdlib-queue", *OURS)),
    Workload(
        *("rotation", "a file that rotates at 1 MB", "calls"),
        ("stdlib-rotating", "concurrent-log-handler", "logboom-rotating"),
    ),
    Workload(
        *("processes", "8 processes, one file that rotates at 1 MB", "processes"),
        ("stdlib-rotating", "concurrent-log-handler", "logboom-shared"),
        deadline=120,
    ),
    *(
        Workload(
            f"litestar-{lines}",
            f"Litestar under uvicorn, {lines} lines a request",
            "litestar",
            ("none", "shipped", "stdlib-sync", "logboom", "logboom-plugin"),
            lines=lines,
        )
        for lines in (0, 1, 10)
    ),
    Workload(
        *("reconfigure", "2,000 configurations", "reconfigure"),
        ("litestar-shipped", "litestar-logboom", "stdlib-sync", "logboom"),
        most_rounds=1,
        deadline=120,
    ),
    Workload("import", "import and install", "import", OURS),
    Workload("idle", "nothing, for 10 s", "idle", OURS, most_rounds=2),
    Workload("latency", "one record a quarter of a second", "latency", OURS, most_rounds=2),
)
BY_NAME = {workload.name: workload for workload in WORKLOADS}


def chosen(pattern: str) -> list[tuple[Workload, str]]:
    """Give the pairs of workload and peer in whose names the pattern occurs.

    A pattern is a part of a workload's name, a part of a peer's, or both as ``WORKLOAD:PEER``;
    several stand apart by commas. An empty one takes everything.
    """
    pairs = [(workload, peer) for workload in WORKLOADS for peer in workload.peers]
    parts = [part.strip() for part in pattern.split(",") if part.strip()]
    if not parts:
        return pairs
    return [
        (workload, peer)
        for workload, peer in pairs
        if any(_fits(part, workload.name, peer) for part in parts)
    ]


def _fits(part: str, workload: str, peer: str) -> bool:
    if ":" in part:
        of_workload, of_peer = part.split(":", 1)
        return of_workload in workload and of_peer in peer
    return part in workload or part in peer
