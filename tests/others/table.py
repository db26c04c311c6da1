"""The projects whose tests are run, read from ``projects.toml``.

A project's tests come from its source distribution. Where that holds none, the table says so in
``undistributed``; the tests then run only from a directory that the user has (``--checkout``).
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_PINNED = re.compile(r"[A-Za-z0-9._-]+(\[[A-Za-z0-9,._-]+\])?==[^,*<>~ ]+")
_LISTS = ("tests", "needs", "unpack", "arguments", "pythons")
_TEXTS = ("version", "tests_of", "directory", "undistributed")


class Invalid(Exception):
    """The table, or a name that should stand in it, is wrong."""


@dataclass(frozen=True)
class Project:
    """One entry. All paths are relative to the root of the source distribution."""

    name: str
    version: str
    # Files, directories or node ids, as pytest takes them, relative to `directory`.
    tests: tuple[str, ...]
    # What the tests import besides the project, each pinned.
    needs: tuple[str, ...] = ()
    # What the tests need of the source distribution. Not the package itself: what is tested is the
    # one that is installed.
    unpack: tuple[str, ...] = ("tests", "conftest.py", "pyproject.toml", "setup.cfg", "tox.ini")
    # What pytest is given before the tests.
    arguments: tuple[str, ...] = ()
    # Where pytest is started.
    directory: str = "."
    # The version whose source distribution has the tests.
    tests_of: str = ""
    # The versions on which they can run (``3.13``); all where it is empty.
    pythons: tuple[str, ...] = ()
    # Whether the tests come with the installed package; they are then named as modules.
    installed: bool = False
    # Why the tests cannot be had from the package index; empty where they can.
    undistributed: str = ""

    @property
    def source(self) -> str:
        """The requirement that names the source distribution with the tests."""
        return f"{self.name}=={self.tests_of or self.version}"


def read(path: Path) -> dict[str, Project]:
    """Give the projects by name, in the order of the table."""
    return {name: _project(name, entry) for name, entry in tomllib.loads(path.read_text()).items()}


def _project(name: str, entry: Any) -> Project:
    known = {*_LISTS, *_TEXTS, "installed"}
    if not isinstance(entry, dict) or not known.issuperset(entry):
        raise Invalid(f"invalid entry `{name}`: got {entry}, expected keys of {sorted(known)}")
    if not entry.get("version") or not entry.get("tests"):
        raise Invalid(f"invalid entry `{name}`: expected `version` and `tests`")
    if loose := [one for one in entry.get("needs", ()) if not _PINNED.fullmatch(one)]:
        raise Invalid(f"invalid `needs` of `{name}`: got {loose}, expected `name==version`")
    texts = {key: str(entry[key]) for key in _TEXTS if key in entry}
    lists = {key: tuple(map(str, entry[key])) for key in _LISTS if key in entry}
    return Project(name=name, installed=entry.get("installed") is True, **texts, **lists)


def chosen(projects: dict[str, Project], names: list[str]) -> list[Project]:
    """Give the projects of these names; all where there is none."""
    if unknown := [name for name in names if name not in projects]:
        known = ", ".join(projects)
        raise Invalid(f"unknown project: got {', '.join(unknown)}, expected some of {known}")
    return [projects[name] for name in names] if names else list(projects.values())
