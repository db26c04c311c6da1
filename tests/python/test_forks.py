"""Children of every kind: the parent's records once, the child's all, one thread in each."""

from __future__ import annotations

import os

import pytest
from tests.python.test_lifecycle import SET_UP

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")


def test_a_fork_in_a_fork_while_threads_log_in_each(run_python, log):
    run_python(
        SET_UP
        + """
def work(name, stop, counts):
    n = 0
    # Enough for every fork to come in the middle of it, and an end.
    while n < 200 or (n < 20_000 and not stop.is_set()):
        logger.info("%s %d", name, n)
        n += 1
    counts[name] = n

def generation(depth, name):
    stop, counts = threading.Event(), {}
    threads = [threading.Thread(target=work, args=(f"{name}.t{k}", stop, counts)) for k in range(2)]
    for thread in threads: thread.start()
    for k in range(3):
        logger.info("%s before %d", name, k)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                if depth: generation(depth - 1, f"{name}.{k}")
                else: many(50, f"{name}.{k}")
                code = 0 if logboom.flush(60) else 2
            finally:
                os._exit(code)
        logger.info("%s after %d", name, k)
        assert os.waitpid(pid, 0)[1] == 0
    stop.set()
    for thread in threads: thread.join()
    for name, count in counts.items(): logger.info("count %s %d", name, count)

generation(2, "g")
""",
        deadline=240,
    ).ok()
    found: dict[str, list[str]] = {}
    counts = {}
    for line in log.lines():
        name, *rest = line.split(" ")
        if name == "count":
            counts[rest[0]] = int(rest[1])
        else:
            found.setdefault(name, []).append(" ".join(rest))
    # 1 + 3 + 9 generations with two threads each, and 27 leaves.
    assert len(counts) == 26
    for name, count in counts.items():
        assert found.pop(name) == [str(n) for n in range(count)], name
    turns = [word for k in range(3) for word in (f"before {k}", f"after {k}")]
    leaves = 0
    for name, said in found.items():
        if name.count(".") == 3:
            assert said == [str(n) for n in range(50)], name
            leaves += 1
        else:
            assert said == turns, name
    assert leaves == 27


def test_a_child_that_becomes_another_program(run_python, log):
    run_python(
        SET_UP
        + """
stop = threading.Event()
def work():
    n = 0
    while n < 500_000 and not stop.is_set():
        logger.info("thread %d", n)
        n += 1
thread = threading.Thread(target=work)
thread.start()
for n in range(20):
    logger.info("before %d", n)
    pid = os.fork()
    if pid == 0:
        logger.info("child %d", n)
        assert logboom.flush(30)
        os.execv(sys.executable, [sys.executable, "-c", "import sys; sys.exit(3)"])
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
stop.set()
thread.join()
""",
        deadline=120,
    ).ok()
    for name, count in (("before", 20), ("child", 20), ("thread", None)):
        said = [line for line in log.lines() if line.startswith(name)]
        assert said == [f"{name} {n}" for n in range(count if count else len(said))]


def test_hooks_around_a_fork_that_log(run_python, log):
    # Hooks before a fork run in the reverse of the order in which they were registered, so both kinds
    # are there: those that run while our locks are held, and those that do not.
    run_python(
        """
import os
late = []
def early(word):
    return lambda: [hook(word) for hook in late]
os.register_at_fork(before=early("before, inside"), after_in_parent=early("parent, inside"),
                    after_in_child=early("child, inside"))
"""
        + SET_UP
        + """
def say(word): logger.info("%s", word)
late.append(say)
os.register_at_fork(before=lambda: say("before, outside"),
                    after_in_parent=lambda: say("parent, outside"),
                    after_in_child=lambda: say("child, outside"))
for n in range(10):
    pid = os.fork()
    if pid == 0:
        say("child")
        assert logboom.flush(30)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    say("parent")
"""
    ).ok()
    said = log.lines()
    for place in ("inside", "outside"):
        for hook in ("before", "parent", "child"):
            assert said.count(f"{hook}, {place}") == 10, (hook, place, said)
    assert said.count("child") == said.count("parent") == 10
    assert len(said) == 80


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_process_pools_of_concurrent_futures(run_python, log, tmp_path, method):
    (tmp_path / "pooled.py").write_text(
        "import logging, os, logboom\n"
        "def work(n):\n"
        "    logboom.install()\n"
        "    logger = logging.getLogger('pooled')\n"
        "    if not logger.handlers:\n"
        "        logger.setLevel(10)\n"
        "        logger.propagate = False\n"
        "        logger.addHandler(logboom.FileHandler('app.log'))\n"
        "    for k in range(100):\n"
        "        logger.info('%d.%d', n, k)\n"
        "    return logboom.stats().native_threads\n"
    )
    run_python(
        f"""
        import sys
        sys.path.insert(0, ".")
        import multiprocessing, pooled
        from concurrent.futures import ProcessPoolExecutor
        if __name__ == "__main__":
            pooled.work(1000)
            context = multiprocessing.get_context({method!r})
            with ProcessPoolExecutor(3, mp_context=context) as pool:
                threads = list(pool.map(pooled.work, range(50)))
            assert set(threads) == {{1}}, threads
        """
    ).ok()
    assert sorted(log.lines()) == sorted(f"{n}.{k}" for n in (*range(50), 1000) for k in range(100))
