"""The durable ring: what a process leaves that is killed is written once, wherever it was."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading

import pytest
from tests.python import killing

import logboom
from logboom import _logboom

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="rings lie in files on Linux only")

KILLS = 20


def rings(directory):
    found = os.listdir(directory / "rings")
    return sorted(name for name in found if not name.startswith("recovered-"))


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_killed_process_loses_and_repeats_nothing(tmp_path, kill):
    chance = random.Random(f"kill {kill}")
    names = sorted(killing.HANDLERS)
    handlers = names[kill % len(names)]
    threads = 4 if kill % 3 == 2 else 1
    options = {"capacity_bytes": chance.choice([65_536, 1 << 20, 4 << 20])}
    body = killing.THREADS if threads > 1 else killing.ENDLESS
    program, memory = killing.start(tmp_path, handlers, body, options=options)
    count = int(10 ** chance.uniform(0, 4.7))
    killing.kill_at(program, memory, count, chance.randrange(20_000))
    acks = killing.acknowledged(memory, threads)
    assert rings(tmp_path) != []
    killing.recover(tmp_path)
    check(tmp_path, handlers, acks)
    # And once more, to no effect.
    assert killing.recover(tmp_path) == []
    check(tmp_path, handlers, acks)


def check(directory, handlers, acks):
    if handlers == "same twice":
        for mark in ("a ", "b "):
            killing.check(directory, "app.log", acks, mark)
        return
    killing.check(directory, "app.log", acks)
    if handlers == "two":
        killing.check(directory, "other.log", acks)


ENDS = {
    "os._exit": ("os._exit(3)", 3),
    "abort": ("os.abort()", -signal.SIGABRT),
    "segmentation fault": ("import ctypes\nctypes.string_at(0)", -signal.SIGSEGV),
    "SIGTERM by default": ("os.kill(os.getpid(), 15)\nthreading.Event().wait(60)", -signal.SIGTERM),
    "SIGKILL": ("os.kill(os.getpid(), 9)\nthreading.Event().wait(60)", -signal.SIGKILL),
    "exec": ("os.execv('/bin/true', ['true'])", 0),
}


@pytest.mark.parametrize("end", ENDS)
def test_however_it_ends_every_line_is_there_after_the_next_start(tmp_path, end):
    body, code = ENDS[end]
    program, _ = killing.start(tmp_path, "file", f"lines(0, 20_000)\n{body}")
    killing.end(program, code)
    # The next start with the same directory, which writes lines of its own behind.
    program, _ = killing.start(
        tmp_path,
        "file",
        "lines(0, 5, 20_000)\nlogboom.flush()\nassert logboom.shutdown().completed",
    )
    killing.end(program, 0)
    killing.check(tmp_path, "app.log", [20_005])
    assert rings(tmp_path) == []


def test_a_clean_end_leaves_nothing(tmp_path):
    program, _ = killing.start(tmp_path, "file", "lines(0, 1000)")
    killing.end(program, 0)
    assert rings(tmp_path) == []
    assert killing.check(tmp_path, "app.log", [1000]) == 0


# The writer hangs in a pipe that nobody reads, so that everything else stays in the ring.
HUNG = """
os.mkfifo("pipe")
reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
hung = logging.getLogger("hung")
hung.propagate = False
hung.addHandler(logboom.FileHandler("pipe"))
for _ in range(3):
    hung.warning("%s", "z" * 60_000)
