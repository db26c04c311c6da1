"""Real servers on a port, as processes of their own, and what they say as JSON lines."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.python.conftest import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

DEADLINE = 60.0


@contextlib.contextmanager
def served(
    command: Iterable[str], directory: Path, output: Path, **environment: str
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Serve, by a module with its arguments; give the process and its port once it listens.

    In the command ``{port}`` stands for the port, and ``{config}`` for the file of
    ``python -m logboom log-config``. What is left at the end is killed, with all that it started.
    """
    shown = [sys.executable, "-m", "logboom", "log-config"]
    config = subprocess.run(shown, capture_output=True, text=True, check=True).stdout.strip()
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", *(part.format(config=config, port=port) for part in command)],
            cwd=directory,
            env={**clean_environment(), **environment},
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _connect(port, process, output)
        yield process, port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _connect(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        assert process.poll() is None, output.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.01)
    pytest.fail(output.read_text())


def ask(port: int, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Ask for a path; give the status, the headers with small letters, and the body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, body


def end(process: subprocess.Popen[bytes]) -> int:
    """Ask a server to end, and wait until it did; give its code."""
    process.send_signal(signal.SIGTERM)
    return process.wait(DEADLINE)


def json_lines(output: Path) -> list[dict[str, Any]]:
    """Give what a server said, each line of which is to be JSON."""
    lines = []
    for line in output.read_text().splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            pytest.fail(f"not JSON: {line!r} in\n{output.read_text()}")
    return lines
