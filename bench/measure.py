"""One run: one workload with one peer, in a process of its own. Prints one JSON object.

    python -m bench.measure WORKLOAD PEER [--quick]

The object has ``metrics``, a name to a number, and ``faults``, sentences. A peer that cannot do the
workload is ``unsupported``, with the reason. Invariants:

1. The time of calls and the time of each call come from different passes, so that the clock's own
   cost is in neither mean.
2. What calls are compared with (an empty loop, an empty native method, a disabled call of the standard
   library) runs in this process, turn about with the calls.
3. The clock of a drain stops when `drain` returned, and then the size of the files is noted: lines that
   came later are late ones, and a fault.
4. Every line that was ever logged here is checked in the end (``lines.py``).
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import tempfile
import threading
import time
import traceback
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import lines, process, subject, workloads
from bench.peers import peer_class
from bench.peers.base import STANDARD, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.peers.base import Peer
    from bench.workloads import Workload

Result = dict[str, float]
BURSTS = 8
BURST_MOST = 5_000  # calls: below what fits into the smallest queue among the peers
LEAST, MOST = 400, 400_000
WARM_UP = 200


class LibraryLogger(logging.Logger):
    """The library's logger with its own methods, whatever a peer puts in their place later."""


for _name, _own in list(vars(logging.Logger).items()):
    if callable(_own) and not _name.startswith("__"):
        setattr(LibraryLogger, _name, _own)


class Run:
    """A peer that is set up, with its subject and what it has logged so far."""

    def __init__(self, workload: Workload, name: str, directory: Path, budget: float) -> None:
        """``budget`` is about how many seconds a pass takes."""
        self.workload = workload
        self.budget = budget
        self.passes: list[int] = []
        self.late = 0
        self.directory = str(directory)
        self.peer: Peer = peer_class(name)(directory / "bench.log", workload.style)
        early = logging.getLogger("shop.orders") if workload.early else None
        process.forget_peak()
        self.resident = process.status("VmRSS")
        self.peer.open()
        self.log = early or self.peer.logger("shop.orders")
        apart = workload.apart
        call = self.peer.call(workload.call)
        self.subject = subject.made(directory, subject.NAME, call, workload.call, apart=apart)

        def reference(name: str, call: str) -> Any:
            return subject.made(directory, f"bench_{name}", call, "two", apart=apart)

        self.loop = reference("loop", "pass")
        self.empty = reference("empty", "log.isascii()")
        # Returns at once as long as there is no hook, with the arguments that our calls have.
        self.audit = reference("audit", 'log.audit("user %s did %d things", "alice", number)')
        self.off = reference("off", STANDARD["off"])
        self.off_logger = LibraryLogger("bench.off", logging.INFO)

    def burst(self, calls: int) -> int:
        """Log, and give the nanoseconds."""
        self.passes.append(calls)
        start = time.perf_counter_ns()
        self.subject.burst(self.log, calls)
        return time.perf_counter_ns() - start

    def drained(self, log: Callable[[], object]) -> tuple[float, float]:
        """Run what logs, drain, and give the seconds and the processor's seconds of all threads."""
        cpu, start = time.process_time(), time.perf_counter()
        log()
        self.peer.drain()
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        sizes = {path: path.stat().st_size for path in self.peer.files()}
        self.peer.drain()
        time.sleep(0.05)
        for path in self.peer.files():
            new = path.stat().st_size - sizes.get(path, 0)
            if new:
                self.late += new
        return seconds, cpu

    def warm_up(self) -> int:
        """Log a little, and give how many calls fit into the budget."""
        self.burst(WARM_UP)
        self.peer.drain()
        start = time.perf_counter()
        self.burst(WARM_UP)
        self.peer.drain()
        each = (time.perf_counter() - start) / WARM_UP
        return max(LEAST, min(MOST, int(self.budget / each)))

    def check(self) -> list[str]:
        """End, and look at every line."""
        self.peer.drain()
        self.peer.close()
        data = b"".join(path.read_bytes() for path in self.peer.files())
        text = self._traceback() if self.workload.call == "exception" else ""
        checked = lines.check(data, self.workload.call, self.passes, text, self.directory)
        faults = checked.faults()
        if self.late:
            faults.append(f"{self.late} bytes came after the drain")
        return faults

    def _traceback(self) -> str:
        """Give the standard library's text, by the frames of the subject itself."""
        caught: list[str] = []

        class Catch:
            def __getattr__(self, _: str) -> Callable[..., object]:
                def call(*_: object, **__: object) -> Catch:
                    if not caught:
                        caught.append(traceback.format_exc())
                    return self

                return call

        # A burst may log at another line than a timed pass; only the burst is compared.
        self.subject.burst(Catch(), 1)
        return caught[0]


