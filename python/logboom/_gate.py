"""An ASGI application around another one that gives each request an id, a context and an access line.

Invariants:

1. While a request runs, ``logboom.context()["request_id"]`` is its id: in its task, in the tasks
   and worker threads that it starts, and in what runs after the response. What any of them binds is on
   every later line of the request.
2. A request sees what was bound outside of all requests and what it binds itself, and leaves the
   context as it found it. That holds too where it begins inside another request's context: servers
   start a pipelined request from the one before, and a handler may call an application in-process.
3. Each response that passes says the id in a header, once; one that the application set stays. Where
   the application raises before it answers, the answer is made here, so that it has the id as well,
   and the exception goes on to the server as it was.
4. A request that has passed a gate is passed on as it is by those that stand inside.

What it does not do: name a framework. Pinned by ``tests/python/test_litestar_plugin.py``.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from logboom import _access, _context, _trace
from logboom._access import AccessLog, Exchange
from logboom._logboom import Context, RequestScope, extend_context
from logboom._request_id import FIELD, id_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    # Frameworks type these each in their own way, so that only `Any` fits all of them.
    _Application = Callable[[Any, Any, Any], Awaitable[None]]

EXCHANGE = "_logboom_exchange"
_PASSED = "_logboom_gate"
_SERVED = frozenset({"http", "websocket"})
_RESPONSE_STARTS = frozenset({"http.response.start", "websocket.accept"})
# W3C Trace Context, section 3.2: version 00 has exactly 55 characters, later ones may have more.
_TRACEPARENT = re.compile(
    rb"(?!ff)(?!00.{53}.)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-[0-9a-f]{2}(?=-|\Z)",
    re.DOTALL,
)
_NOT_IN_A_REQUEST = object()
_BODY_500 = b"Internal Server Error"

# What was bound outside of the request that runs here.
_outside: ContextVar[Any] = ContextVar("logboom_outside_request", default=_NOT_IN_A_REQUEST)


class Gate:
    """An ASGI application that serves another one's requests.

    ``header``: the lower-case header of ids, or `None` for none. ``access``: what access lines tell, or
    `None` for none. ``is_quiet``: asked at the end of a request that went well, whether it has no line.
    """

    __slots__ = ("_access", "_app", "_factory", "_header", "_is_quiet")

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
        self._factory = factory
        self._access = access
        self._is_quiet = is_quiet

    def around(self, app: _Application) -> Gate:
        """Give a gate with the same options around another application."""
        return Gate(app, self._header, self._factory, self._access, self._is_quiet)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a connection."""
        if scope["type"] not in _SERVED or _PASSED in scope:
            await self._app(scope, receive, send)
            return
        scope[_PASSED] = True
        fields, header = {}, None
        if self._header is not None:
            request_id = id_of(scope.get("headers") or (), self._header, self._factory)
            fields[FIELD] = request_id
            header = (self._header, request_id.encode("latin-1"))
        exchange = None if self._access is None else _begin(self._access, scope)
        if exchange is not None and "trace_id" in exchange.fields:
            fields.update({name: exchange.fields[name] for name in ("trace_id", "span_id")})
        outside: Context | None = _outside.get()
        if outside is _NOT_IN_A_REQUEST:
            outside = _context.held()
        outer = _outside.set(outside)
        scope_fields = extend_context(outside, fields) if fields else outside
        inner = _context.variable.set(RequestScope(scope_fields))
        around = _access.current.set(exchange)
        try:
            if exchange is None:
                await self._app(scope, receive, _with_id(send, header))
            else:
                await self._serve(exchange, scope, receive, send, header)
        finally:
            _access.leave(around)
            _context.reset(inner)
            _outside.reset(outer)

    async def _serve(
        self, exchange: Exchange, scope: Any, receive: Any, send: Any, header: Any
    ) -> None:
        scope[EXCHANGE] = exchange
        watched = _Watched(exchange, scope, receive, send, header, self._is_quiet)
        try:
            await self._app(scope, watched.receive, watched.send)
        except Exception as error:
            ended = exchange.ended
            exchange.failed(error)
            if ended:  # by what runs behind a response
                exchange.ended = False
            elif watched.socket is None and exchange.status is None:
                await _answer(watched.send)
            raise
        finally:
            watched.end()


