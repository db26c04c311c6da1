"""The end of a process, forks, flush, shutdown and the accounting: nothing is lost, nothing hangs."""

from __future__ import annotations

import os
import re
import signal
import sys

import pytest
from tests.python.conftest import wait_until_blocked

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")

# Sets up `logger`, which writes "MESSAGE" lines to `app.log` natively.
SET_UP = """
import logging, os, sys, threading, logboom
logboom.install()
logger = logging.getLogger("app")
logger.setLevel(10)
logger.propagate = False
handler = logboom.FileHandler("app.log")
handler.setFormatter(logging.Formatter("%(message)s"))
logger.addHandler(handler)
def many(count, prefix="line"):
    for n in range(count):
        logger.info("%s %d", prefix, n)
"""
COUNT = 20_000
EXPECTED = [f"line {n}" for n in range(COUNT)]


ENDS = {
    "return": ("pass", 0),
    "sys.exit": ("sys.exit(3)", 3),
    "uncaught": ("raise ValueError('uncaught')", 1),
    "interrupt": ("raise KeyboardInterrupt", -signal.SIGINT),
    "SIGINT": ("os.kill(os.getpid(), 2)\nthreading.Event().wait(30)", -signal.SIGINT),
    "SIGTERM": (
        (
            "import signal\nsignal.signal(15, lambda *_: sys.exit(4))\nos.kill(os.getpid(), 15)\n"
            "threading.Event().wait(30)"
        ),
        4,
    ),
    "in a thread": ("threading.Thread(target=many, args=(1000, 'thread')).start()", 0),
    "_exit after a flush": ("assert logboom.flush()\nos._exit(5)", 5),
    "abort after a flush": ("handler.flush()\nos.abort()", -signal.SIGABRT),
    "exec": (
        "logboom.flush()\nos.execv(sys.executable, [sys.executable, '-c', 'print(1)'])",
        0,
    ),
    "raise in atexit": ("import atexit\natexit.register(lambda: 1 / 0)", 0),
    "closed standard streams": ("os.close(1)\nos.close(2)", None),
    "logging.shutdown": ("logging.shutdown()", 0),
    "shutdown": ("assert logboom.shutdown().completed", 0),
    "removed handler": ("logger.removeHandler(handler)\ndel handler", 0),
}


@pytest.mark.parametrize("end", ENDS)
def test_every_line_is_there_at_the_end(run_python, log, end):
    code, expected = ENDS[end]
    outcome = run_python(SET_UP + f"many({COUNT})\n" + code)
    if expected is not None:
        assert outcome.code == expected, outcome
    assert [line for line in log.lines() if line.startswith("line")] == EXPECTED
    if end == "in a thread":
        assert sum(line.startswith("thread") for line in log.lines()) == 1000


def test_lines_on_standard_output_are_there_at_the_end(run_python):
    outcome = run_python(f"""
        import logging, sys, logboom
        logboom.basicConfig(stream=sys.stdout, level=10, format="%(message)s")
        for n in range({COUNT}):
            logging.info("line %d", n)
    """).ok()
    assert outcome.out.split("\n")[:-1] == EXPECTED


def test_atexit_functions_registered_before_and_after_import(run_python, log):
    run_python(
        """
import atexit, logging
@atexit.register
def before():
    logging.getLogger("app").info("registered before")
"""
        + SET_UP
        + """
@atexit.register
def after():
    logger.info("registered after")
logger.info("running")
"""
    ).ok()
    assert log.lines() == ["running", "registered after", "registered before"]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_finalisers_at_the_end_of_the_interpreter(run_python, stream):
    outcome = run_python(
        f"""
        import logging, sys, logboom
        logboom.basicConfig(stream=sys.{stream}, level=10, format="%(message)s")
        logger = logging.getLogger()
        class Dies:
            def __init__(self, n): self.n = n
            def __del__(self, logger=logger): logger.warning("dies %d", self.n)
        kept = [Dies(n) for n in range(100)]
        cycle = Dies(100)
        cycle.itself = cycle
        logger.info("running")
        """
    ).ok()
    lines = getattr(outcome, stream[3:]).splitlines()
    assert lines[0] == "running"
    assert {f"dies {n}" for n in range(100)} <= set(lines[1:])
    assert len(lines) == len(set(lines))


