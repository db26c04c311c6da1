"""A full ring: each policy's promise, held against a reader that stalls, with exact counts.

The program under test writes to its standard output, a pipe of which the test reads when it likes; so
the ring fills up for certain. What is checked inside the program is printed to its standard error.
"""

from __future__ import annotations

import itertools
import re
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from tests.python.conftest import wait_until_blocked

if TYPE_CHECKING:
    import subprocess

SET_UP = """
import asyncio, json, logging, os, signal, sys, threading, time
import logboom
logboom.install()
logboom.configure(**{options})
logger = logging.getLogger("app")
logger.setLevel(10)
logger.addHandler(logboom.StreamHandler(sys.stdout))

def say(text):
    os.write(2, (text + "\\n").encode())

def fill(level=logging.INFO):
    "Log until the sink holds the writer up and nothing is taken any more."
    n = 0
    while True:
        logger.log(level, "%d %s", n, "x" * 200)
        n += 1
        stats = logboom.stats().as_dict()
        if stats["dropped"] or stats["ring"]["used_bytes"] > 0.7 * stats["ring"]["capacity_bytes"]:
            return n

def check():
    stats = logboom.stats().as_dict()
    names = ["written", "dropped", "rejected", "failed", "filtered", "pending"]
    for counts in [stats, *stats["routes"]]:
        assert counts["submitted"] == sum(counts[name] for name in names), counts
    return stats
"""


def program(options: dict, code: str) -> str:
    """Give a program whose engine has these options and a small ring."""
    return SET_UP.replace("{options}", repr({"capacity_bytes": 65536, **options})) + code


def finish(running: subprocess.Popen[str]) -> tuple[str, str]:
    """Read everything that a program has left to say, standard output first; it ends well.

    ``communicate`` would not do: it forgets what a ``readline`` before it has read ahead.
    """
    deadline = threading.Timer(60, running.kill)
    deadline.start()
    out, err = running.stdout.read(), running.stderr.read()
    code = running.wait()
    deadline.cancel()
    assert code == 0, err
    return out, err


def told(lines: list[str]) -> list[tuple[int, dict[str, int]]]:
    """Give what notices say: how many, and of which levels."""
    found = []
    for line in lines:
        one = re.fullmatch(
            r"dropped (\d+) records? since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \((.*)\): "
            r"ring full, capacity 65536 bytes",
            line,
        )
        if one:
            levels = dict(part.split(" ") for part in one[2].split(", "))
            found.append((int(one[1]), {name: int(n) for name, n in levels.items()}))
    return found


def test_drop_oldest_keeps_the_newest(run_python):
    running = run_python.start(
        program(
            {"overflow": "drop_oldest", "notice_interval": 0.01},
            """
for n in range(20000):
    logger.info("%d %s", n, "x" * 50)
    if n % 1000 == 0:
        check()
stats = check()
say(json.dumps([stats["submitted"], stats["dropped"]]))
assert logboom.flush(60)
say(json.dumps(check()))
""",
        )
    )
    submitted, dropped = map(int, re.findall(r"\d+", running.stderr.readline()))
    assert submitted == 20000
    assert dropped > 0
    out, err = finish(running)
    lines = out.splitlines()
    numbers = [int(line.split()[0]) for line in lines if line.endswith("x" * 50)]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 19999
    gaps = [b - a for a, b in itertools.pairwise(numbers) if b != a + 1]
    assert gaps, (
        "what was dropped is from the middle: older than the end, newer than what was written"
    )
    assert sum(count for count, _ in told(lines)) == 20000 - len(numbers) == dropped
    assert f'"written": {len(numbers)}' in err


def test_sample_drops_what_is_below_a_warning(run_python):
    running = run_python.start(
        program(
            {"overflow": "sample", "block_timeout": 0},
            """
for n in range(5000):
    logger.debug("debug %d %s", n, "x" * 50)
    logger.info("info %d %s", n, "x" * 50)
    if n % 50 == 0:
        logger.warning("warning %d", n)
stats = check()
say("full")
assert logboom.flush(60)
say(json.dumps(check()))
""",
        )
    )
    assert running.stderr.readline() == "full\n"
    out, _err = finish(running)
    lines = out.splitlines()
    warnings = [int(line.split()[1]) for line in lines if line.startswith("warning ")]
    assert warnings == list(range(0, 5000, 50)), "not one of them was dropped"
    count = {name: sum(line.startswith(name) for line in lines) for name in ("debug", "info")}
    levels: dict[str, int] = {}
    for _, parts in told(lines):
        for name, n in parts.items():
            levels[name] = levels.get(name, 0) + n
    assert levels == {"DEBUG": 5000 - count["debug"], "INFO": 5000 - count["info"]}


