"""CPython's own logging tests, as this interpreter brings them, without logboom and with it.

    run.py [--install] [--handlers] [--together] [--apart] [--json] [--only TEXT]

The modes: ``install`` has ``logboom.install()`` in effect for every test; ``handlers`` has our handlers
in the place of the library's as well. The layouts: ``together`` is one process for the whole suite,
``apart`` one for each test. All of them, unless some are chosen. Each is held against the same layout
without us: what passes there only is a regression.

That our loggers were in effect is proved in two ways. Each test starts with a check of it, and does not
pass otherwise; and the loggers made in the run are counted by class, the native calls of a part of the
suite by a profiler. A run in which there are none has failed.

Exit status: 0, or 1 where there are regressions that ``expected.toml`` does not list, or 2 where the
suite could not be run, or 3 where the interpreter brings none along.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import suite

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

import compare  # noqa: E402 - found beside this directory
from witness import ours  # noqa: E402

LAYOUTS = ("together", "apart")
# Small, and each of its tests logs through `getLogger` on all levels.
WITNESSED = ".BuiltinLevelsTest."
PYTHON = "{}.{}".format(*sys.version_info)


class Unusable(Exception):
    """A part of the run gave no result."""


def run(mode: str, layout: str, options: argparse.Namespace, *more: str) -> dict[str, Any]:
    """Run the suite in one mode and layout; gives what ``inside.py`` prints."""
    jobs = max(1, options.jobs // 2)
    limits = ["--deadline", str(options.deadline), "--jobs", str(jobs)]
    command = [sys.executable, str(HERE / "inside.py"), mode, layout, *limits, *more]
    changes = ("PYTHON", "LOGBOOM", "COVERAGE")
    environment = {name: text for name, text in os.environ.items() if not name.startswith(changes)}
    # In a process of a terminal or not, a suite looks for the format that the library takes by default.
    environment["LOGBOOM_FORMAT"] = "standard"
    before = time.monotonic()
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment
    )
    if done.returncode:
        raise Unusable(f"{mode}, {layout}: exit code {done.returncode}\n{done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout)
    answer["seconds"] = round(time.monotonic() - before, 1)
    return answer


def run_all(modes: list[str], layouts: list[str], options: argparse.Namespace) -> dict[str, Any]:
    """Run everything that was asked for, two at a time: the tests mostly wait."""
    plans = [(mode, layout) for layout in layouts for mode in ("plain", *modes)]
    only = ["--only", options.only]
    with ThreadPoolExecutor(2) as pool:
        runs = {plan: pool.submit(run, *plan, options, *only) for plan in plans}
        witness = pool.submit(run, "install", "together", options, "--only", WITNESSED, "--witness")
        answers = {f"{mode}, {layout}": one.result() for (mode, layout), one in runs.items()}
        return {"runs": answers, "witness": witness.result()["census"]["calls"]}


def judge(modes: list[str], layouts: list[str], answers: dict[str, Any]) -> dict[str, Any]:
    """Compare, and give the whole result."""
    expected = compare.read_expected(tomllib.loads((HERE / "expected.toml").read_text()))
    runs = answers["runs"]
    found, unproved = [], []
    for mode in modes:
        for layout in layouts:
            one, without = runs[f"{mode}, {layout}"], runs[f"plain, {layout}"]
            tests = (without["tests"], one["tests"])
            found += compare.regressions(*tests, mode, layout, PYTHON, expected)
            if not ours(one["census"].get("loggers", {})):
                unproved.append(f"{mode}, {layout}: no logger of ours was made")
            if mode == "handlers" and not ours(one["census"].get("handlers", {})):
                unproved.append(f"{mode}, {layout}: no handler of ours was made")
    if not answers["witness"]:
        unproved.append("no native method was called")
    stale = {name for mode in modes for name in compare.stale(expected, found, mode, PYTHON)}
    return {
        "python": sys.version,
        "executable": sys.executable,
        "regressions": [one._asdict() for one in found if one.reason is None],
        "expected": [one._asdict() for one in found if one.reason is not None],
        "stale": sorted(stale),
        "unproved": unproved,
        "replaced": suite.replaced() if "handlers" in modes else {},
        **answers,
    }


def text(result: dict[str, Any]) -> str:
    """Give the result for a reader."""
    lines = [f"{platform.python_implementation()} {platform.python_version()}, {suite.NAME}", ""]
    for name, one in result["runs"].items():
        counts = collections.Counter(test["outcome"] for test in one["tests"].values())
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
        loggers, handlers = (one["census"].get(what, {}) for what in ("loggers", "handlers"))
        lines.append(
            f"{name:20} {outcomes:32} {one['seconds']:5} s; of ours: "
            f"{ours(loggers)} of {sum(loggers.values())} loggers, "
            f"{ours(handlers)} of {sum(handlers.values())} handlers, "
            f"{one['native_records']} records"
        )
    calls = sum(result["witness"].values())
    lines += ["", f"native calls in a part of the suite, by a profiler: {calls}"]
    if result["replaced"]:
        lines.append(f"replaced: {', '.join(result['replaced'])}")
    for one in result["expected"]:
        lines.append(f"expected: {one['mode']}, {one['layout']}: {one['test']}: {one['reason']}")
    lines += [f"stale entry of expected.toml: {name}" for name in result["stale"]]
    lines += [f"unproved: {name}" for name in result["unproved"]]
    together: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in result["regressions"]:
        together.setdefault((one["mode"], one["test"]), []).append(one)
    for (mode, test), ones in together.items():
        became = ", ".join(f"{one['outcome']} {one['layout']}" for one in ones)
        said = [line for line in ones[0]["detail"].splitlines() if line.strip()][-4:]
        lines += ["", f"regression: {mode}: {test}: passes without us, {became}"]
        lines += [f"    {line}" for line in said]
    lines += ["", f"{len(result['regressions'])} regressions, {len(result['expected'])} expected"]
    return "\n".join(lines)


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description="CPython's own logging tests under logboom")
    parser.add_argument("--install", action="store_true", help="with install() in effect")
    parser.add_argument("--handlers", action="store_true", help="and with our handlers")
    parser.add_argument("--together", action="store_true", help="in one process")
    parser.add_argument("--apart", action="store_true", help="a process for each test")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--only", default="", metavar="TEXT", help="tests with this in their name")
    parser.add_argument("--deadline", type=float, default=180.0, help="seconds a test may take")
    parser.add_argument("--jobs", type=int, default=4, help="test processes at a time")
    options = parser.parse_args()
    modes = [mode for mode in ("install", "handlers") if getattr(options, mode)]
    layouts = [layout for layout in LAYOUTS if getattr(options, layout)]
    modes, layouts = modes or ["install", "handlers"], layouts or list(LAYOUTS)
    try:
        suite.origin()
        result = judge(modes, layouts, run_all(modes, layouts, options))
    except suite.Missing as error:
        print(error, file=sys.stderr)
        return 3
    except Unusable as error:
        print(f"the suite could not be run: {error}", file=sys.stderr)
        return 2
    print(json.dumps(result, indent=1) if options.json else text(result))
    return 1 if result["regressions"] or result["unproved"] else 0


if __name__ == "__main__":
    sys.exit(main())