def test_finalisers_whose_file_was_closed_at_exit(run_python, log):
    # The library opens a closed file anew, as long as there is an interpreter that can.
    run_python(
        SET_UP
        + """
class Dies:
    def __del__(self, logger=logger): logger.warning("dies")
kept = Dies()
threading.local().x = Dies()
logger.info("running")
"""
    ).ok()
    assert log.lines()[:2] == ["dies", "running"]


def test_threads_that_still_log_at_the_end(run_python, log):
    run_python(
        SET_UP
        + """
started = threading.Barrier(5)
main = threading.main_thread()
def work(name):
    started.wait()
    n = 0
    while main.is_alive() or n < 5000:
        logger.info("%s %d", name, n)
        n += 1
    logger.info("%s ends after %d", name, n)
for name in "abcd":
    threading.Thread(target=work, args=(name,)).start()
started.wait()
many(1000)
"""
    ).ok()
    lines = log.lines()
    assert [line for line in lines if line.startswith("line")] == EXPECTED[:1000]
    for name in "abcd":
        *own, last = [line for line in lines if line.startswith(name + " ")]
        assert own == [f"{name} {n}" for n in range(len(own))]
        assert last == f"{name} ends after {len(own)}"


def test_a_daemon_thread_that_is_in_a_call_at_the_end(run_python, log):
    """The interpreter ends such a thread where it asks for the GIL, inside a foreign handler here.

    The thread stops there, and the process ends well.
    """
    outcome = run_python(
        SET_UP
        + """
import time
inside, ready, go = threading.Event(), os.pipe(), os.pipe()
class Waits(logging.Handler):
    def handle(self, record):               # not holding a lock that the library asks for at exit
        self.emit(record)
    def emit(self, record, inside=inside, read=os.read, go=go):
        inside.set()
        read(go[0], 1)
logger.addHandler(Waits())
many(0)
threading.Thread(target=logger.info, args=("from the daemon",), daemon=True).start()
inside.wait()
class Last:
    # Runs when the interpreter is being taken down; the daemon may go on now, into its end.
    def __del__(self, write=os.write, go=go, sleep=time.sleep):
        write(go[1], b"x")
        # The thread is given every chance to come back: `sleep` gives the GIL away.
        for _ in range(100):
            sleep(0.005)
sys.last = Last()
"""
    )
    assert outcome.code == 0, outcome
    assert log.lines() == ["from the daemon"]


def test_no_thread_before_the_first_record_and_one_after(run_python, thread_names):
    run_python(
        """
import os, time
def names():
    tasks = os.listdir("/proc/self/task")
    return sorted(open(f"/proc/self/task/{task}/comm").read().strip() for task in tasks)
before = names()
"""
        + SET_UP
        + """
assert names() == before, names()
assert logboom.stats().native_threads == 0
logger.log(5, "not enabled")
assert logboom.flush()
logboom.configure(capacity_bytes=1 << 20)
assert names() == before, names()
for n in range(100):
    logging.getLogger(f"app.{n}").info("x")
assert logboom.flush()
assert names() == sorted(before + ["logboom-writer"]), names()
assert logboom.stats().native_threads == 1
logboom.configure(capacity_bytes=1 << 21)
logger.info("after")
assert logboom.flush()
assert names() == sorted(before + ["logboom-writer"]), names()
assert logboom.shutdown().completed
# The system may list a thread a moment longer than it lives.
for _ in range(2000):
    if names() == before: break
    time.sleep(0.005)
assert names() == before, names()
assert logboom.stats().native_threads == 0
"""
    ).ok()


def test_records_that_reach_no_handler_start_nothing(run_python, log):
    run_python(
        SET_UP
        + """
handler.setLevel(logging.ERROR)
for _ in range(50):
    logger.info("without arguments")
assert logboom.stats().native_threads == 0
"""
    ).ok()
    assert log.lines() == []


