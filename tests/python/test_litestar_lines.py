"""Litestar's own request lines, said natively: what they tell, what they hide, and that nothing raises.

On Litestar 2 and on 3, by what is installed.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from litestar import Litestar, Request, Response, get, post
from litestar.config.compression import CompressionConfig
from litestar.datastructures import Cookie
from litestar.exceptions import NotAuthorizedException
from litestar.middleware import logging as shipped
from litestar.params import FromPath
from litestar.response import ServerSentEvent, Stream
from litestar.testing import TestClient
from tests.python.litestar_apps import JSON, lines_of, status_of, to_file

import logboom
from logboom.litestar import LogboomPlugin
from logboom.litestar._features import LINES_BY_CONFIG

pytestmark = pytest.mark.usefixtures("logging_as_it_was")

ALL_REQUEST = (
    *("path", "method", "content_type", "headers", "cookies", "query", "path_params", "body"),
)
ALL_RESPONSE = ("status_code", "cookies", "headers", "body")
TEXT = {"format": "%(message)s"}


class Application:
    """An application whose lines go to a file."""

    def __init__(self, path: Any, *handlers: Any, formatter: Any = JSON, **options: Any) -> None:
        self.path = path
        config = to_file(path, formatter)
        app_options = options.pop("app", {})
        middleware = app_options.pop("middleware", [])
        self.app = Litestar(
            list(handlers),
            plugins=[LogboomPlugin(config, **options.pop("plugin", {}))],
            middleware=[lines_of(**options), *middleware],
            **app_options,
        )

    def told(self) -> list[Any]:
        """Give the two messages' lines: dicts, or texts where the format is one of text."""
        assert logboom.flush(timeout=10)
        text = self.path.read_text().splitlines() if self.path.exists() else []
        lines = [json.loads(line) if line.startswith("{") else line for line in text]
        return [line for line in lines if "HTTP Re" in str(line)]


@get("/items/{number:int}")
async def item(number: FromPath[int]) -> Response[dict[str, str]]:
    return Response(
        {"hello": "world"},
        headers={"regular": "abc", "x-auth-token": "sesame"},
        cookies=[Cookie(key="first", value="abc"), Cookie(key="session", value="sesame")],
    )


@post("/echo")
async def echo(request: Request) -> bytes:
    return await request.body()


@pytest.fixture
def only_lines_hide():
    """Have the engine hide nothing, to see what these lines hide themselves."""
    logboom.configure(redact=False)
    yield
    logboom.configure(redact=True)


@pytest.mark.usefixtures("only_lines_hide")
def test_the_fields_are_typed_and_the_message_is_the_configured_one(log):
    application = Application(
        log.path, item, request_log_fields=ALL_REQUEST[:-1], response_log_fields=ALL_RESPONSE[:-1]
    )
    with TestClient(application.app) as client:
        client.cookies = {"plain": "1"}
        client.get("/items/7?a=b", headers={"X-Other": "1"})
    first, second = application.told()
    assert first["message"] == "HTTP Request"
    assert (first["path"], first["method"], first["query"]) == ("/items/7", "GET", {"a": ["b"]})
    assert first["path_params"] == {"number": 7}
    assert first["cookies"] == {"plain": "1"}
    assert first["headers"]["x-other"] == "1"
    assert second["message"] == "HTTP Response"
    assert second["status_code"] == 200
    assert second["headers"]["regular"] == "abc"
    assert second["request_id"] == first["request_id"]
    assert (first["logger"], first["level"]) == ("litestar", "INFO")


def test_a_format_of_messages_only_has_the_fields_in_the_message_as_litestar_writes_them(log):
    application = Application(
        log.path,
        item,
        formatter=TEXT,
        request_log_message="in",
        request_log_fields=("path", "content_type", "query", "path_params"),
        response_log_fields=("status_code",),
        response_log_message="HTTP Re: out",
    )
    with TestClient(application.app) as client:
        client.get("/items/7?a=b")
    assert logboom.flush(timeout=10)
    assert [line for line in log.lines() if line[:2] in {"in", "HT"}] == [
        'in: path=/items/7, content_type=["",{}], query={"a":["b"]}, path_params={"number":7}',
        "HTTP Re: out: status_code=200",
    ]


