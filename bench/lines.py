"""The check of the lines: is each there, once, whole, and with the right text?

A run knows how many calls each pass made, and each call has its number within the pass in its line.
So the expected lines are a bag of numbers. A line with the right message and another time,
module or level than it should have is wrong, but not lost.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Level, time, logger and module as in Litestar's format; the time in any common spelling, since a
# peer may know no other.
HEAD = (
    rb"(?P<level>INFO|ERROR) - \d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,]\d+\S* - \S+ - "
    + subject.NAME.encode()
    + rb" - "
)
TAILS = {
    "none": rb"the cache is warm",
    "two": rb"user alice did (?P<number>\d+) things",
    "six": rb"GET /items gave 200 in 12\.250 ms to alice, item (?P<number>\d+)",
    "exception": rb"request (?P<number>\d+) failed",
}
TRACEBACK = b"Traceback (most recent call last):"
FIELDS = {"user": "alice", "price": 9.5, "paid": True}


@dataclass(frozen=True)
class Check:
    """What came of the lines of one run."""

    expected: int
    lost: int
    repeated: int
    wrong: int
    example: str  # of a wrong line

    def faults(self) -> list[str]:
        """Say what there is against the lines."""
        found = [
            f"{count} of {self.expected} lines {what}"
            for count, what in ((self.lost, "lost"), (self.repeated, "repeated"))
            if count
        ]
        if self.wrong:
            found.append(f"{self.wrong} wrong lines, as {self.example[:160]!r}")
        return found


def check(
    data: bytes, call: str, passes: Iterable[int], traceback: str = "", directory: str = ""
) -> Check:
    """Compare what was written with what was logged.

    Args:
        data: all files, one after the other.
        call: the kind of the call.
        passes: how many calls each pass made.
        traceback: the standard library's text of the exception; empty when there is none.
        directory: of the run, whose name is another each time and is left out of the example.
    """
    expected: Counter[int] = Counter()
    for calls in passes:
        expected.update({0: calls} if call == "none" else range(calls))
    found: Counter[int] = Counter()
    wrong, nameless, example = 0, 0, ""
    for line, number, right in _read(data, call):
        if number is not None:
            found[number] += 1
        elif right is None:
            nameless += 1
        if not right:
            wrong, example = wrong + 1, example or line.decode("utf-8", "replace")
    if traceback and not wrong:
        text = traceback.rstrip("\n").encode()
        missing = found.total() - data.count(text)
        if missing:
            start = max(data.find(TRACEBACK), 0)
            wrong = missing
            example = "another traceback: " + data[start : start + 100].decode("utf-8", "replace")
    return Check(
        expected=expected.total(),
        lost=max(0, (expected - found).total() - nameless),
        repeated=(found - expected).total(),
        wrong=wrong,
        example=example.replace(directory, "DIRECTORY") if directory else example,
    )


def _read(data: bytes, call: str) -> Iterator[tuple[bytes, int | None, bool | None]]:
    """Give each line with its number, if it has one, and whether all of it is right.

    ``None`` for that is a line which is one of ours for sure, but lost its number.
    """
    if call == "fields":
        for line in data.splitlines():
            number, right = json_number(line)
            yield line, number, right
        return
    if call == "exception":
        # Everything that does not end in the message belongs to a traceback.
        search = re.compile(rb"^.* - " + TAILS[call] + rb"[ \t]*$", re.MULTILINE).finditer
        parts: Iterable[bytes] = (match.group() for match in search(data))
    else:
        parts = data.split(b"\n")[: -1 if data.endswith(b"\n") else None]
    whole = re.compile(HEAD + TAILS[call] + rb"[ \t]*").fullmatch
    tail = re.compile(rb" - " + TAILS[call] + rb"[ \t]*\Z").search
    for line in parts:
        match = whole(line)
        right = match is not None
        match = match or tail(line)
        if match is None:
            yield line, None, False
        else:
            yield line, int(match.groupdict().get("number") or 0), right


def json_number(line: bytes) -> tuple[int | None, bool | None]:
    """Give the number in a line of JSON, and whether every field is there, wherever in it.

    A number that became text is read, but not right.
    """
    try:
        record = json.loads(line)
    except ValueError:
        return None, False
    found = dict(_leaves(record))
    number = found.get("order")
    if isinstance(number, str) and number.isdigit():
        return int(number), False
    if not isinstance(number, int):
        return None, None if "order placed" in found.values() else False
    return number, all(found.get(name) == value for name, value in FIELDS.items())


def _leaves(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, dict):
                yield from _leaves(inner)
            else:
                yield key, inner
