"""Memory stays what it is: under overload, over many records, loggers, messages and call sites.

Each program warms up, so that everything which is made once is made, and then measures how much more
memory is resident after the thing was done often. The numbers are those of the promise where a test
may take that long; `LOGBOOM_TIMES=10` does each ten times as often.
"""

from __future__ import annotations

import os
import sys

import pytest
from tests.python.conftest import Runner

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for what is resident")

TIMES = int(os.environ.get("LOGBOOM_TIMES", "1"))
MIB = 1 << 20

PREAMBLE = """
import gc, logging, os, sys
import logboom

def resident():
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

handler = logboom.FileHandler("/dev/null")
handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(module)s %(message)s"))
logging.root.addHandler(handler)
logging.root.setLevel(logging.INFO)

def growth(do, warm, often):
    # Of a large ring more is touched the further the writer falls behind.
    logboom.configure(capacity_bytes=1 << 18)
    do(warm)
    logboom.flush()
    before = resident()
    do(often)
    logboom.flush()
    return resident() - before
"""

RECORDS = """
logger = logging.getLogger("app")
def do(count):
    for number in range(count):
        logger.info("record %d of %s", number, "many")
"""
LOGGERS_DROPPED = """
def do(count):
    for number in range(count):
        logger = logging.Logger(f"dropped.{number}")
        logger.parent = logging.root
        logger.info("x")
        logger.info("y")
"""
MESSAGES = """
logger = logging.getLogger("app")
def do(count):
    for number in range(count):
        logger.info(f"record {number:08} of many")
"""
TEMPLATES = """
logger = logging.getLogger("app")
def do(count):
    for number in range(count):
        template = f"record {number:08} of %s"
        logger.info(template, "many")
        logger.info(template, "many")
"""
SITES = """
logger = logging.getLogger("app")
def do(count):
    for number in range(count):
        exec(compile("logger.info('x')", f"made_{number}.py", "exec"))
"""

# A cache of a fixed number of templates or call sites holds what it knows, scattered over the arenas of
# the interpreter, and the ring's table takes texts until it is full: both once a process.
CACHES = 16 * MIB

# What is done, how often first and then, and by how much the process may grow meanwhile.
CASES = {
    "records": (RECORDS, 500_000, 1_000_000, 1 * MIB),
    "loggers that are dropped": (LOGGERS_DROPPED, 50_000, 100_000, 1 * MIB),
    "messages that are met once": (MESSAGES, 200_000, 100_000, 1 * MIB),
    "templates that are met twice": (TEMPLATES, 10_000, 500_000, CACHES),
    "call sites": (SITES, 10_000, 100_000, CACHES),
}


@pytest.mark.parametrize("case", CASES)
def test_a_process_does_not_grow(run_python: Runner, case: str) -> None:
    do, warm, often, bound = CASES[case]
    program = f"{PREAMBLE}{do}\nlogboom.install()\nprint(growth(do, {warm}, {often * TIMES}))"
    grown = int(run_python(program, deadline=60 * (1 + TIMES)).ok().out)
    assert grown <= bound, f"grew by {grown / MIB:.1f} MiB"


DROPPED = {
    "fields": "logger.info('x', extra={'number': number})",
    "templates": "logger.info(f'{number} %d', number)",
    "sites": "exec(compile('logger.info(1)', f'made_{number}.py', 'exec'))",
}


@pytest.mark.parametrize("case", DROPPED)
def test_what_a_call_lets_go_is_given_up_by_calls_alone(run_python: Runner, case: str) -> None:
    run_python(
        PREAMBLE
        + f"""
logger = logging.getLogger("app")
def do(count):
    for number in range(count):
        {DROPPED[case]}
    gc.collect()
    return sys.getallocatedblocks()
do(10_000)
# Nothing else of ours runs meanwhile, which would give up what waits for that.
before = do(10_000)
grown = do(10_000) - before
assert grown < 1_000, grown
"""
    ).ok()


def test_loggers_that_stay_take_what_they_take_in_the_library(run_python: Runner) -> None:
    do = """
def do(count, made=[0]):
    for _ in range(count):
        made[0] += 1
        logging.getLogger(f"stays.{made[0]}").info("x")
"""
    program = f"{PREAMBLE}{do}\ngetattr(logboom, sys.argv[1])()\n"
    program += f"print(growth(do, 30_000, {100_000 * TIMES}))"
    ours, theirs = (
        int(run_python(program, begin, deadline=60 * (1 + TIMES)).ok().out)
        for begin in ("install", "uninstall")
    )
    # A logger that logs keeps its attributes in a dictionary, which `vars()` of it would make as well.
    most = theirs + 256 * 100_000 * TIMES + MIB
    assert ours <= most, f"{ours / MIB:.1f} against {theirs / MIB:.1f} MiB"


@pytest.mark.parametrize("overflow", ["drop_newest", "block"])
def test_overload_takes_no_more_than_the_ring(run_python: Runner, overflow: str) -> None:
    grown = run_python(
        PREAMBLE
        + RECORDS
        + """
import threading
logboom.install()
capacity = 8 << 20
logboom.configure(
    capacity_bytes=capacity, overflow=sys.argv[1], block_timeout=0.001, shutdown_timeout=0.1
)
do(1_000)
logboom.flush()
# A sink that takes nothing.
reading, writing = os.pipe()
stuck = logboom.StreamHandler(os.fdopen(os.dup(writing), "w", encoding="utf-8"))
os.dup2(writing, 1)
handler = logboom.StreamHandler(sys.__stdout__)
handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(module)s %(message)s"))
logging.root.addHandler(handler)
before = resident()
dropped = lambda: logboom.stats().dropped
count = 0
while not dropped():
    do(1_000)
do(20_000 if sys.argv[1] == "drop_newest" else 100)
grown = resident() - before
sys.stderr.write(f"{grown - capacity}\\n")
sys.stderr.flush()
os._exit(0)
""",
        overflow,
    ).ok()
    over = int(grown.err.splitlines()[0])
    assert over <= 4 * MIB, f"{over / MIB:.1f} MiB more than the ring has"
