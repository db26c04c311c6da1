"""At each seam with a package that many programs have, logging goes on as without logboom.

Each function of the modules in `seams/` is a scenario against the real package; it runs once on each
side in a fresh interpreter. It asserts what the package promises, and what it printed and the files
that it left must be the same on both sides.
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

HERE = Path(__file__).parent / "seams"
# Where a package has no release for an interpreter that we support, by the name of the module.
UNSUPPORTED = {"seam_ipykernel": ((3, 11), "ipykernel needs Python 3.11 or newer")}
DEADLINE = 90.0


def _scenarios() -> list[ParameterSet]:
    found = []
    for path in sorted(HERE.glob("seam_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                name = f"{path.stem.removeprefix('seam_')}-{node.name}"
                oldest, reason = UNSUPPORTED.get(path.stem, ((0,), ""))
                marks = pytest.mark.skipif(sys.version_info < oldest, reason=reason)
                found.append(pytest.param(path.stem, node.name, id=name, marks=marks))
    return found


def _start(side: str, topic: str, scenario: str, directory: Path) -> subprocess.Popen[str]:
    directory.mkdir()
    changes = ("PYTHON", "PYTEST", "LOGBOOM", "SENTRY", "OTEL", "DJANGO", "FLASK", "COLOREDLOGS")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(changes)}
    always = {"PYTHONIOENCODING": "utf-8", "TZ": "UTC", "COLUMNS": "80", "NO_COLOR": "1"}
    return subprocess.Popen(
        [sys.executable, str(HERE / "seam.py"), side, topic, scenario],
        cwd=directory,
        env={**kept, **always, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def _outcome(program: subprocess.Popen[str], directory: Path) -> dict[str, object]:
    out, err = program.communicate(timeout=DEADLINE)

    def same(text: str) -> str:
        # The directory, and the addresses of objects, differ between any two runs.
        return re.sub(r"\b0x[0-9a-f]+", "ADDRESS", text.replace(str(directory), "DIRECTORY"))

    files = [path for path in sorted(directory.rglob("*")) if path.suffix in {".log", ".txt"}]
    return {
        "exit code": program.returncode,
        "stdout": same(out),
        "stderr": same(err),
        **{str(path.relative_to(directory)): same(path.read_text()) for path in files},
    }


@pytest.mark.parametrize(("topic", "scenario"), _scenarios())
def test_is_as_without_logboom(topic: str, scenario: str, tmp_path: Path) -> None:
    sides = [tmp_path / "stdlib", tmp_path / "logboom"]
    programs = [_start(side.name, topic, scenario, side) for side in sides]
    try:
        library, ours = (_outcome(*pair) for pair in zip(programs, sides, strict=True))
    finally:
        for program in programs:
            program.kill()
            program.wait()
    assert library["exit code"] == 0, library["stderr"]
    assert ours["exit code"] == 0, ours["stderr"]
    # A scenario that leaves nothing behind compares nothing.
    assert any(value for key, value in library.items() if key != "exit code"), library
    assert ours == library