class _Watched:
    """The two directions of one connection, looked at."""

    __slots__ = ("_exchange", "_header", "_is_quiet", "_receive", "_scope", "_send", "socket")

    def __init__(
        self,
        exchange: Exchange,
        scope: Any,
        receive: Any,
        send: Any,
        header: tuple[bytes, bytes] | None,
        is_quiet: Callable[[Any], bool] | None,
    ) -> None:
        self._exchange = exchange
        self._scope = scope
        self._receive = receive
        self._send = send
        self._header = header
        self._is_quiet = is_quiet
        self.socket = _Socket(exchange) if scope["type"] == "websocket" else None

    async def send(self, message: Any) -> None:
        """Send, and look at what was sent."""
        kind = message["type"]
        if kind in _RESPONSE_STARTS and self._header is not None:
            message = _with_header(message, self._header)
        await self._send(message)
        if kind == "http.response.body":
            self._exchange.bytes += len(message.get("body") or b"")
            if not message.get("more_body"):
                self.end()
        elif kind == "http.response.start":
            self._exchange.status = message.get("status")
            # Here, where the application's own middlewares have begun their span.
            self._exchange.fields.update(_trace.span_fields())
        elif self.socket is not None:
            self.socket.sent(message)

    async def receive(self) -> Any:
        """Receive, and look at what was received."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._exchange.disconnected = True
        elif self.socket is not None:
            self.socket.received(message)
        return message

    def end(self) -> None:
        """Say the access line, the first time."""
        exchange = self._exchange
        if exchange.ended:
            return
        exchange.route = route_of(self._scope)
        if self._is_quiet is not None and self._is_quiet(self._scope):
            exchange.quiet = True
        exchange.end(self.socket.outcome() if self.socket is not None else None)


def _begin(access: AccessLog, scope: Any) -> Exchange | None:
    try:
        fields: dict[str, Any] = {}
        client = scope.get("client")
        if client:
            fields["client"] = _access.shown(str(client[0]))
        for name, value in scope.get("headers") or ():
            if name == b"user-agent" and access.user_agent:
                fields["user_agent"] = _access.shown(value[:1024].decode("latin-1"))
            elif name == b"traceparent" and (found := _TRACEPARENT.match(value)):
                fields["trace_id"], fields["span_id"] = found[1].decode(), found[2].decode()
        if access.query:
            fields["query"] = _access.shown((scope.get("query_string") or b"").decode("latin-1"))
        method = scope.get("method") or "WEBSOCKET"
        exchange = Exchange(access, _access.shown(method), str(scope.get("path", "")), **fields)
    except Exception:  # noqa: BLE001 - the request goes on without a line
        _access.report()
        return None
    return exchange


def route_of(scope: Any) -> str | None:
    """Give the template of the route that a request took, where a framework says it."""
    template = scope.get("path_template")
    if isinstance(template, str):
        return template or None
    route = getattr(scope.get("route"), "path", None)
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

    def outcome(self) -> str:
        """Say what became of it; and fill in its status."""
        exchange = self._exchange
        if not self._accepted:
            if exchange.status is None:
                exchange.status = 403
            return "rejected"
        if self._code is not None:
            exchange.fields["code"] = self._code
        return f"{self._who or 'left open'}" + (f" {self._code}" if self._code is not None else "")


def _with_id(send: Any, header: Any) -> Any:
    if header is None:
        return send

    async def send_with_id(message: Any) -> None:
        if message["type"] in _RESPONSE_STARTS:
            message = _with_header(message, header)
        await send(message)

    return send_with_id


def _with_header(message: dict[str, Any], header: tuple[bytes, bytes]) -> dict[str, Any]:
    headers = list(message.get("headers") or ())
    for name, _ in headers:
        if name.lower() == header[0]:
            return message
    headers.append(header)
    return {**message, "headers": headers}
