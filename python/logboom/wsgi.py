"""`LoggingMiddleware`: request ids, context and access lines for any WSGI application.

    app.wsgi_app = logboom.wsgi.LoggingMiddleware(app.wsgi_app)          # Flask
    application = logboom.wsgi.LoggingMiddleware(get_wsgi_application())  # Django

Invariants:

1. A request is over when its response is closed, or at once where the application gave a list: until
   then the context is the request's, in the thread that serves it, and the server's afterwards.
2. What the application returned is iterated and closed as PEP 3333 says, once. A list and a file of the
   server's own wrapper are handed on as they are, so that the server can do with them what it does.
3. Each response says the id in a header, once; one that the application set stays. Where the application
   raises before it answers, the answer is made here, and the exception goes on to the server when it
   asks for more.
4. A request that has passed here is passed on as it is by those that stand inside.

Pinned by ``tests/python/test_wsgi.py``, ``test_frameworks.py`` and ``test_server_lines.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logboom import _access, _arrival, _context, _frameworks, _trace
from logboom._access import AccessLog, Exchange
from logboom._logboom import ConfigError, RequestScope, extend_context
from logboom._loggers import install as _install
from logboom._request_id import FIELD, header_of, id_of, new_request_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ("LoggingMiddleware",)

_PASSED = "logboom.passed"
# What of a request its access line may tell.
_VARIABLES = {b"user-agent": "HTTP_USER_AGENT", b"x-forwarded-for": "HTTP_X_FORWARDED_FOR"}
_BODY_500 = b"Internal Server Error"


class LoggingMiddleware:
    """Gives each request an id, a context of its own and an access line.

    ``request_id``: whether requests have ids; ``request_id_header``: the header that one is taken from
    and returned in; ``request_id_factory``: makes the id of a request that brings none.
    ``access``: whether requests have access lines, or an `AccessLog` with their options.
    ``install``: whether loggers become native, as by `logboom.install()`.

    Everything runs on the thread that serves the request. Raises `ConfigError` for options that are not
    as described.
    """

    def __init__(
        self,
        app: Callable[..., Iterable[bytes]],
        *,
        request_id: bool = True,
        request_id_header: str = "X-Request-ID",
        request_id_factory: Callable[[], str] = new_request_id,
        access: bool | AccessLog = True,
        install: bool = True,
    ) -> None:
        header = header_of(request_id_header)
        if not isinstance(access, (bool, AccessLog)):
            expected = "True, False or an AccessLog"
            raise ConfigError(f"invalid `access`: got {access!r}, expected {expected}")
        self._app = app
        self._header = request_id_header if request_id else None
        self._lower = header
        self._variable = "HTTP_" + request_id_header.upper().replace("-", "_")
        self._factory = request_id_factory
        self._access = AccessLog() if access is True else access or None
        self._find_route = _frameworks.route_finder(app)
        if install:
            _install()
        if self._access is not None:
            _access.fold()
            _frameworks.fold(app)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve a request."""
        if _PASSED in environ:
            return self._app(environ, start_response)
        environ[_PASSED] = True
        fields: dict[str, str] = {}
        if self._header is not None:
            given = environ.get(self._variable)
            latin = given.encode("latin-1", "replace") if isinstance(given, str) else b""
            fields[FIELD] = id_of([(self._lower, latin)], self._lower, self._factory)
        brought = environ.get("HTTP_TRACEPARENT")
        trace = _trace.of(None if brought is None else [brought])
        if trace is not None:
            fields["trace_id"], fields["span_id"] = trace.trace_id, trace.span_id
        exchange = None if self._access is None else _begin(self._access, environ, fields)
        if exchange is not None and trace is not None:
            exchange.traceparent = trace.traceparent
        request = _Request(exchange, environ, start_response, self._find_route)
        if self._header is not None:
            request.header = (self._header, fields[FIELD])
        request.enter(fields)
        try:
            result = self._app(environ, request.start_response)
        except Exception as error:
            if exchange is not None:
                exchange.failed(error)
            if request.started:
                request.end()
                raise
            return _Failed(request, error)
        except BaseException:
            request.end()
            raise
        response: Iterable[bytes] = request.around(result, environ.get("wsgi.file_wrapper"))
        return response


