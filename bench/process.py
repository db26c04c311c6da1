"""What the system says of a process: memory, threads, descriptors, processor time. Linux only."""

from __future__ import annotations

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def status(name: str, pid: int | str = "self") -> int:
    """Give a number of /proc/PID/status: ``VmRSS`` and ``VmHWM`` in KiB, ``Threads``."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise KeyError(name)


def open_files(pid: int | str = "self") -> int:
    """Count the descriptors; the one that counts is not among them."""
    return len(os.listdir(f"/proc/{pid}/fd")) - (pid == "self")


def cpu_seconds(pid: int) -> float:
    """Give the processor time of another process, of all its threads, those that ended as well."""
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(times[11]) + int(times[12])) / TICKS


def forget_peak() -> None:
    """Let the peak of this process's memory begin at what it has now."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return  # a sandbox forbids it: the peak is then the process's whole life's
