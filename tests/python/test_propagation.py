"""Outgoing calls say the id and the trace of the request that they are made for."""

from __future__ import annotations

import asyncio
import http.server
import json
import threading

import httpx
import pytest

import logboom
from logboom.asgi import LoggingMiddleware

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class _Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def url():
    """Give the address of a server that answers with the headers that it got."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def in_request(work, request_id: str = "id-1", trace: str | None = TRACE):
    """Run something within a request; give what it gave."""
    found = []

    async def app(scope, receive, send):
        result = work()
        found.append(await result if asyncio.iscoroutine(result) else result)

    headers = [(b"x-request-id", request_id.encode())]
    if trace is not None:
        headers.append((b"traceparent", trace.encode()))
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers}
    middleware = LoggingMiddleware(app, install=False)

    async def nothing(*_):
        return {"type": "http.disconnect"}

    asyncio.run(middleware(scope, nothing, nothing))
    return found[0]


def told(seen: dict[str, str]) -> tuple[str | None, str | None]:
    return seen.get("x-request-id"), seen.get("traceparent")


def httpx_client(**options):
    import logboom.httpx

    hooks = {"request": [logboom.httpx.propagate]}
    return httpx.Client(trust_env=False, event_hooks=hooks, follow_redirects=True, **options)


def test_httpx_tells(url):
    with httpx_client() as client:
        assert told(in_request(lambda: client.get(url).json())) == ("id-1", TRACE)
        assert told(in_request(lambda: client.get(url + "/redirect").json())) == ("id-1", TRACE)
        assert told(client.get(url).json()) == (None, None)


def test_httpx_tells_asynchronously(url):
    import logboom.httpx

    async def call():
        hooks = {"request": [logboom.httpx.propagate]}
        async with httpx.AsyncClient(trust_env=False, event_hooks=hooks) as client:
            return (await client.get(url)).json()

    assert told(in_request(call)) == ("id-1", TRACE)


def test_httpx_keeps_what_the_program_set(url):
    own = {"X-REQUEST-id": "own", "TraceParent": "own-trace"}
    with httpx_client() as client:
        assert told(in_request(lambda: client.get(url, headers=own).json())) == ("own", "own-trace")
    with httpx_client(headers=own) as client:
        assert told(in_request(lambda: client.get(url).json())) == ("own", "own-trace")


def test_httpx_tells_nothing_of_an_earlier_request(url):
    with httpx_client() as client:
        again = client.build_request("GET", url)
        assert told(in_request(lambda: client.send(again).json())) == ("id-1", TRACE)
        other = in_request(lambda: client.send(again).json(), "id-2", None)
        assert told(other) == ("id-2", None)
        assert told(client.send(again).json()) == (None, None)


def test_requests_tells(url):
    requests = pytest.importorskip("requests", reason="requests is not there")
    import logboom.requests

    with logboom.requests.propagate(requests.Session()) as session:
        session.trust_env = False
        logboom.requests.propagate(session)
        again = session.prepare_request(requests.Request("GET", url))
        own = {"x-request-ID": "own", "traceparent": "own-trace"}
        assert told(in_request(lambda: session.get(url).json())) == ("id-1", TRACE)
        assert told(in_request(lambda: session.get(url + "/redirect").json())) == ("id-1", TRACE)
        assert told(in_request(lambda: session.get(url, headers=own).json())) == tuple(own.values())
        assert told(in_request(lambda: session.send(again).json())) == ("id-1", TRACE)
        other = in_request(lambda: session.send(again).json(), "id-2", None)
        assert told(other) == ("id-2", None)
        assert told(session.send(again).json()) == (None, None)


@pytest.mark.parametrize("bad", ["a\r\nHost: evil", "", "ü", "x" * 200, None, 7])
def test_an_id_that_could_break_a_header_is_not_told(bad, url):
    with httpx_client() as client, logboom.bound(request_id=bad):
        assert told(client.get(url).json()) == (None, None)


@pytest.mark.parametrize(
    "bad", ["00-" + "0" * 32 + "-b7ad6b7169203331-01", "nonsense", "ff" + TRACE[2:]]
)
def test_a_trace_that_is_none_is_not_told(bad, url):
    with httpx_client() as client:
        assert told(in_request(lambda: client.get(url).json(), trace=bad)) == ("id-1", None)


def test_an_opentelemetry_span_is_told(url):
    trace = pytest.importorskip("opentelemetry.trace", reason="opentelemetry is not there")
    sdk = pytest.importorskip("opentelemetry.sdk.trace", reason="its SDK is not there")
    with httpx_client() as client:
        span = sdk.TracerProvider().get_tracer("test").start_span("one")
        with trace.use_span(span):
            seen = told(in_request(lambda: client.get(url).json()))
    context = span.get_span_context()
    assert seen == (
        "id-1",
        f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}",
    )


def test_options_are_checked():
    import logboom.httpx

    with pytest.raises(logboom.ConfigError, match="invalid `request_id_header`"):
        logboom.httpx.Propagation(request_id_header="a b")
    assert logboom.httpx.Propagation(request_id_header="X-Correlation-ID").headers() == {}
