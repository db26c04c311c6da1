"""Exceptions of requests without an access line: told as the configuration says, on Litestar 2 and 3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from litestar import Litestar, Response, WebSocket, get, websocket
from litestar.exceptions import NotFoundException
from litestar.testing import TestClient
from tests.python.litestar_apps import to_file, written

from logboom.litestar import LogboomPlugin

pytestmark = pytest.mark.usefixtures("logging_as_it_was")

MESSAGE = "Uncaught exception (connection_type=http, path='{}'):"


@get("/value")
async def value() -> None:
    raise ValueError("of two\nlines")


@get("/boom")
async def boom() -> None:
    raise RuntimeError("boom")


class Application:
    """An application without access lines, whose lines go to a file."""

    def __init__(self, log: Any, *handlers: Any, debug: bool = False, **options: Any) -> None:
        self._log = log
        config = to_file(log.path, **options)
        plugin = LogboomPlugin(config, access=False)
        self.app = Litestar([value, boom, *handlers], plugins=[plugin], debug=debug)

    def get(self, *urls: str) -> list[int]:
        """Ask for paths; gives the statuses."""
        with TestClient(self.app, raise_server_exceptions=False) as client:
            return [client.get(url).status_code for url in urls]

    def told(self) -> list[dict[str, Any]]:
        """Give the lines of Litestar's logger."""
        return [line for line in written(self._log.path) if line["logger"] == "litestar"]


@pytest.mark.parametrize(
    ("mode", "debug", "logged"),
    [
        ("always", False, True),
        ("always", True, True),
        ("debug", False, False),
        ("debug", True, True),
        ("never", True, False),
    ],
)
def test_an_exception_is_told_once_when_it_is_asked_for(mode, debug, logged, log):
    application = Application(log, debug=debug, log_exceptions=mode)
    assert application.get("/boom") == [500]
    told = application.told()
    assert len(told) == int(logged)
    if logged:
        assert told[0]["message"] == MESSAGE.format("/boom")
        assert told[0]["level"] == "ERROR"
        assert told[0]["request_id"]
        assert "RuntimeError: boom" in json.dumps(told[0])


def test_a_disabled_stack_trace_leaves_a_line(log):
    """Where Litestar 2 says nothing at all (litestar issue 4510)."""
    application = Application(log, log_exceptions="always", disable_stack_trace={404, ValueError})
    assert application.get("/nowhere", "/value", "/boom") == [404, 500, 500]
    nowhere, two, boomed = application.told()
    assert nowhere["message"].startswith(MESSAGE.format("/nowhere") + " ")
    assert "404: Not Found" in nowhere["message"]
    assert two["message"] == MESSAGE.format("/value") + " ValueError: of two lines"
    assert {nowhere["level"], two["level"]} == {"ERROR"}
    assert "Traceback" not in json.dumps([nowhere, two])
    assert "Traceback" in json.dumps(boomed)


def test_a_status_that_only_the_raised_exception_has_is_meant_too(log):
    @get("/tea")
    async def tea() -> None:
        raise NotFoundException(status_code=418)

    application = Application(log, tea, log_exceptions="always", disable_stack_trace={418})
    assert application.get("/tea") == [418]
    (line,) = application.told()
    assert "Traceback" not in json.dumps(line)


def test_a_handler_of_ones_own_is_called_as_litestar_calls_it(log):
    calls: list[Any] = []

    def handler(logger: Any, scope: Any, lines: list[str]) -> None:
        calls.append((logger.name, scope["path"], lines[-1]))

    application = Application(
        log, log_exceptions="always", disable_stack_trace={404}, exception_logging_handler=handler
    )
    assert application.get("/boom", "/nowhere") == [500, 404]
    assert calls == [("litestar", "/boom", "RuntimeError: boom\n")]
    (line,) = application.told()
    assert line["message"].startswith(MESSAGE.format("/nowhere"))


def test_a_handler_that_raises_does_not_cost_the_answer(log, capsys):
    def handler(*_: Any) -> None:
        raise KeyError("of the handler")

    application = Application(log, log_exceptions="always", exception_logging_handler=handler)
    assert application.get("/boom") == [500]
    assert "of the handler" in capsys.readouterr().err


def test_a_socket_that_the_client_closed_is_no_exception(log):
    @websocket("/ws")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        while True:
            await socket.receive_text()

    application = Application(log, talk, log_exceptions="always")
    with (
        TestClient(application.app, raise_server_exceptions=False) as client,
        client.websocket_connect("/ws") as session,
    ):
        session.send_text("hello")
    assert application.told() == []


def test_an_exception_handler_of_the_application_answers(log):
    def answer(_: Any, error: ValueError) -> Response[str]:
        return Response("answered", status_code=400)

    application = Application(log, log_exceptions="always")
    application.app = Litestar(
        [value],
        plugins=[LogboomPlugin(access=False, request_id=False)],
        exception_handlers={ValueError: answer},
    )
    assert application.get("/value") == [400]
