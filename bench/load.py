"""The client of the server runs: a few connections that stay open, each with one request at a time.

It does as little as it can, since it shares the machine with the server.
"""

from __future__ import annotations

import selectors
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

REQUEST = b"GET /work HTTP/1.1\r\nHost: bench\r\n\r\n"
DEADLINE = 30.0


class Load:
    """Connections to a server on this machine."""

    def __init__(self, port: int, connections: int) -> None:
        """Connect."""
        self.selector = selectors.DefaultSelector()
        self.sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
        for one in self.sockets:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(one, selectors.EVENT_READ)

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        self.selector.close()
        for one in self.sockets:
            one.close()

    def run(self, seconds: float) -> tuple[int, float]:
        """Send requests for so long, and give how many were answered in how many seconds."""
        received = dict.fromkeys(self.sockets, b"")
        answered, waiting = 0, len(self.sockets)
        start = time.perf_counter()
        for one in self.sockets:
            one.sendall(REQUEST)
        while waiting:
            ready = self.selector.select(DEADLINE)
            if not ready:
                raise TimeoutError(f"no answer in {DEADLINE:.0f} s")
            for key, _ in ready:
                one = key.fileobj
                assert isinstance(one, socket.socket)
                received[one] += one.recv(65536)
                if not complete(received[one]):
                    continue
                received[one] = b""
                answered += 1
                if time.perf_counter() - start < seconds:
                    one.sendall(REQUEST)
                else:
                    waiting -= 1
        return answered, time.perf_counter() - start


def complete(response: bytes) -> bool:
    """Whether this is a whole response; one that is no 200 is an error."""
    head, separator, body = response.partition(b"\r\n\r\n")
    if not separator:
        if not response:
            raise ConnectionError("the server closed the connection")
        return False
    status, *fields = head.split(b"\r\n")
    if b" 200 " not in status:
        raise ConnectionError(f"expected 200, got {status.decode('latin-1')}")
    lengths = [field for field in fields if field.lower().startswith(b"content-length:")]
    return len(body) >= int(lengths[0].partition(b":")[2])


def free_port() -> int:
    """Give a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(server: subprocess.Popen[bytes], port: int, output: Path) -> None:
    """Return when the server accepts connections."""
    end = time.monotonic() + DEADLINE
    while server.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"the server did not start: {output.read_text(errors='replace')[-500:]}")
