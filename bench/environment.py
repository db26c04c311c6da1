"""The environment of the benchmark: the peers, each installed by itself, and our wheel.

    python bench/environment.py DIRECTORY PROFILE WHEEL

What does not install is noted in ``build.json`` in the directory, with the reason, as is the cargo
profile of the wheel; the result names both. A peer that is there already is not installed again.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scripts"))

import environment  # noqa: E402 - found by the line above


def requirements() -> list[str]:
    """Give the pinned peers."""
    text = (HERE / "peers/requirements.txt").read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and line[0] != "#"]


def pip(python: str, *arguments: str) -> str:
    """Run ``pip install``; give nothing, or the last thing it said."""
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, "--no-input", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return ""
    said = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
    return (said or ["pip failed"])[-1].removeprefix("ERROR: ")


def prepare(directory: str, profile: str, wheel: str) -> None:
    """Make the environment, or bring it up to date."""
    python = environment.python_of(directory)
    if not environment.works(python):
        subprocess.check_call([environment.base_executable(), "-m", "venv", "--clear", directory])
    peers = {}
    for requirement in requirements():
        # No peer is built from source: that is not what its users get, and needs compilers.
        said = pip(python, "--only-binary", ":all:", requirement)
        peers[requirement.partition("==")[0]] = f"not installed: {said}" if said else ""
        if said:
            print(f"bench: {requirement} is missing: {said}", file=sys.stderr)
    if said := pip(python, "--no-deps", "--no-index", "--force-reinstall", wheel):
        sys.exit(said)
    noted = {"profile": profile, "peers": peers}
    (Path(directory) / "build.json").write_text(json.dumps(noted, indent=1), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: environment.py DIRECTORY PROFILE WHEEL")
    with environment.held(sys.argv[1]):
        prepare(*sys.argv[1:])
