"""``LOGBOOM_LEVEL_FILE``: every process follows it, idle ones too, and no file does harm."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest
from tests.python.conftest import wait_until_blocked

from logboom import _level_file
from logboom._level_file import LevelFile

UMASK = os.umask(0)
os.umask(UMASK)

# Two workers, forked and spawned, and their parent; each says its levels whenever they change, and
# does nothing else.
SERVICE = """
    import logging, multiprocessing, os, signal, sys, threading
    import logboom

    def follow(name):
        logboom.install()
        logger = logging.getLogger("app.db")
        changed = threading.Event()
        said = None
        while True:
            now = f"{name} {logging.root.level} {logger.level}"
            if now != said:
                said = now
                print(now, flush=True)
            if changed.wait(0.01):
                return

    if __name__ == "__main__":
        logboom.install()
        if os.fork() == 0:
            follow("forked")
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
        follow("parent")
"""
SPAWNED = SERVICE.split("if __name__")[0].replace("\n    ", "\n") + "\nfollow('spawned')\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_every_process_of_a_service_follows_the_file(run_python, tmp_path, wait_for):
    path = tmp_path / "levels"
    # From 3.12 on the interpreter warns of forks in a process that has threads.
    quiet = {"PYTHONWARNINGS": "ignore::DeprecationWarning"}
    given = {"LOGBOOM_LEVEL_FILE": "levels", "LOGBOOM_LEVEL": "error"}
    service = run_python.start(SERVICE, SPAWNED, **given, **quiet)
    os.set_blocking(service.stdout.fileno(), False)
    read: list[str] = []

    def all_say(levels: str) -> bool:
        with contextlib.suppress(BlockingIOError):
            read.append(os.read(service.stdout.fileno(), 65536).decode())
        said = "".join(read).split("\n")[:-1]
        last = dict(line.split(" ", 1) for line in said)
        return [last.get(name) for name in ("parent", "forked", "spawned")] == [levels] * 3

    try:
        wait_for(lambda: all_say("40 0"), "the environment")
        path.write_text("app.db=debug\n")
        wait_for(lambda: all_say("40 10"), "the first change")
        # Of the same length, right after it.
        path.write_text("app.db=error\n")
        wait_for(lambda: all_say("40 40"), "the second change")
        other = tmp_path / "other"
        other.write_text("info # all\napp.db=error\n")
        os.replace(other, path)
        wait_for(lambda: all_say("20 40"), "the third change")
        path.unlink()
        wait_for(lambda: all_say("40 0"), "the end of the file")
    finally:
        pids = [int(pid) for pid in children(service.pid)]
        service.kill()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    service.wait()
    assert service.stderr.read() == ""


def children(pid: int) -> list[str]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return file.read().split()


def test_it_holds_one_thread_that_is_idle_and_ends_with_uninstall(run_python, tmp_path):
    (tmp_path / "levels").write_text("app=debug")
    run_python(
        """
        import logging, threading, time, logboom
        logboom.install()
        assert logging.getLogger("app").level == 10
        names = [thread.name for thread in threading.enumerate()]
        assert names == ["MainThread", "logboom-lane"], names
        logboom.uninstall()
        assert logging.getLogger("app").level == 0
        threading.enumerate()[1].join(30)
        assert len(threading.enumerate()) == 1
        """,
        LOGBOOM_LEVEL_FILE="levels",
    ).ok()


@pytest.fixture
def told():
    return []


@pytest.fixture
def file(tmp_path, told, monkeypatch):
    monkeypatch.setattr(_level_file, "_QUIET", 0.0)
    return LevelFile(str(tmp_path / "levels"), told.append)


def write(file, content, *, at=None):
    with open(file.path, "wb") as out:
        out.write(content)
    if at is not None:
        os.utime(file.path, (at, at))


def test_a_change_is_seen_though_time_and_size_stay(file):
    assert not file.look()
    write(file, b"a=10")
    assert file.look()
    assert not file.look()
    before = os.stat(file.path)
    write(file, b"a=20")
    os.utime(file.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.look()
    assert file.levels == {"a": 20}


def test_an_old_file_is_not_read_again(file, monkeypatch):
    write(file, b"a=10", at=1_000_000_000)
    assert file.look()
    monkeypatch.setattr(os, "open", None)
    for _ in range(3):
        assert not file.look()


def test_what_is_wrong_is_told_once_it_stays(file, told):
    write(file, b"a=deb")
    file.look()
    write(file, b"a=debug,b=5")
    assert file.look()
    file.look()
    assert told == []
    write(file, b"a=deb,b=5")
    assert file.look()
    assert file.levels == {"b": 5}
    for _ in range(3):
        file.look()
    assert told == ["`a=deb`: expected a level's name or number behind `=`"]


def make_directory(path):
    os.mkdir(path)


def make_fifo(path):
    os.mkfifo(path)


def make_huge(path):
    with open(path, "wb") as out:
        out.truncate(1 << 40)


def make_binary(path):
    with open(path, "wb") as out:
        out.write(bytes(range(256)))


def make_long(path):
    with open(path, "wb") as out:
        out.write(b"a=debug," * 10_000)


def make_device(path):
    os.symlink("/dev/zero", path)


def make_loop(path):
    os.symlink(path, path)


def make_noise(path):
    with open(path, "w") as out:
        out.write("\x1b[2J\r=\0,,,=,a=\u202e\n" * 1000)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (make_directory, "it is no regular file"),
        (make_fifo, "it is no regular file"),
        (make_device, "it is no regular file"),
        (make_huge, "got more than 65536 bytes, expected at most as many"),
        (make_long, "got more than 65536 bytes, expected at most as many"),
        (make_binary, "it is no text in UTF-8"),
        (make_loop, ""),
        (make_noise, None),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
def test_hostile_files_do_no_harm(file, told, make, problem):
    write(file, b"a=10")
    file.look()
    os.unlink(file.path)
    make(file.path)
    begun = time.monotonic()
    for _ in range(3):
        file.look()
    assert file.levels == {}
    if problem is None:
        assert len(told) == 1
        assert told[0].isprintable()
        assert len(told[0]) < 1000
    else:
        assert told == [problem] * bool(problem)
    assert time.monotonic() - begun < 30
    (os.rmdir if make is make_directory else os.unlink)(file.path)
    write(file, b"a=20")
    assert file.look()
    assert file.levels == {"a": 20}


def test_a_file_that_cannot_be_read_says_nothing(file, told):
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    write(file, b"a=10")
    os.chmod(file.path, 0)
    for _ in range(2):
        file.look()
    assert (file.levels, told) == ({}, ["it cannot be read: Permission denied"])


def test_reports_are_rare(file, told, monkeypatch):
    monkeypatch.setattr(_level_file, "_QUIET", 3600.0)
    for number in range(20):
        write(file, b"a=loud%d" % number)
        file.look()
        file.look()
    assert len(told) == 1


def command(*arguments, **options):
    given = [sys.executable, "-m", "logboom", "levels", *map(str, arguments)]
    return subprocess.Popen(
        given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def test_the_command_shows_and_sets(tmp_path):
    path = tmp_path / "levels"
    assert command(path, "info,app.db=debug").communicate(timeout=60) == ("", "")
    assert path.read_text() == "info,app.db=debug"
    assert path.stat().st_mode & 0o777 == 0o666 & ~UMASK
    assert command(path).communicate(timeout=60) == ("app.db=DEBUG\nroot=INFO\n", "")
    path.chmod(0o640)
    path.write_text("app=loud,x=5")
    assert command(path, "warning", "--for", "0.001").communicate(timeout=60)[0] == ""
    assert path.read_text() == "app=loud,x=5"
    assert path.stat().st_mode & 0o777 == 0o640
    for wrong in (["a=loud"], ["info", "--for", "0"], ["--for", "5"]):
        refused = command(path, *wrong)
        assert refused.communicate(timeout=60)[1].startswith("logboom: ")
        assert refused.returncode == 1
    assert path.read_text() == "app=loud,x=5"
    assert os.listdir(tmp_path) == ["levels"]


def test_the_command_puts_back_what_was_there_when_it_is_interrupted(tmp_path, wait_for):
    path = tmp_path / "levels"
    waiting = command(
        path,
        "debug",
        "--for",
        3600,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    wait_for(path.exists, "the file")
    wait_until_blocked(waiting.pid)
    waiting.send_signal(signal.SIGINT)
    assert waiting.communicate(timeout=60) == ("", "")
    assert path.read_text() == ""
