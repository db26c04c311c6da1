"""Servers that fork their workers: each line of each process once, also right before they are ended."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.python.conftest import clean_environment

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")

DEADLINE = 90.0
LINES = 25

LOGGING = """
import logging, os, threading
import logboom

logboom.install()
logger = logging.getLogger("app")
logger.setLevel(logging.INFO)
logger.propagate = False
handler = logboom.FileHandler("app.log")
handler.setFormatter(logging.Formatter("%(process)d %(message)s"))
logger.addHandler(handler)
logger.info("loaded")
"""
WSGI = (
    LOGGING
    + f"""
def app(environ, start_response):
    number = environ["PATH_INFO"].strip("/")
    for k in range({LINES}):
        logger.info("request %s line %d", number, k)
    threads = [thread.name for thread in threading.enumerate()]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(logboom.stats().native_threads).encode()]
"""
)
ASGI = (
    LOGGING
    + f"""
from litestar import Litestar, get
from litestar.params import FromPath
from logboom.litestar import LogboomPlugin

@get("/{{number:int}}")
async def answer(number: FromPath[int]) -> str:
    for k in range({LINES}):
        logger.info("request %s line %d", number, k)
    return str(logboom.stats().native_threads)

app = Litestar([answer], plugins=[LogboomPlugin()], logging_config=None)
"""
)
CELERY = (
    LOGGING
    + f"""
from celery import Celery
from celery.signals import setup_logging

@setup_logging.connect
def keep(**_):
    pass

app = Celery("tasks", broker="filesystem://")
app.conf.broker_transport_options = dict(
    data_folder_in="queue", data_folder_out="queue", processed_folder="done", store_processed=True,
    polling_interval=0.05,
)
app.conf.worker_enable_remote_control = False

@app.task
def work(number):
    for k in range({LINES}):
        logger.info("request %s line %d", number, k)
"""
)


class Server:
    """A server in the test's directory, ended with everything that it started."""

    def __init__(self, directory: Path, *command: str) -> None:
        self.output = directory / "server.out"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=directory,
                env=clean_environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def end(self) -> int:
        """Ask it to end, and wait until it did."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE)

    def kill(self) -> None:
        """End whatever is left of it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def serve(tmp_path):
    """Give the function that starts servers."""
    servers = []

    def start(*command: str) -> Server:
        servers.append(Server(tmp_path, *command))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


def until(condition, server: Server):
    """Wait for something; fail with what the server said."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        assert server.process.poll() is None, server.output.read_text()
        time.sleep(0.01)
    return pytest.fail(f"not within {DEADLINE} s: {server.output.read_text()}")


def expected(requests: int) -> Counter[str]:
    return Counter(f"request {n} line {k}" for n in range(requests) for k in range(LINES))


def listens(bind: Path) -> bool:
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
        return connection.connect_ex(str(bind)) == 0


def ask(bind: Path, number: int) -> bytes:
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(DEADLINE)
    connection.sock.connect(str(bind))
    connection.request("GET", f"/{number}")
    answer = connection.getresponse().read()
    connection.close()
    return answer


@pytest.mark.parametrize("how", [(), ("--preload",)], ids=["each loads", "preload"])
def test_gunicorn(serve, log, tmp_path, how):
    (tmp_path / "served.py").write_text(WSGI)
    bind = tmp_path / "socket"
    server = serve("gunicorn", "-w", "3", "-b", f"unix:{bind}", *how, "served:app")
    until(bind.exists, server)
    assert {ask(bind, n) for n in range(200)} == {b"1"}
    assert server.end() == 0
    said = [line.split(" ", 1) for line in log.lines()]
    loaded = [process for process, text in said if text == "loaded"]
    assert len(loaded) == len(set(loaded)) == (1 if how else 3)
    assert Counter(text for _, text in said if text != "loaded") == expected(200)
    # The master of those that were loaded before the fork answers nothing.
    workers = {process for process, text in said if text != "loaded"}
    assert (set(loaded) & workers == set()) if how else workers <= set(loaded)


def test_uvicorn_with_workers(serve, log, tmp_path):
    """Its workers are spawned and ended by a signal that they raise again, so that no hook runs."""
    (tmp_path / "served.py").write_text(ASGI)
    bind = tmp_path / "socket"
    server = serve("uvicorn", "--workers", "3", "--uds", str(bind), "served:app")
    until(lambda: log.text().count("loaded") == 3 and listens(bind), server)
    assert {ask(bind, n) for n in range(200)} == {b"1"}
    assert server.end() == 0
    said = [line.split(" ", 1) for line in log.lines()]
    assert Counter(text for _, text in said if text != "loaded") == expected(200)
    assert len({process for process, text in said if text == "loaded"}) == 3


@pytest.mark.parametrize("how", [(), ("--max-tasks-per-child", "1")], ids=["kept", "one task each"])
def test_celery(serve, log, tmp_path, how):
    tasks = 30
    (tmp_path / "tasks.py").write_text(CELERY)
    for folder in ("queue", "done"):
        (tmp_path / folder).mkdir()
    subprocess.run(
        [sys.executable, "-c", f"import tasks\nfor n in range({tasks}): tasks.work.delay(n)"],
        cwd=tmp_path,
        env=clean_environment(),
        check=True,
        timeout=DEADLINE,
    )
    server = serve(
        *("celery", "-A", "tasks", "worker", "--pool", "prefork", "--concurrency", "2"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat", *how),
    )

    def is_done() -> bool:
        return log.text().count("line ") >= tasks * LINES

    until(is_done, server)
    assert server.end() == 0
    said = [line.split(" ", 1) for line in log.lines()]
    assert Counter(text for _, text in said if text != "loaded") == expected(tasks)
