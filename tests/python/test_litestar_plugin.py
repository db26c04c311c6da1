"""``LogboomPlugin``: loggers, exception logging, request ids and the flush at shutdown."""

from __future__ import annotations

import asyncio
import logging
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import (
    Litestar,
    Request,
    Response,
    WebSocket,
    asgi,
    get,
    logging as litestar_logging,
    websocket,
)
from litestar.background_tasks import BackgroundTask
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.testing import TestClient

import logboom
from logboom import _lifecycle
from logboom.litestar import LogboomPlugin, LoggingConfig

HEADER = "X-Request-ID"
MADE = re.compile(r"[0-9a-f]{32}")
FORMATTER = {
    "()": "logging.Formatter",
    "fmt": "%(request_id)s %(levelname)s %(message)s",
    "defaults": {"request_id": "-"},
}

pytestmark = pytest.mark.usefixtures("logging_as_it_was")


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "app.log"


def config(path: Path, **options: Any) -> LoggingConfig:
    return LoggingConfig(
        formatters={"standard": dict(FORMATTER)},
        handlers={
            "queue_listener": {
                "class": "logboom.FileHandler",
                "filename": str(path),
                "formatter": "standard",
            }
        },
        **options,
    )


def lines(path: Path) -> list[str]:
    assert logboom.flush(timeout=10)
    return path.read_text().splitlines()


@get("/")
async def hello(request: Request) -> str:
    request.logger.info("hello")
    return str(logboom.context().get("request_id"))


@get("/boom")
async def boom() -> None:
    raise RuntimeError("boom")


def app(
    path: Path, *handlers: Any, plugin: dict[str, Any] | None = None, **options: Any
) -> Litestar:
    log_config = options.pop("log_config", None) or config(path)
    # What access lines tell is in test_litestar_access.py.
    plugin = {"access": False, **(plugin or {})}
    return Litestar(
        [hello, boom, *handlers], plugins=[LogboomPlugin(log_config, **plugin)], **options
    )


def test_the_quick_start_gives_loggers_that_are_native():
    application = Litestar([hello], plugins=[LogboomPlugin()])
    assert isinstance(application.logging_config, LoggingConfig)
    assert application.logger is logging.getLogger("litestar")
    assert application.get_logger("mine") is logging.getLogger("mine")
    assert [type(handler) for handler in logging.root.handlers] == [logboom.StreamHandler]
    with TestClient(application) as client:
        assert client.get("/").status_code == 200


# the id


@pytest.mark.parametrize(
    "given", ["a", "x" * 128, "0f8fad5b-d9cb-469f-a165-70867728950e", "AZaz09._:/+=@-", "1"]
)
def test_a_valid_id_is_taken_and_returned(given, path):
    with TestClient(app(path)) as client:
        response = client.get("/", headers={HEADER: given})
    assert (response.text, response.headers[HEADER]) == (given, given)
    assert f"{given} INFO hello" in lines(path)


@pytest.mark.parametrize(
    "given", [b"", b"x" * 129, b"two words", b"a\tb", b"a\x1b[2J", b"caf\xe9", b"a;b", b'"', b"a%s"]
)
def test_an_invalid_id_is_replaced(given, path):
    with TestClient(app(path)) as client:
        response = client.get("/", headers={HEADER: given})
    assert MADE.fullmatch(response.text)
    assert response.headers[HEADER] == response.text
    assert f"{response.text} INFO hello" in lines(path)


