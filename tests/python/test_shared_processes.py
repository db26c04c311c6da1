"""Several real processes write to one file and rotate it; lines are counted exactly.

Each process logs lines with its name and a number. ``LOGBOOM_TIMES`` is how many processes are killed
(default 20).
"""

from __future__ import annotations

import contextlib
import gzip
import os
import random
import re
import shutil
import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and flock")

TIMES = int(os.environ.get("LOGBOOM_TIMES", "20"))
LINE = re.compile(rb"(?P<who>[a-z]+\d+) (?P<number>\d+) (?P<pad>x*)\n")
OPTIONS = 'maxBytes=1_000_000, backupCount=1000, encoding="utf-8", shared=True'

# Starts with `go` on standard input.
SETUP = """
import logging, os, sys, logboom
logboom.install()
def log_lines(who, numbers):
    for n in numbers:
        log.info("%s %d %s", who, n, "x" * (n % 60))
handler = logboom.HANDLER
handler.setFormatter(logging.Formatter("%(message)s"))
log = logging.getLogger("tests")
log.addHandler(handler)
log.setLevel("INFO")
print("ready", flush=True)
sys.stdin.readline()
"""
COUNT = """
log_lines(sys.argv[1], range(int(sys.argv[2])))
"""
# Until told to end, or killed; tells how far it got once that is in the file.
TELLING = """
import threading
end = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), end.set()), daemon=True).start()
n = 0
while not end.is_set() and n < 10_000_000:
    log_lines(sys.argv[1], range(n, n + 50))
    n += 50
    handler.flush()
    print(n, flush=True)
"""
# The same, telling only in the end: nobody has to read what it tells.
ENDLESS = TELLING.replace("    print(n, flush=True)\n", "") + "print(n)\n"
ONE = """
log_lines(sys.argv[1], range(1))
handler.flush()
print(1, flush=True)
sys.stdin.readline()
"""
FORKED = """
import warnings
# Python warns of a fork with threads; that this one does no harm is what is tested.
warnings.simplefilter("ignore", DeprecationWarning)
children = []
# The writer is at it while the children are forked.
log_lines("parent0", range(int(sys.argv[2]) // 2))
for child in range(8):
    pid = os.fork()
    if pid == 0:
        log_lines(f"child{child}", range(int(sys.argv[2])))
        logging.shutdown()
        os._exit(0)
    children.append(pid)
log_lines("parent0", range(int(sys.argv[2]) // 2, int(sys.argv[2])))
for pid in children:
    assert os.waitpid(pid, 0)[1] == 0
"""


def program(handler: str, body: str) -> str:
    return SETUP.replace("HANDLER", handler) + body


def go(*processes: subprocess.Popen[str]) -> None:
    """Let them all start at once."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def end(process: subprocess.Popen[str]) -> int:
    """Let one end in its own way, and give the last number that it told."""
    try:
        out, err = process.communicate("end\n", timeout=60)
    except BrokenPipeError:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert err == ""
    numbers = out.split()
    return int(numbers[-1]) if numbers else 0


def size_of(path: Path) -> int:
    """Give the size of a file, 0 where there is none."""
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def numbered(directory: Path) -> list[Path]:
    """Give the files, the oldest first."""
    found = [path for path in directory.glob("app.log*") if path.suffix != ".lock"]
    return sorted(found, key=lambda path: -int(path.name.rpartition("log")[2].strip(".") or 0))


def read(paths: list[Path]) -> dict[str, list[int]]:
    """Give each process's numbers in the order of the file; a torn line fails the test."""
    seen: dict[str, list[int]] = {}
    for path in paths:
        for line in path.read_bytes().splitlines(keepends=True):
            match = LINE.fullmatch(line)
            assert match, f"torn, in {path.name}: {line[:200]!r}"
            number = int(match["number"])
            assert len(match["pad"]) == number % 60, f"torn, in {path.name}: {line!r}"
            seen.setdefault(match["who"].decode(), []).append(number)
    return seen


def check(seen: dict[str, list[int]], expected: dict[str, int]) -> None:
    """Each number once, and in order."""
    lost = {who: expected[who] - len(set(seen.get(who, ()))) for who in expected}
    repeated = {who: len(numbers) - len(set(numbers)) for who, numbers in seen.items()}
    assert not any(lost.values()), f"lost: {lost}"
    assert not any(repeated.values()), f"repeated: {repeated}"
    for who, numbers in seen.items():
        assert numbers == sorted(numbers), f"out of order: {who}"
    assert seen.keys() == {who for who, count in expected.items() if count}


