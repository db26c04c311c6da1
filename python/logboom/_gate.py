"""An ASGI application around another one that gives each request an id, a context and an access line.

Invariants:

1. While a request runs, ``logboom.context()["request_id"]`` is its id: in its task, in the tasks
   and worker threads that it starts, and in what runs after the response. What any of them binds is on
   every later line of the request.
2. A request sees what was bound outside of all requests and what it binds itself, and leaves the
   context as it found it (see ``_request``).
3. Each response that passes says the id in a header, once; one that the application set stays. Where
   the application raises before it answers, the answer is made here, so that it has the id as well,
   and the exception goes on to the server as it was.
4. A request that has passed a gate is passed on as it is by those that stand inside.

What it does not do: name a framework. Pinned by ``tests/python/test_litestar_plugin.py``.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from logboom import _access, _arrival, _frameworks, _trace
from logboom._access import AccessLog, Exchange
from logboom._request import Request
from logboom._request_id import FIELD, id_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    # Frameworks type these each in their own way, so that only `Any` fits all of them.
    _Application = Callable[[Any, Any, Any], Awaitable[None]]

EXCHANGE = "_logboom_exchange"
_PASSED = "_logboom_gate"
_SERVED = frozenset({"http", "websocket"})
_RESPONSE_STARTS = frozenset({"http.response.start", "websocket.accept"})
_BODY_500 = b"Internal Server Error"


class Gate:
    """An ASGI application that serves another one's requests.

    ``header``: the lower-case header of ids, or `None` for none. ``access``: what access lines tell, or
    `None` for none. ``is_quiet``: asked at the end of a request that went well, whether it has no line.
    """

    __slots__ = ("_access", "_app", "_factory", "_find_route", "_header", "_is_quiet", "_wanted")

    def __init__(
        self,
        app: _Application,
        header: bytes | None,
        factory: Callable[[], str],
        access: AccessLog | None = None,
        is_quiet: Callable[[Any], bool] | None = None,
    ) -> None:
        self._app = app
        self._header = header
        self._wanted = _arrival.WANTED if header is None else _arrival.WANTED | {header}
        self._factory = factory
        self._access = access
        self._is_quiet = is_quiet
        self._find_route = _frameworks.route_finder(app)

    def around(self, app: _Application) -> Gate:
        """Give a gate with the same options around another application."""
        return Gate(app, self._header, self._factory, self._access, self._is_quiet)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a connection."""
        if scope.get("type") not in _SERVED or _PASSED in scope:
            await self._app(scope, receive, send)
            return
        scope[_PASSED] = True
        brought = _arrival.headers_of(scope, self._wanted)
        fields, header = {}, None
        if self._header is not None:
            request_id = id_of(brought.get(self._header, (None,))[0], self._factory)
            fields[FIELD] = request_id
            header = (self._header, request_id.encode("ascii"))
        trace = _trace.of(brought.get(b"traceparent"))
        if trace is not None:
            fields.update(trace.ids())
        exchange = None
        if self._access is not None:
            exchange = _begin(self._access, scope, brought, fields, trace)
        request = Request(fields, exchange)
        tokens = request.enter()
        try:
            if exchange is None:
                await self._pass(scope, receive, send, header)
            else:
                await self._serve(exchange, scope, receive, send, header)
        finally:
            request.leave(tokens)
            if exchange is not None:
                _access.served.set(True)

    async def _pass(self, scope: Any, receive: Any, send: Any, header: Any) -> None:
        started = header is None or scope["type"] != "http"

        async def send_with_id(message: Any) -> None:
            nonlocal started
            if header is not None:
                with contextlib.suppress(Exception):  # the server says what is wrong with it
                    if message["type"] in _RESPONSE_STARTS:
                        started = True
                        message = _with_header(message, header)
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            if not started:
                await _answer(send_with_id)
            raise

    async def _serve(
        self, exchange: Exchange, scope: Any, receive: Any, send: Any, header: Any
    ) -> None:
        scope[EXCHANGE] = exchange
        watched = _Watched(exchange, scope, receive, send, header, self._is_quiet, self._find_route)
        try:
            await self._app(scope, watched.receive, watched.send)
            await watched.complete()
        except Exception as error:
            ended = exchange.ended
            exchange.failed(error)
            if ended:  # by what runs behind a response
                exchange.ended = exchange.disconnected
                exchange.outcome = "failed after the response"
            elif watched.socket is None and exchange.status is None and not exchange.disconnected:
                await _answer(watched.send)
            raise
        except BaseException as error:
            exchange.ended_by(error)
            raise
        finally:
            watched.end()


