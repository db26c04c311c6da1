"""Check who knows whom: the parts of ARCHITECTURE.md, and nothing the other way round.

The rules, each with its own function below and a violating tree in ``test_house_layers.py``:

1. crates: ring <- engine <- {binding, command line}; the engine takes no PyO3 and no runtime.
2. the engine's modules: each names only those that ``ENGINE`` grants it. In short: leaves, then the
   record, then filters and formatters; a sink sees bytes and no record; only the writer sees both
   halves; only the engine sees the writer; nothing but tests sees ``testing``. The route is the one
   exception to "both halves": it is the specification that ties a formatter to a sink.
3. ``unsafe`` is in ``crates/ring`` and in the binding's ``src/ffi`` only.
4. no module is called utils, common, helpers or prelude, in Rust or Python.
5. Python: nothing imports an integration, and only an integration imports a third party, the one
   whose name it bears.

A module that no table knows is a finding as well: it has not been given its place yet.
Usage: ``layers.py [ROOT]``; prints one line a finding, and exits 1 if there is any.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import tomli

from rust_paths import code_of, module_of, named

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a crate of ours may depend on, of ours.
CRATES: dict[str, frozenset[str]] = {
    "logboom-ring": frozenset(),
    "logboom": frozenset({"logboom-ring"}),
    "logboom-py": frozenset({"logboom", "logboom-ring"}),
    "logboom-cli": frozenset({"logboom", "logboom-ring"}),
}
FOREIGN_TO_THE_ENGINE = re.compile(r"pyo3|tokio|async-std|smol")

LEAVES = frozenset(
    {
        "blueprint",
        "level",
        "field",
        "clock",
        "config",
        "error",
        "fs",
        "overflow",
        "redact",
        "report",
        "spawn",
    }
)
RECORD = LEAVES | {"record", "metrics"}
TEXT = RECORD | {"filter", "format"}
BOTH_HALVES = TEXT | {
    "sink",
    "route",
    "notice",
    "barrier",
    "fork",
    "intern",
    "durable",
    "generation",
}
# What a module of the engine may name, of the engine.
ENGINE: dict[str, frozenset[str]] = {
    **dict.fromkeys(LEAVES, LEAVES),
    "record": LEAVES,
    "metrics": RECORD,
    # Some look at what a record says.
    "filter": RECORD | {"format"},
    "format": RECORD,
    # A notice of a recovery says a moment.
    "notice": RECORD | {"format"},
    "barrier": RECORD,
    "intern": RECORD | {"fork"},
    "sink": LEAVES,
    "route": TEXT | {"sink", "notice", "barrier", "fork"},
    "fork": LEAVES,
    # Makes again what a dead process wrote with.
    "durable": TEXT | {"sink", "route", "notice"},
    "generation": BOTH_HALVES,
    "writer": BOTH_HALVES,
    "engine": BOTH_HALVES | {"writer"},
    "facade": BOTH_HALVES | {"engine"},
    "macros": BOTH_HALVES | {"engine", "facade"},
    "testing": BOTH_HALVES | {"engine"},
}

# Where `unsafe` may be: everything else is fenced off from it.
UNSAFE = ("crates/ring/", "crates/logboom-py/src/ffi/")
NAMELESS = frozenset({"utils", "util", "common", "helpers", "helper", "prelude", "misc"})

# Public modules of the Python package that serve a third party, and what they import of it.
INTEGRATIONS: dict[str, frozenset[str]] = {
    "granian": frozenset({"granian"}),
    "gunicorn": frozenset({"gunicorn"}),
    "httpx": frozenset({"httpx"}),
    "hypercorn": frozenset({"hypercorn"}),
    "litestar": frozenset({"litestar"}),
    "loguru": frozenset({"loguru"}),
    "pytest": frozenset({"pytest"}),
    "structlog": frozenset({"structlog"}),
    "requests": frozenset({"requests"}),
    "uvicorn": frozenset({"uvicorn"}),
}


def crate_findings(root: Path) -> Iterator[str]:
    """Rule 1."""
    for manifest in sorted(root.glob("crates/*/Cargo.toml")):
        tables = tomli.loads(manifest.read_text(encoding="utf-8"))
        where = manifest.relative_to(root).as_posix()
        name = tables["package"]["name"]
        if name not in CRATES:
            yield f"{where}: crate `{name}` has no place in CRATES of scripts/layers.py"
            continue
        for dependency in sorted(_dependencies(tables)):
            if dependency in CRATES and dependency not in CRATES[name] | {name}:
                yield f"{where}: `{name}` must not know `{dependency}`"
            if name in {"logboom", "logboom-ring"} and FOREIGN_TO_THE_ENGINE.match(dependency):
                yield f"{where}: the engine must not know `{dependency}`"


def _dependencies(tables: dict[str, object]) -> set[str]:
    """Give the names of all dependencies of a manifest, whatever their kind or target."""
    found: set[str] = set()
    for key, value in tables.items():
        if not isinstance(value, dict):
            continue
        if key.endswith("dependencies"):
            found |= {
                str(entry.get("package", name)) if isinstance(entry, dict) else name
                for name, entry in value.items()
            }
        elif key == "target":
            for target in value.values():
                found |= _dependencies(target)
    return found


def engine_findings(root: Path) -> Iterator[str]:
    """Rule 2."""
    src = root / "crates/logboom/src"
    names = {module_of(file, src)[0] for file in _rust(src) if module_of(file, src)}
    names -= {"bin"}
    at_root = _reexports(src / "lib.rs", frozenset(names))
    for file in _rust(src):
        module = module_of(file, src)
        if not module or module[0] == "bin":
            continue  # the root declares and re-exports: it sees everything
        where = file.relative_to(root).as_posix()
        if module[0] not in ENGINE:
            yield f"{where}: module `{module[0]}` has no place in ENGINE of scripts/layers.py"
            continue
        granted = ENGINE[module[0]] | {module[0]}
        seen = set()
        for one in named(file.read_text(encoding="utf-8"), module, frozenset()):
            if one.path[1:2] in {(), ("*",)}:
                yield f"{where}:{one.line}: `{module[0]}` must not take the whole crate"
                continue
            target = at_root.get(one.path[1], one.path[1])
            if target in names - granted and (one.line, target) not in seen:
                seen.add((one.line, target))
                yield f"{where}:{one.line}: `{module[0]}` must not know `{target}`"


def _reexports(root_file: Path, names: frozenset[str]) -> dict[str, str]:
    """Map each name that the crate's root re-exports to the module that it comes from."""
    found = {}
    source = root_file.read_text(encoding="utf-8") if root_file.exists() else ""
    for one in named(source, (), names):
        path = one.path[1:] if one.path[0] == "crate" else one.path
        if len(path) > 1 and path[0] in names:
            found[one.alias] = path[0]
    return found