while logboom.stats().as_dict()["batches_total"] == -1: pass
"""


def test_the_original_times_and_one_notice(tmp_path):
    body = HUNG + "lines(0, 3)\nprint(time.time(), flush=True)\nos._exit(0)"
    handlers = (
        "add(logboom.FileHandler('app.log'), '%(created)f %(levelname)s %(name)s %(message)s')"
    )
    program, _ = killing.start(tmp_path, handlers, body)
    killing.end(program, 0)
    [ring] = killing.recover(tmp_path)
    lines = (tmp_path / "app.log").read_text().splitlines()
    stated = [float(line.split()[0]) for line in lines]
    ended = os.stat(tmp_path / "acks").st_mtime
    assert len(lines) == 4
    assert all(stated[n] <= stated[n + 1] for n in range(3))
    assert stated[2] < ended + 60 < stated[3] + 120
    assert re.fullmatch(
        rf"[\d.]+ WARNING logboom recovered 3 records of process {ring['process']}, "
        r"which ended without a shutdown after \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
        lines[3],
    )
    places = {place["path"]: place for place in ring["places"]}
    assert places[str(tmp_path / "app.log")] == {
        "path": str(tmp_path / "app.log"),
        "instead_of": None,
        "records": 3,
        "exactly_once": True,
    }
    # What went to the pipe stands beside the ring.
    [beside] = [place for place in ring["places"] if place["instead_of"]]
    assert beside["path"] == str(tmp_path / "rings" / f"recovered-{ring['process']}.log")
    text = (tmp_path / "rings" / f"recovered-{ring['process']}.log").read_text()
    assert "z" * 60_000 in text
    assert f"they were meant for {beside['instead_of']}" in text


def test_the_command_recovers_and_tells(tmp_path):
    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "logboom", "recover", *arguments],
            cwd=tmp_path,
            env={**os.environ, "LOGBOOM_DURABLE": "rings"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    outcome = run("--json")
    assert (outcome.returncode, outcome.stderr) == (0, ""), outcome
    assert json.loads(outcome.stdout) == {"directory": "rings", "records": 0, "rings": []}
    program, memory = killing.start(tmp_path, "file", killing.ENDLESS)
    killing.kill_at(program, memory, 100, 0)
    (tmp_path / "rings" / "1-2-3-4.ring").write_bytes(b"no ring")
    os.chmod(tmp_path / "rings" / "1-2-3-4.ring", 0o600)
    outcome = run("rings", "--json")
    assert outcome.returncode == 1, outcome
    told = json.loads(outcome.stdout)
    kinds = {ring["outcome"] for ring in told["rings"]}
    assert kinds <= {"refused", "recovered", "empty"}
    assert "refused" in kinds
    killing.check(tmp_path, "app.log", killing.acknowledged(memory))
    outcome = run()
    assert outcome.returncode == 1
    assert "1-2-3-4.ring: refused: " in outcome.stdout
    assert "0 records recovered in rings" in outcome.stdout
    assert run("a directory that is not there").returncode == 0


CLOSING = """
for fd in os.listdir("/proc/self/fd"):
    if os.path.exists(f"/proc/self/fd/{fd}") and ".ring" in os.readlink(f"/proc/self/fd/{fd}"):
        os.close(int(fd))
"""


def test_a_living_process_is_left_alone(tmp_path):
    # Also one that closed the descriptor with the lock, as daemons close all that they do not know.
    for closing in ("", CLOSING):
        body = HUNG + "lines(0, 3)\n" + closing + "\nack(1, 0)\nthreading.Event().wait(120)"
        for name in ("pipe", "app.log"):
            (tmp_path / name).unlink(missing_ok=True)
        program, memory = killing.start(tmp_path, "file", body)
        while killing.acknowledged(memory, 2) != [3, 1]:
            assert program.poll() is None
        [name] = rings(tmp_path)
        [ring] = _logboom.recover(tmp_path / "rings")
        assert (ring["outcome"], ring["process"]) == ("alive", program.pid)
        assert rings(tmp_path) == [name]
        assert (tmp_path / "app.log").read_text() == ""
        program.kill()
        program.wait()
        killing.recover(tmp_path)
        assert killing.check(tmp_path, "app.log", [3]) == 1


def test_descriptors_that_were_given_to_other_files_are_left_alone(tmp_path):
    closing = """
for fd in os.listdir("/proc/self/fd"):
    if os.path.exists(f"/proc/self/fd/{fd}") and "rings" in os.readlink(f"/proc/self/fd/{fd}"):
        os.close(int(fd))
others = [open(f"other{n}", "w+b") for n in range(4)]
for other in others:
    other.write(b"x" * 6_000_000)
    other.flush()
"""
    body = f"""
lines(0, 100)
{closing}
logboom.configure(capacity_bytes=65536)
{closing}
lines(0, 100, 100)
assert logboom.shutdown().completed
for other in others:
    assert other.seek(0) == 0
    assert other.read() == b"x" * 6_000_000