def test_fork_while_threads_log(run_python, log):
    run_python(
        SET_UP
        + """
stop = threading.Event()
counts = {}
def work(name):
    n = 0
    while not stop.is_set():
        logger.info("%s %d", name, n)
        n += 1
    counts[name] = n
threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
for thread in threads: thread.start()
for fork in range(20):
    logger.info("before %d", fork)
    pid = os.fork()
    if pid == 0:
        for n in range(100):
            logger.info("child%d %d", fork, n)
        assert logboom.flush(30)
        os._exit(0)
    logger.info("after %d", fork)
    assert os.waitpid(pid, 0)[1] == 0
stop.set()
for thread in threads: thread.join()
handler.close()
lines = [line.split() for line in open("app.log")]
def of(name):
    return [int(line[1]) for line in lines if line[0] == name]
for name, count in counts.items():
    assert of(name) == list(range(count)), name
for fork in range(20):
    assert of(f"child{fork}") == list(range(100)), fork
assert of("before") == of("after") == list(range(20))
assert len(lines) == sum(counts.values()) + 20 * 100 + 40
""",
        deadline=120,
    ).ok()


def test_a_child_that_ends_by_itself_writes_everything(run_python, log):
    run_python(
        SET_UP
        + """
many(1000, "before")
pid = os.fork()
if pid == 0:
    many(1000, "child")
    sys.exit(7)
many(1000, "parent")
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
"""
    ).ok()
    lines = log.lines()
    for name in ("before", "child", "parent"):
        assert [x for x in lines if x.startswith(name)] == [f"{name} {n}" for n in range(1000)]
    assert len(lines) == 3000


def test_a_child_that_does_not_log_has_no_thread_and_counts_from_nothing(run_python):
    run_python(
        SET_UP
        + """
many(100)
pid = os.fork()
if pid == 0:
    try:
        assert len(os.listdir("/proc/self/task")) == 1
        stats = logboom.stats()
        assert (stats.native_threads, stats.submitted, stats.pending) == (0, 0, 0), stats
        assert logboom.flush(10)
        assert len(os.listdir("/proc/self/task")) == 1
        logger.info("now")
        assert logboom.flush(10)
        assert logboom.stats().written == 1
        assert len(os.listdir("/proc/self/task")) == 2
        os._exit(0)
    finally:
        os._exit(1)
assert os.waitpid(pid, 0)[1] == 0
assert logboom.stats().submitted == 100
"""
    ).ok()


def test_grandchildren(run_python, log):
    run_python(
        SET_UP
        + """
for depth in range(5):
    logger.info("depth %d", depth)
    pid = os.fork()
    if pid:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        logger.info("back %d", depth)
        sys.exit(code)
logger.info("deepest")
"""
    ).ok()
    depths = [f"depth {n}" for n in range(5)]
    back = [f"back {n}" for n in reversed(range(5))]
    # What one process logs before it forks and what the child logs is not in any order.
    lines = log.lines()
    assert sorted(lines) == sorted([*depths, "deepest", *back])
    assert [line for line in lines if line.startswith("back")] == back


def test_a_fork_that_holds_a_full_ring_in_the_parent(run_python):
    # The parent waits for room in the ring while another thread of it forks.
    program = run_python.start(
        """
        import logging, os, sys, threading, warnings, logboom
        warnings.simplefilter("ignore")     # 3.12 on warns of threads
        logboom.install()
        logboom.configure(capacity_bytes=65536)
        logger = logging.getLogger("app")
        logger.setLevel(10)
        handler = logboom.StreamHandler(sys.stdout)
        logger.addHandler(handler)
        def fill():
            for n in range(5000):
                logger.info("%d %s", n, "x" * 100)
        thread = threading.Thread(target=fill)
        thread.start()
        while logboom.stats().as_dict()["ring"]["used_bytes"] < 60000:
            pass
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        print(os.waitpid(pid, 0)[1], file=sys.stderr, flush=True)
        thread.join()
        """
    )
    assert program.stderr.readline() == "0\n"
    out, err = program.communicate(timeout=60)
    assert program.returncode == 0, err
    assert [int(line.split()[0]) for line in out.splitlines()] == list(range(5000))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(run_python, log, tmp_path, method):
    (tmp_path / "worker.py").write_text(
        "import logging, logboom\n"
        "def work(n):\n"
        "    logboom.install()\n"
        "    logger = logging.getLogger('worker')\n"
        "    if not logger.handlers:\n"
        "        logger.setLevel(10)\n"
        "        logger.propagate = False\n"
        "        handler = logboom.FileHandler('app.log')\n"
        "        handler.setFormatter(logging.Formatter('%(processName)s %(message)s'))\n"
        "        logger.addHandler(handler)\n"
        "    for k in range(50):\n"
        "        logger.info('%d.%d', n, k)\n"
        "    return n\n"
    )
    run_python(
        f"""
        import sys
        sys.path.insert(0, ".")
        import multiprocessing, worker
        if __name__ == "__main__":
            worker.work(100)
            context = multiprocessing.get_context({method!r})
            with context.Pool(3) as pool:
                assert pool.map(worker.work, range(20)) == list(range(20))
                pool.close()
                pool.join()
            process = context.Process(target=worker.work, args=(200,), name="alone")
            process.start()
            process.join()
            assert process.exitcode == 0
        """
    ).ok()
    lines = log.lines()
    said = [line.split(" ")[1] for line in lines]
    assert sorted(said) == sorted(f"{n}.{k}" for n in (*range(20), 100, 200) for k in range(50))
    assert {line.split(" ")[0] for line in lines if " 200." in line} == {"alone"}
    assert {line.split(" ")[0] for line in lines if " 100." in line} == {"MainProcess"}


