"""Where a result was measured and with what."""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def header(**more: Any) -> dict[str, Any]:
    """Collect it; ``build.json`` beside this interpreter says what binding is installed."""
    build = build_of(Path(sys.prefix))
    found = {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        "binding": f"logboom {version('logboom')}, cargo profile {build.get('profile', 'unknown')}",
        "python": interpreter(),
        "machine": f"{cpu()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        "peers": {name: version(name) or reason for name, reason in build["peers"].items()},
    }
    return {**found, **more}


def build_of(prefix: Path) -> dict[str, Any]:
    """Read what ``environment.py`` noted."""
    try:
        noted: dict[str, Any] = json.loads((prefix / "build.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        sys.exit(f"{prefix} is no environment of the benchmark: run it by `make bench`")
    return noted


def version(distribution: str) -> str:
    """Give the version that is installed, or nothing."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def interpreter() -> str:
    """Name the interpreter and how it was built, as far as it says so."""
    return f"{platform.python_implementation()} {platform.python_version()}, {optimised()}"


def optimised() -> str:
    """Say what the configure arguments tell of profile-guided and link-time optimisation.

    A distribution may optimise by targets of the makefile, which leave no trace: Debian does.
    """
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    profile = "yes" if "--enable-optimizations" in arguments else "no"
    link = "yes" if "--with-lto" in arguments else "no"
    return f"configure arguments name PGO: {profile}, LTO: {link}"


def cpu() -> str:
    """Name the processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def commit() -> str:
    """Give the commit, and whether the tree differs from it."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--", "crates", "python", "bench/*.py", "Cargo.lock")
    return (git("rev-parse", "--short=12", "HEAD") or "none") + (" and changes" if changed else "")