def test_an_id_is_made_and_no_two_are_equal(path):
    with TestClient(app(path)) as client:
        ids = [client.get("/").headers[HEADER] for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(MADE.fullmatch(request_id) for request_id in ids)
    assert [line for line in lines(path) if line.endswith("hello")] == [
        f"{request_id} INFO hello" for request_id in ids
    ]


def test_header_and_factory_can_be_chosen(path):
    options = {"request_id_header": "X-Trace", "request_id_factory": lambda: "made"}
    with TestClient(app(path, plugin=options)) as client:
        assert client.get("/", headers={HEADER: "other"}).headers["x-trace"] == "made"
        assert client.get("/", headers={"x-TRACE": "given"}).text == "given"


def test_an_id_that_the_application_sets_itself_is_left(path):
    @get("/own")
    async def own() -> Response[str]:
        return Response("", headers={HEADER: "own"})

    with TestClient(app(path, own)) as client:
        assert client.get("/own").headers.get_list(HEADER) == ["own"]


def test_without_ids_there_are_none(path):
    with TestClient(app(path, plugin={"request_id": False})) as client:
        response = client.get("/", headers={HEADER: "given"})
    assert HEADER not in response.headers
    assert response.text == "None"
    assert "- INFO hello" in lines(path)


@pytest.mark.parametrize("bad", ["", "X Request", "X\r\nSet-Cookie", "é"])
def test_a_bad_header_name_is_refused(bad):
    with pytest.raises(ValueError, match="invalid `request_id_header`"):
        LogboomPlugin(request_id_header=bad)


@pytest.mark.parametrize("bad", [-1, float("nan"), float("inf"), 86_401])
def test_a_bad_timeout_is_refused(bad):
    with pytest.raises(ValueError, match="invalid `flush_timeout`"):
        LogboomPlugin(flush_timeout=bad)


# errors


@pytest.mark.parametrize(("url", "status"), [("/boom", 500), ("/nowhere", 404)])
def test_an_error_has_the_id_in_its_response_and_in_its_traceback_line(url, status, path):
    application = app(path, log_config=config(path, log_exceptions="always"))
    with TestClient(application) as client:
        response = client.get(url, headers={HEADER: "given"})
    assert response.status_code == status
    assert response.headers[HEADER] == "given"
    found = lines(path)
    assert f"given ERROR Uncaught exception (connection_type=http, path='{url}'):" in found
    assert "Traceback (most recent call last):" in found


def test_a_wrong_method_has_the_id_too(path):
    with TestClient(app(path)) as client:
        response = client.post("/", headers={HEADER: "given"})
    assert (response.status_code, response.headers[HEADER]) == (405, "given")


def test_an_exception_handler_logs_with_the_id_also_where_there_is_no_route(path):
    def not_found(request: Request, _: NotFoundException) -> Response[str]:
        request.logger.info("not found")
        return Response("", status_code=404)

    with TestClient(app(path, exception_handlers={NotFoundException: not_found})) as client:
        client.get("/nowhere", headers={HEADER: "given"})
    assert "given INFO not found" in lines(path)


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
def test_exceptions_are_logged_when_litestar_would(mode, debug, logged, path):
    application = app(path, log_config=config(path, log_exceptions=mode), debug=debug)
    with TestClient(application) as client:
        client.get("/boom")
    assert any("Uncaught exception" in line for line in lines(path)) is logged


def test_a_disabled_stack_trace_and_a_handler_of_ones_own_are_honoured(path):
    log_config = config(
        path,
        log_exceptions="always",
        disable_stack_trace={404},
        exception_logging_handler=lambda logger, scope, tb: logger.error("own %s", scope["path"]),
    )
    with TestClient(app(path, log_config=log_config)) as client:
        client.get("/boom", headers={HEADER: "given"})
        client.get("/nowhere")
    assert [line for line in lines(path) if "own" in line] == ["given ERROR own /boom"]


# where the id reaches


def test_dependencies_guards_threads_and_background_tasks_have_the_id(path):
    def say(where: str) -> None:
        logging.getLogger("litestar").info(where)

    async def dependency() -> int:
        say("dependency")
        return 1

    def guard(*_: Any) -> None:
        say("guard")

    @get("/all", dependencies={"value": Provide(dependency)}, guards=[guard], sync_to_thread=True)
    def everything(value: NamedDependency[int]) -> Response[str]:
        say("thread")
        return Response("", background=BackgroundTask(say, "background"))

    with TestClient(app(path, everything)) as client:
        client.get("/all", headers={HEADER: "given"})
    said = [line for line in lines(path) if line.startswith("given")]
    assert said == [
        f"given INFO {where}" for where in ("guard", "dependency", "thread", "background")
    ]


def test_a_websocket_has_an_id(path):
    @websocket("/ws")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        socket.logger.info("talking")
        await socket.send_text(str(logboom.context()["request_id"]))
        await socket.close()

    with (
        TestClient(app(path, talk)) as client,
        client.websocket_connect("/ws", headers={HEADER: "given"}) as session,
    ):
        assert session.receive_text() == "given"
    assert "given INFO talking" in lines(path)


def test_a_mounted_application_shares_the_id(path):
    inner = app(path)

    @asgi("/inner", is_mount=True, copy_scope=True)
    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        await inner(scope, receive, send)

    with TestClient(app(path, mounted)) as client:
        response = client.get("/inner/", headers={HEADER: "bad id"})
    assert response.headers.get_list(HEADER) == [response.text]


def test_without_a_startup_a_route_still_has_an_id(path):
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app(path))  # does not speak the lifespan protocol
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get("/", headers={HEADER: "given"})

    response = asyncio.run(ask())
    assert (response.text, response.headers[HEADER]) == ("given", "given")
    assert "given INFO hello" in lines(path)


# no leak


def test_concurrent_requests_never_see_each_others_fields(path):
    parties = 20

    async def scenario() -> list[httpx.Response]:
        all_inside = asyncio.Event()
        inside = 0

        @get("/meet/{number:int}")
        async def meet(number: FromPath[int]) -> dict[str, Any]:
            nonlocal inside
            logboom.bind(number=number)
            inside += 1
            if inside == parties:
                all_inside.set()
            await asyncio.wait_for(all_inside.wait(), 30)
            logging.getLogger("litestar").info("number %d", number)
            return dict(logboom.context())

        application = app(path, meet)
        transport = httpx.ASGITransport(app=application)
        async with (
            application.lifespan(),
            httpx.AsyncClient(transport=transport, base_url="http://test") as client,
        ):
            return await asyncio.gather(
                *(
                    client.get(f"/meet/{number}", headers={HEADER: f"id-{number}"})
                    for number in range(parties)
                )
            )

    for number, response in enumerate(asyncio.run(scenario())):
        assert response.json() == {"number": number, "request_id": f"id-{number}"}
    assert sorted(line for line in lines(path) if "number" in line) == sorted(
        f"id-{number} INFO number {number}" for number in range(parties)
    )


