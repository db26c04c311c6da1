"""Logging from wherever Python runs code in the middle of something: no deadlock, each line once."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from tests.python.test_lifecycle import SET_UP

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")

# Each program logs "outer N" for N below 500, and "inner N" from within; `inner` counts these.
INNER = """
inner = 0
def say(_=None):
    global inner
    inner += 1
    logger.info("inner %d", inner - 1)
"""
PLACES = {
    "__str__ of an argument": """
class Noisy:
    def __str__(self):
        say()
        return "noisy"
def outer(n): logger.info("outer %d%.0s", n, Noisy())
""",
    "__str__ of the message": """
class Noisy:
    def __init__(self, n): self.n = n
    def __str__(self):
        say()
        return f"outer {self.n}"
def outer(n): logger.info(Noisy(n))
""",
    "__repr__ of an argument": """
class Noisy:
    def __repr__(self):
        say()
        return ""
def outer(n): logger.info("outer %d%r", n, Noisy())
""",
    "__del__ of an argument": """
class Noisy:
    def __del__(self): say()
    def __str__(self): return ""
def outer(n): logger.info("outer %d%s", n, Noisy())
""",
    "__str__ of a field": """
handler.setFormatter(logboom.JsonFormatter(keys=["message", "fields"]))
class Noisy:
    def __str__(self):
        say()
        return "noisy"
def outer(n): logger.info("outer %d", n, extra={"noisy": Noisy()})
""",
    "__bool__ of exc_info": """
class Noisy:
    def __bool__(self):
        say()
        return False
def outer(n): logger.info("outer %d", n, exc_info=Noisy())
""",
    "collector callbacks": """
import gc
gc.callbacks.append(lambda phase, _: say() if phase == "start" else None)
def outer(n):
    logger.info("outer %d", n)
    gc.collect(0)
""",
    "finalisers that the collector runs": """
import gc
class Cycle:
    def __init__(self): self.me = self
    def __del__(self): say()
def outer(n):
    Cycle()
    logger.info("outer %d %s", n, [])
    if n % 50 == 0: gc.collect()
""",
    "a trace function": """
def trace(frame, event, _):
    if frame.f_code.co_name == "called" and event == "line": say()
    return trace
def outer(n):
    sys.settrace(trace)
    def called(): logger.info("outer %d", n)
    called()
    sys.settrace(None)
""",
    "a profile function": """
def profile(frame, event, what):
    if event == "c_call" and getattr(what, "__name__", "") == "info" and frame.f_code is outer.__code__:
        sys.setprofile(None)
        say()
def outer(n):
    sys.setprofile(profile)
    logger.info("outer %d", n)
    sys.setprofile(None)
""",
    "an audit hook": """
def hook(event, _):
    if event == "logboom.test": say()
sys.addaudithook(hook)
class Audited:
    def __str__(self):
        sys.audit("logboom.test")
        return ""
def outer(n): logger.info("outer %d%s", n, Audited())
""",
    "the repr of a context variable's value": """
import contextvars
class Noisy:
    def __repr__(self):
        say()
        return "noisy"
variable = contextvars.ContextVar("variable")
def outer(n):
    variable.set(Noisy())
    logger.info("outer %d%.0s", n, contextvars.copy_context()[variable])
""",
    "binding a value": """
class Noisy:
    def __str__(self):
        say()
        return "noisy"
def outer(n):
    with logboom.bound(noisy=Noisy()):
        logger.info("outer %d", n)
""",
    "warnings": """
import warnings
logging.captureWarnings(True)
warnings.simplefilter("always")
caught = logging.getLogger("py.warnings")
caught.propagate = False
class Counting(logging.Handler):
    def emit(self, record): say()
caught.addHandler(Counting())
class Warning_:
    def __str__(self):
        warnings.warn("inner")
        return ""
def outer(n): logger.info("outer %d%s", n, Warning_())
""",
    "a filter of the logger": """
def filter(record):
    if record.msg.startswith("outer"): say()
    return True
