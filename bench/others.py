"""The runs in which no subject logs to a peer's file: hosted handlers, servers, set-up, import."""

from __future__ import annotations

import logging
import logging.handlers
import os
import queue
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import lines, process, subject
from bench.load import Load, free_port, wait_until_ready
from bench.peers import peer_class
from bench.peers.base import FORMAT, STANDARD

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.workloads import Workload

Outcome = tuple[dict[str, float], list[str]]
ROOT = Path(__file__).resolve().parents[1]
CONFIGURATIONS = 2_000
PROCESSES, LINES_EACH = 8, 20_000


class Count(logging.Handler):
    """A handler that is not ours: it formats and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter(FORMAT))
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.format(record)
        self.count += 1


def hosted(_: Workload, peer: str, directory: Path, budget: float) -> Outcome:
    """Records through a queue handler until the Python handler behind it had the last one."""
    handler_class: Any = logging.handlers.QueueHandler
    listener_class: Any = logging.handlers.QueueListener
    if peer == "logboom":
        import logboom

        logboom.install()
        handler_class, listener_class = logboom.QueueHandler, logboom.QueueListener
    module = subject.made(directory, subject.NAME, STANDARD["two"], "two")
    log = logging.getLogger("shop.orders")
    log.propagate = False
    log.setLevel(logging.INFO)
    number = int(budget / 20e-6)

    def once(calls: int) -> tuple[float, float, float]:
        source: queue.Queue[Any] = queue.Queue()
        count = Count()
        handler, listener = handler_class(source), listener_class(source, count)
        log.addHandler(handler)
        listener.start()
        cpu, start = time.process_time(), time.perf_counter()
        module.burst(log, calls)
        called = time.perf_counter() - start
        listener.stop()
        drained, cpu = time.perf_counter() - start, time.process_time() - cpu
        log.removeHandler(handler)
        if count.count != calls:
            raise RuntimeError(f"{calls - count.count} of {calls} records were not handled")
        return called, drained, cpu

    once(200)
    taken = [once(number) for _ in range(3)]
    called, drained, cpu = (
        statistics.median(one[at] for one in taken) / number * 1e9 for at in range(3)
    )
    metrics = {
        "busy_call_ns": called,
        "drained_ns": drained,
        "drained_per_s": 1e9 / drained,
        "cpu_ns": cpu,
    }
    return metrics, []


def processes(_: Workload, peer: str, directory: Path, budget: float) -> Outcome:
    """Several processes that log into one rotating file at the same time, until all of it is there."""
    made = peer_class(peer)(directory / "bench.log", "text")
    number = LINES_EACH if budget > 0.1 else LINES_EACH // 10
    started = []
    for count in range(PROCESSES):
        (own := directory / f"process{count}").mkdir()
        command = [
            sys.executable,
            "-m",
            "bench.writing",
            peer,
            str(made.path),
            str(number),
            str(own),
        ]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True))
    try:
        for one in started:
            if one.stdout is None or one.stdout.readline() != "ready\n":
                raise RuntimeError("a process did not come up")
        start = time.perf_counter()
        _tell(started)
        ended = [one.stdout is not None and one.stdout.readline() for one in started]
        seconds = time.perf_counter() - start
        _tell(started)
        faults = [f"a process said {said!r}" for said in ended if said != "done\n"]
        faults += [f"ended with {one.returncode}" for one in started if one.wait(30)]
    finally:
        for one in started:
            one.kill()
            one.wait()
    data = b"".join(path.read_bytes() for path in made.files())
    checked = lines.check(data, "two", [number] * PROCESSES)
    records = number * PROCESSES
    metrics = {
        "drained_ns": seconds / records * 1e9,
        "drained_per_s": records / seconds,
        "records": float(records),
    }
    return metrics, faults + checked.faults()


def _tell(started: list[subprocess.Popen[str]]) -> None:
    for one in started:
        if one.stdin is not None:
            one.stdin.write("go\n")
            one.stdin.flush()


def litestar(workload: Workload, peer: str, directory: Path, budget: float) -> Outcome:
    """Requests per second of a real server, and its processor time for each."""
    log_file, output = directory / "bench.log", directory / "output"
    port = free_port()
    variables = {
        "BENCH_LOGGING": peer,
        "BENCH_LINES": str(workload.lines),
        "BENCH_FILE": str(log_file),
    }
    with output.open("wb") as out:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "uvicorn", "bench.litestar_app:app"),
                *("--host", "127.0.0.1", "--port", str(port)),
                *("--no-access-log", "--log-level", "warning"),
            ],
            cwd=ROOT,
            env={**os.environ, **variables},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_ready(server, port, output)
        with Load(port, connections=8) as load:
            warm = load.run(budget)
            cpu = process.cpu_seconds(server.pid)
            answered, seconds = load.run(budget * 6)
            cpu = process.cpu_seconds(server.pid) - cpu
            memory = process.status("VmHWM", server.pid)
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    finally:
        server.kill()
        server.wait()
    # As shipped Litestar writes to standard error.
    text = (output if peer == "shipped" else log_file).read_bytes() if peer != "none" else b""
    found = text.count(b" - line ")
    expected = 0 if peer == "none" else (warm[0] + answered) * workload.lines
    faults = [] if found == expected else [f"{found} lines, expected {expected}"]
    if peer == "logboom-plugin" and (told := text.count(b'"GET /work 200 ')) != warm[0] + answered:
        faults.append(f"{told} access lines for {warm[0] + answered} requests")
    metrics = {
        "requests_per_s": answered / seconds,
        "cpu_ns": cpu / answered * 1e9,
        "peak_kib": float(memory),
    }
    return metrics, faults


def reconfigure(_: Workload, peer: str, directory: Path, __: float) -> Outcome:
    """What a process has more after two thousand configurations with a file."""
    configure = _configuration(peer, str(directory / "bench.log"))
    for _number in range(100):
        configure()
        logging.getLogger("bench").info("configured")
    before = _resources()
    start = time.perf_counter()
    for _number in range(CONFIGURATIONS):
        configure()
        logging.getLogger("bench").info("configured")
    seconds = time.perf_counter() - start
    now = _resources()
    metrics = {name: now[name] - before[name] for name in before}
    return {**metrics, "configure_us": seconds / CONFIGURATIONS * 1e6}, []


def _resources() -> dict[str, float]:
    return {
        "new_threads": float(process.status("Threads")),
        "new_files": float(process.open_files()),
        "new_kib": float(process.status("VmRSS")),
    }


def _configuration(peer: str, path: str) -> Callable[[], object]:
    """Give a function that configures logging once."""
    formatters = {"standard": {"format": FORMAT}}
    if peer.startswith("litestar-"):
        from litestar.logging import LoggingConfig

        # As shipped it has a queue and a listener; ours takes the same fields.
        config_class: Any = LoggingConfig
        if peer == "litestar-logboom":
            from logboom.litestar import LoggingConfig as Ours

            config_class = Ours
        return lambda: config_class(
            loggers={"bench": {"level": "INFO", "handlers": ["queue_listener"]}}
        ).configure()
    file_class = "logging.FileHandler"
    if peer == "logboom":
        import logboom

        logboom.install()
        file_class = "logboom.FileHandler"
    from logging.config import dictConfig

    return lambda: dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": formatters,
            "handlers": {"file": {"class": file_class, "filename": path, "formatter": "standard"}},
            "root": {"level": "INFO", "handlers": ["file"]},
        }
    )


IMPORT = """\
import time
start = time.perf_counter()
import logging
between = time.perf_counter()
import logboom
logboom.install()
print(between - start, time.perf_counter() - between)
"""


def importing(_: Workload, __: str, ___: Path, budget: float) -> Outcome:
    """What `import logboom` and `install()` take in a fresh process that has imported `logging`."""
    times = []
    for _number in range(7 if budget > 0.1 else 3):
        done = subprocess.run(
            [sys.executable, "-I", "-c", IMPORT], capture_output=True, text=True, check=True
        )
        times.append([float(part) * 1e3 for part in done.stdout.split()])
    library, ours = (statistics.median(one[at] for one in times) for at in range(2))
    return {"logging_ms": library, "import_ms": ours}, []


KINDS: dict[str, Callable[[Workload, str, Path, float], Outcome]] = {
    "hosted": hosted,
    "processes": processes,
    "litestar": litestar,
    "reconfigure": reconfigure,
    "import": importing,
}
