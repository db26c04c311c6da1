"""Two saved results: what changed beyond the spread.

    python -m bench.compare OLD NEW

A figure changed when the ranges of the two results do not meet. Ratios are compared where there are
any, since they hold across machines better than times do.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import goals, results

if TYPE_CHECKING:
    from collections.abc import Iterator


def figures(result: dict[str, Any]) -> Iterator[tuple[str, list[float]]]:
    """Give every figure under its name."""
    for row in result["goals"]:
        if row["value"]:
            yield f"goal: {row['axis']}", row["value"]
    for workload, peers in result["results"].items():
        for peer, entry in peers.items():
            for kind in ("to_ours", "metrics"):
                for name, value in entry.get(kind, {}).items():
                    yield f"{workload}, {peer}: {name.replace('_', ' ')}", value


def apart(old: list[float], new: list[float]) -> bool:
    """Whether two ranges do not meet."""
    return old[1] > new[2] or new[1] > old[2]


def changes(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Say each change, and what is in one of the two only."""
    before, after = dict(figures(old)), dict(figures(new))
    for name, value in after.items():
        if name not in before:
            yield f"{name}: new, {goals.shown(value)}"
        elif apart(before[name], value):
            change = f", {value[0] / before[name][0]:.2f} times" if before[name][0] else ""
            yield f"{name}: {goals.shown(before[name])} → {goals.shown(value)}{change}"
    for name in before.keys() - after.keys():
        yield f"{name}: gone"


def main(arguments: list[str]) -> int:
    """Print the changes."""
    if len(arguments) != 2:
        sys.exit('usage: make bench-compare ARGS="OLD.json NEW.json"')
    old, new = (results.load(Path(path)) for path in arguments)
    for name in ("machine", "python", "binding", "commit", "rounds"):
        if old["header"].get(name) != new["header"].get(name):
            print(f"{name}: {old['header'].get(name)} → {new['header'].get(name)}")
    found = list(changes(old, new))
    print("\n".join(found) or "nothing changed beyond the spread")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
