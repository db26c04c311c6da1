"""An interpreter that runs programs which raise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("raise_and_tell.py")


class Raiser:
    """An interpreter that runs programs which raise, and tells what both sides make of it."""

    def __init__(self, directory: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", str(SCRIPT), str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def ask(self, source: str, *, logged: bool = True) -> dict[str, Any]:
        """Run a program; give what each side made of what it raised, thrice."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"source": source, "logged": logged}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the raiser ended"
        return json.loads(answer)

    def end(self) -> int:
        """Let it end, and give its exit code."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait()


def compare(answer: dict[str, Any], native: bool) -> None:
    """Compare both sides' texts; a native one has to be native each time."""
    for ours, theirs in zip(
        [*answer["ours"], *answer["tuples"]], answer["theirs"] * 2, strict=True
    ):
        if native:
            assert ours is not None, f"left to the library:\n{theirs}"
        assert ours in (None, theirs)
    if answer["logged"] is not None:
        ours, theirs = answer["logged"]
        assert ours == theirs
