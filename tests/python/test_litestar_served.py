"""What an operator reads of a Litestar application on a real server that browsers and attackers ask."""

from __future__ import annotations

import json
import re
import signal
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

APPLICATION = """
    import asyncio
    import logging
    from typing import Any
    import uvicorn
    from litestar import Litestar, get, post
    from litestar.params import FromPath
    from litestar.response import Stream
    from logboom.litestar import LogboomPlugin, LoggingConfig

    @get("/items/{number:int}")
    async def item(number: FromPath[int]) -> str:
        logging.getLogger("app").info("item %d", number)
        return "found"

    @get("/boom")
    async def boom() -> None:
        raise RuntimeError("boom")

    @get("/health")
    async def health() -> None: ...

    @post("/data")
    async def data(data: dict[str, Any]) -> None: ...

    @get("/endless")
    async def endless() -> Stream:
        async def parts() -> Any:
            while True:
                yield b"x" * 1024
                await asyncio.sleep(0)
        return Stream(parts())

    config = LoggingConfig(
        formatters={"standard": {"()": "logboom.JsonFormatter"}},
        handlers={"queue_listener": {
            "class": "logboom.FileHandler", "filename": "app.log", "formatter": "standard"
        }},
        log_exceptions="always",
    )
    app = Litestar([item, boom, health, data, endless], plugins=[LogboomPlugin(config)])
    uvicorn.run(app, host="127.0.0.1", port=0, log_config=None)
"""

RAW = {
    "bytes in the path": b"GET /%ff%fe%00%0d%0aERROR HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "bytes in headers": b"GET /items/1 HTTP/1.1\r\nHost: x\r\nX-Odd: \xff\xfe\x80\r\n"
    b"Cookie: a=\xff; session=\xfe\r\nUser-Agent: \xe2\x80\xae\xff\r\nConnection: close\r\n\r\n",
    "a forged id": b"GET /items/2 HTTP/1.1\r\nHost: x\r\nX-Request-ID: a b\x1b[2J\r\n"
    b"Connection: close\r\n\r\n",
    "no JSON": b"POST /data HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b'Content-Length: 12\r\nConnection: close\r\n\r\n{"a": "b",}}',
    "a long agent": b"GET /items/3 HTTP/1.1\r\nHost: x\r\nUser-Agent: "
    + b"x" * 20_000
    + b"\r\nConnection: close\r\n\r\n",
}


def send_raw(url: str, request: bytes) -> bytes:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Serve it, ask it everything once, end it, and give the answers and the lines."""
    from tests.python.conftest import Runner

    directory = tmp_path_factory.mktemp("served")
    runner = Runner(directory)
    server = runner.start(APPLICATION)
    try:
        log = directory / "app.log"
        answers: dict[str, Any] = {}
        url = _started(log)
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            for path in ("/items/7?token=sesame", "/boom", "/nowhere", "/health", "/items/abc"):
                answers[path] = client.get(path, headers={"X-Request-ID": f"id{path[:5]}"})
            answers["wrong method"] = client.put("/items/7")
            answers["HEAD"] = client.head("/items/7")
        for name, request in RAW.items():
            answers[name] = send_raw(url, request)
        with httpx.stream("GET", f"{url}/endless", timeout=60, trust_env=False) as response:
            next(response.iter_raw())
        _wait_for_line(log, "/endless")
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
    finally:
        runner.end()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return answers, lines


def _started(log: Any) -> str:
    found = _wait_for_line(log, "Uvicorn running on")
    return re.search(r"http://127\.0\.0\.1:\d+", found)[0]


def _wait_for_line(log: Any, text: str) -> str:
    from tests.python.conftest import _wait_for

    def look() -> str:
        return log.read_text() if log.exists() else ""

    _wait_for(lambda: text in look(), text)
    return look()


def access_of(lines: list[dict[str, Any]], path: str) -> dict[str, Any]:
    (line,) = [one for one in lines if one.get("path") == path]
    return line


def test_each_request_is_one_line_and_the_server_adds_none(served):
    answers, lines = served
    access = [line for line in lines if line["logger"] == "logboom.access"]
    # The stream has no answer here, and the health check has no line.
    assert len(access) == len(answers), [line["message"] for line in access]
    others = {line["logger"] for line in lines} - {"logboom.access", "app", "uvicorn.error"}
    assert others <= {"asyncio", "root"}
    server = [line for line in lines if line["logger"] == "uvicorn.error"]
    assert not [line for line in server if line["level"] not in {"INFO", "DEBUG"}]


def test_a_request_that_went_well(served):
    answers, lines = served
    line = next(line for line in lines if line.get("request_id") == "id/item" and "status" in line)
    assert (line["status"], line["route"], line["client"]) == (200, "/items/{number}", "127.0.0.1")
    assert "sesame" not in json.dumps(lines)
    assert answers["/items/7?token=sesame"].headers["X-Request-ID"] == "id/item"


def test_a_failure_has_its_traceback_and_its_id_in_the_answer(served):
    answers, lines = served
    line = access_of(lines, "/boom")
    assert (line["status"], line["level"], line["error"]) == (500, "ERROR", "RuntimeError")
    assert "Traceback" in json.dumps(line)
    answer = answers["/boom"]
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (500, "id/boom")
    assert json.dumps(lines).count("Traceback") == 1


def test_what_clients_ask_wrongly_is_one_line_each(served):
    answers, lines = served
    assert access_of(lines, "/nowhere")["status"] == 404
    assert answers["/nowhere"].headers["X-Request-ID"] == "id/nowh"
    assert access_of(lines, "/items/abc")["status"] == answers["/items/abc"].status_code == 404
    assert [line["status"] for line in lines if line.get("method") == "PUT"] == [405]
    assert access_of(lines, "/data")["status"] == 400


def test_odd_bytes_are_answered_and_told(served):
    answers, lines = served
    for name in RAW:
        assert answers[name].startswith(b"HTTP/1.1 "), name
        assert b" 500 " not in answers[name].split(b"\r\n")[0], name
    assert all(len(json.dumps(line)) < 4096 for line in lines if "Traceback" not in str(line))


def test_a_client_that_leaves_a_stream_is_told_as_such(served):
    _, lines = served
    line = access_of(lines, "/endless")
    assert (line["status"], line["outcome"], line["level"]) == (200, "disconnected", "INFO")
    assert line["bytes"] > 0
