"""Litestar's own request lines, ``HTTP Request`` and ``HTTP Response``, with typed fields.

Where an application has Litestar's logging middleware, this one stands in its place and says what that
one is configured to say: the same fields, messages, logger, exclusions and level.

Invariants:

1. Nothing raised here reaches the request, and the body of a request is left to the application: a
   line that tells it is said once it has been received.
2. A response has one line, when it has ended, however many parts it was sent in; so has one that broke.
3. Where every format that a line reaches shows fields, its message is the configured one; where some
   shows only messages, the fields are in the message too, as Litestar writes them.
4. Bodies are told where the configuration chose the fields, not by default.

How they are read, and what is hidden, is in ``_extract``.
Pinned by ``tests/python/test_litestar_lines.py``.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from litestar.middleware.base import DefineMiddleware
from litestar.middleware.logging import LoggingMiddleware

from logboom._access import report
from logboom._formatters import NativeFormatter
from logboom.litestar import _extract
from logboom.litestar._features import LINES_BY_CONFIG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from litestar.routes import BaseRoute

# Where the scope says that a line of this kind told the outcome of a request, or is not to.
SAID = "_logboom_response_line"
_NO_BODY = frozenset({"GET", "HEAD"})
# What Litestar 2 tells where nobody chose: bodies too, which hold what people type into forms.
_DEFAULT_REQUEST = (
    *("path", "method", "content_type", "headers", "cookies", "query", "path_params", "body"),
)
_DEFAULT_RESPONSE = ("status_code", "cookies", "headers", "body")


class Lines:
    """What one logging middleware is configured to say."""

    def __init__(self, given: Any, get_logger: Callable[[Any], Any], structured: bool) -> None:
        """Take over a configuration: ``given`` has it as attributes."""
        self.get_logger = get_logger
        self.structured = structured
        self.request_message: str = given.request_log_message
        self.response_message: str = given.response_log_message
        self.request_fields = _chosen(given.request_log_fields, _DEFAULT_REQUEST)
        self.response_fields = _chosen(given.response_log_fields, _DEFAULT_RESPONSE)
        self.compressed_body: bool = given.include_compressed_body
        hidden = _extract.Hiding
        self.hidden_headers = hidden(given.request_headers_to_obfuscate)
        self.sent_headers = hidden(given.response_headers_to_obfuscate)
        self.sent_cookies = hidden(given.response_cookies_to_obfuscate)
        self.reader = _extract.RequestReader(
            self.hidden_headers, hidden(given.request_cookies_to_obfuscate), _parses_query(given)
        )

    async def serve(self, app: Any, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request, and say its lines."""
        try:
            logger = self.get_logger(scope)
            silent = isinstance(logger, logging.Logger) and not logger.isEnabledFor(logging.INFO)
        except Exception:  # noqa: BLE001 - the request goes on
            report()
            silent = True
        if silent:
            await app(scope, receive, send)
            return
        exchange = _Exchange(self, logger, scope)
        if self.request_fields:
            if "body" in self.request_fields and scope.get("method") not in _NO_BODY:
                receive = exchange.receiving(receive)
            else:
                exchange.say_request()
        if self.response_fields:
            send = exchange.sending(send)
        try:
            await app(scope, receive, send)
        except Exception as error:
            exchange.failed(error)
            raise
        finally:
            exchange.end()


def _chosen(names: Iterable[str], default: tuple[str, ...]) -> tuple[str, ...]:
    given = tuple(names)
    return tuple(name for name in given if name != "body") if given == default else given


def _parses_query(given: Any) -> bool:
    extractor = getattr(given, "request_extractor", None)
    return True if extractor is None else bool(extractor.parse_query)


class _Exchange:
    """One request and its response."""

    __slots__ = (
        "_ended",
        "_kept",
        "_lines",
        "_logger",
        "_messages",
        "_request_said",
        "_scope",
        "_sent",
        "_start",
        "_whole",
    )

    def __init__(self, lines: Lines, logger: Any, scope: Any) -> None:
        self._lines = lines
        self._logger = logger
        self._scope = scope
        self._kept = bytearray()
        self._sent = bytearray()
        self._start: dict[str, Any] | None = None
        self._request_said = self._ended = False
        self._whole = [True, True]

    def receiving(self, receive: Any) -> Any:
        """Give a ``receive`` that keeps what the application receives."""

        async def receive_and_keep() -> Any:
            message = await receive()
            if message["type"] == "http.request" and not self._request_said:
                self._keep(self._kept, message, 0)
                if not message.get("more_body"):
                    self.say_request()
            return message

        return receive_and_keep

    def sending(self, send: Any) -> Any:
        """Give a ``send`` that looks at what the application sends."""
        keep = "body" in self._lines.response_fields

        async def send_and_look(message: Any) -> None:
            kind = message["type"]
            if kind == "http.response.start":
                self._start = message
            elif kind == "http.response.body":
                if keep:
                    self._keep(self._sent, message, 1)
                if not message.get("more_body"):
                    # Before it is sent: a client that has its answer finds the line.
                    self.end()
            await send(message)

        return send_and_look

    def _keep(self, kept: bytearray, message: Any, which: int) -> None:
        data = message.get("body", b"")
        room = _extract.LONGEST_BODY - len(kept)
        kept += data[:room]
        if len(data) > room:
            self._whole[which] = False

    def failed(self, error: Exception) -> None:
        """Take an exception on its way out, past this middleware, for the answer that it will become."""
        if self._start is None and self._lines.response_fields:
            status = getattr(error, "status_code", 500)
            self._start = {"status": status, "headers": ()}

    def end(self) -> None:
        """Say what was not said yet."""
        if self._ended:
            return
        self._ended = True
        if self._lines.request_fields and not self._request_said:
            self.say_request()
        if self._start is not None:
            self._say(self._lines.response_message, self._response)
            self._scope[SAID] = True

    def say_request(self) -> None:
        """Say the line of the request."""
        self._request_said = True
        self._say(self._lines.request_message, self._request)

    def _request(self) -> dict[str, Any]:
        lines, scope = self._lines, self._scope
        received = None
        if self._kept or not self._whole[0]:
            kind = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")
            received = _extract.body(bytes(self._kept), self._whole[0], kind, lines.hidden_headers)
        return lines.reader.fields(lines.request_fields, scope, received)

    def _response(self) -> dict[str, Any]:
        lines, start = self._lines, self._start or {}
        pairs = list(start.get("headers") or ())
        known = {name.lower(): value for name, value in pairs}
        compressed = b"content-encoding" in known
        kind = known.get(b"content-type", b"").decode("latin-1")
        readers: dict[str, Callable[[], Any]] = {
            "status_code": lambda: start["status"],
            "headers": lambda: _extract.headers(pairs, lines.sent_headers),
            "cookies": lambda: _extract.response_cookies(pairs, lines.sent_cookies),
            "body": lambda: _extract.body(
                bytes(self._sent), self._whole[1], "" if compressed else kind, lines.sent_headers
            ),
        }
        return {
            name: _extract.read(readers[name])
            for name in lines.response_fields
            if name in readers and (name != "body" or not compressed or lines.compressed_body)
        }

    def _say(self, message: str, values_of: Callable[[], dict[str, Any]]) -> None:
        try:
            _say(self._logger, message, values_of(), self._scope, self._lines.structured)
        except Exception:  # noqa: BLE001 - the request goes on
            report()