@pytest.mark.usefixtures("only_lines_hide")
def test_secrets_are_hidden_also_those_that_nobody_named(log):
    application = Application(
        log.path,
        item,
        request_headers_to_obfuscate={"X-Mine"},
        request_log_fields=("headers", "cookies", "query"),
        response_log_fields=("headers", "cookies"),
    )
    with TestClient(application.app) as client:
        client.cookies = {"session": "sesame", "plain": "1"}
        client.get(
            "/items/7?token=sesame&page=2&Password=sesame",
            headers={
                "X-MINE": "sesame",
                "Authorization": "Bearer sesame",
                "Proxy-Authorization": "sesame",
                "X-Api-Key": "sesame",
            },
        )
    first, second = application.told()
    assert "sesame" not in json.dumps([first, second])
    assert first["headers"]["cookie"] == "*****"
    assert first["cookies"] == {"session": "*****", "plain": "1"}
    assert first["query"] == {"token": "*****", "page": ["2"], "Password": "*****"}
    assert second["cookies"]["first"] == "abc"


def test_the_engine_hides_cookies_as_a_whole(log):
    application = Application(
        log.path, item, request_log_fields=("cookies",), response_log_fields=("status_code",)
    )
    with TestClient(application.app) as client:
        client.cookies = {"plain": "1"}
        client.get("/items/7")
    assert application.told()[0]["cookies"] == "[redacted]"


def test_no_body_is_told_by_default(log):
    application = Application(log.path, echo)
    with TestClient(application.app) as client:
        client.post("/echo", json={"note": "private matters"})
    assert len(application.told()) == 2
    assert "private matters" not in log.text()


@pytest.mark.usefixtures("only_lines_hide")
def test_a_body_that_was_chosen_is_told_by_its_type_without_its_secrets(log):
    application = Application(log.path, echo, request_log_fields=("body",), response_log_fields=())
    with TestClient(application.app) as client:
        client.post("/echo", json={"user": "ann", "password": "sesame", "in": [{"apiKey": "s"}]})
        client.post("/echo", data={"a": "1", "password": "sesame"})
        client.post("/echo", content=b"plain", headers={"Content-Type": "text/plain"})
        client.post("/echo", content=b"\xff\xfe", headers={"Content-Type": "image/png"})
        client.post("/echo", content=b'{"a": "b",}', headers={"Content-Type": "application/json"})
        client.post("/echo", files={"file": ("a.txt", b"sesame")})
        client.post("/echo", content=b"x" * 100_000, headers={"Content-Type": "text/plain"})
    bodies = [line["body"] for line in application.told()]
    assert bodies[:5] == [
        {"user": "ann", "password": "*****", "in": [{"apiKey": "*****"}]},
        {"a": "1", "password": "*****"},
        "plain",
        "<image/png, 2 bytes>",
        '{"a": "b",}',
    ]
    assert bodies[5].startswith("<multipart/form-data, ")
    assert bodies[6] == "<text/plain, more than 16384 bytes>"


def test_a_body_that_the_application_does_not_read_is_not_read_for_a_line(log):
    received = []

    @post("/", status_code=413)
    async def rejecting() -> None: ...

    application = Application(
        log.path, rejecting, request_log_fields=("path", "body"), response_log_fields=ALL_RESPONSE
    )

    async def ask() -> list[Any]:
        sent: list[Any] = []

        async def receive() -> Any:
            received.append(1)
            raise AssertionError("read")

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/",
            "raw_path": b"/",
            "query_string": b"",
            "headers": [],
        }
        await application.app(scope, receive, send)
        return sent

    sent = asyncio.run(ask())
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert received == []
    assert [line.get("status_code") for line in application.told()] == [None, 413]


