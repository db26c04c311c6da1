"""One uvicorn process: started, looked at through /proc, and ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

START_DEADLINE = 30.0
STOP_DEADLINE = 30.0


@dataclass(frozen=True)
class Sample:
    """What /proc says of a process at one moment."""

    requests: int
    threads: int
    memory_kib: int
    open_files: int
    cpu_seconds: float


class Server:
    """A real server in a process of its own, on a free port of the loopback interface."""

    def __init__(self, factory: str, directory: Path) -> None:
        """Start uvicorn with an application factory of ``apps.py``."""
        self.log_file = directory / f"{factory}.log"
        self.output = directory / f"{factory}.out"
        self.url = f"http://127.0.0.1:{free_port()}"
        command = [
            *(sys.executable, "-m", "uvicorn", f"apps:{factory}", "--factory"),
            *("--app-dir", str(Path(__file__).parent)),
            *("--host", "127.0.0.1", "--port", self.url.rpartition(":")[2]),
            *("--no-access-log", "--log-level", "warning"),
            # The others' turns must not look like an idle client: the server would hang up on it.
            *("--timeout-keep-alive", "600"),
        ]
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "DEMO_LOG_FILE": str(self.log_file)},
            )

    def wait_until_ready(self) -> None:
        """Return when the application answers."""
        deadline = time.monotonic() + START_DEADLINE
        while self._process.poll() is None and time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/ready", trust_env=False).status_code == 200:
                    return
            time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"the server did not start:\n{self.output.read_text(errors='replace')}")

    def sample(self, requests: int) -> Sample | None:
        """Look at the process; ``None`` when it is gone."""
        proc = Path("/proc", str(self._process.pid))
        try:
            status = (proc / "status").read_text()
            # The directory's link count is its number of entries, without a walk through thousands.
            threads = (proc / "task").stat().st_nlink - 2
            open_files = len(os.listdir(proc / "fd"))
            times = (proc / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        memory = next((line for line in status.splitlines() if line.startswith("VmRSS:")), None)
        if memory is None:  # ended, and not yet waited for
            return None
        ticks = int(times[11]) + int(times[12])
        return Sample(
            requests=requests,
            threads=threads,
            memory_kib=int(memory.split()[1]),
            open_files=open_files,
            cpu_seconds=ticks / os.sysconf("SC_CLK_TCK"),
        )

    def terminate(self) -> None:
        """Send SIGTERM, and do not wait."""
        self._process.terminate()

    def wait(self) -> str:
        """Wait until the process has ended, and say how it did; kill one that does not."""
        try:
            status = self._process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            self.kill()
            return f"did not end within {STOP_DEADLINE:.0f} s of SIGTERM, killed"
        if status in {0, -signal.SIGTERM}:
            return "ended by SIGTERM"
        return f"ended with status {status}"

    def kill(self) -> None:
        """End the process at once, if it has not ended."""
        self._process.kill()
        self._process.wait()


def free_port() -> int:
    """Give a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