def test_subprocess_with_a_preexec_function(run_python, log):
    run_python(
        SET_UP
        + """
import subprocess
many(100)
for n in range(5):
    subprocess.run([sys.executable, "-c", ""], check=True, preexec_fn=lambda: logger.info("in between"))
many(100, "after")
"""
    ).ok()
    lines = log.lines()
    assert [x for x in lines if x.startswith("line")] == EXPECTED[:100]
    assert [x for x in lines if x.startswith("after")] == [f"after {n}" for n in range(100)]


def test_descriptors_are_not_inherited(run_python, log):
    run_python(
        SET_UP
        + """
import subprocess
many(10)
handler.flush()
shown = subprocess.run(
    [sys.executable, "-c", "import os; print([os.readlink(f'/proc/self/fd/{n}') for n in range(3, 30) "
    "if os.path.exists(f'/proc/self/fd/{n}')])"],
    capture_output=True, text=True, check=True, close_fds=False).stdout
assert "app.log" not in shown, shown
"""
    ).ok()


def test_the_accounting_is_exact_after_a_mix_of_everything(run_python):
    run_python(
        SET_UP
        + """
import io
second = logboom.FileHandler("second.log")
third = logboom.FileHandler("third.log", encoding="latin-1")     # Python's
fourth = logboom.StreamHandler(io.StringIO())                    # Python's
def check():
    stats = logboom.stats().as_dict()
    names = ["written", "dropped", "rejected", "failed", "filtered", "pending"]
    assert stats["submitted"] == sum(stats[name] for name in names), stats
    for route in stats["routes"]:
        assert route["submitted"] == sum(route[name] for name in names), route
    return stats
expected = 0
logger.addHandler(second)
for n in range(1000):
    logger.info("native %d", n); expected += 2
    if n % 100 == 0: check()
logger.addHandler(third); logger.addHandler(fourth)
for n in range(100):
    logger.info("library %d", n); expected += 2
logger.removeHandler(third); logger.removeHandler(fourth)
logger.handlers[0].setLevel(50)
for n in range(100):
    logger.info("one only %d", n); expected += 1
    logger.info("with extra", extra={"a": 1}); expected += 1
logger.handlers[0].setLevel(0)
logger.handlers[0].addFilter(lambda record: "no" not in record.msg)
for n in range(100):
    logger.info("no"); expected += 1
    logger.info("yes"); expected += 2
def work():
    for n in range(500):
        logger.error("thread %d", n, exc_info=True)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
while any(thread.is_alive() for thread in threads): check()
expected += 4 * 500 * 2
assert logboom.flush()
stats = check()
assert stats["submitted"] == stats["written"] == expected, (stats, expected)
second.close()
assert check()["submitted"] == expected
report = logboom.shutdown()
assert report.completed and report.written == expected
logger.info("rejected"); expected += 2       # `second` opens its file again
assert check()["rejected"] == 2
"""
    ).ok()


