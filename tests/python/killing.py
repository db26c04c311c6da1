"""Programs that are killed, and what is counted afterwards: shared by the tests of the durable ring.

The acknowledgement is kept outside of the process that is killed: each thread of it stores the number of
its last call that returned into a file that both map. What a mapping holds, the kernel keeps.
"""

from __future__ import annotations

import json
import mmap
import os
import re
import signal
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from logboom import _logboom

if TYPE_CHECKING:
    from pathlib import Path

# What each program begins with. `ack(thread, n)`: the call with number n returned.
PROGRAM = """
import json, logging, logging.handlers, mmap, os, struct, sys, threading, time
import logboom
spec = json.loads(sys.argv[1])
logboom.configure(durable=spec.get("durable", "rings"), **spec.get("options", {}))
logboom.install()
memory = mmap.mmap(os.open("acks", os.O_RDWR), 4096)
# In one store: `struct` would make it zero first.
numbers = memoryview(memory).cast("q")
def ack(thread, n):
    numbers[thread] = n + 1
logger = logging.getLogger("app")
logger.setLevel(10)
logger.propagate = False
def add(handler, pattern="%(message)s"):
    handler.setFormatter(logging.Formatter(pattern) if isinstance(pattern, str) else pattern)
    logger.addHandler(handler)
    return handler
def lines(thread, count, first=0):
    for n in range(first, first + count):
        logger.info("%d %d %s", thread, n, "x" * (n % 50))
        ack(thread, n)
"""

# Sets of handlers, by name: what is logged to, and how the lines come back.
HANDLERS = {
    "file": "add(logboom.FileHandler('app.log'))",
    "dated": "add(logboom.FileHandler('app.log'), '%(asctime)s %(process)d %(message)s')",
    "json": "add(logboom.FileHandler('app.log'), logboom.JsonFormatter())",
    "two": "add(logboom.FileHandler('app.log'))\nadd(logboom.FileHandler('other.log'))",
    "rotating": "add(logboom.RotatingFileHandler('app.log', maxBytes=40_000, backupCount=9999))",
    "watched": "add(logboom.WatchedFileHandler('app.log'))",
    "same twice": "add(logboom.FileHandler('app.log'), 'a %(message)s')\n"
    "add(logboom.FileHandler('app.log'), 'b %(message)s')",
}

ENDLESS = "lines(0, 10**9)"
THREADS = """
threads = [threading.Thread(target=lines, args=(n, 10**9)) for n in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def start(
    directory: Path, handlers: str, body: str, **spec: Any
) -> tuple[subprocess.Popen[bytes], mmap.mmap]:
    """Start a program that logs; give it and what it acknowledges."""
    acks = directory / "acks"
    acks.write_bytes(bytes(4096))
    with acks.open("r+b") as file:
        memory = mmap.mmap(file.fileno(), 4096)
    program = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"{PROGRAM}\n{HANDLERS.get(handlers, handlers)}\n{body}",
            json.dumps(spec),
        ],
        cwd=directory,
        env={**os.environ, "TZ": "UTC", "LOGBOOM_DURABLE": ""},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    return program, memory


def acknowledged(memory: mmap.mmap, threads: int = 1) -> list[int]:
    """Give how many calls of each thread had returned."""
    return list(struct.unpack_from(f"={threads}q", memory))


def kill_at(program: subprocess.Popen[bytes], memory: mmap.mmap, count: int, spin: int) -> None:
    """Kill a program once its first thread has made so many calls, and a moment more."""
    deadline = time.monotonic() + 60
    while acknowledged(memory)[0] < count:
        assert program.poll() is None, program.stderr.read()  # type: ignore[union-attr]
        assert time.monotonic() < deadline, "it does not log"
    for _ in range(spin):
        pass
    program.send_signal(signal.SIGKILL)
    end(program, -signal.SIGKILL)


def end(program: subprocess.Popen[bytes], code: int) -> None:
    """Wait for a program, which ends like this."""
    _, errors = program.communicate(timeout=60)
    assert program.returncode == code, errors.decode()
    assert b"logboom" not in errors, errors.decode()


def recover(directory: Path) -> list[dict[str, Any]]:
    """Recover in this process; nothing may stand in the way."""
    rings = _logboom.recover(directory / "rings")
    assert all(ring["outcome"] in {"recovered", "empty"} for ring in rings), rings
    assert all(ring["failed"] == 0 for ring in rings), rings
    left = [name for name in os.listdir(directory / "rings") if not name.startswith("recovered-")]
    assert left == []
    return rings


def text_of(directory: Path, name: str) -> str:
    """Give a log with its numbered older files, in order."""
    numbered = re.compile(re.escape(name) + r"(?:\.(\d+))?")
    found = {}
    for path in directory.iterdir():
        match = numbered.fullmatch(path.name)
        if match:
            found[int(match[1] or 0)] = path.read_text(encoding="utf-8")
    return "".join(found[number] for number in sorted(found, reverse=True))


# What the engine says itself, of one record or of many.
NOTICE = re.compile(r"(?:recovered|dropped) \d+ records? ")
LINE = re.compile(r"(?:^|[ \"])(\d+) (\d+) (x*)(?:$|\")")


def check(directory: Path, name: str, acks: list[int], mark: str = "") -> int:
    """Count the lines of each thread: none lost, repeated or torn, in order. Give the notices."""
    text = text_of(directory, name)
    assert text == "" or text.endswith("\n"), f"torn: {text[-100:]!r}"
    counts = [0] * len(acks)
    notices = 0
    for line in text.splitlines():
        if not line.startswith(mark):
            continue
        if re.search(r"recovered \d+ records? of process", line):
            notices += 1
            continue
        match = LINE.search(line)
        assert match, f"torn: {line!r}"
        thread, number, tail = int(match[1]), int(match[2]), match[3]
        assert number == counts[thread], f"expected {counts[thread]} of {thread}: {line!r}"
        assert len(tail) == number % 50, f"torn: {line!r}"
        counts[thread] += 1
    for count, returned in zip(counts, acks, strict=True):
        # A call may have been under way.
        assert returned <= count <= returned + 1, (counts, acks)
    return notices
