"""What documents take from a saved result: tables between two markers, and the chart.

    python -m bench.documents [--check] [RESULT.json]

Writes the tables into README.md and docs/performance.md, and `docs/images/drained.svg`. With
``--check`` it writes nothing and fails where a document does not agree. A document without markers,
and a tree without a saved result, have nothing to agree on.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from bench import goals, results
from bench.charts import bars
from bench.peers import PEERS

ROOT = results.DIRECTORY.parents[1]
CHART = "docs/images/drained.svg"
SHORT = ("call", "call-queue", "drained", "json", "exception", "litestar")


def rows_of(result: dict[str, Any], names: tuple[str, ...] | None = None) -> str:
    """Give the goals as a table in Markdown."""
    lines = ["| axis | goal | measured | |", "|---|---|---|---|"]
    for row in result["goals"]:
        if names is None or row["name"] in names:
            shown, verdict = goals.shown(row["value"]), goals.verdict(row["met"])
            lines.append(f"| {row['axis']} | {row['goal']} | {shown} | {verdict} |")
    head = result["header"]
    where = f"{head['python']}; {head['machine']}; {head['binding']}, commit {head['commit']}."
    return "\n".join([*lines, "", f"Measured on {head['date']}: {where}"])


TABLES = {
    ("README.md", "bench-short"): lambda result: rows_of(result, SHORT),
    ("docs/performance.md", "bench-goals"): rows_of,
}


def filled(text: str, name: str, table: str) -> str:
    """Put a table between its markers; a text without them stays as it is."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found:
        return text
    if not closed:
        raise ValueError(f"the marker {end} is missing")
    return f"{before}{begin}\n\n{table}\n\n{end}{after}"


def chart(result: dict[str, Any]) -> str:
    """Draw the throughput of the peers on the first workload."""
    peers = result["results"].get("text-2", {})
    values = [
        (PEERS[peer].title, entry["metrics"]["drained_per_s"][0], peer == "logboom")
        for peer, entry in peers.items()
        if "drained_per_s" in entry["metrics"]
    ]
    values.sort(key=lambda one: -one[1])
    subtitle = f"text with two arguments, to a file; {result['header']['python']}"
    return bars("Records per second, the last line in the file", subtitle, values)


def stale(result: dict[str, Any], root: Path = ROOT, *, write: bool) -> list[str]:
    """Give the documents that do not agree with the result; with ``write`` make them agree."""
    wanted: dict[str, str] = {}
    for (document, name), make in TABLES.items():
        path = root / document
        if path.exists():
            text = wanted.get(document, path.read_text(encoding="utf-8"))
            wanted[document] = filled(text, name, make(result))
    wanted[CHART] = chart(result)
    found = []
    for document, text in wanted.items():
        path = root / document
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            found.append(document)
            if write:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    return found


def quoted() -> Path:
    """The result that documents quote."""
    return results.DIRECTORY / "cpython-3.11.json"


def main(arguments: list[str]) -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("result", nargs="?", type=Path, default=quoted())
    given = parser.parse_args(arguments)
    if not given.result.exists():
        print(f"no saved result {given.result.name}: documents quote nothing")
        return 0
    found = stale(results.load(given.result), write=not given.check)
    for document in found:
        print(f"{document}: " + ("differs from the saved result" if given.check else "written"))
    return 1 if found and given.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
