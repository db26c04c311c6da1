"""Instructions of the call path, counted by callgrind: no noise of the machine is in them.

    python -m bench.instructions [--store]

A small program logs N and then 2N records; the difference, divided by N, is what one record costs,
and what starting costs is gone. Calls are on the main thread, so its instructions are the call's and
those of the interpreter's loop around it. The other threads are the writer: its figure has its polls
in it, which depend on the machine, so it is told and not judged.

A figure that grew by more than 3 % over the stored one makes this fail. Figures are stored for each
interpreter and its build in ``results/instructions.json``, by ``--store``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

STORED = Path(__file__).resolve().parent / "results" / "instructions.json"
ROOT = STORED.parents[2]
# Both fit into the ring, so that no call waits for room.
CALLS = 10_000
GROWTH = 1.03
CASES = {
    "2 arguments": 'log.info("user %s did %d things", "alice", number)',
    "no argument": 'log.info("the cache is warm")',
    "disabled": 'log.debug("user %s did %d things", "alice", number)',
}
PROGRAM = """\
import gc, logging, sys
import logboom
from bench import subject
from bench.peers.base import FORMAT
from pathlib import Path
directory, call, calls = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
logboom.install()
handler = logboom.FileHandler(directory / "log")
handler.setFormatter(logging.Formatter(FORMAT))
logging.getLogger().addHandler(handler)
logging.getLogger().setLevel(logging.INFO)
module = subject.made(directory, subject.NAME, call, "two")
log = logging.getLogger("shop.orders")
gc.disable()
module.burst(log, 500)
logboom.flush()
module.burst(log, calls)
logboom.flush()
"""


def threads_of(directory: Path) -> tuple[int, int]:
    """Give the instructions of the main thread, and of all others."""
    totals: dict[int, int] = {}
    for path in directory.glob("out.*"):
        text = path.read_text(errors="replace")
        thread = re.search(r"^thread: (\d+)", text, re.MULTILINE)
        total = re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)
        if total:
            number = int(thread[1]) if thread else 1
            totals[number] = totals.get(number, 0) + int(total[1])
    if 1 not in totals:
        raise RuntimeError("callgrind wrote nothing")
    return totals[1], sum(totals.values()) - totals[1]


def count(call: str, calls: int) -> tuple[int, int]:
    """Run the program under callgrind."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        command = [
            *("valgrind", "--tool=callgrind", "--separate-threads=yes", "--quiet"),
            f"--callgrind-out-file={directory / 'out.%p'}",
            *(sys.executable, "-c", PROGRAM, name, call, str(calls)),
        ]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONMALLOC": "pymalloc"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"the program failed under valgrind:\n{done.stderr[-2000:]}")
        return threads_of(directory)


def measured() -> dict[str, dict[str, float]]:
    """Give for each case the instructions a record, of the call and of the writer."""
    found = {}
    for name, call in CASES.items():
        print(f"counting: {name}", file=sys.stderr, flush=True)
        once, twice = count(call, CALLS), count(call, 2 * CALLS)
        found[name] = {
            "call": round((twice[0] - once[0]) / CALLS, 1),
            "writer": round((twice[1] - once[1]) / CALLS, 1),
        }
    return found


def judge(now: dict[str, dict[str, float]], stored: dict[str, dict[str, float]]) -> list[str]:
    """Say which calls grew by more than is allowed."""
    return [
        f"{name}: {one['call']:.0f} instructions a call, stored {stored[name]['call']:.0f}"
        for name, one in now.items()
        if name in stored and one["call"] > stored[name]["call"] * GROWTH
    ]


def key() -> str:
    """Name the interpreter and its build."""
    import platform

    from bench.header import optimised

    return f"{platform.python_version()}, {platform.python_compiler()}, {optimised()}"


def main() -> int:
    """Count, compare, store when asked to."""
    parser = argparse.ArgumentParser(prog="make bench-check", description=__doc__.splitlines()[0])
    parser.add_argument("--store", action="store_true", help="keep the figures as those to hold")
    arguments = parser.parse_args()
    if shutil.which("valgrind") is None:
        sys.exit("`make bench-check` needs valgrind: install it by your system's package manager")
    stored = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    now, name = measured(), key()
    held = stored.get(name)
    for case, one in now.items():
        was = f", stored {held[case]['call']:.0f}" if held and case in held else ""
        print(f"{case:<12} {one['call']:7.0f} a call{was}; writer {one['writer']:.0f} a record")
    if arguments.store:
        stored[name] = now
        STORED.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return 0
    if held is None:
        print(f'nothing is stored for {name}: store it by `make bench-check ARGS="--store"`')
        return 0
    grown = judge(now, held)
    print("\n".join(["more than 3 % over what is stored:", *grown]) if grown else "within 3 %")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
