"""The check of a log file: is every line there, once and whole?"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from pathlib import Path

# A line says who it is: which request wrote it, and the how-manieth of its lines it is.
LINE = re.compile(
    rb"INFO - \d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - request (\d+) - line (\d+) of \d+"
)


@dataclass(frozen=True)
class LineCheck:
    """The lines of the requests that were answered."""

    expected: int
    found: int
    lost: int
    repeated: int
    torn: int

    @property
    def faultless(self) -> bool:
        """Whether the file is exactly what it should be."""
        return not (self.lost or self.repeated or self.torn)


def check_lines(log_file: Path, answered: AbstractSet[int], lines_per_request: int) -> LineCheck:
    """Compare a log file with what the answered requests logged.

    A request that failed may or may not have logged, so its lines are not counted, unless torn.
    """
    seen: Counter[tuple[int, int]] = Counter()
    torn = 0
    content = log_file.read_bytes() if log_file.exists() else b""
    *whole, rest = content.split(b"\n")
    for line in whole:
        if match := LINE.fullmatch(line):
            seen[int(match[1]), int(match[2])] += 1
        else:
            torn += 1
    expected = {(number, line) for number in answered for line in range(1, lines_per_request + 1)}
    found = expected & seen.keys()
    return LineCheck(
        expected=len(expected),
        found=len(found),
        lost=len(expected) - len(found),
        repeated=sum(seen[line] - 1 for line in found),
        torn=torn + bool(rest),
    )