def test_a_response_of_many_parts_has_one_line(log):
    async def parts() -> Any:
        for number in range(5):
            yield f"part {number}"

    @get("/events")
    async def events() -> ServerSentEvent:
        return ServerSentEvent(parts())

    @get("/stream")
    async def stream() -> Stream:
        return Stream(parts())

    application = Application(log.path, events, stream, response_log_fields=("status_code", "body"))
    with TestClient(application.app) as client:
        assert "part 4" in client.get("/events").text
        assert "part 4" in client.get("/stream").text
    assert [line["message"] for line in application.told()] == ["HTTP Request", "HTTP Response"] * 2


def test_a_response_that_breaks_has_its_line(log):
    async def parts() -> Any:
        yield "part"
        raise RuntimeError("boom")

    @get("/stream")
    async def stream() -> Stream:
        return Stream(parts())

    application = Application(log.path, stream, response_log_fields=("status_code",))
    with TestClient(application.app, raise_server_exceptions=False) as client:
        client.get("/stream")
    assert [line.get("status_code") for line in application.told()] == [None, 200]


def test_an_inner_middleware_that_raises_is_answered_as_it_meant(log):
    """Where Litestar itself answers 500, with a KeyError of its logging (litestar issue 4855)."""

    def refusing(app: Any) -> Any:
        async def refuse(scope: Any, receive: Any, send: Any) -> None:
            raise NotAuthorizedException("no")

        return refuse

    application = Application(
        log.path, item, response_log_fields=ALL_RESPONSE, app={"middleware": [refusing]}
    )
    with TestClient(application.app, raise_server_exceptions=False) as client:
        assert client.get("/items/7").status_code == 401
    assert [line.get("status_code") for line in application.told()][-1] == 401


def test_two_of_them_on_one_request_do_not_meet(log):
    """Where Litestar raises a KeyError after the response (litestar issue 4283)."""
    application = Application(
        log.path, item, response_log_fields=ALL_RESPONSE, app={"middleware": [lines_of()]}
    )
    with TestClient(application.app) as client:
        assert client.get("/items/7").json() == {"hello": "world"}
    assert len(application.told()) == 4


def test_exclusion_by_path_and_by_opt(log):
    @get("/quiet")
    async def by_path() -> None: ...

    @get("/opted", silent=True)
    async def by_opt() -> None: ...

    application = Application(
        log.path, item, by_path, by_opt, exclude=["^/quiet"], exclude_opt_key="silent"
    )
    with TestClient(application.app) as client:
        for url in ("/quiet", "/opted", "/items/7"):
            assert client.get(url).status_code == 200
    assert len(application.told()) == 2


@pytest.mark.parametrize("included", [True, False])
def test_a_compressed_body_is_told_when_asked_for(included, log):
    application = Application(
        log.path,
        item,
        include_compressed_body=included,
        response_log_fields=("body",),
        app={"compression_config": CompressionConfig(backend="gzip", minimum_size=1)},
    )
    with TestClient(application.app) as client:
        assert client.get("/items/7").json() == {"hello": "world"}
    assert ("body" in application.told()[1]) is included


def test_hostile_bytes_are_told_or_named_and_forge_no_line(log):
    @get("/")
    async def index() -> None: ...

    application = Application(
        log.path,
        index,
        formatter=TEXT,
        request_log_fields=(*ALL_REQUEST, "client", "scheme"),
        response_log_fields=ALL_RESPONSE,
    )

    hostile = b"\xff\xfe\x00\r\nERROR forged \x1b[2J\xe2\x80\xa8"
    for changes in (
        {"headers": [(hostile, hostile), (b"cookie", hostile), (b"content-type", hostile)]},
        {"headers": [(b"cookie", b";;;=;a;=b; session"), (b"content-type", b';;"=;')]},
        {"query_string": hostile + b"&a=%ff%fe&&&=%00%0aERROR"},
        {"client": None},
        {"client": ["unix:", None]},
    ):
        assert asyncio.run(status_of(application.app, **changes)) == 200, changes
    assert logboom.flush(timeout=10)
    lines = log.lines()
    assert len([line for line in lines if line.startswith("HTTP Re")]) == 10
    assert not [line for line in lines if line.startswith("ERROR")]
    assert all(line.isprintable() for line in lines if line.startswith("HTTP Re"))