def test_a_message_that_cannot_be_formatted_is_counted(run_python):
    run_python(
        SET_UP
        + """
logging.raiseExceptions = False
logger.info("fine %d", 1)
logger.info("not a number: %d", "x")
assert logboom.flush()
stats = logboom.stats()
assert (stats.submitted, stats.written, stats.failed) == (2, 1, 1), stats
"""
    ).ok()


def test_logging_after_shutdown_is_counted_and_raises_nothing(run_python, log):
    run_python(
        SET_UP
        + """
many(10)
first = logboom.shutdown()
assert (first.completed, first.submitted, first.written, first.pending) == (True, 10, 10, 0)
for n in range(5):
    logger.info("late %d", n)
    logger.info("late %s", [n], extra={"a": 1})
again = logboom.shutdown()
assert again.completed and again.rejected == 10, again
assert logboom.stats().rejected == 10
logboom.flush(1)
handler.flush()
handler.close()
logger.info("after the close")
"""
    ).ok()
    assert log.lines()[:10] == EXPECTED[:10]


def test_flush_gives_what_was_logged_to_the_system(run_python):
    run_python(
        SET_UP
        + """
for n in range(200):
    logger.info("line %d", n)
    assert logboom.flush() is True
    assert open("app.log").read().endswith(f"line {n}\\n")
for n in range(200, 400):
    logger.info("line %d", n)
    handler.flush()
    assert open("app.log").read().endswith(f"line {n}\\n")
assert logboom.sync() is True
assert logboom.flush(timeout=0.0) in (True, False)
"""
    ).ok()


def test_flush_from_many_threads(run_python):
    run_python(
        SET_UP
        + """
def work(name):
    for n in range(100):
        logger.info("%s %d", name, n)
        assert logboom.flush()
        assert f"{name} {n}\\n" in open("app.log").read()
errors = []
threading.excepthook = lambda arguments: errors.append(arguments)
threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not errors
"""
    ).ok()


def test_a_line_comes_by_itself(run_python, log, wait_for):
    program = run_python.start(SET_UP + "logger.info('quiet')\nsys.stdin.read()")
    wait_for(lambda: log.text() == "quiet\n", "the line of an idle process")
    program.communicate(timeout=60)
    assert program.returncode == 0


FILL = """
import logging, sys, logboom
logboom.install()
logboom.configure(capacity_bytes=65536, {options})
logger = logging.getLogger("app")
logger.setLevel(10)
logger.addHandler(logboom.StreamHandler(sys.stdout))
"""


def test_a_full_ring_blocks_until_a_slow_reader_has_read(run_python):
    program = run_python.start(
        FILL.format(options="overflow='block'")
        + "for n in range(20000): logger.info('%d %s', n, 'x' * 50)\n"
        "stats = logboom.stats()\n"
        "assert logboom.flush()\n"
        "print(logboom.stats().as_dict(), file=sys.stderr)\n"
    )
    lines = program.stdout.readlines()
    assert program.wait(60) == 0, program.stderr.read()
    assert lines == [f"{n} {'x' * 50}\n" for n in range(20000)]
    assert "'written': 20000" in program.stderr.read()


def test_a_full_ring_drops_the_newest_counts_it_and_says_so(run_python):
    program = run_python.start(
        FILL.format(options="overflow='drop_newest', notice_interval=0.01")
        + "for n in range(20000): logger.info('%d %s', n, 'x' * 50)\n"
        "print(logboom.stats().dropped, file=sys.stderr, flush=True)\n"
        "assert logboom.flush()\n"
        "print(logboom.stats().written, logboom.stats().dropped, logboom.stats().submitted, "
        "file=sys.stderr)\n"
    )
    dropped = int(program.stderr.readline())
    assert dropped > 0
    out, err = program.communicate(timeout=60)
    assert program.returncode == 0
    written, dropped_at_the_end, submitted = map(int, err.splitlines()[0].split())
    assert (dropped_at_the_end, submitted) == (dropped, 20000)
    assert written == 20000 - dropped
    lines = out.splitlines()
    numbers = [int(line.split()[0]) for line in lines if line.endswith("x" * 50)]
    assert len(numbers) == written
    assert numbers == sorted(set(numbers))
    notices = [line for line in lines if not line.endswith("x" * 50)]
    told = [re.fullmatch(r"dropped (\d+) records .*capacity (\d+) bytes", line) for line in notices]
    assert all(told), notices
    assert sum(int(one[1]) for one in told) == dropped
    assert {one[2] for one in told} == {"65536"}


