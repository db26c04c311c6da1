"""Check the words: one word for one thing, in the names that the code defines.

1. A name that is defined in Rust or Python has none of the words in ``INSTEAD``. What a name is
   called elsewhere is not ours to choose, so uses are not looked at, definitions only. A definition
   that has to bear a foreign name says so on its line: ``words: tracing calls it so``.
2. A note that something is to be done names the issue it is done in.
3. No file holds an absolute path of somebody's machine.

Files that git tracks or would track are looked at. Prints one line a finding, and exits 1 if there
is any; files over ``LONG`` lines are told too, but are no finding.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rust_paths import code_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# The word that is not used, and the one that is.
INSTEAD = {
    "appender": "sink",
    "backend": "writer",
    "encoder": "formatter",
    "enqueue": "submit",
    "exporter": "sink",
    "journal": "durable ring",
    "kv": "field",
    "kvs": "fields",
    "lossy": "drop_newest or drop_oldest",
    "pipeline": "route",
    "rolling": "rotation",
    "severity": "level",
    "terminate": "shutdown",
    "wal": "durable ring",
    "worker": "writer",
}
EXCUSE = "words: "
LONG = 500

_RUST_DEFINITION = re.compile(
    r"\b(?:fn|struct|enum|union|trait|type|mod|const|static|macro_rules!)\s+(?:mut\s+)?(\w+)"
)
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# Written apart, so that this file is no finding of its own.
_TO_DO = re.compile("TO" + "DO|FIX" + "ME|XX" + "X")
_MACHINE = re.compile(r"(?<![\w.~}>*-])/(?:home|Users|root|work)/[\w.]")


def parts(name: str) -> list[str]:
    """Give the words of a name in any case style, in lower case."""
    return [part.lower() for part in _PART.findall(name)]


def rust_names(source: str) -> Iterator[tuple[str, int]]:
    """Give what a Rust source defines, with the line."""
    for number, line in enumerate(code_of(source).split("\n"), 1):
        for name in _RUST_DEFINITION.findall(line):
            yield name, number


def python_names(source: str) -> Iterator[tuple[str, int]]:
    """Give what a Python source defines: functions, classes, parameters and variables."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno


def findings_in(path: str, source: str) -> Iterator[str]:
    """Give what there is against one file."""
    lines = source.split("\n")
    names: Iterator[tuple[str, int]] = iter(())
    if path.startswith("crates/") and path.endswith(".rs"):
        names = rust_names(source)
    elif path.startswith("python/") and path.endswith((".py", ".pyi")):
        names = python_names(source)
    for name, number in names:
        for part in parts(name):
            if part in INSTEAD and EXCUSE not in lines[number - 1]:
                yield f"{path}:{number}: `{name}`: say {INSTEAD[part]}, not {part}"
    for number, line in enumerate(lines, 1):
        if _TO_DO.search(line) and not re.search(r"#\d+", line):
            yield f"{path}:{number}: what is to be done needs an issue: #number"
        if _MACHINE.search(line):
            yield f"{path}:{number}: an absolute path of one machine"


def tracked(root: Path) -> list[str]:
    """Give the paths of the files that belong to the project."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        stdout=subprocess.PIPE,
        check=True,
    )
    paths = listed.stdout.decode().split("\0")
    return sorted(path for path in set(paths) if path and (root / path).is_file())


def main(arguments: list[str]) -> int:
    """Check the tree and tell."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    found: list[str] = []
    for path in tracked(root):
        data = (root / path).read_bytes()
        if b"\0" in data:
            continue  # no text: a fuzz corpus, a picture
        source = data.decode("utf-8", "replace")
        found += findings_in(path, source)
        length = source.count("\n")
        if length > LONG and path.endswith((".rs", ".py")):
            print(f"note: {path} has {length} lines")
    print("\n".join(found) if found else "words: every name says what the design says")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
