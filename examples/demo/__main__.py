"""Show the main job: ``python -m examples.demo``.

Three servers are started: the application without logging, with Litestar's own logging, and with
logboom. All get the same requests; the figures of the two that log are printed side by side.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .lines import check_lines
from .load import Run, send_all
from .report import Side, caption, chart, table
from .servers import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

LINES_PER_REQUEST = 5  # as apps.py writes them
SECONDS_PER_REQUEST = 0.1
EXIT_FAULT, EXIT_FAILED = 1, 2

EPILOG = """
exit status: 0 when logboom held its promises; 1 when its server grew by more than one thread, or
lost, repeated or tore a line, or left a request unanswered; 2 when the demo itself could not run.
What Litestar's own logging does is shown, and decides nothing.
"""


def main() -> int:
    """Run the demo, and give its exit status."""
    options = parse_arguments()
    messages = Console(stderr=True)
    if not Path("/proc/self/task").is_dir():
        messages.print(
            "the demo looks at its servers through /proc, which this system does not have"
        )
        return EXIT_FAILED
    options.out.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        directory = options.out
        if not options.keep:
            directory = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="logboom-demo-"))
            )
        try:
            runs = run_servers(options, directory, messages)
        except (OSError, RuntimeError, httpx.HTTPError) as error:
            messages.print(f"the demo could not run: {error}", markup=False)
            return EXIT_FAILED
        silent, *logging = runs
        sides = [
            Side(run, check_lines(run.server.log_file, run.answered, LINES_PER_REQUEST), silent)
            for run in logging
        ]
    chart_path = (options.out / "threads.svg").resolve()
    chart_path.write_text(chart(sides), encoding="utf-8")
    report(options, sides, silent, chart_path)
    faults = sides[-1].faults
    for fault in faults:
        messages.print(f"logboom: {fault}", style="bold red")
    return EXIT_FAULT if faults else 0


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.demo",
        description="Run one Litestar application with the logging that Litestar ships and with "
        "logboom, each under a real uvicorn. On every request it configures logging again, gets a "
        "logger and writes five lines to a file. Compare threads, memory, open files, speed and "
        "the lines in the file.",
        epilog=EPILOG,
    )
    add = parser.add_argument
    add("--requests", type=positive, default=2_000, metavar="N",
        help="requests to each server (default: 2,000); with very many, Litestar's own logging "
        "runs out of threads, and the table says at which request")  # fmt: skip
    add("--concurrency", type=positive, default=8, metavar="N",
        help="requests on the way at any time (default: 8)")  # fmt: skip
    add("--json", action="store_true", help="print JSON instead of the table")
    add("--out", type=Path, default=Path("build/demo"), metavar="DIR",
        help="where the chart goes (default: build/demo)")  # fmt: skip
    add("--keep", action="store_true",
        help="leave the log files and what the servers printed in DIR")  # fmt: skip
    return parser.parse_args()


def positive(argument: str) -> int:
    """Read a whole number above zero."""
    if not argument.isascii() or not argument.isdigit() or not int(argument):
        raise argparse.ArgumentTypeError(f"got {argument!r}, expected a whole number above 0")
    return int(argument)


def run_servers(options: argparse.Namespace, directory: Path, messages: Console) -> list[Run]:
    """Start the servers, load them, and end them, whatever happens in between."""
    titles = {
        "without_logging": "no logging",
        "shipped": "Litestar as shipped",
        "with_logboom": "Litestar with logboom",
    }
    for factory in titles:
        (directory / f"{factory}.log").unlink(missing_ok=True)
    with contextlib.ExitStack() as stack:
        runs = []
        for factory, title in titles.items():
            server = Server(factory, directory)
            stack.callback(server.kill)
            runs.append(Run(title, server, options.requests))
        for run in runs:
            run.server.wait_until_ready()
        with progress_bars(runs, messages) as on_answer:
            deadline = 60 + options.requests * SECONDS_PER_REQUEST
            load = send_all(runs, options.concurrency, on_answer)
            try:
                asyncio.run(asyncio.wait_for(load, deadline))
            except asyncio.TimeoutError:
                messages.print(f"the load was not through after {deadline:.0f} s", style="bold red")
                for run in runs:
                    run.server.terminate()
        for run in runs:
            run.ending = run.server.wait()
        return runs


@contextlib.contextmanager
def progress_bars(runs: list[Run], messages: Console) -> Iterator[Any]:
    """Show how far each server is."""
    columns = (
        TextColumn("{task.description:>22}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=messages) as progress:
        tasks = {id(run): progress.add_task(run.title, total=run.requests) for run in runs}
        yield lambda run: progress.advance(tasks[id(run)])


def report(options: argparse.Namespace, sides: list[Side], silent: Run, chart_path: Path) -> None:
    """Print what was found."""
    about = {
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in ("litestar", "uvicorn", "httpx", "logboom")},
        "cores": os.cpu_count(),
    }
    if options.json:
        content = {
            "about": about,
            "requests": options.requests,
            "concurrency": options.concurrency,
            "no_logging": {
                "requests_answered": len(silent.answered),
                "requests_per_second": len(silent.answered) / silent.seconds,
            },
            "shipped": sides[0].as_dict(),
            "logboom": sides[1].as_dict(),
            "chart": str(chart_path),
        }
        print(json.dumps(content, indent=2))
        return
    console = Console()
    console.print(table(sides))
    console.print(caption(sides))
    console.print(", ".join(f"{name} {version}" for name, version in about.items()), style="dim")
    console.print(f"chart: {chart_path}", soft_wrap=True, highlight=False)
    if options.keep:
        console.print(f"log files: {options.out.resolve()}", soft_wrap=True, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