def test_a_block_with_a_time_out_drops(run_python):
    program = run_python.start(
        FILL.format(options="overflow='block', block_timeout=0.01") + "n = 0\n"
        "while logboom.stats().dropped < 3:\n"
        "    logger.info('%d %s', n, 'x' * 500)\n"
        "    n += 1\n"
        "print(n, file=sys.stderr, flush=True)\n"
    )
    count = int(program.stderr.readline())
    out, _ = program.communicate(timeout=60)
    assert program.returncode == 0
    assert sum(line.endswith("x" * 500) for line in out.splitlines()) == count - 3


def test_a_reader_that_never_reads_does_not_hold_the_process(run_python):
    # Some lines go through at first. The pipe holds 64 KiB: most of what follows can never be written.
    program = run_python.start(
        FILL.format(options="overflow='drop_newest', shutdown_timeout=0.5")
        + "for n in range(10): logger.info('%s', 'x' * 500)\nlogboom.flush()\n"
        "for n in range(5000): logger.info('%d %s', n, 'x' * 500)\n"
        "print('at the end', file=sys.stderr, flush=True)\n"
    )
    assert program.stderr.readline() == "at the end\n"
    code = program.wait(30)
    assert code == 0
    told = program.stderr.read()
    assert "logboom:" in told
    assert "pending" in told


def test_an_interrupt_reaches_a_call_that_waits_for_room(run_python):
    program = run_python.start(
        FILL.format(options="overflow='block', shutdown_timeout=0.5")
        + "print('filling', file=sys.stderr, flush=True)\n"
        "try:\n"
        "    for n in range(10000): logger.info('%d %s', n, 'x' * 500)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', file=sys.stderr, flush=True)\n"
        "    import os\n"
        "    os._exit(0)\n"
    )
    assert program.stderr.readline() == "filling\n"
    wait_until_blocked(program.pid)
    program.send_signal(signal.SIGINT)
    assert program.wait(20) == 0
    assert program.stderr.readline() == "interrupted\n"


def test_a_disk_that_is_full_is_counted_and_told(run_python):
    outcome = run_python("""
        import logging, logboom
        logboom.install()
        logger = logging.getLogger("app")
        logger.propagate = False
        handler = logboom.FileHandler("/dev/full")
        logger.addHandler(handler)
        for n in range(1000):
            logger.warning("line %d", n)
        assert logboom.flush(30) is False
        stats = logboom.stats()
        assert (stats.submitted, stats.failed) == (1000, 1000), stats
        handler.close()
    """).ok()
    assert 1 <= outcome.err.count("logboom:") < 20, outcome.err
    assert "space" in outcome.err


def test_a_closed_standard_output_does_not_stop_the_program(run_python, log):
    outcome = run_python(
        SET_UP
        + """
logger.addHandler(logboom.StreamHandler(sys.stdout))
os.close(1)
many(100)
logboom.flush()
"""
    )
    assert log.lines() == EXPECTED[:100]
    assert outcome.code in (0, 120), outcome


def test_many_engines_by_configure_leave_one_thread(run_python, log):
    run_python(
        SET_UP
        + """
for n in range(200):
    logger.info("line %d", n)
    logboom.configure(capacity_bytes=65536 + 4096 * (n % 7))
assert logboom.flush()
names = [open(f"/proc/self/task/{t}/comm").read().strip() for t in os.listdir("/proc/self/task")]
assert names.count("logboom-writer") == 1, names
assert len(names) == 2, names
"""
    ).ok()
    assert log.lines() == EXPECTED[:200]


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="not tried there")
def test_import_alone_changes_nothing(run_python):
    run_python("""
        import logging
        before = (logging.getLoggerClass(), type(logging.root), logging.root.handlers[:])
        import logboom, os
        assert before == (logging.getLoggerClass(), type(logging.root), logging.root.handlers)
        assert len(os.listdir("/proc/self/task")) == 1
        assert not logboom.installed()
    """).ok()
