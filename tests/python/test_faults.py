"""Faults of the machine, for real: full and limited disks, no descriptors, no threads, pipes that nobody
reads, streams that are closed, directories that go away, reconfiguration without end.

Whatever happens, the program goes on; what failed is counted exactly; once the fault is over, lines
arrive whole; standard error gets at most one report a second.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="limits and devices are Linux's"
)

SET_UP = """
import fcntl, json, logging, os, resource, shutil, signal, sys, threading, time
import logboom
logboom.install()
logger = logging.getLogger("app")
logger.propagate = False
logger.setLevel(10)

def say(text):
    os.write(2, (text + "\\n").encode())

def check(submitted=None):
    stats = logboom.stats().as_dict()
    names = ["written", "dropped", "rejected", "failed", "filtered", "pending"]
    for counts in [stats, *stats["routes"]]:
        assert counts["submitted"] == sum(counts[name] for name in names), counts
    assert submitted is None or stats["submitted"] == submitted, stats
    return stats

def whole(*paths):
    "The numbers of the lines in these files, each of which must be whole."
    numbers = []
    for path in paths:
        text = open(path).read() if os.path.exists(path) else ""
        assert text == "" or text.endswith("\\n"), text[-100:]
        for line in text.splitlines():
            number, rest = line.split(" ", 1)
            assert rest == "x" * 100, line
            numbers.append(int(number))
    assert numbers == sorted(set(numbers)), numbers
    return numbers

count = 0
def log(n):
    global count
    for _ in range(n):
        logger.info("%d %s", count, "x" * 100)
        count += 1
"""

FULL_THEN_FREED = """
handler = logboom.FileHandler(path)
logger.addHandler(handler)
log(2000)
assert logboom.flush(60) is False
stats = check(2000)
failed = stats["failed"]
assert failed > 0 and stats["written"] > 0
assert stats["pending"] <= 1               # a line of which the disk took the beginning
free()
first = count
log(100)
assert logboom.flush(60) is True
stats = check(2100)
numbers = whole(*files)
assert stats["written"] == len(numbers) == 2100 - stats["failed"], (stats, len(numbers))
assert stats["failed"] == failed
assert numbers[-100:] == list(range(first, first + 100))
handler.close()
"""


@pytest.fixture
def small_disk(tmp_path):
    """Give a file system of 64 KiB, where the machine lets us mount one."""
    directory = tmp_path / "small"
    directory.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(directory)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("may not mount a file system")
    yield directory
    subprocess.run(["umount", "-l", str(directory)], check=True)


def test_a_disk_that_is_full_and_then_freed(run_python, small_disk):
    outcome = run_python(
        SET_UP
        + f"""
path = {str(small_disk / "app.log")!r}
files = [path]
with open({str(small_disk / "ballast")!r}, "w") as ballast:
    ballast.write("x" * 30000)
def free():
    # Room for the lines to come, and for the rest of the line that was torn.
    os.remove({str(small_disk / "ballast")!r})
"""
        + FULL_THEN_FREED
    ).ok()
    assert 1 <= outcome.err.count("logboom:") <= 3, outcome.err
    assert "No space left" in outcome.err


def test_a_limit_on_the_size_of_files(run_python):
    outcome = run_python(
        SET_UP
        + """
path, files = "app.log", ["app.log"]
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_021, hard))
def free():
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
"""
        + FULL_THEN_FREED
    ).ok()
    assert "File too large" in outcome.err


def test_a_rotating_file_on_a_disk_that_is_full(run_python, small_disk):
    run_python(
        SET_UP
        + f"""