class _Watched:
    """The two directions of one connection, looked at."""

    __slots__ = (
        *("_exchange", "_find_route", "_header", "_is_quiet", "_receive", "_scope", "_send"),
        "socket",
    )

    def __init__(
        self,
        exchange: Exchange,
        scope: Any,
        receive: Any,
        send: Any,
        header: tuple[bytes, bytes] | None,
        is_quiet: Callable[[Any], bool] | None,
        find_route: Callable[[str], str | None] | None,
    ) -> None:
        self._exchange = exchange
        self._find_route = find_route
        self._scope = scope
        self._receive = receive
        self._send = send
        self._header = header
        self._is_quiet = is_quiet
        self.socket = _Socket(exchange) if scope["type"] == "websocket" else None

    async def send(self, message: Any) -> None:
        """Send, and look at what was sent."""
        try:
            kind = message["type"]
            if kind in _RESPONSE_STARTS and self._header is not None:
                message = _with_header(message, self._header)
        except Exception:  # noqa: BLE001 - the server says what is wrong with it
            kind = None
        try:
            await self._send(message)
        except OSError as error:  # as ASGI 2.4 has servers say that the client has left
            self._exchange.disconnected = True
            self._exchange.lost = error
            raise
        try:
            self._look(kind, message)
        except Exception:  # noqa: BLE001 - it was sent, whatever it was
            return

    def _look(self, kind: Any, message: Any) -> None:
        exchange = self._exchange
        if kind == "http.response.body":
            exchange.bytes += len(message.get("body") or b"")
            if not message.get("more_body"):
                self.end()
        elif kind == "http.response.start":
            # Here, where the application's own middlewares have begun their span.
            if (span := _trace.current_span()) is not None:
                exchange.fields.update(span.ids())
            exchange.status = int(message["status"])
        elif kind == "http.response.pathsend":
            try:
                exchange.bytes += os.stat(message["path"]).st_size
            finally:
                self.end()
        elif kind == "http.response.zerocopysend":
            exchange.bytes += message.get("count") or 0
            if not message.get("more_body"):
                self.end()
        elif self.socket is not None:
            self.socket.sent(message)

    async def receive(self) -> Any:
        """Receive, and look at what was received."""
        message = await self._receive()
        try:
            if message["type"] == "http.disconnect":
                self._exchange.disconnected = True
            elif self.socket is not None:
                self.socket.received(message)
        except Exception:  # noqa: BLE001 - the application sees it as it is
            return message
        return message

    async def complete(self) -> None:
        """Look at what an application left undone that has returned; answer where it did not."""
        exchange = self._exchange
        if exchange.ended or self.socket is not None or exchange.disconnected:
            return
        if exchange.status is None:
            exchange.broken("unanswered")
            await _answer(self.send)
        else:
            exchange.broken("incomplete")

    def end(self) -> None:
        """Say the access line, the first time."""
        exchange = self._exchange
        if exchange.ended:
            return
        exchange.route = route_of(self._scope)
        if exchange.route is None and self._find_route is not None:
            exchange.route = self._find_route(exchange.path)
        if self._is_quiet is not None and self._is_quiet(self._scope):
            exchange.quiet = True
        exchange.end(self.socket.outcome() if self.socket is not None else None)


def _begin(
    access: AccessLog,
    scope: Any,
    headers: dict[bytes, list[Any]],
    ids: dict[str, str],
    trace: _trace.Trace | None,
) -> Exchange | None:
    try:
        peer, query = _arrival.peer_of(scope), scope.get("query_string")
        fields = _arrival.fields_of(access, peer, headers, query)
        fields.update(ids)
        method = scope.get("method") or ("WEBSOCKET" if scope["type"] == "websocket" else "?")
        path = scope.get("path")
        method, path = _access.shown(str(method)), path if isinstance(path, str) else ""
        exchange = Exchange(access, method, path, trace, **fields)
    except Exception:  # noqa: BLE001 - the request goes on without a line
        _access.report()
        return None
    return exchange


def route_of(scope: Any) -> str | None:
    """Give the template of the route that a request took, where a framework says it."""
    try:
        template = scope.get("path_template")
        if isinstance(template, str):
            return template or None
        route = getattr(scope.get("route"), "path", None)
    except Exception:  # noqa: BLE001 - of a route's own making
        return None
    return route if isinstance(route, str) else None


async def _answer(send: Any) -> None:
    """Say what a server would, with the id."""
    try:
        length = str(len(_BODY_500)).encode()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", length),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": 500, "headers": headers})
        await send({"type": "http.response.body", "body": _BODY_500})
    except Exception:  # noqa: BLE001 - the client is gone; the exception that was raised counts
        return


class _Socket:
    """What became of a websocket."""

    __slots__ = ("_accepted", "_code", "_exchange", "_who")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._accepted = False
        self._code: int | None = None
        self._who: str | None = None
        exchange.kind = exchange.fields["kind"] = "websocket"

    def sent(self, message: Any) -> None:
        """Look at what the application sends."""
        kind = message["type"]
        if kind == "websocket.accept":
            self._accepted = True
            self._exchange.status = 101
        elif kind == "websocket.close" and self._who is None:
            self._who, self._code = "closed", message.get("code", 1000)
        elif kind == "websocket.http.response.start":
            self._who, self._exchange.status = "rejected", message.get("status")
        elif kind == "websocket.send":
            data = message.get("bytes") or message.get("text") or ""
            self._exchange.bytes += len(data)

    def received(self, message: Any) -> None:
        """Look at what the client sends."""
        if message["type"] == "websocket.disconnect" and self._who is None:
            self._who, self._code = "disconnected", message.get("code")
            self._exchange.disconnected = True

    def outcome(self) -> str:
        """Say what became of it; and fill in its status."""
        exchange = self._exchange
        if not self._accepted:
            if exchange.status is None and not (exchange.failure or exchange.disconnected):
                exchange.status = 403  # what servers answer
            if exchange.disconnected or exchange.cancelled:
                return "disconnected" if exchange.disconnected else "cancelled"
            return "failed" if exchange.failure else "rejected"
        if self._code is not None:
            exchange.fields["code"] = self._code
        left = "failed" if exchange.failure else "cancelled" if exchange.cancelled else "left open"
        return f"{self._who or left}" + (f" {self._code}" if self._code is not None else "")


def _with_header(message: dict[str, Any], header: tuple[bytes, bytes]) -> dict[str, Any]:
    headers = list(message.get("headers") or ())
    for name, _ in headers:
        if name.lower() == header[0]:
            return message
    headers.append(header)
    return {**message, "headers": headers}
