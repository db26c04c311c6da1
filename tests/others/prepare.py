"""What a project's tests run in: an environment with the project and logboom, and a copy of the tests.

Everything lies under ``build/others``: source distributions in ``sources``, and for each interpreter
and project an environment, made anew when its entry in the table changed, and the unpacked tests, made
anew for each run. Nothing of it is ever committed.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from table import Project

HERE = Path(__file__).resolve().parent
# In every process of the environment, also in those that the tests start: before anything else is
# imported. The variable is set by `run.py` alone.
START = (
    "import os; 'LOGBOOM_OTHERS' in os.environ and "
    "__import__('json').loads(os.environ['LOGBOOM_OTHERS'])['mode'] == 'install' and "
    "__import__('logboom').install()\n"
)


class Unusable(Exception):
    """A project's tests cannot be run."""


def pip(*arguments: str) -> None:
    """Run this interpreter's pip."""
    options = ("--quiet", "--disable-pip-version-check", "--no-input")
    command, *rest = arguments
    # An option for all commands stands before the command.
    done = subprocess.run(
        [sys.executable, "-m", "pip", *options, command, *rest],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-12:])
        raise Unusable(f"pip {' '.join(arguments)}: exit code {done.returncode}\n{said}")


def environment(project: Project, directory: Path, wheel: Path) -> Path:
    """Make a project's environment where it is not there yet, and give its interpreter."""
    python = directory / "bin" / "python"
    wanted = [f"{project.name}=={project.version}", *project.needs]
    if not any(one.startswith("pytest==") for one in wanted):
        raise Unusable(f"invalid `needs` of `{project.name}`: expected a `pytest==...`")
    state = json.dumps([sys.version, wanted])
    stamp = directory / "made-of"
    if not stamp.exists() or stamp.read_text() != state:
        shutil.rmtree(directory, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory], check=True)
        pip("--python", str(python), "install", *wanted)
        stamp.write_text(state)
    _put_in(python, directory, wheel)
    return python


def _put_in(python: Path, directory: Path, wheel: Path) -> None:
    """Put logboom and what starts it into an environment."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    stamp = directory / "wheel"
    if not stamp.exists() or stamp.read_text() != digest:
        pip(
            *("--python", str(python), "install"),
            *("--no-deps", "--no-index", "--force-reinstall", str(wheel)),
        )
        stamp.write_text(digest)
    (packages,) = directory.glob("lib/python3*/site-packages")
    # The directory of the plugin, then a line that is run.
    (packages / "logboom-others.pth").write_text(f"{HERE / 'inside'}\n{START}")


def source(project: Project, directory: Path) -> Path:
    """Give the archive of a project's source distribution, from the package index the first time."""
    place = directory / re.sub(r"[^A-Za-z0-9.]+", "-", project.source)
    if not list(place.glob("*.tar.gz")):
        where = ("--dest", str(place))
        pip("download", "--no-deps", "--no-binary", project.name, *where, project.source)
    found = list(place.glob("*.tar.gz"))
    if len(found) != 1:
        raise Unusable(f"{project.source}: got {len(found)} source distributions, expected 1")
    return found[0]


def tests(project: Project, origin: Path | None, directory: Path) -> Path:
    """Lay a project's tests anew, from an archive or from a checkout; gives where pytest starts."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    if origin is None:
        (directory / "pytest.ini").write_text("[pytest]\n")
        return directory
    if origin.is_dir():
        for name in project.unpack:
            _copy(origin / name, directory / name)
    else:
        _unpack(project, origin, directory)
    start = directory / project.directory
    for test in project.tests:
        if not (start / test.partition("::")[0]).exists():
            raise Unusable(f"{origin} has no {project.directory}/{test}")
    if not any(_configures(place) for place in (directory, start)):
        # Or pytest would go up, and take the one of the directory that this lies in.
        (start / "pytest.ini").write_text("[pytest]\n")
    return start


def _configures(directory: Path) -> bool:
    """Whether pytest finds its configuration in a directory."""
    sections = {
        "pytest.ini": "",
        "pyproject.toml": "[tool.pytest",
        "tox.ini": "[pytest]",
        "setup.cfg": "[tool:pytest]",
    }
    files = ((directory / name, section) for name, section in sections.items())
    return any(file.exists() and section in file.read_text() for file, section in files)


def _copy(origin: Path, to: Path) -> None:
    if origin.is_dir():
        shutil.copytree(origin, to, symlinks=True)
    elif origin.exists():
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(origin, to)


def _unpack(project: Project, archive: Path, directory: Path) -> None:
    """Unpack what the tests need, without the directory that is around everything in an archive."""
    with tarfile.open(archive) as packed:
        wanted = []
        for member in packed.getmembers():
            _, _, member.name = member.name.partition("/")
            if any(
                member.name == one or member.name.startswith(f"{one}/") for one in project.unpack
            ):
                wanted.append(member)
        # The filter keeps everything inside; older patch releases do not know it.
        named = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        packed.extractall(directory, wanted, **named)
