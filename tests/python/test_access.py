"""`AccessLog` and `logboom.asgi.LoggingMiddleware` around applications without a framework."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

import logboom
from logboom.asgi import LoggingMiddleware

pytestmark = pytest.mark.usefixtures("logging_as_it_was")


@pytest.fixture
def access(json_lines):
    """Give what reads the access lines."""
    return json_lines("logboom.access").all


async def ok(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": scope.get("answer", 200)})
    await send({"type": "http.response.body", "body": b"12", "more_body": True})
    await send({"type": "http.response.body", "body": b"345"})


def ask(app: Any, received: tuple[str, ...] = (), **changes: Any) -> list[Any]:
    sent: list[Any] = []
    waiting = iter(received)

    async def receive() -> Any:
        return {"type": next(waiting, "http.request")}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], **changes}
    asyncio.run(app(scope, receive, send))
    return sent


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"logger": 7}, "logger"),
        ({"slow": 0}, "slow"),
        ({"slow": "1"}, "slow"),
        ({"probes": "/health"}, "probes"),
        ({"probes": [7]}, "probes"),
        ({"probes": ["^("]}, "probes"),
        ({"sample": {"2xx": 2}}, "sample"),
        ({"sample": {"2xx": "all"}}, "sample"),
    ],
)
def test_options_are_checked_where_they_are_given(options, name):
    with pytest.raises(logboom.ConfigError, match=f"invalid `{name}`: got .*, expected"):
        logboom.AccessLog(**options)


def test_a_request_is_one_line(access):
    sent = ask(LoggingMiddleware(ok), client=("10.0.0.1", 5), headers=[(b"user-agent", b"curl")])
    (line,) = access()
    headers = dict(sent[0]["headers"])
    assert line["request_id"] == headers[b"x-request-id"].decode()
    assert (line["status"], line["bytes"], line["client"], line["user_agent"]) == (
        200,
        5,
        "10.0.0.1",
        "curl",
    )


def test_a_request_that_raises_is_answered_with_its_id_and_goes_on_raising(access):
    error = RuntimeError("boom")

    async def raises(*_: Any) -> None:
        raise error

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.raises(RuntimeError) as caught:
        asyncio.run(
            LoggingMiddleware(raises)(
                {"type": "http", "method": "GET", "path": "/", "headers": []}, None, send
            )
        )
    assert caught.value is error
    (line,) = access()
    assert (sent[0]["status"], line["status"], line["level"]) == (500, 500, "ERROR")
    assert line["request_id"].encode() == dict(sent[0]["headers"])[b"x-request-id"]
    # A server that reports the exception says nothing new.
    record = logging.LogRecord(
        "uvicorn.error", 40, "", 1, "m", (), (RuntimeError, error, None), None
    )
    assert not logging.getLogger("uvicorn.error").filter(record)


def test_a_client_that_leaves_before_the_answer(access):
    async def waits(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    ask(LoggingMiddleware(waits), ("http.request", "http.disconnect"))
    (line,) = access()
    assert (line["status"], line["outcome"], line["level"]) == (499, "disconnected", "INFO")


def test_what_is_left_out_never_is_a_failure(access):
    options = logboom.AccessLog(sample={"2xx": 0, "4xx": 0, "5xx": 0}, probes=["^/in/"])
    app = LoggingMiddleware(ok, access=options)
    for status in (200, 404, 503):
        ask(app, answer=status)
    ask(app, answer=200, path="/in/health")
    ask(app, answer=503, path="/in/health")
    assert [line["status"] for line in access()] == [503, 503]


def test_a_probe_is_left_out_where_it_is_well_and_only_there(access):
    app = LoggingMiddleware(ok)
    for status in (200, 204, 302, 404):
        ask(app, answer=status, path="/healthz")
    assert [line["status"] for line in access()] == [302, 404]


def test_a_slow_request_is_a_warning(access):
    ask(LoggingMiddleware(ok, access=logboom.AccessLog(slow=1e-9)), path="/health")
    (line,) = access()
    assert line["level"] == "WARNING"


def test_a_query_is_told_when_it_is_asked_for(access):
    ask(LoggingMiddleware(ok), query_string=b"token=sesame")
    ask(LoggingMiddleware(ok, access=logboom.AccessLog(query=True)), query_string=b"a=1")
    assert [line.get("query") for line in access()] == [None, "a=1"]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", True),
        (b"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", True),
        (b"00-00000000000000000000000000000000-00f067aa0ba902b7-01", False),
        (b"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", False),
        (b"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", False),
        (b"00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01", False),
        (b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", False),
        (b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0", False),
        (b"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more", False),
        (b"\xff\x00\r\n", False),
    ],
)
def test_a_trace_is_told_where_the_client_has_one(header, found, access):
    ask(LoggingMiddleware(ok), headers=[(b"traceparent", header)])
    (line,) = access()
    assert (line.get("trace_id"), line.get("span_id")) == (
        ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7") if found else (None, None)
    )


def test_a_trace_is_on_every_line_of_the_request():
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(logboom.context())
        await ok(scope, receive, send)

    header = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    ask(LoggingMiddleware(app), headers=[(b"traceparent", header)])
    assert seen["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_the_span_of_an_application_counts_more(access):
    sdk = pytest.importorskip("opentelemetry.sdk.trace", reason="needs opentelemetry-sdk")
    tracer = sdk.TracerProvider().get_tracer("tests")
    spans: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        with tracer.start_as_current_span("request") as span:
            spans.append(span.get_span_context())
            await ok(scope, receive, send)

    header = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    ask(LoggingMiddleware(app), headers=[(b"traceparent", header)])
    (line,) = access()
    assert line["trace_id"] == f"{spans[0].trace_id:032x}"
    assert line["span_id"] == f"{spans[0].span_id:016x}"


def test_scopes_that_are_not_as_they_should_be_cost_no_request(access):
    for scope in (
        {"headers": None, "client": "x", "path": None},
        {"headers": [(b"user-agent", "text")]},
        {"client": 7},
        {"query_string": None},
    ):
        assert len(ask(LoggingMiddleware(ok), **scope)) == 3, scope
    access()


def test_a_failure_is_answered_with_the_id_without_access_lines_too():
    sent: list[Any] = []

    async def raises(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("boom")

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"x-request-id", b"given")]}
    with pytest.raises(RuntimeError, match="boom"):
        asyncio.run(LoggingMiddleware(raises, access=False)(scope, None, send))
    assert sent[0]["status"] == 500
    assert (b"x-request-id", b"given") in sent[0]["headers"]


def test_odd_messages_reach_the_server_without_access_lines_too():
    odd = [{}, None, {"type": ["unhashable"]}, {"type": "http.response.start", "headers": 7}]
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in odd:
            await send(message)

    async def send(message: Any) -> None:
        seen.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    asyncio.run(LoggingMiddleware(app, access=False)(scope, None, send))
    assert seen == odd
