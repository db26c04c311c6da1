"""The module that logs: a peer's call as text, in loops that are the same for every peer.

The text becomes a module in a real file, since places of calls and the lines of tracebacks are read
from it. ``burst`` runs the call, ``timed`` takes the time of each one. In them are ``log``, the
logger, and ``number``, the count from zero, which is in the line where the call has a place for it.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

NAME = "bench_subject"

LOOPS = """\
from time import perf_counter_ns as clock


def burst(log, calls):
    for number in range(calls):
        {call}


def timed(log, calls, times):
    for number in range(calls):
        start = clock()
        {call}
        times[number] = clock() - start
"""
APART = """\
from time import perf_counter_ns as clock


def one(log, number):
    {call}


def burst(log, calls):
    for number in range(calls):
        one(log, number)


def timed(log, calls, times):
    for number in range(calls):
        start = clock()
        one(log, number)
        times[number] = clock() - start
"""
# Seven frames are in the traceback: the one that caught and six below it.
RAISING = """\
from time import perf_counter_ns as clock


def first(what):
    return second(what)


def second(what):
    return third(what)


def third(what):
    return fourth(what)


def fourth(what):
    return fifth(what)


def fifth(what):
    return sixth(what)


def sixth(what):
    raise ValueError(f"no room for {{what}}")


def burst(log, calls):
    try:
        first("apples")
    except ValueError as error:
        for number in range(calls):
            {call}


def timed(log, calls, times):
    try:
        first("apples")
    except ValueError as error:
        for number in range(calls):
            start = clock()
            {call}
            times[number] = clock() - start
"""


def source(call: str, kind: str, *, apart: bool = False) -> str:
    """Give the text of the module."""
    template = RAISING if kind == "exception" else APART if apart else LOOPS
    return template.format(call=call)


def made(directory: Path, name: str, call: str, kind: str, *, apart: bool = False) -> Any:
    """Write the module and import it."""
    path = directory / f"{name}.py"
    path.write_text(source(call, kind, apart=apart), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