class _Request:
    """One request, from its beginning to the end of its response."""

    def __init__(
        self, exchange: Exchange | None, environ: Any, start_response: Any, find_route: Any
    ) -> None:
        self.exchange = exchange
        self.started = False
        self.header: tuple[str, str] | None = None
        self._environ = environ
        self._start_response = start_response
        self._find_route = find_route
        self._tokens: tuple[Any, Any] | None = None

    def enter(self, fields: dict[str, str]) -> None:
        """Make the context the request's."""
        outside = _context.held()
        inner = RequestScope(extend_context(outside, fields) if fields else outside)
        self._tokens = (_context.variable.set(inner), _access.current.set(self.exchange))

    def start_response(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        """Start the response, with the id; look at what it says."""
        exchange = self.exchange
        if self.header is not None:
            headers = _with_header(headers, self.header)
        if exchange is not None:
            code = str(status)[:3]
            exchange.status = int(code) if code.isascii() and code.isdigit() else 500
            if exc_info is not None and exc_info[1] is not None:
                exchange.answered(exc_info[1])
            self._route()
        if exc_info is None:
            write = self._start_response(status, headers)
        else:
            write = self._start_response(status, headers, exc_info)
        self.started = True
        if exchange is None:
            return write

        def write_counted(data: bytes) -> Any:
            exchange.bytes += _length((data,))
            return write(data)

        return write_counted

    def _route(self) -> None:
        exchange = self.exchange
        if exchange is not None and exchange.route is None and self._find_route is not None:
            try:
                exchange.route = self._find_route(_decoded(self._environ.get("PATH_INFO") or "/"))
            except Exception:  # noqa: BLE001 - the line goes without
                exchange.route = None

    def around(self, result: Any, file_wrapper: Any) -> Any:
        """Stand around what the application returned, where it matters."""
        if type(result) in {list, tuple}:
            if self.exchange is not None:
                self.exchange.bytes += _length(result)
            self.end()
            return result
        if type(result) is file_wrapper:
            try:
                result.close = _Closing(self, getattr(result, "close", None))
            except AttributeError:
                return _Response(self, result)
            return result
        return _Response(self, result)

    def end(self) -> None:
        """Say the line, and give the context back, the first time."""
        if self._tokens is None:
            return
        bound, around = self._tokens
        self._tokens = None
        if self.exchange is not None:
            self.exchange.end()
            _access.served.set(True)
        _access.leave(around)
        _context.reset(bound)


class _Closing:
    """The `close` of a server's own file wrapper."""

    def __init__(self, request: _Request, close: Any) -> None:
        self._request = request
        self._close = close

    def __call__(self) -> None:
        try:
            if self._close is not None:
                self._close()
        finally:
            self._request.end()


class _Response:
    """What an application returned, looked at."""

    def __init__(self, request: _Request, result: Any) -> None:
        self._request = request
        self._result = result
        self._parts: Iterator[bytes] | None = None
        self._complete = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        exchange = self._request.exchange
        try:
            if self._parts is None:
                self._parts = iter(self._result)
            part = next(self._parts)
        except StopIteration:
            self._complete = True
            raise
        except Exception as error:
            self._complete = True
            if exchange is not None:
                exchange.failed(error)
            raise
        if exchange is not None:
            exchange.bytes += _length((part,))
        return part

    def close(self) -> None:
        """Close what the application returned, and end the request."""
        exchange = self._request.exchange
        try:
            close = getattr(self._result, "close", None)
            if close is not None:
                close()
        except Exception as error:
            if exchange is not None:
                exchange.failed(error)
            raise
        finally:
            if exchange is not None and not self._complete and self._parts is not None:
                exchange.disconnected = True
            self._request.end()


class _Failed:
    """The answer to a request whose application raised before it answered; then the exception."""

    def __init__(self, request: _Request, error: Exception) -> None:
        self._request = request
        self._error: Exception | None = error
        self._said = False
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(_BODY_500))),
        ]
        # Now: not every server waits with the head for the first part.
        request.start_response("500 Internal Server Error", headers)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self._said:
            self._said = True
            if self._request.exchange is not None:
                self._request.exchange.bytes += len(_BODY_500)
            return _BODY_500
        error, self._error = self._error, None
        self._request.end()
        if error is None:
            raise StopIteration
        raise error

    def close(self) -> None:
        """End the request."""
        self._error = None
        self._request.end()


def _with_header(headers: Any, header: tuple[str, str]) -> Any:
    try:
        given = list(headers)
        known = any(str(name).lower() == header[0].lower() for name, _ in given)
    except (TypeError, ValueError):  # malformed: the server says so
        return headers
    return given if known else [*given, header]


def _length(parts: Any) -> int:
    # What is no bytes is for the server to refuse.
    return sum(len(part) for part in parts if isinstance(part, bytes))


def _decoded(path: str) -> str:
    # PEP 3333: bytes, as if they were latin-1.
    return path.encode("latin-1", "replace").decode("utf-8", "replace")


def _begin(access: AccessLog, environ: dict[str, Any], ids: dict[str, str]) -> Exchange | None:
    try:
        headers = {
            name: [value.encode("latin-1", "replace")]
            for name, variable in _VARIABLES.items()
            if isinstance(value := environ.get(variable), str)
        }
        query = str(environ.get("QUERY_STRING") or "").encode("latin-1", "replace")
        fields = _arrival.fields_of(access, environ.get("REMOTE_ADDR"), headers, query)
        fields.update(ids)
        path = _decoded(f"{environ.get('SCRIPT_NAME') or ''}{environ.get('PATH_INFO') or ''}")
        method = _access.shown(str(environ.get("REQUEST_METHOD") or "?"))
        exchange = Exchange(access, method, path or "/", **fields)
    except Exception:  # noqa: BLE001 - the request goes on without a line
        _access.report()
        return None
    return exchange
