"""`logboom.wsgi.LoggingMiddleware` with servers and applications that do what they should not."""

from __future__ import annotations

import contextvars
import io
import itertools
import json
import logging
import socketserver
import threading
import unicodedata
import urllib.error
import urllib.request
import wsgiref.simple_server
import wsgiref.util
import wsgiref.validate
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import logboom
from logboom.wsgi import LoggingMiddleware

pytestmark = pytest.mark.usefixtures("logging_as_it_was")

BOOM = RuntimeError("boom")


@pytest.fixture
def lines(json_lines):
    """Give what reads all lines of the access log and of ``app``."""
    return json_lines("logboom.access", "app").all


class Served:
    """What a server made of a request."""

    def __init__(self, app: Any, *, takes: int = 99, write: bool = True, **environ: Any) -> None:
        self.heads: list[tuple[str, list[tuple[str, str]], Any]] = []
        self.parts: list[bytes] = []
        self.error: BaseException | None = None
        wsgiref.util.setup_testing_defaults(environ)

        def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
            if exc_info and any(self.parts):
                raise exc_info[1]
            self.heads.append((status, headers, exc_info))
            return self.parts.append if write else None

        self.result: Any = None
        try:
            self.result = app(environ, start_response)
            self.parts.extend(itertools.islice(self.result, takes))
        except BaseException as error:
            self.error = error
        finally:
            if hasattr(self.result, "close"):
                self.result.close()

    @property
    def status(self) -> int:
        return int(self.heads[-1][0][:3])

    @property
    def id(self) -> str | None:
        return dict(self.heads[-1][1]).get("X-Request-ID")


def ok(environ: Any, start_response: Any) -> list[bytes]:
    logging.getLogger("app").info("works")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"12", b"345"]


def test_the_context_is_the_requests_while_its_body_is_made_and_the_servers_afterwards(lines):
    closed = []

    class Body:
        def __iter__(self) -> Any:
            logboom.bind(late=1)
            with logboom.bound(block=1):
                for part in (b"ab", b"", b"c"):
                    logging.getLogger("app").info("part")
                    yield part

        def close(self) -> None:
            closed.append(logboom.context()["request_id"])

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return Body()

    with logboom.bound(outside=1):
        served = Served(LoggingMiddleware(app))
        assert logboom.context() == {"outside": 1}
    *parts, line = lines()
    assert closed == [served.id] and len(parts) == 3
    assert all(one["block"] == 1 for one in parts)
    assert all((one["request_id"], one["outside"]) == (served.id, 1) for one in parts)
    assert (line["bytes"], line["late"]) == (3, 1)


def test_a_body_that_is_made_and_closed_on_other_threads_leaves_nothing_there(lines):
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        yield logboom.context()["request_id"].encode()
        yield b"more"

    heads: list[Any] = []
    environ: dict[str, Any] = {}
    wsgiref.util.setup_testing_defaults(environ)
    result: Any = contextvars.copy_context().run(
        LoggingMiddleware(app), environ, lambda _, headers, *__: heads.append(dict(headers))
    )
    seen: list[Any] = []

    def elsewhere(step: Any) -> None:
        def run() -> None:
            logboom.bind(mine=1)
            seen.append((step(), logboom.context()))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()

    elsewhere(lambda: next(result))
    elsewhere(lambda: next(result))
    elsewhere(result.close)
    assert seen[0][0].decode() == heads[0]["X-Request-ID"]
    assert [bound for _, bound in seen] == [{"mine": 1}] * 3
    assert len(lines()) == 1


def test_a_request_that_is_made_in_another_one_is_its_own(lines):
    def outer(environ: Any, start_response: Any) -> list[bytes]:
        logboom.bind(outer=1)
        inner = Served(LoggingMiddleware(ok))
        assert "outer" in logboom.context()
        start_response("200 OK", [])
        return inner.parts

    served = Served(LoggingMiddleware(outer))
    assert served.error is None
    own, inner, line = lines()
    assert own["request_id"] == inner["request_id"] != line["request_id"] == served.id
    assert "outer" not in inner and line["outer"] == 1