"""
    program, _ = killing.start(tmp_path, "file", body)
    killing.end(program, 0)
    killing.check(tmp_path, "app.log", [200])
    assert rings(tmp_path) == []


def test_two_that_recover_at_once_write_once(tmp_path):
    acks = []
    for n in range(5):
        program, memory = killing.start(
            tmp_path, f"add(logboom.FileHandler('{n}.log'))", killing.ENDLESS
        )
        killing.kill_at(program, memory, 3000, 0)
        acks.append(killing.acknowledged(memory))
    barrier = threading.Barrier(4)

    def recover():
        barrier.wait()
        told = subprocess.run(
            [sys.executable, "-m", "logboom", "recover", "rings"],
            cwd=tmp_path,
            check=False,
            capture_output=True,
            timeout=120,
        )
        assert told.returncode == 0, told

    threads = [threading.Thread(target=recover) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n in range(5):
        assert killing.check(tmp_path, f"{n}.log", acks[n]) <= 1
    assert rings(tmp_path) == []


def test_a_recovery_that_is_killed_is_gone_on_with(tmp_path):
    chance = random.Random("recovery")
    handlers = "add(logboom.RotatingFileHandler('app.log', maxBytes=200_000, backupCount=9999))"
    for _ in range(4):
        body = HUNG + "lines(0, 25_000, FIRST)\nos._exit(0)"
        program, memory = killing.start(
            tmp_path, handlers, body.replace("FIRST", "0"), options={"capacity_bytes": 16 << 20}
        )
        killing.end(program, 0)
        for _ in range(3):
            recoverer = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    "import logboom._logboom as native\nprint(flush=True)\nnative.recover('rings')",
                ],
                cwd=tmp_path,
                stdout=subprocess.PIPE,
            )
            recoverer.stdout.readline()
            for _ in range(chance.randrange(600_000)):
                pass
            recoverer.kill()
            recoverer.communicate()
        killing.recover(tmp_path)
        killing.check(tmp_path, "app.log", killing.acknowledged(memory))
        for path in tmp_path.iterdir():
            if path.is_file() or path.is_fifo():
                path.unlink()


def test_a_forked_child_has_a_ring_of_its_own(tmp_path):
    body = """
lines(0, 1000)
handler = logger.handlers[0]
pid = os.fork()
if pid == 0:
    logger.removeHandler(handler)
    add(logboom.FileHandler("child.log"))
    assert len([n for n in os.listdir("rings") if n.startswith(f"{os.getpid()}-")]) == 1
    lines(1, 1000)
    os.kill(os.getpid(), 9)
os.waitpid(pid, 0)
lines(0, 1000, 1000)
os._exit(0)
"""
    program, _ = killing.start(tmp_path, "file", body)
    killing.end(program, 0)
    found = killing.recover(tmp_path)
    assert len(found) == 2
    killing.check(tmp_path, "app.log", [2000])
    text = (tmp_path / "child.log").read_text().splitlines()
    lines = [line.split()[:2] for line in text if line.startswith("1 ")]
    assert lines == [["1", str(n)] for n in range(1000)]


def test_a_new_worker_recovers_what_the_old_one_left(tmp_path):
    body = """
for worker in range(3):
    pid = os.fork()
    if pid == 0:
        text = open("app.log").read() if worker else ""
        assert text.count("recovered") == worker, text[-300:]
        hung.warning("held up by the pipe that is full")
        lines(0, 1000, 1000 * worker)
        os.kill(os.getpid(), 9)
    os.waitpid(pid, 0)
os._exit(0)
"""
    program, _ = killing.start(tmp_path, "file", HUNG + body)
    killing.end(program, 0)
    killing.recover(tmp_path)
    assert killing.check(tmp_path, "app.log", [3000]) >= 1


def test_a_program_that_becomes_another_is_recovered_by_that(tmp_path):
    body = """
if "again" in spec:
    lines(0, 10, 1000)
else:
    lines(0, 1000)
    arguments = sys.orig_argv
    os.execv(sys.executable, [*arguments[:-1], json.dumps({**spec, "again": True})])
"""
    program, _ = killing.start(tmp_path, "file", body)
    killing.end(program, 0)
    killing.check(tmp_path, "app.log", [1010])
    assert rings(tmp_path) == []


def test_children_that_leave_nothing_do_not_pile_up(tmp_path):
    body = """
for n in range(30):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
assert len(os.listdir("rings")) <= 2, os.listdir("rings")
lines(0, 10)
"""
    program, _ = killing.start(tmp_path, "file", body)
    killing.end(program, 0)
    killing.check(tmp_path, "app.log", [10])


def test_a_change_of_the_ring_under_load_keeps_the_order(tmp_path):
    body = """
threading.Thread(target=lines, args=(0, 10**9), daemon=True).start()
n = 0
while True:
    n += 1
    logboom.configure(capacity_bytes=65536 << (n % 4))
