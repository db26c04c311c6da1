"""The access line of a Litestar application, on 2 and on 3: one a request, with what happened in it."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from litestar import Litestar, Response, WebSocket, get, post, websocket
from litestar.background_tasks import BackgroundTask
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException, InternalServerException, NotAuthorizedException
from litestar.params import FromPath
from litestar.response import ServerSentEvent
from litestar.testing import TestClient
from tests.python.litestar_apps import lines_of, status_of, to_file, written

import logboom
from logboom.litestar import LogboomPlugin
from logboom.litestar._features import HAS_CONFIG

pytestmark = pytest.mark.usefixtures("logging_as_it_was")

HEADER = "X-Request-ID"


@get("/items/{number:int}")
async def item(number: FromPath[int]) -> str:
    logging.getLogger("app").info("item %d", number)
    return "found"


@get("/boom")
async def boom() -> None:
    raise RuntimeError("boom")


@get("/value")
async def value() -> None:
    raise ValueError("value")


class Application:
    """An application whose lines go to a file."""

    def __init__(self, log: Any, *handlers: Any, **options: Any) -> None:
        self._log = log
        plugin = options.pop("plugin", {})
        app = options.pop("app", {})
        config = to_file(log.path, **options)
        self.app = Litestar(
            [item, boom, value, *handlers], plugins=[LogboomPlugin(config, **plugin)], **app
        )

    def get(self, *urls: str, **options: Any) -> list[Any]:
        """Ask for paths; gives the responses."""
        with TestClient(self.app, raise_server_exceptions=False) as client:
            return [client.get(url, **options) for url in urls]

    def lines(self) -> list[dict[str, Any]]:
        """Give all lines."""
        return written(self._log.path)

    def access(self) -> list[dict[str, Any]]:
        """Give the access lines."""
        return [line for line in self.lines() if line["logger"] == "logboom.access"]


def trace_of(line: dict[str, Any]) -> bool:
    return "Traceback (most recent call last)" in json.dumps(line)


def test_a_request_has_one_line_with_typed_fields(log):
    application = Application(log)
    (response,) = application.get("/items/7?token=sesame", headers={HEADER: "given"})
    assert response.headers[HEADER] == "given"
    (line,) = application.access()
    assert line["message"].startswith("GET /items/7 200 ")
    assert (line["method"], line["path"], line["route"]) == ("GET", "/items/7", "/items/{number}")
    assert (line["status"], line["bytes"], line["request_id"]) == (200, 5, "given")
    assert isinstance(line["duration_ms"], float)
    assert line["user_agent"]
    assert line["level"] == "INFO"
    assert "sesame" not in json.dumps(line)
    (own,) = [one for one in application.lines() if one["logger"] == "app"]
    assert own["request_id"] == "given"
    assert len(application.lines()) == 2


def test_what_is_answered_with_4xx_is_one_line_without_a_traceback(log):
    @get("/tea")
    async def tea() -> None:
        raise HTTPException("short and stout", status_code=418)

    @get("/secret")
    async def secret() -> None:
        raise NotAuthorizedException("no")

    application = Application(log, tea, secret, log_exceptions="always")
    responses = application.get("/nowhere", "/tea", "/secret", headers={HEADER: "given"})
    assert [response.status_code for response in responses] == [404, 418, 401]
    assert [response.headers[HEADER] for response in responses] == ["given"] * 3
    lines = application.lines()
    assert [line["status"] for line in lines] == [404, 418, 401]
    assert [line.get("error") for line in lines] == [
        "NotFoundException",
        "HTTPException",
        "NotAuthorizedException",
    ]
    assert not any(map(trace_of, lines))
    assert "route" not in lines[0] or not lines[0]["route"]


@pytest.mark.parametrize("mode", ["always", "debug"])
@pytest.mark.parametrize("debug", [True, False])
def test_a_failure_is_one_line_with_the_traceback_and_the_id(mode, debug, log):
    application = Application(log, log_exceptions=mode, app={"debug": debug})
    (response,) = application.get("/boom", headers={HEADER: "given"})
    assert response.status_code == 500
    if HAS_CONFIG or debug:  # the client of 3 makes a response of its own of an exception
        assert response.headers[HEADER] == "given"
    (line,) = application.lines()
    assert (line["level"], line["status"], line["error"]) == ("ERROR", 500, "RuntimeError")
    assert (line["request_id"], line["route"]) == ("given", "/boom")
    assert trace_of(line)


def test_exceptions_that_are_never_to_be_logged_leave_their_line_only(log):
    application = Application(log, log_exceptions="never")
    application.get("/boom")
    (line,) = application.lines()
    assert (line["level"], line["status"], line["error"]) == ("ERROR", 500, "RuntimeError")
    assert not trace_of(line)


def test_a_disabled_stack_trace_takes_the_trace_and_leaves_the_line(log):
    application = Application(log, log_exceptions="always", disable_stack_trace={404, ValueError})
    application.get("/nowhere", "/value", "/boom")
    lines = application.lines()
    assert [line["status"] for line in lines] == [404, 500, 500]
    assert [line["error"] for line in lines[1:]] == ["ValueError", "RuntimeError"]
    assert list(map(trace_of, lines)) == [False, False, True]


def test_what_a_handler_of_ones_own_told_is_not_told_again(log):
    def handler(logger: Any, scope: Any, lines: list[str]) -> None:
        logger.error("own: %s", lines[-1].strip())

    application = Application(log, log_exceptions="always", exception_logging_handler=handler)
    application.get("/boom")
    own, line = application.lines()
    assert own["message"] == "own: RuntimeError: boom"
    assert (line["level"], line["error"]) == ("ERROR", "RuntimeError")
    assert not trace_of(line)


def test_an_exception_that_the_application_answers_itself_is_told_by_its_answer(log):
    def answer(_: Any, error: ValueError) -> Response[str]:
        return Response("answered", status_code=400)

    def failed(_: Any, error: RuntimeError) -> Response[str]:
        return Response("answered", status_code=503)

    handlers = {ValueError: answer, RuntimeError: failed}
    application = Application(log, app={"exception_handlers": handlers})
    application.get("/value", "/boom")
    first, second = application.lines()
    assert (first["status"], first["error"], trace_of(first)) == (400, "ValueError", False)
    assert (second["status"], second["level"], trace_of(second)) == (503, "ERROR", True)


def test_a_500_that_is_raised_as_such_has_its_traceback(log):
    @get("/fail")
    async def fail() -> None:
        raise InternalServerException("broken")

    application = Application(log, fail)
    (response,) = application.get("/fail")
    (line,) = application.lines()
    assert (response.status_code, line["status"], line["level"]) == (500, 500, "ERROR")
    assert line["error"] == "InternalServerException"
    assert trace_of(line)


def test_probes_that_are_well_are_silent_and_ill_ones_are_not(log):
    ill = False

    @get("/health")
    async def health() -> None:
        if ill:
            raise RuntimeError("ill")

    application = Application(log, health)
    application.get("/health")
    assert application.lines() == []
    ill = True
    application.get("/health")
    (line,) = application.lines()
    assert (line["status"], line["level"]) == (500, "ERROR")


def test_what_is_bound_anywhere_in_a_request_is_on_its_later_lines(log):
    async def dependency() -> int:
        logboom.bind(dependency=1)
        return 1

    def guard(*_: Any) -> None:
        logboom.bind(guard=1)

    async def before(_: Any) -> None:
        logboom.bind(before=1)

    def behind() -> None:
        logging.getLogger("app").info("background")

    @get("/all", dependencies={"value": Provide(dependency)}, guards=[guard], sync_to_thread=True)
    def everything(value: NamedDependency[int]) -> Response[str]:
        logboom.bind(in_thread=1)
        return Response("", background=BackgroundTask(behind))

    application = Application(log, everything, app={"before_request": before})
    application.get("/all", "/items/1")
    names = {"dependency", "guard", "before", "in_thread"}
    lines = application.lines()
    background = next(line for line in lines if line["message"] == "background")
    assert names <= set(background)
    of_all = next(line for line in application.access() if line["path"] == "/all")
    assert names <= set(of_all)
    others = [line for line in lines if line["request_id"] != of_all["request_id"]]
    assert others
    assert all("in_thread" not in line and "guard" not in line for line in others)


def test_a_stream_has_one_line_with_all_its_bytes(log):
    async def parts() -> Any:
        for number in range(3):
            yield f"part {number}"

    @get("/events")
    async def events() -> ServerSentEvent:
        return ServerSentEvent(parts())

    application = Application(log, events)
    (response,) = application.get("/events")
    (line,) = application.lines()
    assert (line["status"], line["bytes"]) == (200, len(response.content))


def test_a_stream_that_breaks_is_one_line_with_the_status_as_sent(log):
    async def parts() -> Any:
        yield "part"
        raise RuntimeError("boom")

    @get("/events")
    async def events() -> ServerSentEvent:
        return ServerSentEvent(parts())

    application = Application(log, events)
    application.get("/events")
    (line,) = application.access()
    assert (line["status"], line["level"]) == (200, "ERROR")
    assert "boom" in json.dumps(line)


def test_sockets_are_told_at_their_end_with_their_code(log):
    @websocket("/ws")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        text = await socket.receive_text()
        if text == "boom":
            raise RuntimeError("boom")
        await socket.send_text(text)
        await socket.close(code=4001)

    application = Application(log, talk)
    with TestClient(application.app, raise_server_exceptions=False) as client:
        with client.websocket_connect("/ws") as session:
            session.send_text("hello")
            assert session.receive_text() == "hello"
        with client.websocket_connect("/ws"):
            pass  # the client goes away
        try:
            with client.websocket_connect("/ws") as session:
                session.send_text("boom")
                session.receive_text()
        except Exception:
            pass
    closed, left, failed = application.access()
    assert (closed["path"], closed["route"]) == ("/ws", "/ws")
    assert "4001" in json.dumps(closed)
    assert not trace_of(left)
    assert left["level"] != "ERROR"
    assert (failed["level"], trace_of(failed)) == ("ERROR", True)
    assert len(application.lines()) == 3


def test_litestars_own_lines_stand_for_the_access_line_of_what_went_well(log):
    application = Application(log, app={"middleware": [lines_of(exclude="^/value")]})
    application.get("/items/7", "/boom", "/nowhere", headers={HEADER: "given"})
    by_path: dict[str, list[str]] = {}
    for line in application.lines():
        if line["logger"] != "app":
            by_path.setdefault(line.get("path", ""), []).append(line["logger"])
    assert by_path["/items/7"] == ["litestar"]
    assert by_path["/boom"][-1] == "logboom.access"
    assert by_path["/nowhere"] == ["logboom.access"]
    failed = [line for line in application.access() if line["path"] == "/boom"]
    assert len(failed) == 1
    assert trace_of(failed[0])


def test_without_access_lines_there_are_none(log):
    application = Application(log, plugin={"access": False})
    application.get("/items/7")
    assert application.access() == []


def test_options_of_the_access_line_are_taken(log):
    access = logboom.AccessLog(logger="web", user_agent=False)
    application = Application(log, plugin={"access": access})
    application.get("/items/7")
    (line,) = [line for line in application.lines() if line["logger"] == "web"]
    assert "user_agent" not in line


def test_a_wrong_value_for_access_is_refused():
    with pytest.raises(logboom.ConfigError, match="invalid `access`: got 'yes'"):
        LogboomPlugin(access="yes")  # type: ignore[arg-type]


def test_malformed_bodies_are_one_line_and_what_litestar_answers(log):
    @post("/data")
    async def data(data: dict[str, Any]) -> None: ...

    application = Application(log, data, app={"middleware": [lines_of()]})
    with TestClient(application.app) as client:
        for content in (b'{"a": "b",}', b"\xff"):
            response = client.post(
                "/data", content=content, headers={"Content-Type": "application/json"}
            )
            assert response.status_code == 400, content[:10]


def test_hostile_scopes_are_one_line_each(log):
    application = Application(log)

    bad = b"\xff\xfe\x00\r\nERROR forged \x1b[2J"
    for changes in (
        {"headers": [(b"user-agent", bad), (b"x-request-id", bad), (b"traceparent", bad)]},
        {"headers": [(b"user-agent", b"x" * 100_000)]},
        {"path": "/items/7\r\nERROR forged\x1b[2J"},
        {"path": "/lone\udcff"},
        {"client": ["unix:", None], "server": None},
    ):
        given = {"path": "/items/7", "raw_path": b"/items/7", **changes}
        assert asyncio.run(status_of(application.app, **given)) in {200, 404}, changes
    assert len(application.access()) == 5
    assert all(len(line) < 8192 for line in log.lines())
