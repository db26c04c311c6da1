"""`logboom.wsgi.LoggingMiddleware` around applications that do what PEP 3333 allows, and worse."""

from __future__ import annotations

import contextvars
import logging
import sys
import wsgiref.util
from typing import Any
from wsgiref.headers import Headers

import pytest

import logboom
from logboom.wsgi import LoggingMiddleware

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Asked:
    """What a server saw of one request that it served as a server does."""

    def __init__(self, app: Any, close_after: int | None = None, **environ: Any) -> None:
        wsgiref.util.setup_testing_defaults(environ)
        self.status, self.headers, self.parts = "", Headers([]), []
        self.error: BaseException | None = None
        try:
            result = app(environ, self.start)
            try:
                for part in result:
                    if len(self.parts) == close_after:
                        break
                    self.parts.append(part)
            finally:
                if hasattr(result, "close"):
                    result.close()
        except Exception as error:
            self.error = error
        self.left = logboom.context()

    def start(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        if exc_info is not None and self.parts:
            raise exc_info[1]
        self.status, self.headers = status, Headers(list(headers))
        return self.parts.append

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)


@pytest.fixture
def lines(caplog):
    """Give what gives the access lines of a test."""
    caplog.set_level(logging.INFO)
    return lambda: [one for one in caplog.records if one.name == "logboom.access"]


def wrapped(app: Any, **options: Any) -> LoggingMiddleware:
    return LoggingMiddleware(app, install=False, **options)


def listed(environ, start):
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"a", b"bc"]


def test_a_line_has_its_fields(lines):
    asked = Asked(
        wrapped(listed),
        PATH_INFO="/caf\xc3\xa9",
        SCRIPT_NAME="/shop",
        QUERY_STRING="token=secret",
        REMOTE_ADDR="10.0.0.9",
        HTTP_USER_AGENT="a browser",
        HTTP_X_REQUEST_ID="id-1",
        HTTP_TRACEPARENT=TRACE,
    )
    assert (asked.status, asked.body, asked.headers["X-Request-ID"]) == ("200 OK", b"abc", "id-1")
    (line,) = lines()
    found = {name: getattr(line, name) for name in ("method", "path", "status", "bytes", "client")}
    assert found == {
        "method": "GET",
        "path": "/shop/café",
        "status": 200,
        "bytes": 3,
        "client": "10.0.0.9",
    }
    assert (line.user_agent, line.trace_id) == ("a browser", TRACE[3:35])
    assert line.getMessage().startswith("GET /shop/café 200 ")
    assert "secret" not in str(vars(line))
    assert asked.left == {}


@pytest.mark.parametrize("bad", ["", "a b", "x\r\ny", "ü", "x" * 129, "{}"])
def test_an_id_that_could_forge_something_is_replaced(bad, lines):
    asked = Asked(wrapped(listed), HTTP_X_REQUEST_ID=bad)
    given = asked.headers["X-Request-ID"]
    assert given != bad and len(given) == 32


def test_the_context_is_there_until_the_response_is_closed(lines):
    seen = []

    def app(environ, start):
        logboom.bind(user=7)
        start("200 OK", [])
        for part in (b"a", b"b"):
            seen.append(logboom.context())
            yield part

    asked = Asked(wrapped(app), HTTP_X_REQUEST_ID="id-1")
    assert seen == [{"request_id": "id-1", "user": 7}] * 2
    assert asked.left == {}
    (line,) = lines()
    assert line.bytes == 2


def test_an_exception_before_the_response_is_answered_with_the_id_and_goes_on(lines):
    error = LookupError("as asked")

    def app(environ, start):
        raise error

    asked = Asked(wrapped(app), HTTP_X_REQUEST_ID="id-1")
    assert asked.error is error
    assert asked.status.startswith("500") and asked.body == b"Internal Server Error"
    assert asked.headers["X-Request-ID"] == "id-1"
    (line,) = lines()
    assert (line.levelname, line.status, line.error) == ("ERROR", 500, "LookupError")
    assert line.exc_info[1] is error
    assert asked.left == {}


def test_an_exception_within_the_response_is_told_with_the_status_that_was_sent(lines):
    def app(environ, start):
        start("200 OK", [])
        yield b"a"
        raise LookupError("as asked")

    asked = Asked(wrapped(app))
    assert isinstance(asked.error, LookupError) and asked.body == b"a"
    (line,) = lines()
    assert (line.levelname, line.status, line.bytes) == ("ERROR", 200, 1)
    assert asked.left == {}


