"""A real server in a process of its own, ended by the signal that deployments end servers with."""

from __future__ import annotations

import asyncio
import re
import signal
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    import subprocess

REQUESTS, LINES = 200, 25

APPLICATION = """
    import logging, sys
    import uvicorn
    from litestar import Litestar, get
    from litestar.params import FromPath
    from logboom.litestar import LogboomPlugin, LoggingConfig

    LINES = 25
    FORMATTER = {
        "()": "logging.Formatter",
        "fmt": "%(name)s %(request_id)s %(message)s",
        "defaults": {"request_id": "-"},
    }
    FILE = {"class": "logboom.FileHandler", "filename": "app.log", "formatter": "standard"}

    @get("/sync/{number:int}", sync_to_thread=True)
    def in_a_thread(number: FromPath[int]) -> None:
        for line in range(LINES):
            logging.getLogger("app").info("%d %d", number, line)

    @get("/async/{number:int}")
    async def in_the_loop(number: FromPath[int]) -> None:
        for line in range(LINES):
            logging.getLogger("app").info("%d %d", number, line)

    def last_words() -> None:
        logging.getLogger("app").info("last words")

    config = LoggingConfig(
        formatters={"standard": FORMATTER}, handlers={"queue_listener": FILE}
    )
    app = Litestar(
        [in_a_thread, in_the_loop], plugins=[LogboomPlugin(config)], on_shutdown=[last_words]
    )
    uvicorn.run(app, host="127.0.0.1", port=0, access_log=False)
"""


def url_of(server: subprocess.Popen[str]) -> str:
    assert server.stderr is not None
    for line in server.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found[0]
    pytest.fail("the server did not start")


async def ask(url: str, server: subprocess.Popen[str], stop: signal.Signals) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        waiting = iter(range(REQUESTS))

        async def ask_some() -> None:
            for number in waiting:
                path = f"/{'sync' if number % 2 else 'async'}/{number}"
                response = await client.get(path, headers={"X-Request-ID": f"id-{number}"})
                assert response.status_code == 200
                assert response.headers["X-Request-ID"] == f"id-{number}"

        await asyncio.gather(*(ask_some() for _ in range(8)))
        server.send_signal(stop)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_every_line_is_there_when_the_server_is_ended_right_after_the_last_response(
    stop, run_python, log
):
    server = run_python.start(APPLICATION)
    asyncio.run(ask(url_of(server), server, stop))
    server.communicate(timeout=60)
    assert server.returncode in {0, -stop, 128 + stop, 1}
    found = log.lines()
    assert found[-1] == "app - last words"
    assert sorted(line for line in found if line.startswith("app id-")) == sorted(
        f"app id-{number} {number} {line}" for number in range(REQUESTS) for line in range(LINES)
    )


def test_what_the_server_says_after_the_shutdown_is_there_too(run_python, log, wait_for):
    """With ``log_config=None`` its lines are ours; it raises the signal again right after them."""
    server = run_python.start(APPLICATION.replace("access_log=False", "log_config=None"))
    wait_for(lambda: "Uvicorn running on" in log.text(), "the server to start")
    server.send_signal(signal.SIGTERM)
    server.communicate(timeout=60)
    assert re.fullmatch(r"uvicorn\.error - Finished server process \[\d+\]", log.lines()[-1])


def test_requests_that_one_connection_pipelines_see_nothing_of_each_other(run_python, log):
    """The server starts each of them from within the one before."""
    server = run_python.start(
        APPLICATION.replace("    def last_words", PIPELINED + "    def last_words").replace(
            "[in_a_thread,", "[look, in_a_thread,"
        )
    )
    host, port = url_of(server).removeprefix("http://").split(":")

    async def pipeline() -> bytes:
        reader, writer = await asyncio.open_connection(host, int(port))
        get = "GET /look HTTP/1.1\r\nHost: test\r\nX-Request-ID: id-{}\r\n{}\r\n"
        closing = ("", "", "Connection: close\r\n")
        writer.write("".join(get.format(*it) for it in enumerate(closing)).encode())
        answer = await asyncio.wait_for(reader.read(), 60)
        writer.close()
        return answer

    answer = asyncio.run(pipeline()).decode()
    assert re.findall(r"\{.*?\}", answer) == [
        '{"request_id":"id-0"}',
        '{"request_id":"id-1"}',
        '{"request_id":"id-2"}',
    ]


PIPELINED = """
    import logboom
    from typing import Any

    @get("/look")
    async def look() -> dict[str, Any]:
        seen = logboom.context()
        logboom.bind(secret=seen["request_id"])
        return seen

"""
