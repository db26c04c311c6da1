"""An ASGI application around another one that gives each request an id, and its own context.

Invariants:

1. While a request runs, ``logboom.context()["request_id"]`` is its id: in its task, in the tasks
   and worker threads that it starts, and in what runs after the response.
2. The id is taken from the request's header when it is 1 to 128 characters of
   ``A-Z a-z 0-9 . _ : / + = @ -``. Anything else could forge a line or drive a terminal, and is
   replaced by a new one, never repaired.
3. A request sees what was bound outside of all requests and what it binds itself, and leaves the
   context as it found it. That holds too where it begins inside another request's context: servers
   start a pipelined request from the one before, and a handler may call an application in-process.
4. Each response that passes says the id in a header, once; one that the application set stays.

What it does not do: name a framework. Pinned by ``tests/python/test_litestar_plugin.py``.
"""

from __future__ import annotations

import os
import re
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from logboom import _context
from logboom._logboom import Context, extend_context

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    # Frameworks type these each in their own way, so that only `Any` fits all of them.
    _Application = Callable[[Any, Any, Any], Awaitable[None]]

FIELD = "request_id"

_VALID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_SCOPE_KEY = "_logboom_request_id"
_RESPONSE_STARTS = frozenset({"http.response.start", "websocket.accept"})
_NOT_IN_A_REQUEST = object()

# What was bound outside of the request that runs here.
_outside: ContextVar[Any] = ContextVar("logboom_outside_request", default=_NOT_IN_A_REQUEST)


def new_request_id() -> str:
    """Make 32 random hexadecimal digits."""
    # Not from a generator with a state: forked workers would share it.
    return os.urandom(16).hex()


class RequestIdGate:
    """An ASGI application that serves another one's requests, each with its id.

    It costs a request a look at its headers and two context variables: about 3 µs on the event
    loop's thread.
    A request that has passed a gate is passed on as it is by those that stand inside.
    """

    __slots__ = ("_app", "_factory", "_header")

    def __init__(self, app: _Application, header: bytes, factory: Callable[[], str]) -> None:
        self._app = app
        self._header = header
        self._factory = factory

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a connection."""
        if scope["type"] == "lifespan" or _SCOPE_KEY in scope:
            await self._app(scope, receive, send)
            return
        request_id = scope[_SCOPE_KEY] = self._id_of(scope)
        header = (self._header, request_id.encode("latin-1"))

        async def send_with_id(message: dict[str, Any]) -> None:
            if message["type"] in _RESPONSE_STARTS:
                message = _with_header(message, header)
            await send(message)

        outside: Context | None = _outside.get()
        if outside is _NOT_IN_A_REQUEST:
            outside = _context.variable.get()
        outer = _outside.set(outside)
        inner = _context.variable.set(extend_context(outside, {FIELD: request_id}))
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            _context.reset(inner)
            _outside.reset(outer)

    def _id_of(self, scope: Any) -> str:
        for name, value in scope["headers"]:
            if name == self._header:
                if _VALID.fullmatch(value):
                    found: str = value.decode("ascii")
                    return found
                break
        return self._factory()


def _with_header(message: dict[str, Any], header: tuple[bytes, bytes]) -> dict[str, Any]:
    headers = list(message.get("headers") or ())
    for name, _ in headers:
        if name.lower() == header[0]:
            return message
    headers.append(header)
    return {**message, "headers": headers}