def test_an_exception_after_the_start_is_told_once(lines):
    def app(environ, start):
        start("200 OK", [])
        raise LookupError("as asked")

    asked = Asked(wrapped(app))
    assert isinstance(asked.error, LookupError)
    (line,) = lines()
    assert (line.levelname, line.error) == ("ERROR", "LookupError")
    assert asked.left == {}


def test_a_response_that_is_started_again_has_the_status_of_the_last_start(lines):
    def app(environ, start):
        start("200 OK", [("X-Request-ID", "own")])
        try:
            raise LookupError("as asked")
        except LookupError:
            start("503 Busy", [("x-request-id", "own")], sys.exc_info())
        return [b"later"]

    asked = Asked(wrapped(app))
    assert (asked.status, asked.headers.get_all("X-Request-ID")) == ("503 Busy", ["own"])
    (line,) = lines()
    assert (line.levelname, line.status, line.error) == ("ERROR", 503, "LookupError")


def test_what_is_written_is_counted(lines):
    def app(environ, start):
        start("200 OK", [])(b"abc")
        return [b"d"]

    assert Asked(wrapped(app)).body == b"abcd"
    assert lines()[0].bytes == 4


def test_a_client_that_leaves_is_told_and_the_application_is_closed(lines):
    closed = []

    def app(environ, start):
        start("200 OK", [])
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.append(True)

    asked = Asked(wrapped(app), close_after=1)
    assert closed == [True]
    (line,) = lines()
    assert (line.levelname, line.outcome) == ("INFO", "disconnected")
    assert asked.left == {}


def test_a_list_and_a_file_of_the_servers_are_handed_on_as_they_are(tmp_path, lines):
    (tmp_path / "file").write_bytes(b"abc")
    given = [b"a"]
    environ: dict[str, Any] = {"wsgi.file_wrapper": wsgiref.util.FileWrapper}
    wsgiref.util.setup_testing_defaults(environ)

    def file(environ, start):
        start("200 OK", [])
        return environ["wsgi.file_wrapper"]((tmp_path / "file").open("rb"))

    def same(environ, start):
        start("200 OK", [])
        return given

    assert wrapped(same)(dict(environ), lambda *_: None) is given
    result = wrapped(file)(dict(environ), lambda *_: None)
    assert type(result) is wsgiref.util.FileWrapper
    assert len(lines()) == 1
    result.close()
    assert result.filelike.closed
    assert len(lines()) == 2
    assert logboom.context() == {}


def test_hostile_environments_break_nothing(lines):
    odd = {
        "PATH_INFO": "/\xff\x1b[31m\n",
        "HTTP_USER_AGENT": "\x00\r\nx" * 999,
        "REQUEST_METHOD": "\n",
    }
    assert Asked(wrapped(listed), **odd).body == b"abc"
    seen = []
    assert wrapped(listed)({}, lambda *_: seen.append(1)) == [b"a", b"bc"]
    assert len(lines()) == 2
    for line in lines():
        assert line.getMessage().isprintable()


def test_one_within_another_is_passed_on(lines):
    assert Asked(wrapped(wrapped(listed))).headers.get_all("X-Request-ID")[1:] == []
    assert len(lines()) == 1


def test_a_response_that_is_never_closed_leaves_nothing_to_the_next_request():
    seen = []

    def app(environ, start):
        logboom.bind(**{environ["PATH_INFO"].strip("/"): 1})
        seen.append(set(logboom.context()))
        start("200 OK", [])
        yield b""

    def run():
        for path in ("/first", "/second"):
            environ: dict[str, Any] = {"PATH_INFO": path}
            wsgiref.util.setup_testing_defaults(environ)
            next(iter(wrapped(app)(environ, lambda *_: None)))

    contextvars.Context().run(run)
    assert seen == [{"request_id", "first"}, {"request_id", "second"}]


def test_probes_are_left_out_and_options_are_checked(lines):
    assert Asked(wrapped(listed), PATH_INFO="/healthz").body == b"abc"
    assert Asked(wrapped(listed, access=False)).headers["X-Request-ID"]
    assert Asked(wrapped(listed, access=False, request_id=False)).headers["X-Request-ID"] is None
    assert lines() == []
    with pytest.raises(logboom.ConfigError, match="invalid `access`: got 3"):
        wrapped(listed, access=3)
    with pytest.raises(logboom.ConfigError, match="invalid `request_id_header`"):
        wrapped(listed, request_id_header="a b")