"""
    for n in range(5):
        program, memory = killing.start(tmp_path, "file", body)
        killing.kill_at(program, memory, 2000 * (n + 1), 1000 * n)
        killing.recover(tmp_path)
        killing.check(tmp_path, "app.log", killing.acknowledged(memory))
        (tmp_path / "app.log").unlink()


@pytest.mark.parametrize("kill", range(5))
def test_what_is_dropped_under_overload_tears_and_repeats_nothing(tmp_path, kill):
    options = {"capacity_bytes": 65_536, "overflow": "drop_oldest"}
    program, memory = killing.start(tmp_path, "file", killing.ENDLESS, options=options)
    killing.kill_at(program, memory, 20_000 + 3000 * kill, 1000 * kill)
    killing.recover(tmp_path)
    text = (tmp_path / "app.log").read_text()
    assert text.endswith("\n")
    lines = [line for line in text.splitlines() if not killing.NOTICE.search(line)]
    assert all(killing.LINE.search(line) for line in lines)
    numbers = [int(line.split()[1]) for line in lines]
    assert all(before < after for before, after in itertools.pairwise(numbers))
    [returned] = killing.acknowledged(memory)
    # The newest are kept, but for those that came while the writer had the oldest in hand.
    assert returned - 2000 < numbers[-1] <= returned


@pytest.mark.parametrize("kind", ["File", "RotatingFile"])
def test_several_processes_on_one_file_lose_nothing(tmp_path, kind):
    more = ", maxBytes=200_000, backupCount=9999, shared=True" if kind == "RotatingFile" else ""
    programs = []
    for n in range(3):
        directory = tmp_path / str(n)
        directory.mkdir()
        path = str(tmp_path / "app.log")
        handler = f"add(logboom.{kind}Handler({path!r}{more}), '{n} %(message)s')"
        programs.append((directory, *killing.start(directory, handler, killing.ENDLESS)))
    for _, program, memory in programs:
        killing.kill_at(program, memory, 3000, 0)
    for directory, _, _ in programs:
        killing.recover(directory)
    text = killing.text_of(tmp_path, "app.log")
    for n, (_, _, memory) in enumerate(programs):
        [returned] = killing.acknowledged(memory)
        # Without a lock a line may stand behind what a process wrote of one when it was killed.
        begin = "^" if more else "(?:^|x)"
        found = {int(n) for n in re.findall(rf"{begin}{n} 0 (\d+) x*$", text, re.MULTILINE)}
        assert found >= set(range(returned))


def test_configuring_2000_times_keeps_no_file(tmp_path):
    body = """
def held():
    # Also what was unlinked and is mapped.
    found = [os.stat(f"/proc/self/map_files/{name}") for name in os.listdir("/proc/self/map_files")
             if spec["durable"] in os.readlink(f"/proc/self/map_files/{name}")]
    return sum(stat.st_blocks for stat in found) * 512
rings = spec["durable"]
before, blocks = len(os.listdir("/proc/self/fd")), held()
for n in range(2000):
    logboom.configure(capacity_bytes=65536 << (n % 2))
