"""What `LogboomPlugin` gives back to Litestar 3: loggers, a configuration, exceptions, one set-up.

Runs where Litestar 3 is installed: `make test-litestar-main`.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar, Request, Router, WebSocket, get, websocket
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.testing import TestClient
from tests.python.litestar_apps import to_file, written

import logboom
from logboom.litestar import LogboomPlugin, LoggingConfig, Request as LoggingRequest
from logboom.litestar._features import HAS_CONFIG

pytestmark = [
    pytest.mark.skipif(HAS_CONFIG, reason="needs Litestar 3"),
    pytest.mark.usefixtures("logging_as_it_was"),
]

HEADER = "X-Request-ID"


def messages(path: Path) -> list[str]:
    return [line["message"] for line in written(path)]


@get("/")
async def hello(request: Request) -> str:
    request.logger.info("hello")
    return str(logboom.context().get("request_id"))


@get("/boom")
async def boom() -> None:
    raise RuntimeError("boom")


def test_a_request_has_its_logger_and_its_id_back(log):
    app = Litestar([hello], plugins=[LogboomPlugin(to_file(log.path))])
    with TestClient(app) as client:
        response = client.get("/", headers={HEADER: "given"})
    assert (response.text, response.headers[HEADER]) == ("given", "given")
    (line,) = [line for line in written(log.path) if line["message"] == "hello"]
    assert (line["logger"], line["request_id"]) == ("root", "given")


def test_a_socket_has_one_too(log):
    @websocket("/ws")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        socket.logger.info("talking")
        await socket.send_text("done")
        await socket.close()

    app = Litestar([talk], plugins=[LogboomPlugin(to_file(log.path))])
    with TestClient(app) as client, client.websocket_connect("/ws") as session:
        assert session.receive_text() == "done"
    assert "talking" in messages(log.path)


class OwnRequest(Request):
    """A request class of the application's own."""

    def shout(self) -> str:
        return "own"


class OwnRouterRequest(OwnRequest):
    """Another one, for a router."""


def test_classes_of_the_application_and_of_a_router_keep_what_they_are(log):
    seen: list[Any] = []

    @get("/")
    async def at_app(request: OwnRequest) -> str:
        request.logger.info("of %s", request.shout())
        seen.append(request)
        return ""

    @get("/")
    async def at_router(request: OwnRouterRequest) -> str:
        request.logger.info("routed %s", request.shout())
        seen.append(request)
        return ""

    router = Router("/router", route_handlers=[at_router], request_class=OwnRouterRequest)
    plugin = LogboomPlugin(to_file(log.path))
    app = Litestar([at_app, router], plugins=[plugin], request_class=OwnRequest)
    with TestClient(app) as client:
        client.get("/")
        client.get("/router")
    assert [type(one).__mro__[2] for one in seen] == [OwnRequest, OwnRouterRequest]
    assert {"of own", "routed own"} <= set(messages(log.path))


def test_the_plain_class_is_the_exported_one():
    seen: list[Any] = []

    @get("/")
    async def handler(request: LoggingRequest) -> None:
        seen.append(request)

    with TestClient(Litestar([handler], plugins=[LogboomPlugin()])) as client:
        client.get("/")
    assert type(seen[0]) is LoggingRequest


def test_guards_dependencies_hooks_and_threads_have_loggers_and_the_id(log):
    def guard(connection: Any, _: Any) -> None:
        connection.logger.info("guard")

    async def dependency(request: Request) -> int:
        request.logger.info("dependency")
        return 1

    async def before(request: Request) -> None:
        request.logger.info("before")

    async def after(request: Request) -> None:
        request.logger.info("after")

    @get("/all", guards=[guard], dependencies={"value": Provide(dependency)}, sync_to_thread=True)
    def handler(request: Request, value: int) -> None:
        request.logger.info("thread")

    app = Litestar(
        [handler],
        plugins=[LogboomPlugin(to_file(log.path))],
        before_request=before,
        after_response=after,
    )
    with TestClient(app) as client:
        client.get("/all", headers={HEADER: "given"})
    said = [
        line["message"]
        for line in written(log.path)
        if line["logger"] == "root" and line.get("request_id") == "given"
    ]
    assert sorted(said) == ["after", "before", "dependency", "guard", "thread"]


@pytest.mark.parametrize(("debug", "level"), [(True, "DEBUG"), (False, "INFO")])
def test_debug_sets_the_level_of_litestars_logger(debug, level, log):
    given = to_file(log.path)
    Litestar([hello], plugins=[LogboomPlugin(given)], debug=debug)
    assert logging.getLevelName(logging.getLogger("litestar").level) == level
    assert given.loggers["litestar"]["level"] == "INFO"


def test_without_a_configuration_what_the_program_configured_stays(log):
    handler = logboom.FileHandler(log.path)
    before = list(logging.root.handlers)
    logging.root.handlers = [handler]
    try:
        app = Litestar([hello], plugins=[LogboomPlugin()])
        assert logging.root.handlers == [handler]
        with TestClient(app) as client:
            assert client.get("/").status_code == 200
    finally:
        logging.root.handlers = before
        handler.close()


def test_without_any_configuration_there_is_one():
    before = list(logging.root.handlers)
    logging.root.handlers = []
    try:
        Litestar([hello], plugins=[LogboomPlugin()])
        (handler,) = logging.root.handlers
        assert type(handler) is logboom.StreamHandler
        assert type(handler.formatter) is logboom.JsonFormatter
    finally:
        logging.root.handlers = before


def test_configuring_2000_times_starts_no_thread(log, thread_names):
    import os

    made = to_file(log.path)
    made.configure()
    assert logboom.flush(timeout=10)
    before = thread_names(os.getpid())
    for _ in range(2000):
        made.configure()
    assert thread_names(os.getpid()) == before


def test_the_fields_are_those_of_litestar_2_that_mean_something():
    assert set(LoggingConfig.__dataclass_fields__) == {
        "version",
        "incremental",
        "disable_existing_loggers",
        "filters",
        "formatters",
        "handlers",
        "loggers",
        "root",
        "configure_root_logger",
        "log_exceptions",
        "disable_stack_trace",
        "exception_logging_handler",
    }


def test_a_teapot_is_one_line(log):
    @get("/tea")
    async def tea() -> None:
        raise HTTPException("short and stout", status_code=418)

    app = Litestar([tea], plugins=[LogboomPlugin(to_file(log.path))])
    with TestClient(app) as client:
        response = client.get("/tea", headers={HEADER: "given"})
    assert (response.status_code, response.headers[HEADER]) == (418, "given")