def _say(logger: Any, message: str, values: dict[str, Any], scope: Any, structured: bool) -> None:
    if isinstance(logger, (logging.Logger, logging.LoggerAdapter)):
        if shows_fields(logger):
            logger.info("%s", message, extra=values)
        else:
            logger.info("%s: %s", message, _extract.line(values, scope), extra=values)
    elif structured:
        logger.info(message, **values)
    else:
        logger.info(f"{message}: {_extract.line(values, scope)}")


def shows_fields(logger: logging.Logger | logging.LoggerAdapter[Any]) -> bool:
    """Whether each handler that a logger reaches shows the fields of a record."""
    current: Any = logger
    while isinstance(current, logging.LoggerAdapter):
        current = current.logger
    found = False
    while current:
        for handler in current.handlers:
            if isinstance(handler, logging.NullHandler):
                continue
            if not isinstance(handler.formatter, NativeFormatter):
                return False
            found = True
        current = current.parent if current.propagate else None
    return found


if LINES_BY_CONFIG:

    class NativeLines:
        """Stands where Litestar 2 makes its `LoggingMiddleware`."""

        def __init__(self, app: Any, config: Any) -> None:
            """Take over a ``LoggingMiddlewareConfig``."""
            self._app = app
            # Litestar's own, for what it excludes.
            self._shipped = LoggingMiddleware(app, config)
            self._name = config.logger_name
            self._lines = Lines(config, self._logger, structured=True)

        def _logger(self, scope: Any) -> Any:
            return scope["litestar_app"].get_logger(self._name)

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            """Serve a connection."""
            if scope["type"] != "http":
                await self._app(scope, receive, send)
            elif self._is_excluded(scope):
                scope[SAID] = True
                await self._app(scope, receive, send)
            else:
                await self._lines.serve(self._app, scope, receive, send)

        def _is_excluded(self, scope: Any) -> bool:
            key = self._shipped.exclude_opt_key
            handler = scope.get("route_handler")
            if key and handler is not None and handler.opt.get(key):
                return True
            pattern = self._shipped.exclude_pattern
            if pattern is None:
                return False
            mounted = getattr(handler, "is_mount", False)
            path = scope.get("raw_path", b"").decode("utf-8", "replace") if mounted else ""
            return bool(pattern.search(path or scope["path"]))

else:

    class NativeLines(LoggingMiddleware):  # type: ignore[no-redef]
        """What a `LoggingMiddleware` of Litestar 3 becomes: its class is exchanged."""

        async def handle(self, scope: Any, receive: Any, send: Any, next_app: Any) -> None:
            """Serve a connection."""
            lines = self.__dict__.get("_logboom_lines")
            if lines is None:
                lines = Lines(self, lambda _: self.logger, structured=self.log_structured)  # type: ignore[attr-defined]
                self.__dict__["_logboom_lines"] = lines
            await lines.serve(next_app, scope, receive, send)


def take_over(route: BaseRoute) -> Iterator[Any]:
    """Put native lines in the places of Litestar's on a route; gives the handlers left out there.

    A class of the application's own, also one derived from Litestar's, is left alone.
    """
    handlers = getattr(route, "route_handlers", None) or [route.route_handler]  # type: ignore[attr-defined]
    for handler in handlers:
        for one in handler.resolve_middleware() if LINES_BY_CONFIG else handler.middleware:
            if isinstance(one, DefineMiddleware):
                if one.middleware is LoggingMiddleware:
                    one.middleware = NativeLines
            elif type(one) is LoggingMiddleware:
                one.__class__ = NativeLines  # type: ignore[assignment]
            if type(one) is NativeLines and one.should_bypass_for_handler(handler):  # type: ignore[attr-defined]
                yield handler