def test_a_request_that_is_started_in_anothers_context_sees_nothing_of_it(path):
    """As uvicorn does where requests are pipelined."""

    @get("/bind")
    async def bind() -> dict[str, Any]:
        logboom.bind(secret="of the first")
        return dict(logboom.context())

    @get("/outer")
    async def outer() -> dict[str, Any]:
        logboom.bind(secret="of the outer")
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            inner = await client.get("/look", headers={HEADER: "inner"})
            await client.get("/bind", headers={HEADER: "inner"})
        return {"inner": inner.json(), "outer": dict(logboom.context())}

    @get("/look")
    async def look() -> dict[str, Any]:
        return dict(logboom.context())

    application = app(path, bind, outer, look)
    with TestClient(application) as client:
        found = client.get("/outer", headers={HEADER: "outer"}).json()
    assert found == {
        "inner": {"request_id": "inner"},
        "outer": {"request_id": "outer", "secret": "of the outer"},
    }


def test_what_is_bound_outside_of_requests_stays_and_what_a_request_binds_goes(path):
    @get("/bind")
    async def bind() -> dict[str, Any]:
        logboom.bind(user="one")
        return dict(logboom.context())

    async def scenario() -> tuple[Any, Any]:
        transport = httpx.ASGITransport(app=app(path, bind))
        with logboom.bound(service="shop"):
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                response = await client.get("/bind", headers={HEADER: "given"})
            return response.json(), dict(logboom.context())

    assert asyncio.run(scenario()) == (
        {"service": "shop", "request_id": "given", "user": "one"},
        {"service": "shop"},
    )


# whose configuration


def test_litestars_own_configuration_is_used_with_native_handlers(path):
    shipped = litestar_logging.LoggingConfig(
        formatters={"standard": {"format": "%(message)s"}},
        handlers={"file": {"class": "logboom.FileHandler", "filename": str(path)}},
        loggers={"mine": {"level": "DEBUG", "handlers": ["file"]}},
        log_exceptions="always",
    )
    application = Litestar([hello], logging_config=shipped, plugins=[LogboomPlugin()])
    assert type(application.logging_config) is LoggingConfig
    assert application.logging_config.log_exceptions == "always"
    assert type(logging.root.handlers[0]) is logboom.StreamHandler
    application.get_logger("mine").debug("kept")
    assert lines(path) == ["kept"]
    logging.getLogger("mine").handlers = []


def test_a_configuration_of_another_kind_and_none_are_left_alone():
    class Own(litestar_logging.LoggingConfig):
        def configure(self) -> Any:
            return logging.getLogger

    own = Own()
    assert Litestar(logging_config=own, plugins=[LogboomPlugin()]).logging_config is own
    assert Litestar(logging_config=None, plugins=[LogboomPlugin()]).logging_config is None


def test_debug_sets_the_level_as_litestar_does(path):
    application = app(path, debug=True)
    assert logging.getLogger("litestar").level == logging.DEBUG
    application.debug = False
    assert logging.getLogger("litestar").level == logging.INFO


# shutdown


def test_a_shutdown_flushes_after_the_applications_own_hooks(path):
    def last_words() -> None:
        logging.getLogger("litestar").info("last words")

    with TestClient(app(path, on_shutdown=[last_words])):
        pass
    assert "- INFO last words" in path.read_text().splitlines()  # no flush of ours in between


def test_a_shutdown_that_cannot_finish_says_so(path, monkeypatch, capsys):
    monkeypatch.setattr(_lifecycle, "flush", lambda timeout=None: False)
    with TestClient(app(path, plugin={"flush_timeout": 0.25})):
        pass
    monkeypatch.undo()
    said = r"logboom: \d+ records were pending 0.25 s after .* shutdown, \d+ have failed"
    assert re.search(said, capsys.readouterr().err)


def test_starting_up_twice_stands_around_the_application_once(path):
    application = app(path)
    for _ in range(3):
        with TestClient(application) as client:
            assert client.get("/", headers={HEADER: "given"}).text == "given"
        handler = application.asgi_handler
    with TestClient(application):
        assert application.asgi_handler is handler


# Another Litestar


@pytest.mark.parametrize("version", ["1.51.0", "2.14.0"])
def test_a_version_that_does_not_fit_is_refused_in_words(version, run_python):
    program = """
        import sys
        from importlib import metadata
        metadata.version = lambda name: sys.argv[1]
        try:
            import logboom.litestar
        except ImportError as error:
            print(error)
    """
    assert run_python(program, version).ok().out == (
        f"unsupported version of `litestar`: got {version}, expected 2.15 or a later one\n"
    )


def test_importing_logboom_imports_no_litestar(run_python):
    assert run_python("import sys, logboom; print('litestar' in sys.modules)").ok().out == "False\n"
