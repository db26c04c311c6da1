"""The logging tests of other projects, without logboom and with `logboom.install()` in effect.

    run.py --wheel FILE [--json] [--jobs N] [--only TEXT] [--checkout NAME=DIR] [NAME ...]

``projects.toml`` says whose tests and which. Each project gets an environment of its own under
``build``; its tests run there three times: twice as they are, and once with `install` in effect before
anything else is imported, and again before each test. A test that passes in both plain runs and not
with us is a regression; one on which the plain runs differ is *unsteady*, and named, not counted.

That our loggers were in effect is checked before each test, which does not pass otherwise; and the
loggers at the end of the run are counted by class. A run that has none of ours has failed.

Exit status: 0, or 1 where there are regressions that ``expected.toml`` does not list, or 2 where some
project's tests could not be run.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import prepare
import table

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

import compare  # noqa: E402 - found beside this directory
from witness import ours  # noqa: E402

BUILD = HERE.parents[1] / "build" / "others"
PYTHON = "{}.{}".format(*sys.version_info)
# The plain run twice, to know which tests are unsteady by themselves.
RUNS = {"plain": "plain", "again": "plain", "install": "install"}


def progress(text: str) -> None:
    """Tell the user how far it is."""
    print(text, file=sys.stderr, flush=True)


def command(project: table.Project, python: Path, only: str) -> list[str]:
    """Give the command that runs a project's tests."""
    chosen = ["-k", only] if only else []
    named = ["--pyargs"] if project.installed else []
    # A test that hangs shows its threads, and ends the run.
    hung = ("-o", "faulthandler_timeout=150", "-o", "faulthandler_exit_on_timeout=true")
    return [
        *(str(python), "-m", "pytest", "-p", "logboom_watch", "-p", "no:cacheprovider"),
        # Their options are for coverage, many processes and the like.
        *("-q", "-o", "addopts=", *hung, *project.arguments, *chosen, *named, *project.tests),
    ]


def cleaned() -> dict[str, str]:
    """Give the environment without what changes how Python, pytest or logboom run."""
    changes = ("PYTHON", "PYTEST", "LOGBOOM", "COVERAGE", "VIRTUAL_ENV")
    return {name: text for name, text in os.environ.items() if not name.startswith(changes)}


