"""Finds the CPythons on this machine that logboom supports and that bring their test suite along.

Prints their paths, one for each minor version, the newest of it. Looks on PATH and where pyenv keeps
its own; ``make test-stdlib`` tests each, unless PYTHONS names others.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST = (3, 10)
NEWEST = (3, 14)
# A shim of pyenv is there for versions that are not chosen, and fails. A virtual environment is not
# an interpreter of its own.
_QUESTION = """
import importlib.util as u, json, sys, venv
there = all(u.find_spec(name) for name in ("test", "test.support", "test.test_logging"))
own = sys.prefix == sys.base_prefix and sys.implementation.name == "cpython"
print(json.dumps([sys.version_info[:3], sys.executable, there and own]))
"""


def candidates() -> Iterator[Path]:
    """Give what may be an interpreter."""
    names = ["python3", *(f"python3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1))]
    directories = [Path(one) for one in os.get_exec_path()]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    directories += sorted(pyenv.glob("versions/*/bin"))
    for directory in directories:
        yield from (directory / name for name in names if os.access(directory / name, os.X_OK))


def answer(path: Path) -> tuple[tuple[int, ...], str] | None:
    """Give an interpreter's version and its own path; nothing where it cannot be used."""
    try:
        done = subprocess.run(
            [path, "-I", "-c", _QUESTION], capture_output=True, timeout=60, check=True
        )
        version, executable, usable = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    version = tuple(version)
    return (version, executable) if usable and OLDEST <= version[:2] <= NEWEST else None


def found() -> list[str]:
    """Give the interpreters' paths, the oldest first."""
    newest: dict[tuple[int, ...], tuple[tuple[int, ...], str]] = {}
    for one in filter(None, map(answer, candidates())):
        minor = one[0][:2]
        # The first that is found wins among equals: it is the one that PATH prefers.
        if minor not in newest or one[0] > newest[minor][0]:
            newest[minor] = one
    return [newest[minor][1] for minor in sorted(newest)]


if __name__ == "__main__":
    print("\n".join(found()))