def calls(run: Run) -> Result:
    """Mean of calls, distribution of single calls, drained throughput, processor time, memory."""
    fitting = run.warm_up()
    result = call_means(run, min(fitting, BURST_MOST))
    if run.workload.call != "exception":
        result |= single_calls(run, fitting)
    cpu_calls: list[float] = []
    seconds, cpu = run.drained(lambda: cpu_calls.append(run.burst(fitting)))
    result |= {
        "busy_call_ns": cpu_calls[0] / fitting,
        "drained_ns": seconds / fitting * 1e9,
        "drained_per_s": fitting / seconds,
        "cpu_ns": cpu / fitting * 1e9,
        "peak_kib": process.status("VmHWM") - run.resident,
        "records": sum(run.passes),
    }
    return result


def call_means(run: Run, size: int) -> Result:
    """The calls and what they are compared with, by turns; the loop's own cost is taken off."""
    taken: dict[str, list[float]] = {name: [] for name in ("loop", "empty", "audit", "off", "call")}

    def timed(name: str, module: Any, log: Any, number: int) -> None:
        start = time.perf_counter_ns()
        module.burst(log, number)
        taken[name].append((time.perf_counter_ns() - start) / number)

    for _ in range(BURSTS):
        for name, module, log in (
            ("loop", run.loop, None),
            ("empty", run.empty, ""),
            ("audit", run.audit, sys),
            ("off", run.off, run.off_logger),
        ):
            timed(name, module, log, BURST_MOST)
        run.peer.drain()
        run.peer.hold()
        taken["call"].append(run.burst(size) / size)
        run.peer.release()
    loop = statistics.median(taken["loop"])
    empty, audit, off, call = (
        statistics.median(taken[name]) - loop for name in ("empty", "audit", "off", "call")
    )
    return {
        "call_ns": call,
        "loop_ns": loop,
        "empty_ns": empty,
        "empty_3_ns": audit,
        "disabled_ns": off,
        "to_disabled": call / off,
        "to_empty": call / empty,
        "to_empty_3": call / audit,
    }


def percentile(ordered: Any, share: float) -> float:
    """Give the value below which the share of the values lies."""
    return float(ordered[min(len(ordered) - 1, int(share * len(ordered)))])


def single_calls(run: Run, number: int) -> Result:
    """Each call between two looks at the clock, while the writer has all it can do."""
    times, nothing = array("q", [0]) * number, array("q", [0]) * number
    run.empty.timed("", number, nothing)
    run.passes.append(number)
    run.subject.timed(run.log, number, times)
    run.peer.drain()
    ordered, empty = sorted(times), sorted(nothing)
    return {
        "p50_ns": percentile(ordered, 0.5),
        "p99_ns": percentile(ordered, 0.99),
        "p999_ns": percentile(ordered, 0.999),
        "clock_ns": percentile(empty, 0.5),
        "empty_p999_ns": percentile(empty, 0.999),
        "p999_to_empty": percentile(ordered, 0.999) / percentile(empty, 0.999),
    }


def disabled(run: Run) -> Result:
    """Calls of a level that is off: no line may come of them."""
    result = call_means(run, BURST_MOST)
    run.peer.drain()
    if written := sum(path.stat().st_size for path in run.peer.files()):
        raise RuntimeError(f"{written} bytes were written by a level that is off")
    return result