path = {str(small_disk / "app.log")!r}
handler = logboom.RotatingFileHandler(path, maxBytes=10_000, backupCount=50)
logger.addHandler(handler)
log(2000)
assert logboom.flush(60) is False
failed = check(2000)["failed"]
assert failed > 0
names = sorted(os.listdir({str(small_disk)!r}), key=lambda name: int(name.partition("log.")[2] or 0))
oldest = os.path.join({str(small_disk)!r}, names[-1])
gone = whole(oldest)
os.remove(oldest)
first = count
log(20)
assert logboom.flush(60) is True
stats = check(2020)
names = [name for name in os.listdir({str(small_disk)!r})]
names.sort(key=lambda name: -int(name.partition("log.")[2] or 0))
numbers = gone + whole(*[os.path.join({str(small_disk)!r}, name) for name in names])
assert numbers == sorted(set(numbers))
assert len(numbers) == stats["written"] == 2020 - stats["failed"], (stats, len(numbers))
assert stats["failed"] == failed
assert numbers[-20:] == list(range(first, first + 20))
"""
    ).ok()


def test_no_descriptor_is_left_to_rotate_with(run_python):
    outcome = run_python(
        SET_UP
        + """
handler = logboom.RotatingFileHandler("app.log", maxBytes=5000, backupCount=200)
watched = logboom.WatchedFileHandler("watched.log")
logger.addHandler(handler)
logger.addHandler(watched)
log(10)
assert logboom.flush(60)
held = []
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
os.rename("watched.log", "watched.old")
log(500)
logboom.flush(60)
stats = check(2 * 510)
assert (stats["written"], stats["failed"]) == (2 * 510, 0), stats
for descriptor in held:
    os.close(descriptor)
log(500)
logboom.flush(60)
assert logboom.flush(60)
handler.close()
watched.close()
stats = check(2 * 1010)
assert (stats["written"], stats["failed"]) == (2 * 1010, 0), stats
names = sorted((name for name in os.listdir() if name.startswith("app.log")),
               key=lambda name: -int(name.partition("log.")[2] or 0))
assert whole(*names) == list(range(1010))
assert len(names) > 5
assert whole("watched.old", "watched.log") == list(range(1010))
assert whole("watched.log"), "it follows again"
"""
    ).ok()
    assert "Too many open files" in outcome.err


def test_a_directory_that_is_removed_and_made_again(run_python):
    run_python(
        SET_UP
        + """
os.mkdir("logs")
handlers = [
    logboom.FileHandler("logs/plain.log"),
    logboom.RotatingFileHandler("logs/rotating.log", maxBytes=3000, backupCount=20),
    logboom.WatchedFileHandler("logs/watched.log"),
]
for handler in handlers:
    logger.addHandler(handler)
log(50)
assert logboom.flush(60)
shutil.rmtree("logs")
log(50)
logboom.flush(60)
stats = check(300)
assert stats["failed"] == 0 and stats["written"] == 300, stats   # into files without a name
os.mkdir("logs")
first = count
log(50)
logboom.flush(60)
log(50)
assert logboom.flush(60)
for name in ("rotating.log", "watched.log"):
    numbers = whole(*[f"logs/{name}.{n}" for n in range(20, 0, -1)], f"logs/{name}")
    assert numbers[-50:] == list(range(first + 50, first + 100)), (name, numbers)
assert check(600)["failed"] == 0
"""
    ).ok()


def test_where_no_thread_can_be_started_callers_write(run_python, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody who has no thread left")
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents:
        if parent.stat().st_uid == os.getuid() and str(parent).startswith("/tmp/"):
            parent.chmod(parent.stat().st_mode | 0o711)
    outcome = run_python(
        SET_UP
        + """
os.setresgid(61234, 61234, 61234)
os.setresuid(61234, 61234, 61234)
logboom.configure(capacity_bytes=65536)
handler = logboom.FileHandler("app.log")
logger.addHandler(handler)
soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
resource.setrlimit(resource.RLIMIT_NPROC, (0, hard))
log(3000)
assert logboom.flush(60)
stats = check(3000)
assert (stats["written"], stats["native_threads"]) == (3000, 0), stats
resource.setrlimit(resource.RLIMIT_NPROC, (soft, hard))
deadline = time.monotonic() + 60
while logboom.stats().native_threads == 0 and time.monotonic() < deadline:
    log(1)
assert logboom.stats().native_threads == 1
assert logboom.flush(60)
assert whole("app.log") == list(range(count))
check(count)
"""
    ).ok()
    assert "cannot start thread `logboom-writer`" in outcome.err


def test_a_non_blocking_standard_output_whose_reader_is_slow(run_python):
    program = run_python.start(
        SET_UP
        + """
