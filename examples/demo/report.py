"""What the demo says in the end: a table to read, JSON for programs, and the verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from .chart import Series, line_chart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .lines import LineCheck
    from .load import Run

MOST_NEW_THREADS = 1


@dataclass(frozen=True)
class Side:
    """A server that logged, and what came of it."""

    run: Run
    lines: LineCheck
    silent: Run

    @property
    def new_threads(self) -> int:
        """How many threads there are more than before the load."""
        return self.run.samples[-1].threads - self.run.samples[0].threads

    @property
    def requests_per_second(self) -> float:
        """Of the answered requests."""
        return rate(self.run)

    @property
    def relative_rate(self) -> float | None:
        """Requests per second to those of the application without logging."""
        silent = rate(self.silent)
        return self.requests_per_second / silent if silent else None

    @property
    def cpu_per_request(self) -> float | None:
        """Seconds of processor time that the server took for a request."""
        return cpu_per_request(self.run)

    @property
    def first_failure(self) -> tuple[int, str] | None:
        """The first request that was not answered as it should be, and what came instead."""
        return min(self.run.failures.items(), default=None)

    @property
    def faults(self) -> list[str]:
        """Give what a logging of this kind must not do."""
        found = []
        if self.new_threads > MOST_NEW_THREADS:
            found.append(f"{self.new_threads} new threads, expected at most {MOST_NEW_THREADS}")
        for what in ("lost", "repeated", "torn"):
            if number := getattr(self.lines, what):
                found.append(f"{number} lines {what}")
        if missing := self.run.requests - len(self.run.answered):
            found.append(f"{missing} requests not answered")
        return found

    def as_dict(self) -> dict[str, Any]:
        """Give the figures under names that stay."""
        first, last = self.run.samples[0], self.run.samples[-1]
        return {
            "requests": self.run.requests,
            "requests_answered": len(self.run.answered),
            "first_failure": self.first_failure
            and {"request": self.first_failure[0], "what": self.first_failure[1]},
            "threads_before": first.threads,
            "threads_after": last.threads,
            "memory_before_kib": first.memory_kib,
            "memory_after_kib": last.memory_kib,
            "open_files_before": first.open_files,
            "open_files_after": last.open_files,
            "requests_per_second": self.requests_per_second,
            "requests_per_second_to_no_logging": self.relative_rate,
            "cpu_seconds_per_request": self.cpu_per_request,
            "lines_expected": self.lines.expected,
            "lines_found": self.lines.found,
            "lines_lost": self.lines.lost,
            "lines_repeated": self.lines.repeated,
            "lines_torn": self.lines.torn,
            "ending": self.run.ending,
            "faults": self.faults,
            "samples": [asdict(sample) for sample in self.run.samples],
        }


def rate(run: Run) -> float:
    """Give the answered requests per second."""
    return len(run.answered) / run.seconds if run.seconds else 0.0


def cpu_per_request(run: Run) -> float | None:
    """Give the seconds of processor time per answered request."""
    if not run.answered:
        return None
    return (run.samples[-1].cpu_seconds - run.samples[0].cpu_seconds) / len(run.answered)


def table(sides: list[Side]) -> Table:
    """Lay the sides next to each other."""
    result = Table(title="The same handler, the same requests", title_justify="left")
    result.add_column("")
    for side in sides:
        result.add_column(side.run.title, justify="right")
    for title, cells in rows(sides):
        result.add_row(title, *cells)
    return result


def rows(sides: list[Side]) -> Iterator[tuple[str, list[Text]]]:
    """Give the table's rows: what it is, and each side's figure."""
    ends = [(side, side.run.samples[0], side.run.samples[-1]) for side in sides]
    yield "requests answered", [answered(side) for side in sides]
    if any(side.first_failure for side in sides):
        yield "first failure", [failure(side) for side in sides]
    yield "threads before", [Text(f"{first.threads:,}") for _, first, _ in ends]
    yield (
        "threads after",
        [
            marked(f"{last.threads:,}", side.new_threads <= MOST_NEW_THREADS)
            for side, _, last in ends
        ],
    )
    yield (
        "memory growth",
        [Text(f"{(last.memory_kib - first.memory_kib) / 1024:.1f} MiB") for _, first, last in ends],
    )
    yield "open files before", [Text(f"{first.open_files:,}") for _, first, _ in ends]
    yield "open files after", [Text(f"{last.open_files:,}") for _, _, last in ends]
    yield "requests/s", [Text(f"{side.requests_per_second:,.0f}") for side in sides]
    yield "… of it without logging", [Text(share(side.relative_rate)) for side in sides]
    yield "server's CPU per request", [Text(microseconds(side.cpu_per_request)) for side in sides]
    yield "lines expected in the file", [Text(f"{side.lines.expected:,}") for side in sides]
    yield "lines found", [marked(f"{side.lines.found:,}", not side.lines.lost) for side in sides]
    for title, what in (
        ("lines lost at SIGTERM", "lost"),
        ("lines repeated", "repeated"),
        ("lines torn", "torn"),
    ):
        numbers = [getattr(side.lines, what) for side in sides]
        yield title, [marked(f"{number:,}", not number) for number in numbers]
    yield "the server", [Text(side.run.ending) for side in sides]


def answered(side: Side) -> Text:
    """Say how many requests came back as they should."""
    number, requests = len(side.run.answered), side.run.requests
    if number == requests:
        return Text(f"{number:,}", style="green")
    return Text(f"{number:,} of {requests:,}", style="bold red")


def caption(sides: list[Side]) -> str:
    """Say what the table does not: the application without logging, and when the SIGTERM comes."""
    silent = sides[0].silent
    return (
        f"Without logging: {rate(silent):,.0f} requests/s, "
        f"{microseconds(cpu_per_request(silent))} of the server's CPU per request. "
        "The SIGTERM comes right after the last response."
    )


def marked(content: str, good: bool) -> Text:
    """Colour a figure that has a right and a wrong."""
    return Text(content, style="green" if good else "bold red")


def failure(side: Side) -> Text:
    """Say at which request a server began to fail."""
    if side.first_failure is None:
        return Text("none", style="green")
    number, what = side.first_failure
    return Text(f"at request {number + 1:,}: {what}", style="bold red")


def share(ratio: float | None) -> str:
    """Write a ratio as a share."""
    return "-" if ratio is None else f"{ratio:.0%}"


def microseconds(seconds: float | None) -> str:
    """Write a short time."""
    return "-" if seconds is None else f"{seconds * 1e6:,.0f} µs"


def chart(sides: list[Side]) -> str:
    """Draw threads over requests."""
    colours = ("#c2410c", "#0f766e")
    return line_chart(
        title="Threads of the server, while every request configures logging again",
        subtitle="Litestar under uvicorn, five lines a request to a file",
        x_title="requests answered",
        y_title="operating-system threads",
        series=[
            Series(
                side.run.title,
                f"{side.run.samples[-1].threads:,} threads" + (", then dead" * side.run.dead),
                colour,
                [(sample.requests, sample.threads) for sample in side.run.samples],
            )
            for side, colour in zip(sides, colours, strict=True)
        ],
    )