def raises(environ: Any, start_response: Any) -> Any:
    raise BOOM


def raises_started(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [("Content-Type", "text/plain")])
    raise BOOM


def raises_at_the_first_part(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [("Content-Type", "text/plain")])
    raise BOOM
    yield b""


def raises_after_an_empty_part(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b""
    raise BOOM


@pytest.mark.parametrize(
    "app", [raises, raises_started, raises_at_the_first_part, raises_after_an_empty_part]
)
def test_what_raises_before_anything_was_sent_is_answered_with_the_id_and_raises_on(app, lines):
    served = Served(LoggingMiddleware(app))
    assert served.error is BOOM
    (line,) = lines()
    assert (served.status, line["status"], line["level"], line["error"]) == (
        500,
        500,
        "ERROR",
        "RuntimeError",
    )
    assert served.id == line["request_id"]
    assert b"".join(served.parts) == b"Internal Server Error"
    assert line["bytes"] == 21 and "boom" in json.dumps(line)
    # A server that reports the exception says nothing new.
    record = logging.LogRecord(
        "gunicorn.error", 40, "", 1, "m", (), (RuntimeError, BOOM, None), None
    )
    assert not logging.getLogger("gunicorn.error").filter(record)
    assert logboom.context() == {}


def test_a_failure_of_head_has_no_body(lines):
    served = Served(LoggingMiddleware(raises), REQUEST_METHOD="HEAD")
    assert (served.status, b"".join(served.parts)) == (500, b"")


def test_a_server_without_write_has_the_answer_from_the_iterator(lines):
    served = Served(LoggingMiddleware(raises), write=False)
    assert (served.error, served.status, served.parts) == (BOOM, 500, [b"Internal Server Error"])
    (line,) = lines()
    assert (line["request_id"], line["bytes"]) == (served.id, 21)


def test_a_close_that_raises_is_a_failure_and_raises_on(lines):
    class Body(list):
        def close(self) -> None:
            raise BOOM

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return Body([b"1"])

    # What was answered was answered.
    with pytest.raises(RuntimeError) as caught:
        Served(LoggingMiddleware(app))
    assert caught.value is BOOM
    well, line = lines()
    assert (well["level"], well["status"]) == ("INFO", 200)
    assert (line["level"], line["outcome"]) == ("ERROR", "failed after the response")
    assert line["request_id"] == well["request_id"]
    assert logboom.context() == {}


def test_what_ends_a_request_from_outside_is_told_apart(lines):
    def app(environ: Any, start_response: Any) -> Any:
        raise SystemExit(1)

    served = Served(LoggingMiddleware(app))
    (line,) = lines()
    assert isinstance(served.error, SystemExit) and not served.heads
    assert (line["status"], line["level"], line["error"]) == (500, "ERROR", "SystemExit")


class File:
    """What can be read, and knows that it is closed."""

    def __init__(self, content: bytes) -> None:
        self.read = io.BytesIO(content).read
        self.closed = False

    def close(self) -> None:
        self.closed = True


class FixedWrapper:
    """A wrapper as a server in C has it: nothing can be set on it."""

    __slots__ = ("_file",)

    def __init__(self, file: File) -> None:
        self._file = file

    def __iter__(self) -> Any:
        return iter([self._file.read()])

    def close(self) -> None:
        self._file.close()


@pytest.mark.parametrize("wrapper", [wsgiref.util.FileWrapper, FixedWrapper])
def test_a_file_of_the_servers_wrapper_stays_one_where_it_can(wrapper, lines):
    file = File(b"12345")

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "5")])
        return environ["wsgi.file_wrapper"](file)

    environ: dict[str, Any] = {"wsgi.file_wrapper": wrapper}
    served = Served(LoggingMiddleware(app), **environ)
    assert isinstance(served.result, wrapper) is (wrapper is not FixedWrapper)
    assert served.parts == [b"12345"] and file.closed
    assert lines()[0]["bytes"] == 5
    assert logboom.context() == {}