logger.addFilter(filter)
def outer(n): logger.info("outer %d", n)
""",
    "a record factory": """
made = logging.getLogRecordFactory()
def factory(name, level, path, line, msg, *rest, **more):
    if msg.startswith("outer"): say()
    return made(name, level, path, line, msg, *rest, **more)
logging.setLogRecordFactory(factory)
def outer(n): logger.info("outer %d", n)
""",
    "weak references that die": """
import weakref
class Thing: pass
def outer(n):
    thing = Thing()
    reference = weakref.ref(thing, say)
    logger.info("outer %d%.0s", n, thing)
    del thing
""",
}
END = """
for n in range(500): outer(n)
handler.flush()
count, inner = inner, 0
print(count, flush=True)
sys.settrace(None); sys.setprofile(None)
os._exit(0)
"""


@pytest.mark.parametrize("place", PLACES)
def test_each_line_is_written_once(run_python, log, place):
    outcome = run_python(SET_UP + INNER + PLACES[place] + END).ok()
    count = int(outcome.out)
    assert count >= 10
    found: Counter[str] = Counter()
    for line in log.lines():
        text = line.split('"message":"', 1)[-1] if line.startswith("{") else line
        words = text.replace('"', " ").replace(",", " ").split()
        found[f"{words[0]} {words[1]}"] += 1
    expected = [f"outer {n}" for n in range(500)] + [f"inner {n}" for n in range(count)]
    assert found == Counter(expected)


def test_signal_handlers_at_five_milliseconds(run_python, log):
    outcome = run_python(
        SET_UP
        + """
import signal, time
count = 0
def on_signal(*_):
    global count
    # Another one may come in the middle of this one.
    number, count = count, count + 1
    logger.warning("signal %d", number)
signal.signal(signal.SIGALRM, on_signal)
signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
n = 0
# As many as it takes for signals to have come in the middle of calls of each kind.
while count < 100:
    logger.info("line %d", n)
    logger.info("line %d", n + 1, extra={"field": n})
    try: 1 / 0
    except ZeroDivisionError: logger.exception("line %d", n + 2)
    logger.info("line %d%.0s", n + 3, object())
    n += 4
signal.setitimer(signal.ITIMER_REAL, 0)
print(n, count)
"""
    ).ok()
    lines, signals = map(int, outcome.out.split())
    said = [line for line in log.lines() if line.startswith(("line", "signal"))]
    assert [line for line in said if line.startswith("line")] == [f"line {n}" for n in range(lines)]
    assert sorted(line for line in said if line.startswith("signal")) == sorted(
        f"signal {n}" for n in range(signals)
    )


def test_signal_handlers_while_a_call_waits_for_room(run_python):
    # Nobody reads the pipe until the handler has logged while a call waited: on this very thread.
    program = run_python.start(
        """
import logging, os, signal, sys, logboom
logboom.configure(capacity_bytes=65536, overflow="block")
logboom.basicConfig(stream=sys.stdout, level=10, format="%(message)s")
logger = logging.getLogger("app")
inside = 0
def on_signal(*_):
    global inside
    os.write(2, b"in the handler\\n")
    number, inside = inside, inside + 1
    logger.warning("signal %d", number)
signal.signal(signal.SIGUSR1, on_signal)
print("ready", file=sys.stderr, flush=True)
for n in range(5000):
    logger.info("line %d %s", n, "x" * 200)
print(f"done {inside}", file=sys.stderr, flush=True)
"""
    )
    assert program.stderr.readline() == "ready\n"
    os.kill(program.pid, 10)
    assert program.stderr.readline() == "in the handler\n"
    os.kill(program.pid, 10)
    out, err = program.communicate(timeout=60)
    assert program.returncode == 0, err
    inside = int(err.split("done ")[1])
    said = out.splitlines()
    assert [line for line in said if line.startswith("line")] == [
        f"line {n} {'x' * 200}" for n in range(5000)
    ]
    assert sorted(line for line in said if line.startswith("signal")) == sorted(
        f"signal {n}" for n in range(inside)
    )
