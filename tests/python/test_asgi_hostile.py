"""Requests that are not as they should be, and responses that end badly: one line each."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from unicodedata import category

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import logboom
from logboom.asgi import LoggingMiddleware

pytestmark = pytest.mark.usefixtures("logging_as_it_was")


@pytest.fixture
def access(json_lines):
    """Give what reads the access lines that came since it was last asked."""
    return json_lines("logboom.access").new


def message(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, **more}


START, BODY = message("http.response.start", status=200), message("http.response.body")


async def ok(scope: Any, receive: Any, send: Any) -> None:
    await send(START)
    await send(BODY)


def ask(app: Any, received: Any = (), send: Any = None, options: Any = None, **changes: Any) -> Any:
    """Serve one request; give what was sent, and what was raised."""
    sent: list[Any] = []
    waiting = iter(received)

    async def receive() -> Any:
        return next(waiting, message("http.request"))

    async def collect(one: Any) -> None:
        sent.append(one)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], **changes}
    served = LoggingMiddleware(app, **(options or {}))(scope, receive, send or collect)
    try:
        asyncio.run(served)
    except BaseException as error:
        return sent, error
    return sent, None


odd = st.none() | st.integers() | st.text(max_size=20) | st.binary(max_size=20)
names = st.sampled_from([b"user-agent", b"traceparent", b"x-request-id", b"x-forwarded-for"])
pairs = st.tuples(names | odd, st.binary(max_size=60) | odd)
scopes = st.fixed_dictionaries(
    {"type": st.sampled_from(["http", "websocket"])},
    optional={
        "method": odd,
        "path": odd,
        "headers": st.lists(pairs | odd, max_size=6) | odd,
        "client": st.tuples(odd, odd) | st.lists(odd, max_size=2) | odd,
        "query_string": odd,
        "path_template": odd,
        "route": odd,
    },
)


@settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(scope=scopes)
def test_no_scope_costs_a_request_or_its_line(access, scope):
    reached = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(logboom.context()["request_id"])
        if scope["type"] == "http":
            await ok(scope, receive, send)
        else:
            await send(message("websocket.accept"))
            await send(message("websocket.close", code=1000))

    async def nothing(*_: Any) -> Any:
        return message("http.request")

    options = logboom.AccessLog(query=True, forwarded_hops=2, probes=())
    asyncio.run(LoggingMiddleware(app, access=options)(scope, nothing, nothing))
    (line,) = access()
    assert [line["request_id"]] == reached
    for name in ("path", "user_agent", "client", "query", "message", "method"):
        unsafe = {category(one) for one in str(line.get(name, ""))} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
        assert not unsafe


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"type": None},
        {"type": "http.response.start", "status": "two hundred", "headers": 7},
        {"type": "http.response.body", "body": 7},
        {"type": "http.response.body", "body": b"", "more_body": object()},
        None,
    ],
)
def test_messages_reach_the_server_as_they_are(access, wrong):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(wrong)
        await ok(scope, receive, send)

    sent, error = ask(app)
    assert sent[0] == wrong
    assert error is None
    assert len(access()) == 1


@pytest.mark.parametrize(
    "factory",
    [lambda: "a b\r\nX: y", lambda: "é", lambda: "x" * 200, lambda: 1 / 0],
    ids=["forging", "not ASCII", "too long", "raising"],
)
def test_a_factory_of_bad_ids_costs_no_request(access, factory, capfd):
    sent, error = ask(ok, options={"request_id_factory": factory})
    assert error is None
    (line,) = access()
    assert dict(sent[0]["headers"])[b"x-request-id"] == line["request_id"].encode()
    assert len(line["request_id"]) == 32


def test_a_trace_is_on_every_line_of_the_request(access):
    seen = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(logboom.context())
        logboom.clear()
        await ok(scope, receive, send)

    trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    ask(app, headers=[(b"traceparent", f"00-{trace}-{span}-01".encode())])
    (line,) = access()
    for found in (seen, line):
        assert (found["trace_id"], found["span_id"]) == (trace, span)
    assert seen["request_id"] == line["request_id"]


def test_an_application_that_answers_nothing_is_answered_for(access):
    async def app(*_: Any) -> None:
        return

    sent, error = ask(app)
    (line,) = access()
    assert error is None
    assert [one["type"] for one in sent] == [START["type"], BODY["type"]]
    assert dict(sent[0]["headers"])[b"x-request-id"] == line["request_id"].encode()
    assert (sent[0]["status"], line["status"], line["outcome"]) == (500, 500, "unanswered")
    assert line["level"] == "ERROR"


def test_an_application_that_leaves_its_response_half_done(access):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(message("http.response.body", body=b"12", more_body=True))

    ask(app)
    (line,) = access()
    assert (line["status"], line["bytes"], line["outcome"]) == (200, 2, "incomplete")
    assert line["level"] == "ERROR"


def test_an_exception_in_the_middle_of_a_stream(access):
    boom = ValueError("boom")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(message("http.response.body", body=b"12", more_body=True))
        raise boom

    sent, error = ask(app)
    (line,) = access()
    assert error is boom
    assert len(sent) == 2
    assert (line["status"], line["error"], line["level"]) == (200, "ValueError", "ERROR")
    assert "boom" in json.dumps(line)


def test_an_exception_behind_a_response(access):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await ok(scope, receive, send)
        raise ValueError("boom")

    ask(app)
    first, second = access()
    assert (first["status"], first["level"], first.get("outcome")) == (200, "INFO", None)
    assert (second["level"], second["outcome"]) == ("ERROR", "failed after the response")
    assert first["request_id"] == second["request_id"]


class ClientDisconnect(Exception):
    """What Starlette raises."""


def test_a_client_that_leaves_is_no_failure_whatever_is_raised(access):
    async def reads(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        raise ClientDisconnect

    async def writes(scope: Any, receive: Any, send: Any) -> None:
        await send(START)

    async def gone(_: Any) -> None:
        raise OSError("gone")

    _, error = ask(reads, [message("http.disconnect")])
    assert type(error) is ClientDisconnect
    _, error = ask(writes, send=gone)
    assert type(error) is OSError
    for line in access():
        assert (line["status"], line["outcome"], line["level"]) == (499, "disconnected", "INFO")
    # Where the client is there, it is one.
    ask(reads)
    (line,) = access()
    assert (line["status"], line["level"]) == (500, "ERROR")


def test_a_request_that_is_cancelled(access):
    async def app(*_: Any) -> None:
        raise asyncio.CancelledError

    _, error = ask(app)
    (line,) = access()
    assert type(error) is asyncio.CancelledError
    assert (line["status"], line["outcome"], line["level"]) == (499, "cancelled", "WARNING")


def test_a_file_that_the_server_sends(access, tmp_path):
    (tmp_path / "file").write_bytes(b"12345")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(message("http.response.pathsend", path=str(tmp_path / "file")))

    ask(app)
    (line,) = access()
    assert (line["status"], line["bytes"], line["level"]) == (200, 5, "INFO")


async def accepts(scope: Any, receive: Any, send: Any) -> None:
    await send(message("websocket.accept"))
    await send(message("websocket.send", text="abc"))


async def closes(scope: Any, receive: Any, send: Any) -> None:
    await accepts(scope, receive, send)
    await send(message("websocket.close", code=4000))


async def waits(scope: Any, receive: Any, send: Any) -> None:
    await accepts(scope, receive, send)
    await receive()


async def rejects(scope: Any, receive: Any, send: Any) -> None:
    await send(message("websocket.close", code=4003))


async def breaks(scope: Any, receive: Any, send: Any) -> None:
    await accepts(scope, receive, send)
    raise ValueError


async def breaks_at_once(scope: Any, receive: Any, send: Any) -> None:
    raise ValueError


@pytest.mark.parametrize(
    ("app", "status", "outcome", "level"),
    [
        (closes, 101, "closed 4000", "INFO"),
        (waits, 101, "disconnected 1001", "INFO"),
        (rejects, 403, "rejected", "INFO"),
        (breaks, 101, "failed", "ERROR"),
        (breaks_at_once, 500, "failed", "ERROR"),
    ],
)
def test_a_websocket_is_one_line_at_its_end(access, app, status, outcome, level):
    ask(app, [message("websocket.disconnect", code=1001)], type="websocket", method=None)
    (line,) = access()
    assert (line["status"], line["outcome"], line["level"]) == (status, outcome, level)
    assert line["method"] == "WEBSOCKET"


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"sample": lambda status, route, path: path != "/"}, []),
        ({"sample": lambda status, route, path: 1 / 0}, [200]),
        ({"sample": {"5xx": 0, "2xx": 0}}, [500]),
        ({"sample": {"5xx": 0, "2xx": 0}, "sample_failures": True}, []),
    ],
)
def test_which_lines_are_sampled(access, options, kept, capfd):
    async def raises(*_: Any) -> None:
        raise ValueError

    access_log = logboom.AccessLog(**options)
    ask(ok, options={"access": access_log})
    if "5xx" in str(options):
        ask(raises, options={"access": access_log})
    assert [line["status"] for line in access()] == kept


def test_the_level_of_client_errors(access):
    async def missing(scope: Any, receive: Any, send: Any) -> None:
        await send(message("http.response.start", status=404))
        await send(BODY)

    ask(missing)
    ask(missing, options={"access": logboom.AccessLog(client_errors="warning")})
    assert [line["level"] for line in access()] == ["INFO", "WARNING"]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"forwarded_hops": -1}, "forwarded_hops"),
        ({"forwarded_hops": True}, "forwarded_hops"),
        ({"client_errors": "loud"}, "client_errors"),
        ({"sample": 0.5}, "sample"),
    ],
)
def test_more_options_are_checked_where_they_are_given(options, name):
    with pytest.raises(logboom.ConfigError, match=f"invalid `{name}`: got .*, expected"):
        logboom.AccessLog(**options)


def test_an_application_that_fails_after_its_client_left_has_failed(access):
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        raise FileNotFoundError("mine")

    _, error = ask(fails, [message("http.disconnect")])
    assert type(error) is FileNotFoundError
    (line,) = access()
    assert (line["status"], line["level"], line["error"]) == (500, "ERROR", "FileNotFoundError")


def test_a_probe_is_left_out_when_it_is_well_only(access):
    async def moved(scope: Any, receive: Any, send: Any) -> None:
        await send(message("http.response.start", status=scope["answer"]))
        await send(BODY)

    for answer in (200, 204, 301, 404, 503):
        ask(moved, path="/healthz", answer=answer)
    assert [line["status"] for line in access()] == [301, 404, 503]


@pytest.mark.parametrize(
    ("hops", "header", "client"),
    [
        (1, b"6.6.6.6, " * 500 + b"1.2.3.4", "1.2.3.4"),
        (2, b"6.6.6.6, " * 500 + b"1.2.3.4, 10.0.0.2", "1.2.3.4"),
        (1, b"6" * 5000 + b",1.2.3.4", "1.2.3.4"),
        (1, b"1.2.3.4:5678", "1.2.3.4"),
        (1, b"[2001:db8::1]:443", "2001:db8::1"),
        (1, b"2001:db8::1", "2001:db8::1"),
        (1, b"evil\x1b[31m", "10.0.0.1"),
        (1, b"," * 10_000, "10.0.0.1"),
    ],
)
def test_nothing_that_a_client_sends_ahead_hides_what_our_proxies_saw(access, hops, header, client):
    options = {"access": logboom.AccessLog(forwarded_hops=hops)}
    ask(ok, headers=[(b"x-forwarded-for", header)], client=("10.0.0.1", 5), options=options)
    (line,) = access()
    assert line["client"] == client