def threads(run: Run) -> Result:
    """The same number of records from one thread and from eight, each drained."""
    fitting = max(8, run.warm_up() // 8 * 8)

    def eight() -> None:
        run.passes.extend([fitting // 8] * 8)
        made = [
            threading.Thread(target=run.subject.burst, args=(run.log, fitting // 8))
            for _ in range(8)
        ]
        for thread in made:
            thread.start()
        for thread in made:
            thread.join()

    one_seconds, _ = run.drained(lambda: run.burst(fitting))
    eight_seconds, cpu = run.drained(eight)
    return {
        "one_per_s": fitting / one_seconds,
        "eight_per_s": fitting / eight_seconds,
        "drained_per_s": fitting / eight_seconds,
        "cpu_ns": cpu / fitting * 1e9,
        "eight_to_one": one_seconds / eight_seconds,
    }


def loggers(run: Run) -> Result:
    """The cost of a call before and after a million other loggers were made."""
    run.warm_up()
    before = call_means(run, BURST_MOST)["call_ns"]
    start = time.perf_counter()
    kept = [run.peer.logger(f"many.n{number}") for number in range(1_000_000)]
    made = time.perf_counter() - start
    after = call_means(run, BURST_MOST)["call_ns"]
    assert len(kept) == 1_000_000
    return {
        "call_ns": after,
        "one_call_ns": before,
        "many_to_one": after / before,
        "make_ns": made * 1e3,
        "peak_kib": process.status("VmHWM") - run.resident,
    }


def latency(run: Run) -> Result:
    """From the call to the line in the file, as another reader of it sees it."""
    run.warm_up()
    times = []
    for _ in range(12):
        time.sleep(0.25)
        size = run.peer.path.stat().st_size
        start = time.perf_counter()
        run.burst(1)
        while run.peer.path.stat().st_size == size:
            if time.perf_counter() - start > 5:
                raise TimeoutError("a line was not in the file after 5 s")
        times.append(time.perf_counter() - start)
    return {"latency_ms": statistics.median(times) * 1e3, "latency_max_ms": max(times) * 1e3}


def idle(run: Run) -> Result:
    """The processor time of a process that logged and now does nothing."""
    seconds = 10.0 if run.budget > 0.1 else 2.0
    run.warm_up()
    time.sleep(1)
    cpu, start = time.process_time(), time.perf_counter()
    time.sleep(seconds)
    cpu, seconds = time.process_time() - cpu, time.perf_counter() - start
    return {"idle_percent": cpu / seconds * 100}


# Those in which a peer writes lines of the subject.
KINDS: dict[str, Callable[[Run], Result]] = {
    "calls": calls,
    "disabled": disabled,
    "threads": threads,
    "loggers": loggers,
    "idle": idle,
    "latency": latency,
}


def measure(workload: Workload, peer: str, *, quick: bool) -> dict[str, Any]:
    """Do one run."""
    budget = 0.08 if quick else 0.2
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        if workload.kind not in KINDS:
            from bench import others

            metrics, faults = others.KINDS[workload.kind](workload, peer, Path(directory), budget)
        else:
            run = Run(workload, peer, Path(directory), budget)
            metrics = KINDS[workload.kind](run)
            faults = [] if workload.kind == "disabled" else run.check()
    return {"metrics": metrics, "faults": faults}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workload", choices=sorted(workloads.BY_NAME))
    parser.add_argument("peer")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    workload = workloads.BY_NAME[arguments.workload]
    try:
        result = measure(workload, arguments.peer, quick=arguments.quick)
    except (UnsupportedError, ImportError) as error:
        reason = f"{error}" if isinstance(error, UnsupportedError) else f"not installed: {error}"
        result = {"unsupported": reason}
    # A peer may have put itself in the place of standard output's object.
    sys.__stdout__.write(json.dumps(result) + "\n")  # type: ignore[union-attr]
    return 0


if __name__ == "__main__":
    sys.exit(main())