def test_eight_started_processes_rotate_one_file(run_python, tmp_path):
    text = program(f'RotatingFileHandler("app.log", {OPTIONS})', COUNT)
    processes = [run_python.start(text, f"process{n}", "20000") for n in range(8)]
    go(*processes)
    for process in processes:
        assert process.wait(120) == 0
    paths = numbered(tmp_path)
    check(read(paths), {f"process{n}": 20_000 for n in range(8)})
    sizes = [path.stat().st_size for path in paths]
    # As full as one process would leave them.
    assert all(1_000_000 - 100 <= size < 1_000_000 for size in sizes[:-1])
    assert len(sizes) >= 7


def test_nine_forked_processes_rotate_one_file(run_python, tmp_path):
    text = program(f'RotatingFileHandler("app.log", {OPTIONS})', FORKED)
    process = run_python.start(text, "parent", "20000")
    go(process)
    end(process)
    expected = {f"child{n}": 20_000 for n in range(8)}
    check(read(numbered(tmp_path)), {**expected, "parent0": 20_000})


def test_processes_that_compress_lose_nothing(run_python, tmp_path, wait_for):
    options = 'maxBytes=20_000, backupCount=1000, encoding="utf-8", compress="gzip"'
    text = program(f'RotatingFileHandler("app.log", {options})', ENDLESS)
    processes = {f"process{n}": run_python.start(text, f"process{n}") for n in range(4)}
    go(*processes.values())
    wait_for(lambda: len([*tmp_path.glob("*.gz")]) > 20, "compressed files")
    expected = {who: end(process) for who, process in processes.items()}
    # What was left undone is done by the next one.
    last = run_python.start(program(f'RotatingFileHandler("app.log", {options})', ONE), "last0")
    go(last)
    plain = lambda: {*tmp_path.glob("app.log.[0-9]*")} - {*tmp_path.glob("*.gz")}  # noqa: E731
    wait_for(lambda: not plain(), "the rest to be compressed")
    expected["last0"] = end(last)
    for path in tmp_path.glob("*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    (tmp_path / "app.log.compressing").unlink(missing_ok=True)
    check(read(numbered(tmp_path)), expected)


@pytest.mark.parametrize("compress", [None, "gzip"])
def test_processes_that_are_killed_leave_what_others_go_on_with(run_python, tmp_path, compress):
    """Nobody's flushed line is lost, and no line is torn or repeated."""
    options = f'maxBytes=2_000, backupCount=100_000, encoding="utf-8", compress={compress!r}'
    text = program(f'RotatingFileHandler("app.log", {options}, shared=True)', TELLING)
    chance = random.Random(TIMES)
    left = TIMES if compress is None else max(1, TIMES // 4)
    round_ = 0
    while left:
        round_ += 1
        directory = run_python.directory = tmp_path / str(round_)
        directory.mkdir()
        names = iter(f"process{n}" for n in range(1000))
        alive = {who: run_python.start(text, who) for who in (next(names) for _ in range(3))}
        go(*alive.values())
        told: dict[str, int] = {}
        for _ in range(min(left, 10)):
            left -= 1
            who = chance.choice(sorted(alive))
            process = alive.pop(who)
            assert process.stdout is not None
            for _ in range(chance.randrange(1, 12)):
                told[who] = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            rest = process.communicate(timeout=60)[0].split("\n")[:-1]
            told[who] = int(rest[-1]) if rest else told[who]
            who = next(names)
            alive[who] = run_python.start(text, who)
            go(alive[who])
        whole = {who: end(process) for who, process in alive.items()}
        for path in directory.glob("*.gz"):
            assert not path.with_suffix("").exists(), "a file and its copy"
            path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        seen = read(numbered_or_copied(directory))
        for who, count in told.items():
            found = seen.pop(who)
            repeated = [n for n, times in Counter(found).items() if times > 1]
            assert not repeated, f"repeated of {who}: {repeated}"
            assert found == list(range(len(found))), f"lost of {who}, which had told {count}"
            assert len(found) >= count, f"lost of {who}: {count - len(found)}"
        check(seen, whole)


def test_processes_that_are_killed_in_large_writes_leave_no_torn_line(
    run_python, tmp_path, wait_for
):
    """The system cuts a large write short when the process is killed in it."""
    text = program(f'RotatingFileHandler("app.log", {OPTIONS})', COUNT)
    names = [f"process{n}" for n in range(6)]
    processes = [run_python.start(text, who, "500000") for who in names]
    go(*processes)

    def size() -> int:
        return sum(size_of(path) for path in numbered(tmp_path))

    for process in processes:
        enough = size() + 300_000
        wait_for(lambda enough=enough: size() > enough, "more lines")
        process.kill()
        process.wait()
    last = run_python.start(text, "last0", "10")
    go(last)
    end(last)
    seen = read(numbered(tmp_path))
    assert seen.pop("last0") == list(range(10))
    for who, numbers in seen.items():
        assert numbers == list(range(len(numbers))), f"lost, repeated or out of order: {who}"


def numbered_or_copied(directory: Path) -> list[Path]:
    """Give the files, the oldest first, but no copies."""
    kept = [path for path in directory.glob("app.log*") if path.suffix in {".gz", ".compressing"}]
    for path in kept:
        path.unlink()
    return numbered(directory)


def four(run_python, handler: str) -> dict[str, subprocess.Popen[str]]:
    """Start four processes that log without end."""
    text = program(handler, ENDLESS)
    processes = {f"process{n}": run_python.start(text, f"process{n}") for n in range(4)}
    go(*processes.values())
    return processes


EACH_HANDLER = pytest.mark.parametrize(
    "handler",
    [
        'RotatingFileHandler("app.log", encoding="utf-8", shared=True)',
        'WatchedFileHandler("app.log", encoding="utf-8")',
        'FileHandler("app.log", encoding="utf-8")',
    ],
    ids=["shared", "watched", "plain"],
)


@EACH_HANDLER
def test_logrotate_by_rename(run_python, tmp_path, wait_for, handler):
    """The file is moved away under load; a plain handler goes on with the moved one."""
    processes = four(run_python, handler)
    log = tmp_path / "app.log"
    times = 1 if handler.startswith("File") else 10
    for number in range(times):
        wait_for(lambda: size_of(log) > 10_000, "lines in a new file")
        os.rename(log, tmp_path / f"app.log.{times - number}")
    expected = {who: end(process) for who, process in processes.items()}
    check(read(numbered(tmp_path)), expected)


@EACH_HANDLER
def test_logrotate_by_copytruncate(run_python, tmp_path, wait_for, handler):
    """Lost is what is written between copy and cut, by its nature; no hole is left."""
    processes = four(run_python, handler)
    log = tmp_path / "app.log"
    copies = []
    for number in range(8):
        wait_for(lambda: log.stat().st_size > 10_000, "lines behind the cut")
        copy = tmp_path / f"copy.{number}"
        shutil.copyfile(log, copy)
        os.truncate(log, 0)
        copies.append(copy)
    expected = {who: end(process) for who, process in processes.items()}
    for copy in copies:
        # The copier may have looked in the middle of a write.
        data = copy.read_bytes()
        copy.write_bytes(data[: data.rindex(b"\n") + 1])
        assert b"\0" not in data
    assert b"\0" not in log.read_bytes()
    seen = read([*copies, log])
    for who, numbers in seen.items():
        assert numbers == sorted(set(numbers)), f"repeated or out of order: {who}"
        assert max(numbers) == expected[who] - 1
    last = read([log])
    for who, numbers in last.items():
        assert numbers == list(range(numbers[0], expected[who])), f"lost behind the cut: {who}"


def test_processes_rotate_by_time_as_one(run_python, tmp_path, wait_for):
    handler = 'TimedRotatingFileHandler("app.log", "S", utc=True, encoding="utf-8", shared=True)'
    text = program(handler, ENDLESS)
    processes = {f"process{n}": run_python.start(text, f"process{n}") for n in range(4)}
    go(*processes.values())
    wait_for(lambda: len([*tmp_path.glob("app.log.2*")]) >= 3, "three rotations")
    expected = {who: end(process) for who, process in processes.items()}
    seen = read([*sorted(tmp_path.glob("app.log.2*")), tmp_path / "app.log"])
    check(seen, expected)