flags = fcntl.fcntl(1, fcntl.F_GETFL)
fcntl.fcntl(1, fcntl.F_SETFL, flags | os.O_NONBLOCK)
logger.addHandler(logboom.StreamHandler(sys.stdout))
log(5000)
assert logboom.flush(60)
stats = check(5000)
assert (stats["written"], stats["failed"]) == (5000, 0), stats
say("done")
"""
    )
    lines = program.stdout.read().splitlines()
    assert program.wait(60) == 0, program.stderr.read()
    assert lines == [f"{n} {'x' * 100}" for n in range(5000)]


def test_a_reader_that_went_away(run_python):
    program = run_python.start(
        SET_UP
        + """
logger.addHandler(logboom.StreamHandler(sys.stdout))
logger.addHandler(logboom.FileHandler("app.log"))
log(1)
assert logboom.flush(60)
say("read and close")
sys.stdin.readline()
log(1000)
assert logboom.flush(60) is False
stats = check(2002)
assert (stats["written"], stats["failed"]) == (1002, 1000), stats
assert whole("app.log") == list(range(1001))
logger.handlers[0].close()
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
"""
    )
    assert program.stderr.readline() == "read and close\n"
    assert program.stdout.readline() == f"0 {'x' * 100}\n"
    program.stdout.close()
    program.stdin.write("go on\n")
    program.stdin.flush()
    error = program.stderr.read()
    assert program.wait(60) == 0, error
    assert "Broken pipe" in error
    assert error.count("logboom:") <= 3, error


def test_standard_streams_that_are_closed_and_whose_numbers_a_log_file_must_not_get(run_python):
    run_python(
        SET_UP
        + """
failing = logboom.FileHandler("/dev/full")
keep = os.open(os.devnull, os.O_RDONLY)
os.close(1)
os.close(2)
# The library's own file gets one of the two numbers, as it would without us; the writer's does not.
rotating = logboom.RotatingFileHandler("app.log", maxBytes=3000, backupCount=100)
logger.addHandler(rotating)
taken = {number for number in (1, 2) if os.path.exists(f"/proc/self/fd/{number}")}
log(200)
assert logboom.flush(60)
now = {number for number in (1, 2) if os.path.exists(f"/proc/self/fd/{number}")}
assert now <= taken, (taken, now)
names = sorted((name for name in os.listdir() if name.startswith("app.log")),
               key=lambda name: -int(name.partition("log.")[2] or 0))
assert whole(*names) == list(range(200))
check(200)
os._exit(0)
"""
    ).ok()


def test_a_standard_error_that_is_closed_is_no_fault(run_python):
    run_python(
        SET_UP
        + """
logger.addHandler(logboom.FileHandler("/dev/full"))
logger.addHandler(logboom.FileHandler("app.log"))
os.close(2)
log(1000)
assert logboom.flush(60) is False
stats = check(2000)
assert (stats["written"], stats["failed"]) == (1000, 1000), stats
assert whole("app.log") == list(range(1000))
sys.stderr = None
"""
    )


def test_a_standard_error_that_nobody_reads_holds_nothing_up(run_python):
    program = run_python.start(
        SET_UP
        + """
fcntl.fcntl(2, fcntl.F_SETFL, fcntl.fcntl(2, fcntl.F_GETFL) | os.O_NONBLOCK)
try:
    while True:
        os.write(2, b"x" * 4096)
except BlockingIOError:
    pass
fcntl.fcntl(2, fcntl.F_SETFL, fcntl.fcntl(2, fcntl.F_GETFL) & ~os.O_NONBLOCK)
logger.addHandler(logboom.FileHandler("/dev/full"))
logger.addHandler(logboom.FileHandler("app.log"))
log(1000)
assert logboom.flush(60) is False
stats = check(2000)
assert (stats["written"], stats["failed"]) == (1000, 1000), stats
assert whole("app.log") == list(range(1000))
"""
    )
    # Standard error is read only once the program has ended.
    assert program.wait(60) == 0, program.stderr.read()


def test_a_fault_that_lasts_is_told_once_a_second(run_python):
    outcome = run_python(
        SET_UP
        + """
