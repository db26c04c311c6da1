"""Check that every crate of the lock file may be used, offline: its licence and where it is from.

The list of licences is the one of ``deny.toml``, so that ``cargo deny`` and this agree. A crate
without a licence expression is a finding, and so is one that is not from a registry. Prints one
line a finding, and exits 1 if there is any.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import tomli

_TOKEN = re.compile(r"\(|\)|[^\s()]+")


def accepted(expression: str, allowed: frozenset[str]) -> bool:
    """Whether an SPDX expression can be met with licences from the list alone.

    ``AND`` binds closer than ``OR``; a slash is how old manifests write ``OR``.
    """
    tokens = _TOKEN.findall(expression.replace("/", " OR "))
    met, rest = _any(tokens, allowed)
    if rest:
        raise ValueError(f"invalid licence expression: got {expression!r}")
    return met


def _any(tokens: list[str], allowed: frozenset[str]) -> tuple[bool, list[str]]:
    met, tokens = _all(tokens, allowed)
    while tokens[:1] == ["OR"]:
        other, tokens = _all(tokens[1:], allowed)
        met = met or other
    return met, tokens


def _all(tokens: list[str], allowed: frozenset[str]) -> tuple[bool, list[str]]:
    met, tokens = _one(tokens, allowed)
    while tokens[:1] == ["AND"]:
        other, tokens = _one(tokens[1:], allowed)
        met = met and other
    return met, tokens


def _one(tokens: list[str], allowed: frozenset[str]) -> tuple[bool, list[str]]:
    if not tokens or tokens[0] in {")", "AND", "OR", "WITH"}:
        raise ValueError(f"invalid licence expression: expected a licence before {tokens[:1]}")
    if tokens[0] == "(":
        met, tokens = _any(tokens[1:], allowed)
        if tokens[:1] != [")"]:
            raise ValueError("invalid licence expression: expected a closing parenthesis")
        return met, tokens[1:]
    if tokens[1:2] == ["WITH"]:
        return " ".join(tokens[:3]) in allowed, tokens[3:]
    return tokens[0] in allowed, tokens[1:]


def findings(packages: list[dict[str, Any]], allowed: frozenset[str]) -> list[str]:
    """Give what there is against the packages of ``cargo metadata``, one line each."""
    found = []
    for package in packages:
        name = f"{package['name']} {package['version']}"
        source = package["source"]
        if source is not None and not source.startswith("registry+"):
            found.append(f"{name}: comes from {source}, expected a registry")
        licence = package["license"]
        if not licence:
            found.append(f"{name}: states no licence expression")
            continue
        try:
            if not accepted(licence, allowed):
                found.append(f"{name}: licence {licence} is not in deny.toml")
        except ValueError as error:
            found.append(f"{name}: {error}")
    return found


def main() -> int:
    """Check the lock file and tell."""
    root = Path(__file__).resolve().parent.parent
    allowed = frozenset(
        tomli.loads((root / "deny.toml").read_text(encoding="utf-8"))["licenses"]["allow"]
    )
    answer = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--locked", "--offline", "--all-features"],
        cwd=root,
        stdout=subprocess.PIPE,
        check=False,
    )
    if answer.returncode != 0:
        return answer.returncode
    packages = json.loads(answer.stdout)["packages"]
    found = findings(packages, allowed)
    print("\n".join(found) if found else f"licences: {len(packages)} crates may be used")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
