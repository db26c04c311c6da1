"""Kills by the hundred: `make test-torture`, `KILLS=1000` for more. `test_durable.py` has twenty."""

from __future__ import annotations

import os
import random
import sys

import pytest
from tests.python import killing

KILLS = int(os.environ.get("KILLS", "0"))

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="rings lie in files on Linux only"),
    pytest.mark.skipif(KILLS == 0, reason="`make test-torture` runs it"),
]

# A few more ways for what is logged to be under way.
BODIES = {
    "endless": (killing.ENDLESS, 1),
    "threads": (killing.THREADS, 4),
    "bursts": (
        """
n = 0
while True:
    lines(0, 200, n)
    n += 200
    time.sleep(0.0005 * (n % 7))
""",
        1,
    ),
    "flushed": (
        """
n = 0
while True:
    lines(0, 100, n)
    n += 100
    logboom.flush()
""",
        1,
    ),
    "reconfigured": (
        """
threading.Thread(target=lines, args=(0, 10**9), daemon=True).start()
n = 0
while True:
    n += 1
    logboom.configure(capacity_bytes=65536 << (n % 5))
""",
        1,
    ),
    "reopened": (
        """
n = 0
while True:
    lines(0, 500, n)
    n += 500
    for handler in list(logger.handlers):
        pattern = handler.formatter
        logger.removeHandler(handler)
        handler.close()
        add(logboom.FileHandler(handler.baseFilename), pattern)
""",
        1,
    ),
    "large among them": (
        """
n = 0
while True:
    lines(0, 50, n)
    n += 50
    logging.getLogger("app.large").info("%s", "y" * 30_000)
""",
        1,
    ),
}


@pytest.mark.parametrize("kill", range(KILLS))
def test_no_kill_loses_repeats_or_tears_a_line(tmp_path, kill):
    chance = random.Random(f"torture {kill}")
    kind = chance.choice(sorted(BODIES))
    body, threads = BODIES[kind]
    simple = ["file", "dated", "json"]
    handlers = chance.choice(simple if kind == "reopened" else [*simple, "rotating", "watched"])
    options = {"capacity_bytes": chance.choice([65_536, 1 << 18, 4 << 20])}
    program, memory = killing.start(tmp_path, handlers, body, options=options)
    # Each large one waits for the writer.
    count = 10 ** chance.uniform(0, 3 if kind == "large among them" else 4.5)
    killing.kill_at(program, memory, int(count), chance.randrange(50_000))
    acks = killing.acknowledged(memory, threads)
    killing.recover(tmp_path)
    without = tmp_path / "app.log"
    if kind == "large among them":
        for path in tmp_path.glob("app.log*"):
            lines = path.read_text().splitlines(keepends=True)
            large = [line for line in lines if "yyyy" in line]
            assert all(line.count("y" * 30_000) == 1 for line in large)
            path.write_text("".join(line for line in lines if "yyyy" not in line))
    assert without.exists() or acks == [0] * threads
    killing.check(tmp_path, "app.log", acks)