logger.addHandler(logboom.FileHandler("/dev/full"))
handler = logboom.RotatingFileHandler("app.log", maxBytes=1000, backupCount=1)
os.makedirs("app.log.1/inside")
logger.addHandler(handler)
started = time.monotonic()
while time.monotonic() < started + 3.5:
    log(20)
    logboom.flush(60)
say("took " + str(time.monotonic() - started))
stats = check(2 * count)
assert (stats["written"], stats["failed"]) == (count, count), stats
"""
    ).ok()
    took = float(outcome.err.partition("took ")[2].split()[0])
    reports = outcome.err.count("logboom:")
    # One for each second that was begun, and the one of the end.
    assert 3 <= reports <= took + 2, outcome.err


def test_reconfiguration_without_end_loses_and_repeats_nothing(run_python):
    outcome = run_python(
        SET_UP
        + """
import random
chance = random.Random(int(sys.argv[1]))
handler = logboom.FileHandler("app.log")
handler.setFormatter(logging.Formatter("%(threadName)s %(message)s"))
logger.addHandler(handler)
over = False
def work():
    n = 0
    while not over and n < 300_000:
        logger.info("%d", n)
        n += 1
    ends[threading.current_thread().name] = n
ends = {}
threads = [threading.Thread(target=work, name=f"t{n}", daemon=True) for n in range(3)]
for thread in threads: thread.start()
children = []
for n in range(300):
    logboom.configure(
        capacity_bytes=65536 << chance.randrange(4),
        overflow=chance.choice(["block", "sample"]),
        notice_interval=chance.choice([0.001, 1.0]),
    )
    if n % 30 == 0:
        child = os.fork()
        if child == 0:
            own = logboom.FileHandler(f"child{n}.log")
            logger.handlers[:] = [own]
            for m in range(100):
                logboom.configure(capacity_bytes=65536 << chance.randrange(4))
                logger.warning("%d", m)
            assert logboom.flush(60)
            os._exit(open(f"child{n}.log").read() != "".join(f"{m}\\n" for m in range(100)))
        children.append(child)
    check()
for child in children:
    assert os.waitpid(child, 0)[1] == 0
# From here on nothing may be dropped for certain.
over = True
for thread in threads: thread.join()
assert logboom.flush(60)
stats = check()
names = [open(f"/proc/self/task/{t}/comm").read().strip() for t in os.listdir("/proc/self/task")]
assert names.count("logboom-writer") == 1, names
found = {}
lines = 0
for line in open("app.log"):
    name, _, number = line.rstrip("\\n").partition(" ")
    if name == "dropped" or "dropped " in line:
        continue
    assert int(number) > found.get(name, -1), (line, found[name])
    found[name] = int(number)
    lines += 1
assert lines == stats["written"] and stats["submitted"] == sum(ends.values()), (lines, stats, ends)
assert stats["failed"] == stats["rejected"] == stats["pending"] == 0, stats
""",
        "1",
    )
    outcome.ok()


def test_what_a_file_cannot_be_opened_for_is_the_programs_to_know(run_python):
    run_python(
        SET_UP
        + """
for handler in (logboom.FileHandler, logboom.RotatingFileHandler, logboom.WatchedFileHandler):
    for path, error in (("missing/app.log", FileNotFoundError), (".", IsADirectoryError)):
        try:
            handler(path)
        except error:
            pass
        else:
            raise AssertionError((handler, path))
assert check(0)["routes"] == []
"""
    ).ok()


@pytest.mark.parametrize("handler", ["FileHandler", "RotatingFileHandler", "WatchedFileHandler"])
def test_no_descriptor_is_left_for_the_writer(run_python, handler):
    outcome = run_python(
        SET_UP
        + """
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
held = []
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
os.close(held.pop())
# One descriptor is left: enough for the library's stream, not for the writer's.
logger.addHandler(getattr(logboom, sys.argv[1])("app.log"))
log(5)
for descriptor in held:
    os.close(descriptor)
assert whole("app.log") == list(range(5)), "the library wrote them"
check(0)
log(5)
assert logboom.flush(60)
assert whole("app.log") == list(range(10))
check(5)
""",
        handler,
    ).ok()
    assert outcome.err == ""
