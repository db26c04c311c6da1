"""Run the benchmark: every workload with every peer, by rounds, each in a process of its own.

Fifteen minutes with the defaults; ``--quick`` takes about four and is good for a look.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench import goals, report, results
from bench.header import ROOT, build_of, header
from bench.workloads import Workload, chosen

SEED = 20


def schedule(
    pairs: list[tuple[Workload, str]], rounds: int, seed: int = SEED
) -> list[tuple[int, Workload, str]]:
    """Give the runs in their order: round by round, each in an order of its own."""
    order = random.Random(seed)  # no secret: the same order each time
    runs = []
    for number in range(rounds):
        due = [one for one in pairs if number < (one[0].most_rounds or rounds)]
        order.shuffle(due)
        runs += [(number + 1, workload, peer) for workload, peer in due]
    return runs


def outcome_of(command: list[str], deadline: float) -> dict[str, Any]:
    """Run a process and give what it printed; what goes wrong with it is a fault."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    try:
        out, error = process.communicate(timeout=deadline)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return {"faults": [f"did not end within {deadline:g} s"]}
    lines = out.decode("utf-8", "replace").splitlines()
    if process.returncode < 0:
        return {"faults": [f"died of {signal.Signals(-process.returncode).name}"]}
    if process.returncode:
        said = error.decode("utf-8", "replace").strip().splitlines()
        return {"faults": [f"ended with status {process.returncode}: {(said or ['-'])[-1][:200]}"]}
    try:
        outcome: dict[str, Any] = json.loads(lines[-1])
    except (ValueError, IndexError):
        return {"faults": ["printed no result"]}
    return outcome


def run(pairs: list[tuple[Workload, str]], rounds: int, *, quick: bool) -> results.Table:
    """Run everything, with a line of progress on standard error."""
    table = results.Table()
    runs = schedule(pairs, rounds)
    start = time.monotonic()
    for done, (number, workload, peer) in enumerate(runs):
        left = (time.monotonic() - start) / done * (len(runs) - done) if done else 0
        _progress(f"{done}/{len(runs)}, {left:4.0f} s left: {workload.name} {peer}")
        cell = table.cells.get((workload.name, peer))
        if cell and (cell.unsupported or any("did not end" in one for one in cell.faults)):
            continue  # it will not do better, and a deadline costs a minute
        command = [sys.executable, "-m", "bench.measure", workload.name, peer]
        outcome = outcome_of([*command, *(["--quick"] if quick else [])], workload.deadline)
        table.add(workload.name, peer, number, outcome)
    _progress("")
    return table


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)


def default_path() -> Path:
    """Name the result by the interpreter."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    kind = "debian" if sys.base_prefix == "/usr" else "cpython"
    return results.DIRECTORY / f"{kind}-{version}.json"


def main() -> int:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, help="default 5; 2 with --quick")
    parser.add_argument("--quick", action="store_true", help="shorter passes, fewer rounds")
    parser.add_argument(
        "--only", default="", help="parts of names: WORKLOAD, PEER or W:P, by comma"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there as well")
    parser.add_argument("--save", action="store_true", help="keep it in bench/results")
    arguments = parser.parse_args()
    rounds = arguments.rounds or (2 if arguments.quick else 5)
    if build_of(Path(sys.prefix)).get("profile") != "release":
        sys.exit("the binding was not built with the profile `release`: use `make bench`")
    pairs = chosen(arguments.only)
    if not pairs:
        sys.exit(f"nothing to run: no workload or peer is named {arguments.only!r}")
    table = run(pairs, rounds, quick=arguments.quick)
    head = header(rounds=rounds, quick=arguments.quick, only=arguments.only or "everything")
    result = {
        "format": results.FORMAT,
        "header": head,
        "results": table.summary(),
        "goals": goals.rows(table),
    }
    print("\n".join(report.lines(result)))
    paths = [Path("build") / "bench-last.json"]
    paths += [arguments.json] if arguments.json else []
    paths += [default_path()] if arguments.save else []
    for path in paths:
        results.save(path, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
