"""The middlewares around the real FastAPI, Starlette, Quart, Django and Flask, in this process.

Their servers and examples are in ``test_server_lines.py`` and ``test_examples.py``.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import httpx
import pytest

import logboom
from logboom.asgi import LoggingMiddleware

logger = logging.getLogger("app")


@pytest.fixture
def said(caplog, logging_as_it_was):
    """Give what gives the records of a test, but those of clients and of event loops."""
    caplog.set_level(logging.INFO)
    # The fields of the context are on the records of native loggers.
    logboom.install()
    others = ("httpx", "asyncio", "httpcore")
    return lambda: [one for one in caplog.records if not one.name.startswith(others)]


def call(app: Any, *paths: str, **headers: str) -> list[httpx.Response]:
    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return [await client.get(path, headers=headers) for path in paths]

    return asyncio.run(ask())


def fastapi_app() -> Any:
    fastapi = pytest.importorskip("fastapi", reason="fastapi is not there for this interpreter")
    from fastapi.responses import StreamingResponse

    app = fastapi.FastAPI()

    def bound() -> None:  # runs in a thread
        logboom.bind(dependency=threading.current_thread() is threading.main_thread())

    async def later() -> None:
        logger.info("in the background")

    @app.get("/items/{number}", dependencies=[fastapi.Depends(bound)])
    async def item(number: int, tasks: fastapi.BackgroundTasks) -> dict[str, int]:
        logger.info("in the handler")
        tasks.add_task(later)
        return {"number": number}

    @app.get("/stream")
    async def stream() -> Any:
        async def parts() -> Any:
            yield b"ab"
            yield b"c"

        return StreamingResponse(parts())

    @app.get("/half")
    async def half() -> Any:
        async def parts() -> Any:
            yield b"ab"
            raise LookupError("in the middle")

        return StreamingResponse(parts())

    @app.get("/broken")
    def broken() -> None:
        raise LookupError("as asked")

    @app.get("/health")
    async def health() -> None:
        pass

    app.add_middleware(LoggingMiddleware, install=False)
    return app


# Here `fastapi.BackgroundTasks` has to be found by its name.
fastapi = None


def test_fastapi(said):
    global fastapi
    fastapi = pytest.importorskip("fastapi", reason="fastapi is not there for this interpreter")
    app = fastapi_app()
    answers = call(app, "/items/7", **{"X-Request-ID": "id-1"})
    assert answers[0].headers["x-request-id"] == "id-1"
    records = said()
    assert [one.getMessage() for one in records if one.name == "app"] == [
        "in the handler",
        "in the background",
    ]
    (line,) = [one for one in records if one.name == "logboom.access"]
    assert (line.status, line.route, line.path) == (200, "/items/{number}", "/items/7")
    # What a dependency bound in its thread is on every later line.
    assert {(one.request_id, one.dependency) for one in records} == {("id-1", False)}


def test_fastapi_failures_and_streams(said):
    app = fastapi_app()
    wrong, nowhere, broken, stream, half, _ = call(
        app, "/items/seven", "/nowhere", "/broken", "/stream", "/half", "/health"
    )
    assert [one.status_code for one in (wrong, nowhere, broken)] == [422, 404, 500]
    lines = said()
    assert [(one.name, one.levelname, one.status) for one in lines] == [
        ("logboom.access", "INFO", 422),
        ("logboom.access", "INFO", 404),
        ("logboom.access", "ERROR", 500),
        ("logboom.access", "INFO", 200),
        ("logboom.access", "ERROR", 200),
    ]
    assert [one.request_id for one in lines] == [
        one.headers["x-request-id"] for one in (wrong, nowhere, broken, stream, half)
    ]
    assert (lines[2].error, lines[2].exc_info[1].args) == ("LookupError", ("as asked",))
    assert (lines[3].bytes, lines[4].bytes, lines[4].error) == (3, 2, "LookupError")


def test_starlette_websockets(said):
    pytest.importorskip("starlette", reason="starlette is not there for this interpreter")
    from starlette.applications import Starlette
    from starlette.routing import Mount, WebSocketRoute
    from starlette.testclient import TestClient
    from starlette.websockets import WebSocketDisconnect

    async def echo(socket: Any) -> None:
        await socket.accept()
        await socket.send_text(await socket.receive_text())
        await socket.close(3001)

    async def no(socket: Any) -> None:
        await socket.close()

    routes = [Mount("/ws", routes=[WebSocketRoute("/echo", echo), WebSocketRoute("/no", no)])]
    client = TestClient(LoggingMiddleware(Starlette(routes=routes), install=False))
    with client.websocket_connect("/ws/echo", headers={"X-Request-ID": "id-1"}) as socket:
        socket.send_text("hey")
        assert socket.receive_text() == "hey"
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws/no"):
        pass
    accepted, rejected = (one for one in said() if one.name == "logboom.access")
    assert (accepted.kind, accepted.code, accepted.bytes) == ("websocket", 3001, 3)
    assert (accepted.request_id, accepted.outcome) == ("id-1", "closed 3001")
    assert (rejected.outcome, rejected.status, rejected.levelname) == ("rejected", 403, "INFO")


def test_quart(said):
    quart = pytest.importorskip("quart", reason="quart is not there for this interpreter")
    app = quart.Quart(__name__)

    @app.get("/items/<int:number>")
    async def item(number: int) -> str:
        logboom.bind(user=number)
        logger.info("in the handler")
        return "ok"

    @app.get("/broken")
    async def broken() -> str:
        raise LookupError("as asked")

    app.asgi_app = LoggingMiddleware(app.asgi_app, install=False)  # type: ignore[method-assign]
    answers = call(app, "/items/7", "/nowhere", "/broken")
    assert [one.status_code for one in answers] == [200, 404, 500]
    inside, good, missing, failed = said()
    assert (inside.user, good.user) == (7, 7)
    assert (good.route, good.status) == ("/items/<int:number>", 200)
    assert (missing.levelname, missing.status) == ("INFO", 404)
    assert (failed.levelname, failed.error) == ("ERROR", "LookupError")
    assert failed.exc_info[1].args == ("as asked",)
    ids = [one.request_id for one in (good, missing, failed)]
    assert ids == [one.headers["x-request-id"] for one in answers]


def test_flask(said):
    flask = pytest.importorskip("flask", reason="flask is not there for this interpreter")
    from logboom import wsgi

    app = flask.Flask(__name__)

    @app.get("/items/<int:number>")
    def item(number: int) -> str:
        logboom.bind(user=number)
        app.logger.info("in the handler")
        return "ok"

    @app.get("/broken")
    def broken() -> str:
        raise LookupError("as asked")

    @app.get("/own")
    def own() -> str:
        app.logger.error("its own", exc_info=ValueError("kept"))
        return "ok"

    app.wsgi_app = wsgi.LoggingMiddleware(app.wsgi_app, install=False)  # type: ignore[method-assign]
    client = app.test_client()
    answers = [
        client.get(path, buffered=True) for path in ("/items/7", "/nowhere", "/broken", "/own")
    ]
    assert [one.status_code for one in answers] == [200, 404, 500, 200]
    inside, good, missing, failed, its, _ = said()
    assert (inside.user, good.user, good.route) == (7, 7, "/items/<int:number>")
    assert (missing.levelname, missing.status) == ("INFO", 404)
    assert (failed.levelname, failed.error) == ("ERROR", "LookupError")
    assert failed.exc_info[1].args == ("as asked",)
    # What the application says is its own.
    assert (its.getMessage(), its.exc_info[1].args) == ("its own", ("kept",))
    assert failed.request_id == answers[2].headers["X-Request-ID"]
    assert logboom.context() == {}