logboom.configure(capacity_bytes=65536)
assert len(os.listdir("/proc/self/fd")) == before, os.listdir("/proc/self/fd")
assert held() - blocks < 2001 * 8192 + (1 << 20), (blocks, held())
assert len(os.listdir(rings)) == 1, os.listdir(rings)
lines(0, 10)
"""
    directory = f"/dev/shm/logboom-test-{os.getpid()}"
    options = {"capacity_bytes": 65_536}
    program, _ = killing.start(tmp_path, "file", body, options=options, durable=directory)
    killing.end(program, 0)
    # And a clean end leaves nothing.
    os.rmdir(directory)


REFUSED = {
    "a file": (lambda path: path.write_text(""), "a directory, and no link to one"),
    "a link": (lambda path: path.symlink_to("/dev/shm"), "a directory, and no link to one"),
    "others": (lambda path: (path.mkdir(), path.chmod(0o777)), "nobody else may write to"),
    "no parent": (lambda path: path.parent.rename(path.parent.with_name("x")), "can be made"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_directory_that_is_not_safe_is_refused(tmp_path, what):
    path = tmp_path / "parent" / "rings"
    path.parent.mkdir()
    make, why = REFUSED[what]
    make(path)
    before = _logboom.options()
    with pytest.raises(logboom.ConfigError, match=r"^invalid `durable`: got .*" + re.escape(why)):
        logboom.configure(durable=path)
    assert _logboom.options() == before
    with pytest.raises(logboom.ConfigError, match="expected a directory or a bool"):
        logboom.configure(durable=3)


def test_a_file_system_without_room_is_refused_when_it_is_configured(run_python, tmp_path):
    # A limit on the size of files is refused at the same place as a disk that is full.
    run_python(
        """
        import os, resource, logboom
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        try:
            logboom.configure(durable="rings", capacity_bytes=1 << 21)
        except logboom.ConfigError as error:
            assert str(error).startswith("invalid `durable`: got "), error
            assert "a directory with room for the ring" in str(error), error
        else:
            raise AssertionError("it was not refused")
        assert os.listdir("rings") == []
        assert logboom._logboom.options()["durable"] is None
        """
    ).ok()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs files of another user")
def test_rings_of_other_users_are_theirs(tmp_path):
    directory = tmp_path / "rings"
    directory.mkdir()
    ring = directory / "1-2-3-4-5.ring"
    ring.write_bytes(b"theirs")
    ring.chmod(0o600)
    os.chown(ring, 12345, 12345)
    [found] = _logboom.recover(directory)
    assert (found["outcome"], found["reason"]) == ("refused", "it belongs to another user")
    # Where everybody may have some, as in `/tmp`, they are none of our business.
    directory.chmod(0o1777)
    assert _logboom.recover(directory) == []
    os.chown(directory, 12345, 12345)
    with pytest.raises(logboom.ConfigError, match="a directory of this user"):
        logboom.configure(durable=directory)
    assert ring.read_bytes() == b"theirs"


def test_a_dictionary_configures_it_before_its_handlers(tmp_path):
    program, _ = killing.start(tmp_path, "file", "lines(0, 100)\nos._exit(0)")
    killing.end(program, 0)
    body = """
import logging.config
logging.config.dictConfig({
    "version": 1,
    "formatters": {
        "plain": {"format": "%(message)s"},
        "engine": {"()": "logboom.configure", "durable": "rings"},
    },
    "handlers": {
        "file": {"class": "logboom.FileHandler", "filename": "app.log", "formatter": "plain"},
    },
    "loggers": {"app": {"handlers": ["file"], "level": "INFO", "propagate": False}},
})
lines(0, 10, 100)
os._exit(0)
"""
    program, _ = killing.start(tmp_path, "", body, durable=None)
    killing.end(program, 0)
    killing.recover(tmp_path)
    killing.check(tmp_path, "app.log", [110])


def test_the_environment_asks_for_it(run_python, tmp_path):
    program = """
        import os, logging, logboom
        from logboom import _logboom
        print(_logboom.options()["durable"], sorted(os.listdir("rings")) != [])
    """
    outcome = run_python(program, LOGBOOM_DURABLE="rings").ok()
    assert outcome.out == "rings True\n"
    assert rings(tmp_path) == []
    outcome = run_python(
        "import logboom; print(logboom._logboom.options()['durable'])", LOGBOOM_DURABLE="0"
    ).ok()
    assert outcome.out == "None\n"
    outcome = run_python("import logboom", LOGBOOM_DURABLE="/proc/nothing").ok()
    assert outcome.err.startswith("logboom: LOGBOOM_DURABLE has no effect: invalid `durable`: got ")


def test_true_is_a_directory_of_this_user_on_a_memory_file_system(run_python):
    run_python(
        """
        import os, stat, logboom
        from logboom import _logboom
        logboom.basicConfig(filename="app.log", durable=True)
        directory = _logboom.options()["durable"]
        assert str(directory) == f"/dev/shm/logboom-{os.geteuid()}", directory
        found = os.stat(directory)
        assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o700, os.geteuid())
        [ring] = [n for n in os.listdir(directory) if n.startswith(f"{os.getpid()}-")]
        assert stat.S_IMODE(os.stat(directory / ring).st_mode) == 0o600
        logboom.configure(durable=False)
        assert not (directory / ring).exists()
        """
    ).ok()


def test_syncs_by_time_and_by_level(tmp_path):
    body = """
logboom.configure(sync_level="ERROR", notice_interval=0.001)
reports = logboom.stats().as_dict()["reports_total"]
logger.info("quiet")
assert logboom.flush()
assert logboom.stats().as_dict()["reports_total"] == reports
logger.error("grave")
assert logboom.flush()
assert _logboom.options()["sync_level"] == 40
logboom.configure(sync_level=None, sync_every=0.01)
logger.info("sooner or later")
assert _logboom.options()["sync_every"] == 0.01
"""
    program, _ = killing.start(tmp_path, "file", "from logboom import _logboom" + body)
    killing.end(program, 0)
