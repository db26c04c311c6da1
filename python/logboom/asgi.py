"""`LoggingMiddleware`: request ids, context and access lines for any ASGI application.

    app = logboom.asgi.LoggingMiddleware(app)

Outermost, so that it sees what servers see. What it does to a request is in ``_gate``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logboom import _access, _frameworks, _last_lines
from logboom._access import AccessLog, access_of
from logboom._gate import Gate
from logboom._loggers import install as _install
from logboom._request_id import header_of, new_request_id
from logboom._shutdown import checked_timeout, shut_down

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("LoggingMiddleware",)


class LoggingMiddleware(Gate):
    """Gives each request an id, a context of its own and an access line.

    ``request_id``: whether requests have ids; ``request_id_header``: the header that one is taken from
    and returned in; ``request_id_factory``: makes the id of a request that brings none.
    ``access``: whether requests have access lines, or an `AccessLog` with their options.
    ``install``: whether loggers become native, as by `logboom.install()`. ``flush_timeout``: seconds
    that the shutdown of the application waits at most for its lines to be written; 0 to 86,400.

    Everything runs on the thread of the event loop. Raises `ConfigError` for options that are not as
    described.
    """

    __slots__ = ("_flush_timeout",)

    def __init__(
        self,
        app: Any,
        *,
        request_id: bool = True,
        request_id_header: str = "X-Request-ID",
        request_id_factory: Callable[[], str] = new_request_id,
        access: bool | AccessLog = True,
        install: bool = True,
        flush_timeout: float = 5.0,
    ) -> None:
        header = header_of(request_id_header)
        super().__init__(app, header if request_id else None, request_id_factory, access_of(access))
        self._flush_timeout = checked_timeout(flush_timeout)
        if install:
            _install()
        if access is not False:
            _access.fold()
            _frameworks.fold(app)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a connection, or the life of the application."""
        if scope["type"] != "lifespan":
            await super().__call__(scope, receive, send)
            return
        _last_lines.end()

        async def send_and_flush(message: Any) -> None:
            if message["type"] in {"lifespan.shutdown.complete", "lifespan.shutdown.failed"}:
                shut_down(self._flush_timeout)
            await send(message)

        await self._app(scope, receive, send_and_flush)