def test_a_parameter_that_has_no_json_does_not_cost_the_request(log):
    """Litestar writes it by its own encoder, which raises."""

    @get("/{path:path}")
    async def anything(path: FromPath[str]) -> None: ...

    application = Application(
        log.path, anything, formatter=TEXT, request_log_fields=("path_params",)
    )

    lone = {"path": "/lone\udcff", "raw_path": b"/lone%FF"}
    assert asyncio.run(status_of(application.app, **lone)) == 200
    assert len(application.told()) == 2


def test_a_logger_that_raises_does_not_cost_the_request(log, capsys):
    class Raises(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            raise RuntimeError("of the filter")

    raises = Raises()
    application = Application(log.path, item)
    logging.getLogger("litestar").addFilter(raises)
    try:
        with TestClient(application.app) as client:
            assert client.get("/items/7").status_code == 200
    finally:
        logging.getLogger("litestar").removeFilter(raises)
    assert "of the filter" in capsys.readouterr().err


def test_a_level_above_costs_nothing_and_says_nothing(log):
    application = Application(log.path, item)
    logging.getLogger("litestar").setLevel(logging.WARNING)
    with TestClient(application.app) as client:
        client.get("/items/7")
    assert application.told() == []


def test_a_class_of_ones_own_is_left_alone(log):
    class Own(shipped.LoggingMiddleware):
        def log_message(self, values: dict[str, Any]) -> None:
            logging.getLogger("litestar").info("HTTP Re: own %s", sorted(values))

    made = (
        shipped.LoggingMiddlewareConfig(middleware_class=Own).middleware
        if LINES_BY_CONFIG
        else Own("litestar")
    )
    application = Application(log.path, item, exclude="^/", app={"middleware": [made]})
    with TestClient(application.app) as client:
        client.get("/items/7")
    assert all("own" in line["message"] for line in application.told())
    assert len(application.told()) == 2


def test_one_on_a_handler_and_one_on_a_router_are_native_too(log):
    @get("/routed", middleware=[lines_of(response_log_fields=("status_code",))])
    async def routed() -> None: ...

    application = Application(log.path, routed, exclude="^/")
    with TestClient(application.app) as client:
        client.get("/routed")
    assert [line["message"] for line in application.told()] == ["HTTP Request", "HTTP Response"]


def test_structlog_gets_the_fields_as_they_are(log):
    structlog = pytest.importorskip("structlog", reason="needs structlog")
    logger = structlog.get_logger("litestar")
    fields = {"request_log_fields": ("path", "query"), "response_log_fields": ("status_code",)}
    if LINES_BY_CONFIG:
        from litestar.logging import StructLoggingConfig

        middleware = shipped.LoggingMiddlewareConfig(**fields).middleware
        options: dict[str, Any] = {"logging_config": StructLoggingConfig()}
    else:
        middleware = shipped.LoggingMiddleware(logger, log_structured=True, **fields)
        options = {}
    app = Litestar([item], middleware=[middleware], plugins=[LogboomPlugin()], **options)
    with structlog.testing.capture_logs() as told, TestClient(app) as client:
        client.get("/items/7?a=b")
    structlog.reset_defaults()
    assert [one for one in told if "HTTP" in one["event"]] == [
        {"event": "HTTP Request", "path": "/items/7", "query": {"a": ["b"]}, "log_level": "info"},
        {"event": "HTTP Response", "status_code": 200, "log_level": "info"},
    ]