def unsafe_findings(root: Path) -> Iterator[str]:
    """Rule 3."""
    for file in _rust(root / "crates"):
        where = file.relative_to(root).as_posix()
        if where.startswith(UNSAFE):
            continue
        code = code_of(file.read_text(encoding="utf-8"))
        for number, line in enumerate(code.split("\n"), 1):
            if re.search(r"\bunsafe\b", line):
                yield f"{where}:{number}: `unsafe` belongs into {' or '.join(UNSAFE)}"


def name_findings(root: Path) -> Iterator[str]:
    """Rule 4."""
    files = [*_rust(root / "crates"), *_python(root / "python"), *_python(root / "scripts")]
    for file in files:
        for part in (*file.parent.relative_to(root).parts, file.stem):
            if part.strip("_") in NAMELESS:
                where = file.relative_to(root).as_posix()
                yield f"{where}: `{part}` says nothing about what it holds"


def python_findings(root: Path) -> Iterator[str]:
    """Rule 5."""
    package = root / "python/logboom"
    for file in [*_python(package), *sorted(package.rglob("*.pyi"))]:
        where = file.relative_to(root).as_posix()
        module = file.relative_to(package).with_suffix("").parts
        # Type checkers bring their own; that no run imports it is tested by test_house_import.py.
        own = INTEGRATIONS.get(module[0], frozenset()) | {"typing_extensions"}
        for name, line in _imports(file, ("logboom", *module)):
            top, _, rest = name.partition(".")
            inner = rest.partition(".")[0]
            if top == "logboom":
                if inner in INTEGRATIONS and inner != module[0]:
                    yield f"{where}:{line}: nothing imports the integration `{inner}`"
            elif top not in sys.stdlib_module_names | own:
                yield f"{where}:{line}: only an integration named after it may import `{top}`"


def _imports(file: Path, module: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Give every module that a file imports, wherever in the file, as an absolute name."""
    package = module[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            name = ".".join((*base, node.module) if node.module else base)
            if name == "logboom":
                # `from logboom import litestar` names a module in its list.
                for alias in node.names:
                    yield f"{name}.{alias.name}", node.lineno
            else:
                yield name, node.lineno


def _rust(directory: Path) -> list[Path]:
    return sorted(file for file in directory.rglob("*.rs") if "target" not in file.parts)


def _python(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*.py"))


def findings(root: Path) -> list[str]:
    """Give what a tree has against the rules, one line each."""
    rules = (crate_findings, engine_findings, unsafe_findings, name_findings, python_findings)
    return [finding for rule in rules for finding in rule(root)]


def main(arguments: list[str]) -> int:
    """Check the tree and tell."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    found = findings(root)
    print("\n".join(found) if found else "layers: nothing knows more than it may")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
