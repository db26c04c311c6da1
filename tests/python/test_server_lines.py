"""The lines of the real servers: typed, once a request, and there when the server has ended.

Each server runs once, with an application of which one part is in our middleware and one is not.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
from typing import Any

import pytest
from tests.python import serving

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")

DEADLINE = 60.0

ASGI = """
import logging
import logboom
from logboom.asgi import LoggingMiddleware

logboom.basicConfig(level="INFO")
logger = logging.getLogger("app")

async def plain(scope, receive, send):
    if scope["path"].endswith("/boom"):
        raise LookupError("as asked")
    logger.info("hello from %s", scope["path"])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})

async def life(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    logger.info("last words")
    await send({"type": "lifespan.shutdown.complete"})

ours = LoggingMiddleware(plain)

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await life(scope, receive, send)
    else:
        await (ours if scope["path"].startswith("/ours") else plain)(scope, receive, send)
"""
WSGI = """
import logging
import logboom
from logboom.wsgi import LoggingMiddleware

logboom.basicConfig(level="INFO")
logger = logging.getLogger("app")

def plain(environ, start_response):
    if environ["PATH_INFO"].endswith("/boom"):
        raise LookupError("as asked")
    logger.info("hello from %s", environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return iter([b"o", b"k"])

ours = LoggingMiddleware(plain)

def app(environ, start_response):
    inner = ours if environ["PATH_INFO"].startswith("/ours") else plain
    return inner(environ, start_response)
"""
CONFIG = "{config}"
NATIVE = ("--logger-class", "logboom.gunicorn.Logger", "--access-logfile", "-")
SERVERS = {
    "uvicorn": ("uvicorn", "served:app", "--log-config", CONFIG, "--port", "{port}"),
    "hypercorn": (
        *("hypercorn", "served:app", "-c", "python:logboom.hypercorn", "--access-logfile", "-"),
        *("-b", "127.0.0.1:{port}"),
    ),
    "granian": (
        *("granian", "served:app", "--interface", "asgi", "--log-config", CONFIG),
        *("--access-log", "--port", "{port}"),
    ),
    "granian-wsgi": (
        *("granian", "served:app", "--interface", "wsgi", "--log-config", CONFIG),
        *("--access-log", "--port", "{port}"),
    ),
    "gunicorn": ("gunicorn", "served:app", *NATIVE, "-b", "127.0.0.1:{port}"),
    "gunicorn-gthread": (
        *("gunicorn", "served:app", *NATIVE, "--threads", "2", "-b", "127.0.0.1:{port}"),
    ),
    "gunicorn-uvicorn": (
        *("gunicorn", "served:app", *NATIVE, "-k", "uvicorn_worker.UvicornWorker"),
        *("-b", "127.0.0.1:{port}"),
    ),
}
WSGI_SERVERS = {"granian-wsgi", "gunicorn", "gunicorn-gthread"}


class Said:
    """What a client got, and what a server said from its start to its end."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.lines: list[dict[str, Any]] = []
        self.code = 0

    def of(self, path: str) -> list[dict[str, Any]]:
        """Give the lines about a path, those of the application left out."""
        return [one for one in self.lines if one.get("path") == path]


def run(name: str, directory: Any, *more: str) -> Said:
    (directory / "served.py").write_text(WSGI if name in WSGI_SERVERS else ASGI)
    said, output = Said(), directory / "server.out"
    with serving.served((*SERVERS[name], *more), directory, output) as (process, port):
        for path in ("/plain/hello", "/ours/hello", "/ours/boom", "/plain/boom", "/ours/again"):
            given = {"User-Agent": "a browser", "X-Request-ID": "id-" + path.replace("/", ".")}
            with contextlib.suppress(http.client.HTTPException, ConnectionError):
                said.answers[path] = serving.ask(port, path + "?token=secret", **given)
        said.code = serving.end(process)
    said.lines = serving.json_lines(output)
    return said


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Give what each server said, run once."""
    known: dict[str, Said] = {}

    def get(name: str) -> Said:
        for package in (name.partition("-")[0], *(["uvicorn_worker"] * name.endswith("-uvicorn"))):
            if importlib.util.find_spec(package) is None:
                pytest.skip(f"{package} is not there for this interpreter")
        if name not in known:
            known[name] = run(name, tmp_path_factory.mktemp(name))
        return known[name]

    return get


@pytest.mark.parametrize("name", SERVERS)
def test_a_request_outside_of_the_middleware_has_the_servers_line_with_typed_fields(name, served):
    said = served(name)
    assert said.answers["/plain/hello"][0] == 200
    (line,) = said.of("/plain/hello")
    assert line["logger"].endswith(".access") and line["logger"] != "logboom.access"
    assert (line["method"], line["status"], line["level"]) == ("GET", 200, "INFO")
    assert line["client"] == "127.0.0.1"
    assert line["message"].startswith("GET /plain/hello 200")
    if not name.endswith("uvicorn"):
        assert isinstance(line["duration_ms"], float)
    assert "secret" not in json.dumps(line)


@pytest.mark.parametrize("name", SERVERS)
def test_a_request_in_the_middleware_has_one_line_of_ours(name, served):
    said = served(name)
    for path in ("/ours/hello", "/ours/again"):
        status, headers, body = said.answers[path]
        assert (status, body) == (200, b"ok")
        assert headers["x-request-id"] == "id-" + path.replace("/", ".")
        (line,) = said.of(path)
        assert line["logger"] == "logboom.access"
        assert (line["status"], line["bytes"], line["client"]) == (200, 2, "127.0.0.1")
        assert (line["request_id"], line["user_agent"]) == (headers["x-request-id"], "a browser")
        (hello,) = [one for one in said.lines if one["message"] == f"hello from {path}"]
        assert hello["request_id"] == headers["x-request-id"]


@pytest.mark.parametrize("name", SERVERS)
def test_an_exception_in_the_middleware_is_one_line_and_its_answer_has_the_id(name, served):
    said = served(name)
    status, headers, _ = said.answers["/ours/boom"]
    assert (status, headers["x-request-id"]) == (500, "id-.ours.boom")
    told = [one for one in said.lines if one.get("request_id") == "id-.ours.boom"]
    (line,) = told
    assert (line["level"], line["status"], line["error"]) == ("ERROR", 500, "LookupError")
    assert "as asked" in json.dumps(line) and "Traceback" in json.dumps(line)
    outside = [one for one in said.of("/plain/boom") if one["logger"].endswith("access")]
    assert len(outside) == 1, "what goes past the middleware has the server's own line"
    assert all((one["method"], one["status"]) == ("GET", 500) for one in outside)
    # The other exception is that of the part outside, which the server tells.
    others = [one for one in said.lines if one is not line and "as asked" in json.dumps(one)]
    assert all("id-.ours.boom" not in json.dumps(one) for one in others)
    assert len(others) == 1, others


@pytest.mark.parametrize("name", SERVERS)
def test_what_is_said_at_the_end_is_there(name, served):
    said = served(name)
    messages = [one["message"] for one in said.lines]
    if name not in WSGI_SERVERS:
        assert messages.count("last words") == 1
    ends = {
        "uvicorn": "Finished server process",
        "gunicorn-uvicorn": "Finished server process",
        "granian": "Shutting down granian",
        "granian-wsgi": "Shutting down granian",
        "gunicorn": "Worker exiting",
        "gunicorn-gthread": "Worker exiting",
    }
    if name in ends:
        assert any(one.startswith(ends[name]) for one in messages), messages
    assert not any("color_message" in one for one in said.lines)
    # Each line of the server itself once, and native.
    starts = [one for one in said.lines if one["logger"].endswith((".error", "_granian"))]
    assert starts
    assert len({json.dumps(one, sort_keys=True) for one in said.lines}) == len(said.lines)