def test_an_id_that_the_application_sets_stays_and_a_factory_that_fails_costs_nothing(
    lines, capsys
):
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("x-request-id", "own")])
        return []

    assert Served(LoggingMiddleware(app)).heads[0][1] == [("x-request-id", "own")]

    def fails() -> str:
        raise BOOM

    for factory in (fails, lambda: "", lambda: "a\nb"):
        served = Served(LoggingMiddleware(ok, request_id_factory=factory))
        assert served.id and len(served.id) == 32
    assert "Logging error" in capsys.readouterr().err


HOSTILE = st.none() | st.integers() | st.text() | st.binary() | st.lists(st.text())
NAMES = (
    *("REQUEST_METHOD", "PATH_INFO", "SCRIPT_NAME", "QUERY_STRING", "REMOTE_ADDR"),
    *("HTTP_USER_AGENT", "HTTP_X_REQUEST_ID", "HTTP_TRACEPARENT", "HTTP_X_FORWARDED_FOR"),
)


def test_no_environ_and_no_head_that_is_not_as_it_should_be_costs_the_request_or_its_line(lines):
    options = logboom.AccessLog(query=True, forwarded_hops=2)
    heads: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response(*environ["head"])
        return [b"1"]

    middleware = LoggingMiddleware(app, access=options)
    asked = 0

    @settings(max_examples=100, deadline=None)
    @given(st.dictionaries(st.sampled_from(NAMES), HOSTILE), HOSTILE, HOSTILE)
    def ask(environ: Any, status: Any, headers: Any) -> None:
        nonlocal asked
        asked += 1
        result = middleware(
            {**environ, "head": (status, headers)}, lambda *head: heads.append(head)
        )
        assert result == [b"1"]
        assert heads[-1][0] is status
        assert logboom.context() == {}

    ask()
    assert len(heads) == asked
    told = [line for line in lines() if line["logger"] == "logboom.access"]
    assert len(told) == asked
    for line in told:
        kinds = {unicodedata.category(one) for one in line["message"]}
        assert not kinds & {"Cc", "Cs", "Zl", "Zp"}, line


def test_a_real_server_finds_nothing_against_it(lines):
    class Quiet(wsgiref.simple_server.WSGIRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def get_stderr(self) -> Any:
            return io.StringIO()

    class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
        daemon_threads = True

    def app(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/boom":
            raise BOOM
        start_response("200 OK", [("Content-Type", "text/plain")])
        logboom.bind(number=environ["PATH_INFO"])
        return iter([environ["PATH_INFO"].encode()])

    checked = wsgiref.validate.validator(LoggingMiddleware(wsgiref.validate.validator(app)))
    server = wsgiref.simple_server.make_server("127.0.0.1", 0, checked, Server, Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        base = f"http://127.0.0.1:{server.server_port}"
        ids = {}
        for number in range(20):
            with urllib.request.urlopen(f"{base}/{number}", timeout=30) as response:
                assert response.read() == f"/{number}".encode()
                ids[f"/{number}"] = response.headers["X-Request-ID"]
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{base}/boom", timeout=30)
        ids["/boom"] = caught.value.headers["X-Request-ID"]
        assert caught.value.code == 500
        caught.value.close()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    told = lines()
    assert {line["path"]: line["request_id"] for line in told} == ids
    assert all(line["number"] == line["path"] for line in told if line["path"] != "/boom")


def test_a_line_of_the_servers_is_left_out_for_its_own_request_only(lines):
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"1"

    def told() -> bool:
        record = logging.LogRecord("gunicorn.access", 20, "", 1, "m", (), None, None)
        return bool(logging.getLogger("gunicorn.access").filter(record))

    heads: list[Any] = []
    environ: dict[str, Any] = {}
    wsgiref.util.setup_testing_defaults(environ)
    result: Any = LoggingMiddleware(app)(environ, lambda *head: heads.append(head))
    list(result)
    assert not told(), "the line of this request"
    result.close()
    assert told(), "of a request that never came to the application"
    Served(LoggingMiddleware(ok))
    assert not told(), "said when the application has returned"
    assert told()
    Served(LoggingMiddleware(raises))
    assert told(), "nothing is said of what raised"
