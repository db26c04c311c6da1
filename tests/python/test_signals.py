"""Signals that end a process: nothing is lost, and who waits sees the signal."""

from __future__ import annotations

import os
import signal
import sys
import threading

import pytest
from tests.python import test_lifecycle as lifecycle
from tests.python.test_lifecycle import COUNT, EXPECTED

import logboom

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")

SET_UP = "import signal\n" + lifecycle.SET_UP


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_everything_is_written_and_the_signal_ends_the_process(run_python, log, number):
    outcome = run_python(
        SET_UP
        + f"taken = logboom.flush_on_signal([{number}])\n"
        + f"assert taken == {{{number}}}, taken\n"
        + f"many({COUNT})\n"
        + f"os.kill(os.getpid(), {number})\n"
        + "threading.Event().wait(30)\n"
    )
    assert outcome.code == -number, outcome
    assert log.lines() == EXPECTED


def test_by_default_it_is_those_that_supervisors_send(run_python):
    run_python("""
        import signal, logboom
        assert logboom.flush_on_signal() == {signal.SIGTERM, signal.SIGHUP}
        # Again: the same, and no handler around a handler.
        first = signal.getsignal(signal.SIGTERM)
        assert logboom.flush_on_signal() == {signal.SIGTERM, signal.SIGHUP}
        assert type(signal.getsignal(signal.SIGTERM)) is type(first)
    """).ok()


def test_handlers_that_exist_stay(run_python, log):
    outcome = run_python(
        SET_UP
        + """
called = []
signal.signal(signal.SIGTERM, lambda *_: called.append(1))
signal.signal(signal.SIGHUP, signal.SIG_IGN)
before = signal.getsignal(signal.SIGTERM)
assert logboom.flush_on_signal() == frozenset()
assert signal.getsignal(signal.SIGTERM) is before
os.kill(os.getpid(), signal.SIGHUP)
os.kill(os.getpid(), signal.SIGTERM)
assert called == [1]
logger.info("still here")
"""
    )
    outcome.ok()
    assert log.lines() == ["still here"]


def test_a_server_that_raises_the_signal_again_comes_back_here(run_python, log):
    # As uvicorn does: its own handler while it serves, what was there before afterwards.
    outcome = run_python(
        SET_UP
        + f"""
logboom.flush_on_signal()
before = signal.getsignal(signal.SIGTERM)
signal.signal(signal.SIGTERM, lambda *_: None)
os.kill(os.getpid(), signal.SIGTERM)
many({COUNT})
signal.signal(signal.SIGTERM, before)
signal.raise_signal(signal.SIGTERM)
"""
    )
    assert outcome.code == -signal.SIGTERM
    assert log.lines() == EXPECTED


def test_threads_that_still_log_do_not_hold_the_process(run_python, log):
    outcome = run_python(
        SET_UP
        + """
logboom.flush_on_signal()
started = threading.Event()
def forever():
    for n in range(10**9):
        logger.info("line %d", n)
        if n == 1000: started.set()
for _ in range(3):
    threading.Thread(target=forever, daemon=True).start()
started.wait()
os.kill(os.getpid(), signal.SIGTERM)
threading.Event().wait(30)
"""
    )
    assert outcome.code == -signal.SIGTERM
    assert "line 1000" in log.lines()


def test_a_sink_that_hangs_does_not_hold_the_process_and_is_told(run_python):
    program = run_python.start(
        """
import logging, os, signal, sys, threading, logboom
logboom.configure(overflow="drop_newest")
logboom.basicConfig(stream=sys.stdout, level=10, format="%(message)s")
logboom.flush_on_signal(timeout=0.5)
for n in range(10): logging.info("%s", "x" * 500)
logboom.flush()
for n in range(5000): logging.info("%d %s", n, "x" * 500)
os.kill(os.getpid(), signal.SIGTERM)
threading.Event().wait(30)
"""
    )
    assert program.wait(30) == -signal.SIGTERM
    told = program.stderr.read()
    assert told.count("logboom:") == 1, told
    assert "pending" in told


def test_a_second_signal_ends_a_process_that_hangs(run_python):
    program = run_python.start(
        """
import logging, os, signal, sys, threading, logboom
logboom.configure(overflow="drop_newest")
logboom.basicConfig(stream=sys.stdout, level=10, format="%(message)s")
logboom.flush_on_signal(timeout=600)
for n in range(10): logging.info("%s", "x" * 500)
logboom.flush()
for n in range(5000): logging.info("%d %s", n, "x" * 500)
def again():
    while signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL: pass
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=again, daemon=True).start()
os.kill(os.getpid(), signal.SIGTERM)
threading.Event().wait(30)
"""
    )
    assert program.wait(30) == -signal.SIGTERM


def test_a_forked_child_has_it_too(run_python, log):
    run_python(
        SET_UP
        + f"""
logboom.flush_on_signal()
child = os.fork()
if child == 0:
    many({COUNT})
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(30)
status = os.waitpid(child, 0)[1]
assert os.WTERMSIG(status) == signal.SIGTERM, status
"""
    ).ok()
    assert log.lines() == EXPECTED


@pytest.mark.parametrize("bad", [signal.SIGKILL, signal.SIGSTOP, 0, 4711, "SIGTERM"])
def test_what_is_no_signal_that_can_be_handled_is_refused(bad):
    with pytest.raises(ValueError, match=r"invalid signal: got .*, expected one"):
        logboom.flush_on_signal([bad])


def test_a_time_out_below_nothing_is_refused():
    with pytest.raises(ValueError, match="invalid `timeout`: got -1"):
        logboom.flush_on_signal(timeout=-1)


def test_another_thread_is_refused():
    raised: list[BaseException] = []

    def call() -> None:
        try:
            logboom.flush_on_signal()
        except ValueError as error:
            raised.append(error)

    thread = threading.Thread(target=call, name="other")
    thread.start()
    thread.join()
    assert "expected the main thread" in str(raised[0])
    assert sys.modules["logboom"] is logboom