def test_blocked_threads_go_on_in_the_order_in_which_they_came(run_python):
    running = run_python.start(
        program(
            {"overflow": "block"},
            """
# The pipe is full before the first line: the writer writes nothing, and makes no room.
os.set_blocking(1, False)
for piece in (b"\\n" * 4096, b"\\n"):
    try:
        while True: os.write(1, piece)
    except BlockingIOError: pass
os.set_blocking(1, True)
def work(n):
    # Longer than what fills the ring: what room is left is none for these.
    logger.info("waited %d %s", n, "x" * 700)
threads = []
def waiting():
    return logboom.stats().as_dict()["ring"]["waiting_callers"]
filler = threading.Thread(target=lambda: [logger.info("x" * 500) for _ in range(2000)])
filler.start()
while waiting() == 0:
    time.sleep(0.001)
for n in range(20):
    threads.append(threading.Thread(target=work, args=(n,)))
    threads[-1].start()
    while waiting() < n + 2:
        time.sleep(0.001)
check()
say("waiting")
# The main thread, whose calls handle signals in between, waits as well.
work(20)
for thread in [filler, *threads]:
    thread.join()
""",
        )
    )
    assert running.stderr.readline() == "waiting\n"
    wait_until_blocked(running.pid)
    out, _err = finish(running)
    waited = [int(line.split()[1]) for line in out.splitlines() if line.startswith("waited ")]
    assert waited == list(range(21))


SIGNALS = """
import itertools
numbers = itertools.count()
def on_alarm(*_):
    # Another may come in the middle, so the number is taken in one step.
    number = next(numbers)
    logger.info("signal %d", number)
    if number % 10 == 9:
        say("handled ten")
signal.signal(signal.SIGALRM, on_alarm)
signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
say("filling")
for n in range(4000):
    logger.info("line %d %s", n, "x" * 200)
signal.setitimer(signal.ITIMER_REAL, 0)
assert logboom.flush(60)
stats = check()
say(json.dumps([next(numbers), stats["written"], stats["dropped"]]))
"""


def test_signal_handlers_that_log_while_their_thread_waits_for_room(run_python):
    running = run_python.start(program({"overflow": "block"}, SIGNALS))
    assert running.stderr.readline() == "filling\n"
    # Nobody reads: the call soon waits, and signals come on.
    for _ in range(4):
        assert running.stderr.readline() == "handled ten\n"
    first = running.stdout.readline()
    assert running.stderr.readline() == "handled ten\n"
    out, err = finish(running)
    handled, written, dropped = map(int, re.findall(r"\d+", err.splitlines()[-1]))
    lines = [first.rstrip("\n"), *out.splitlines()]
    assert dropped == 0
    assert handled >= 50
    assert written == len(lines) == handled + 4000
    plain = [int(line.split()[1]) for line in lines if line.startswith("line ")]
    assert plain == list(range(4000))
    signals = [int(line.split()[1]) for line in lines if line.startswith("signal ")]
    assert sorted(signals) == list(range(handled)), "each once"


def test_a_signal_handler_that_forks_while_its_thread_waits_for_room(run_python):
    running = run_python.start(
        program(
            {"overflow": "block"},
            """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)     # of a fork beside other threads, since 3.12
children = []
def on_signal(*_):
    child = os.fork()
    if child:
        children.append(child)
        say("forked")
        return
    logger.handlers[0].close()
    logger.handlers[:] = [logboom.FileHandler("child.log")]
    logger.info("from the handler")
signal.signal(signal.SIGUSR1, on_signal)
parent = os.getpid()
for n in range(2000):
    logger.info("line %d %s", n, "x" * 200)
    if os.getpid() != parent:
        logboom.flush(30)
        os._exit(7)
say("parent done")
assert os.waitpid(children[0], 0)[1] == 7 << 8
""",
        )
    )
    wait_until_blocked(running.pid)
    running.send_signal(signal.SIGUSR1)
    assert running.stderr.readline() == "forked\n"
    out, _err = finish(running)
    numbers = [int(line.split()[1]) for line in out.splitlines()]
    assert numbers == list(range(2000))
    child = (run_python.directory / "child.log").read_text().splitlines()
    assert child[0] == "from the handler"


def test_a_call_that_waits_outlives_changes_of_the_ring(run_python):
    running = run_python.start(
        program(
            {"overflow": "block"},
            """
over = False
def change():
    n = 0
    told = False
    while not over:
        try:
            logboom.configure(capacity_bytes=65536 << n % 2)
        except logboom.LogboomError:
            # Eight rings are full, and nobody reads.
            if not told:
                say("changed")
            told = True
        n += 1
thread = threading.Thread(target=change, daemon=True)
thread.start()
for n in range(5000):
    logger.info("%d %s", n, "x" * 200)
over = True
thread.join()
""",
        )
    )
    assert running.stderr.readline() == "changed\n"
    out, _err = finish(running)
    assert [int(line.split()[0]) for line in out.splitlines()] == list(range(5000))


