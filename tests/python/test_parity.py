"""A program does with logboom exactly what it does with the standard library alone.

Each function of the modules in `parity/` is a scenario; it runs once on each side in a fresh
interpreter, and what it printed, what it wrote to standard error and every file it left must be the
same. Of tracebacks, the frames inside the two packages are left out.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

HERE = Path(__file__).parent / "parity"
DEADLINE = 90.0

# Where logboom is known not to do as the library does: the scenario, and why. docs/compatibility.md
# tells users.
KNOWN: dict[str, str] = {
    "streams-streams_reconfigured": "a route does not see that its stream was reconfigured",
}


def _scenarios() -> list[ParameterSet]:
    found = []
    for path in sorted(HERE.glob("*.py")):
        if path.name == "harness.py":
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                name = f"{path.stem}-{node.name}"
                marks = []
                if name in KNOWN:
                    marks.append(pytest.mark.xfail(strict=True, reason=KNOWN[name]))
                found.append(pytest.param(path.stem, node.name, id=name, marks=marks))
    return found


def _start(side: str, topic: str, scenario: str, directory: Path) -> subprocess.Popen[bytes]:
    directory.mkdir()
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.Popen(
        [sys.executable, str(HERE / "harness.py"), side, topic, scenario],
        cwd=directory,
        env={**kept, "PYTHONIOENCODING": "utf-8", "TZ": "Europe/Berlin", "PYTHONHASHSEED": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


# A frame of a traceback, with the lines of source and carets below it.
_FRAME = re.compile(r'  File "[^"]*[/\\](?:logging|logboom)[/\\][^"]*", line .*\n(?:    .*\n)*')


def _outcome(program: subprocess.Popen[bytes], directory: Path) -> dict[str, object]:
    out, err = program.communicate(timeout=DEADLINE)

    def text(output: bytes) -> str:
        # The directory and the addresses of objects differ between any two runs.
        told = output.decode(errors="backslashreplace").replace(str(directory), "DIRECTORY")
        return re.sub(r"\bat 0x[0-9a-f]+", "at ADDRESS", told)

    return {
        "exit code": program.returncode,
        "stdout": text(out),
        "stderr": _FRAME.sub("", text(err)),
        **{
            str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None
            for path in sorted(directory.rglob("*"))
        },
    }


@pytest.mark.parametrize(("topic", "scenario"), _scenarios())
def test_is_the_same_as_with_the_library_alone(topic: str, scenario: str, tmp_path: Path) -> None:
    sides = [tmp_path / "stdlib", tmp_path / "logboom"]
    programs = [_start(side.name, topic, scenario, side) for side in sides]
    try:
        library, ours = (_outcome(*pair) for pair in zip(programs, sides, strict=True))
    finally:
        for program in programs:
            program.kill()
            program.wait()
    assert library["exit code"] == 0, library
    # A scenario that leaves nothing behind compares nothing.
    assert any(value for key, value in library.items() if key != "exit code"), library
    assert ours == library