def run(
    project: table.Project, python: Path, origin: Path | None, place: Path, name: str, only: str
) -> dict[str, Any]:
    """Run a project's tests once; gives what became of each, and what the plugin counted."""
    start = prepare.tests(project, origin, place / name)
    told, output = place / f"{name}.told", place / f"{name}.output"
    told.unlink(missing_ok=True)
    order = {"mode": RUNS[name], "told": str(told), "tests": str(HERE.parent)}
    environment = {
        **cleaned(),
        "LOGBOOM_OTHERS": json.dumps(order),
        "PYTHONHASHSEED": "0",
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
    }
    before = time.monotonic()
    with open(output, "w") as out:
        process = subprocess.Popen(
            command(project, python, only),
            cwd=start,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        finally:
            # What the tests left behind, too; and before it is waited for: until then nobody else's
            # group can have its number.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
    result = {**events(told), "code": code, "seconds": round(time.monotonic() - before, 1)}
    # 0: all passed; 1: some failed. Everything else is no result, unless a test took it along.
    if code not in {0, 1} and not result.pop("interrupted"):
        said = "\n".join(
            [*result["broken"], *output.read_text(errors="replace").splitlines()[-15:]]
        )
        raise prepare.Unusable(f"{project.name}, {name}: pytest's exit code {code}\n{said}")
    return result


def events(told: Path) -> dict[str, Any]:
    """Read what the plugin told. A test that began and did not end took its process along."""
    tests: dict[str, dict[str, str]] = {}
    result: dict[str, Any] = {"tests": tests, "broken": [], "loggers": {}, "installed_again": 0}
    running = None
    for line in told.read_text().splitlines() if told.exists() else []:
        event = json.loads(line)
        if "start" in event:
            running = event["start"]
        elif "end" in event:
            running = None
            tests[event["end"]] = {key: event[key] for key in ("outcome", "detail")}
        elif "broken" in event:
            result["broken"].append(event["broken"])
        else:
            result.update(event)
    result["interrupted"] = running is not None
    if running is not None:
        tests[running] = {"outcome": "crashed", "detail": "the process ended, or hung"}
    return result


def run_project(project: table.Project, options: argparse.Namespace) -> dict[str, Any]:
    """Run one project's tests in all ways."""
    label = f"{project.name} {project.version}"
    place = BUILD / options.tag / project.name
    try:
        origin = options.checkouts.get(project.name)
        why_not = project.undistributed if origin is None else ""
        if project.pythons and PYTHON not in project.pythons:
            why_not = f"needs one of {', '.join(project.pythons)}"
        if why_not:
            progress(f"{label}: not run: {why_not}")
            return {"not_run": why_not}
        if origin is None and not project.installed:
            progress(f"{label}: the source distribution {project.source}")
            origin = prepare.source(project, BUILD / "sources")
        progress(f"{label}: the environment")
        python = prepare.environment(project, place / "environment", options.wheel)
        runs = {}
        for name in RUNS:
            runs[name] = run(project, python, origin, place, name, options.only)
            counts = collections.Counter(one["outcome"] for one in runs[name]["tests"].values())
            told = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
            progress(f"{label}: {name}: {told}, {runs[name]['seconds']} s")
    except (prepare.Unusable, OSError, subprocess.SubprocessError) as error:
        progress(f"{label}: {error}")
        return {"unusable": str(error)}
    return {"runs": runs}


def judge_project(
    name: str, runs: dict[str, Any], expected: list[compare.Expected]
) -> dict[str, Any]:
    """Compare one project's runs."""
    plain, again, install = (
        {f"{name}: {test}": result for test, result in runs[one]["tests"].items()} for one in RUNS
    )

    def outcome(tests: compare.Tests, test: str) -> str:
        return tests[test]["outcome"] if test in tests else "missing"

    unsteady = sorted(
        test for test in {*plain, *again} if outcome(plain, test) != outcome(again, test)
    )
    steady = {test: result for test, result in plain.items() if test not in unsteady}
    passing = sum(result["outcome"] == "passed" for result in steady.values())
    found = compare.regressions(steady, install, "install", name, PYTHON, expected)
    unproved = [] if ours(runs["install"]["loggers"]) else [f"{name}: no logger of ours"]
    unproved += [] if passing else [f"{name}: no test passes without us"]
    return {
        "passing": passing,
        "unsteady": unsteady,
        "unproved": unproved,
        "regressions": [one._asdict() for one in found if one.reason is None],
        "expected": [one._asdict() for one in found if one.reason is not None],
        "stale": [
            one.test
            for one in expected
            if one.covers(one.test, "install", PYTHON)
            and one.test in steady
            and one.test not in {entry.test for entry in found}
        ],
    }


def text(result: dict[str, Any]) -> str:
    """Give the result for a reader."""
    lines = []
    for name, one in result["projects"].items():
        if "verdict" not in one:
            lines.append(f"{name}: not run: {one.get('not_run') or one['unusable']}")
            continue
        verdict, with_us = one["verdict"], one["runs"]["install"]
        loggers = with_us["loggers"]
        lines.append(
            f"{name}: {verdict['passing']} pass without us, "
            f"{len(verdict['regressions'])} regressions; of ours: {ours(loggers)} of "
            f"{sum(loggers.values())} loggers; installed again {with_us['installed_again']} times"
        )
        lines += [f"  unsteady without us: {test}" for test in verdict["unsteady"]]
        lines += [f"  unproved: {what}" for what in verdict["unproved"]]
        lines += [
            f"  expected: {entry['test']}: {entry['reason']}" for entry in verdict["expected"]
        ]
        lines += [f"  stale entry of expected.toml: {test}" for test in verdict["stale"]]
        for entry in verdict["regressions"]:
            lines.append(f"  regression: {entry['test']}: passes without us, {entry['outcome']}")
            said = [line for line in entry["detail"].splitlines() if line.strip()][-6:]
            lines += [f"      {line}" for line in said]
    return "\n".join(lines)


def status(result: dict[str, Any]) -> int:
    """Give the exit status."""
    projects = result["projects"].values()
    if any("unusable" in one for one in projects):
        return 2
    verdicts = [one["verdict"] for one in projects if "verdict" in one]
    return 1 if any(one["regressions"] or one["unproved"] for one in verdicts) else 0


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="other projects' logging tests under logboom")
    parser.add_argument("names", nargs="*", metavar="NAME", help="projects; all by default")
    parser.add_argument("--wheel", type=Path, required=True, help="logboom's wheel")
    parser.add_argument(
        "--tag", default=sys.implementation.cache_tag, help="names the environments"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--jobs", type=int, default=2, help="projects at a time")
    parser.add_argument("--only", default="", metavar="TEXT", help="pytest's -k")
    parser.add_argument(
        "--checkout",
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="take a project's tests from a directory of yours",
    )
    options = parser.parse_args()
    options.checkouts = {}
    for one in options.checkout:
        name, equals, directory = one.partition("=")
        if not equals or not Path(directory).is_dir():
            parser.error(f"invalid --checkout: got {one!r}, expected NAME=DIR")
        options.checkouts[name] = Path(directory).resolve()
    if not options.wheel.is_file():
        parser.error(f"no wheel at {options.wheel}: `make build` makes one")
    return options


def main() -> int:
    """Do what the command line says."""
    options = arguments()
    try:
        known = table.read(HERE / "projects.toml")
        table.chosen(known, list(options.checkouts))
        projects = table.chosen(known, options.names)
    except table.Invalid as error:
        print(error, file=sys.stderr)
        return 2
    expected = compare.read_expected(table.tomllib.loads((HERE / "expected.toml").read_text()))
    with ThreadPoolExecutor(max(1, options.jobs)) as pool:
        answers = list(pool.map(lambda one: run_project(one, options), projects))
    result: dict[str, Any] = {"python": sys.version, "projects": {}}
    for project, answer in zip(projects, answers, strict=True):
        if "runs" in answer:
            answer["verdict"] = judge_project(project.name, answer["runs"], expected)
        result["projects"][project.name] = answer
    print(json.dumps(result, indent=1) if options.json else text(result))
    return status(result)


if __name__ == "__main__":
    sys.exit(main())
