"""WSGI requests that are not as they should be, and what an application binds for a whole request."""

from __future__ import annotations

import concurrent.futures
import contextvars
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import logboom
from logboom.wsgi import LoggingMiddleware

pytestmark = pytest.mark.usefixtures("logging_as_it_was")


@pytest.fixture
def access(json_lines):
    """Give what reads the access lines that came since it was last asked."""
    return json_lines("logboom.access").new


def ok(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [])
    return [b"12"]


def serve(app: Any, environ: dict[str, Any]) -> tuple[list[Any], Any]:
    """Serve a request as a server does; give how its responses were started, and the body."""
    started: list[Any] = []

    def start_response(*arguments: Any) -> Any:
        started.append(arguments)
        return started.append

    result = app(environ, start_response)
    try:
        return started, list(result)
    finally:
        if hasattr(result, "close"):
            result.close()


odd = st.none() | st.integers() | st.text(max_size=20) | st.binary(max_size=20)
names = ("REQUEST_METHOD", "PATH_INFO", "SCRIPT_NAME", "QUERY_STRING", "REMOTE_ADDR")
headers = ("USER_AGENT", "TRACEPARENT", "X_FORWARDED_FOR", "X_REQUEST_ID")
environs = st.dictionaries(
    st.sampled_from([*names, *(f"HTTP_{name}" for name in headers)]),
    odd | st.text(st.characters(max_codepoint=255), max_size=60),
)


@settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(environ=environs)
def test_no_environ_costs_a_request_or_its_line(access, environ):
    options = logboom.AccessLog(query=True, forwarded_hops=1, probes=())
    started, body = serve(LoggingMiddleware(ok, access=options), environ)
    (line,) = access()
    assert started == [("200 OK", [("X-Request-ID", line["request_id"])])]
    assert (body, line["status"], line["bytes"]) == ([b"12"], 200, 2)


@pytest.mark.parametrize("wrong", [None, 7, [7], [("a",)]], ids=repr)
def test_responses_reach_the_server_as_they_are(access, wrong):
    def app(environ: Any, start_response: Any) -> Any:
        start_response(wrong, wrong)
        return [wrong]

    started, body = serve(LoggingMiddleware(app), {})
    assert (started, body) == ([(wrong, wrong)], [wrong])
    assert len(access()) == 1


def test_what_a_thread_of_a_request_binds_is_on_its_line(access):
    def app(environ: Any, start_response: Any) -> Any:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            pool.submit(contextvars.copy_context().run, lambda: logboom.bind(user=7)).result(30)
        return ok(environ, start_response)

    serve(LoggingMiddleware(app), {})
    (line,) = access()
    assert line["user"] == 7
    assert logboom.context() == {}