EVENT_LOOP = """
async def main():
    n = 0
    for n in range(3000):
        logger.info("%d %s", n, "x" * 200)
    say("went on")
    return n + 1
count = asyncio.run(main())
stats = check()
say(json.dumps([count, stats["submitted"], stats["dropped"]]))
assert logboom.flush(60)
"""


def test_a_call_on_an_event_loop_can_be_told_not_to_block(run_python):
    options = {"overflow": "block", "block_on_event_loop": False}
    running = run_python.start(program(options, EVENT_LOOP))
    assert running.stderr.readline() == "went on\n"
    count, submitted, dropped = map(int, re.findall(r"\d+", running.stderr.readline()))
    assert count == submitted == 3000
    assert dropped > 0
    out, _err = finish(running)
    lines = out.splitlines()
    assert sum(line.endswith("x") for line in lines) == 3000 - dropped
    assert sum(n for n, _ in told(lines)) == dropped


def test_other_threads_block_while_an_event_loop_does_not(run_python):
    running = run_python.start(
        program(
            {"overflow": "block", "block_on_event_loop": False},
            """
def work():
    for n in range(1000):
        logger.info("thread %d %s", n, "x" * 200)
async def main():
    worker = asyncio.get_running_loop().run_in_executor(None, work)
    n = 0
    while not logboom.stats().dropped:
        logger.info("loop %d %s", n, "x" * 200)
        n += 1
        await asyncio.sleep(0)
    say("dropped")
    await worker
asyncio.run(main())
say(json.dumps(check()["dropped"]))
""",
        )
    )
    assert running.stderr.readline() == "dropped\n"
    out, _err = finish(running)
    numbers = [int(line.split()[1]) for line in out.splitlines() if line.startswith("thread")]
    assert numbers == list(range(1000))


def test_a_call_on_an_event_loop_blocks_unless_told_otherwise(run_python):
    running = run_python.start(program({"overflow": "block"}, EVENT_LOOP))
    wait_until_blocked(running.pid)
    out, _err = finish(running)
    assert len(out.splitlines()) == 3000


def test_notices_keep_their_distance_while_the_load_lasts(run_python):
    running = run_python.start(
        program(
            {"overflow": "drop_newest", "notice_interval": 0.2},
            """
def work(name):
    end = time.monotonic() + 1.5
    n = 0
    while time.monotonic() < end:
        logger.info("%s %d %s", name, n, "x" * 50)
        n += 1
threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
started = time.monotonic()
for thread in threads: thread.start()
for thread in threads: thread.join()
took = time.monotonic() - started
stats = check()
assert logboom.flush(60)
say(json.dumps([stats["dropped"], took, logboom.stats().notices_total]))
""",
        )
    )
    out, err = finish(running)
    dropped, took, notices = map(float, re.findall(r"[\d.]+", err))
    found = told(out.splitlines())
    assert sum(n for n, _ in found) == dropped > 0
    assert all(sum(levels.values()) == n for n, levels in found)
    # One for each interval that went by, and the one of the flush.
    assert 2 <= len(found) == notices <= took / 0.2 + 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("overflow", ["block", "drop_newest", "drop_oldest", "sample"])
def test_memory_stays_bounded_in_each_policy(run_python, overflow):
    running = run_python.start(
        program(
            {"overflow": overflow, "capacity_bytes": 4 << 20, "block_timeout": 0.0005},
            """
def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
logger.info("warm")
logger.warning("warm")
assert logboom.flush(60)
most = before = rss()
for n in range(120000):
    logger.log(20 + n % 2 * 10, "%d %s", n, "x" * 200)
    if n % 500 == 0:
        most = max(most, rss())
most = max(most, rss())
stats = check()
say(json.dumps([most - before, stats["dropped"]]))
os._exit(0)
""",
        )
    )
    # A slow reader: some kilobytes at a time.
    while running.poll() is None:
        if not running.stdout.read(4096):
            break
        time.sleep(0.001)
    grown, dropped = map(int, re.findall(r"-?\d+", running.stderr.read()))
    assert dropped > 0
    assert grown < (4 << 20) + (4 << 20), f"grew by {grown} bytes"


def test_options_are_told_and_checked(run_python):
    run_python("""
        import logboom
        from logboom import _logboom
        assert _logboom.options()["block_on_event_loop"] is True
        for overflow in ("block", "drop_newest", "drop_oldest", "sample"):
            logboom.configure(overflow=overflow)
            assert _logboom.options()["overflow"] == overflow
        logboom.configure(block_on_event_loop=False)
        assert _logboom.options()["block_on_event_loop"] is False
        for wrong in ({"overflow": "drop_all"}, {"overflow": 3}, {"block_on_event_loop": "no"},
                      {"block_on_event_loop": True, "capacity_bytes": 0}):
            try:
                logboom.configure(**wrong)
            except logboom.ConfigError as error:
                print(error)
            else:
                raise AssertionError(wrong)
        assert _logboom.options()["block_on_event_loop"] is False, "nothing was changed"
        assert _logboom.options()["overflow"] == "sample"
    """).ok()
