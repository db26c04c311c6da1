"""`LoggingMiddleware`: request ids, context and access lines for any WSGI application.

    app.wsgi_app = logboom.wsgi.LoggingMiddleware(app.wsgi_app)          # Flask
    application = logboom.wsgi.LoggingMiddleware(get_wsgi_application())  # Django

Invariants:

1. The context is the request's while a step of it runs, in whatever thread: the call, each part of the
   body, the close. Between and after them it is the server's, also where that never closes.
   A request is over when its body is, by its end or by the length that was told, at the latest when it
   is closed: clients of tests do not always ask for the end.
2. What the application returned is iterated and closed as PEP 3333 says, once. A list and a file of the
   server's own wrapper are handed on as they are, so that the server can do with them what it does.
3. Each response says the id in a header, once; one that the application set stays. Where the application
   raises before anything was sent, the answer is made here, and the exception goes on as it was.
4. A request that has passed here is passed on as it is by those that stand inside.
5. What cannot be read of a request or a response is passed on as it is, and not told.

Pinned by ``tests/python/test_wsgi.py``, ``test_wsgi_steps.py``, ``test_frameworks.py`` and
``test_server_lines.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logboom import _access, _arrival, _frameworks, _trace
from logboom._access import AccessLog, Exchange, access_of
from logboom._loggers import install as _install
from logboom._request import Request
from logboom._request_id import FIELD, header_of, id_of, new_request_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ("LoggingMiddleware",)

_PASSED = "logboom.passed"
# What of a request its access line may tell.
_VARIABLES = {b"user-agent": "HTTP_USER_AGENT", b"x-forwarded-for": "HTTP_X_FORWARDED_FOR"}
_STATUS_500 = "500 Internal Server Error"
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
        header_of(request_id_header)  # which checks it
        self._app = app
        self._header = request_id_header if request_id else None
        self._variable = "HTTP_" + request_id_header.upper().replace("-", "_")
        self._factory = request_id_factory
        self._access = access_of(access)
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
        header = None
        if self._header is not None:
            given = _text(environ, self._variable).encode("latin-1", "replace")
            fields[FIELD] = id_of(given, self._factory)
            header = (self._header, fields[FIELD])
        brought = environ.get("HTTP_TRACEPARENT")
        trace = _trace.of(None if brought is None else [brought])
        if trace is not None:
            fields.update(trace.ids())
        exchange = None if self._access is None else _begin(self._access, environ, fields, trace)
        request = Request(fields, exchange)
        answer = _Answer(request, environ, start_response, header, self._find_route)
        _access.served.set(False)
        tokens = request.enter()
        try:
            return self._serve(environ, answer)
        finally:
            request.leave(tokens)

    def _serve(self, environ: dict[str, Any], answer: _Answer) -> Iterable[bytes]:
        exchange = answer.exchange
        try:
            result = self._app(environ, answer.start)
        except Exception as error:
            if exchange is not None:
                exchange.failed(error)
            if not answer.sent and not answer.fail(error):
                return _Failed(answer, error)
            answer.end()
            raise
        except BaseException as error:
            if exchange is not None:
                exchange.ended_by(error)
            answer.end()
            raise
        response: Iterable[bytes] = answer.around(result, environ.get("wsgi.file_wrapper"))
        # Servers tell of a request once they have this, and not where an application raised.
        _access.served.set(exchange is not None)
        return response


class _Answer:
    """The response to one request, from its beginning to its end."""

    def __init__(
        self,
        request: Request,
        environ: Any,
        start_response: Any,
        header: tuple[str, str] | None,
        find_route: Any,
    ) -> None:
        self.request = request
        self.exchange = request.exchange
        self.sent = False  # whether the head of the response has gone out, as far as we know
        self._environ = environ
        self._start_response = start_response
        self._header = header
        self._find_route = find_route
        self._length = 0

    def start(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        """Start the response, with the id; look at what it says."""
        if self._header is not None:
            headers = _with_header(headers, self._header)
        if self.exchange is not None:
            self._look(status, headers, exc_info)
        try:
            if exc_info is None:
                write = self._start_response(status, headers)
            else:
                write = self._start_response(status, headers, exc_info)
        finally:
            exc_info = None  # which would hold this frame
        if not callable(write):
            return write

        def write_and_count(data: bytes) -> Any:
            self.sent = True
            done = write(data)
            self.count(data)
            return done

        return write_and_count

    def _look(self, status: Any, headers: Any, exc_info: Any) -> None:
        exchange = self.exchange
        if exchange is None:
            return
        try:
            exchange.status = int(status[:3])
            self._length = next((int(v) for k, v in headers if k.lower() == "content-length"), 0)
        except Exception:  # noqa: BLE001 - the server says what it thinks of it
            self._length = 0
        if exc_info and isinstance(exc_info[1], BaseException):
            exchange.answered(exc_info[1])
        if exchange.route is None and self._find_route is not None:
            exchange.route = self._find_route(_decoded(_text(self._environ, "PATH_INFO")))

    def count(self, part: Any) -> None:
        """Count a part of the body."""
        if type(part) is bytes or isinstance(part, (bytes, bytearray, memoryview)):
            self.sent = self.sent or len(part) > 0
            if self.exchange is not None:
                self.exchange.bytes += len(part)

    def is_whole(self) -> bool:
        """Whether as much was sent as the head says."""
        return self.exchange is not None and 0 < self._length <= self.exchange.bytes

    def fail(self, error: Exception) -> bool:
        """Answer what raised before anything was sent; `False` where the server takes nothing now."""
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(_BODY_500))),
        ]
        try:
            # Not every server waits with the head for the first part.
            write = self.start(_STATUS_500, headers, (type(error), error, error.__traceback__))
            if not callable(write):
                return False
            # Even an empty part has the head sent.
            write(b"" if _text(self._environ, "REQUEST_METHOD") == "HEAD" else _BODY_500)
        except Exception:  # noqa: BLE001 - the client is gone; the exception that was raised counts
            return True
        return True

    def around(self, result: Any, file_wrapper: Any) -> Any:
        """Stand around what the application returned, where it matters."""
        if type(result) in {list, tuple}:
            for part in result:
                self.count(part)
            self.end()
            return result
        if isinstance(file_wrapper, type) and isinstance(result, file_wrapper):
            closing = _Closing(self, getattr(result, "close", None))
            try:
                result.close = closing  # type: ignore[attr-defined]
            except (AttributeError, TypeError):
                return _Response(self, result)
            if self.exchange is not None:  # which may never be read here, but by the kernel
                self.exchange.bytes += self._length
            return result
        return _Response(self, result)

    def end(self) -> None:
        """Say the line, the first time."""
        if self.exchange is not None:
            self.exchange.end()


class _Closing:
    """The `close` of a server's own file wrapper."""

    def __init__(self, answer: _Answer, close: Any) -> None:
        self._answer = answer
        self._close = close

    def __call__(self) -> None:
        _close(self._answer, self._close)


def _close(answer: _Answer, close: Any) -> None:
    tokens = answer.request.enter()
    exchange = answer.exchange
    try:
        if close is not None:
            close()
    except Exception as error:
        if exchange is not None:
            exchange.failed(error)
            if exchange.ended:
                exchange.outcome = "failed after the response"
                exchange.ended = False
        raise
    finally:
        answer.end()
        answer.request.leave(tokens)


class _Response:
    """What an application returned, looked at; an iterable and its own iterator."""

    def __init__(self, answer: _Answer, result: Any) -> None:
        self._answer = answer
        self._result = result
        self._parts: Iterator[bytes] | None = None
        self._complete = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        request = self._answer.request
        tokens = request.enter()
        try:
            return self._next()
        finally:
            request.leave(tokens)

    def _next(self) -> bytes:
        try:
            if self._parts is None:
                self._parts = iter(self._result)
            part = next(self._parts)
        except StopIteration:
            self._complete = True
            self._answer.end()
            raise
        except Exception as error:
            self._complete = True
            answer = self._answer
            if answer.exchange is not None:
                answer.exchange.failed(error)
            if not answer.sent:
                answer.fail(error)
            answer.end()
            raise
        except BaseException as error:
            self._complete = True
            if self._answer.exchange is not None:
                self._answer.exchange.ended_by(error)
            raise
        self._answer.count(part)
        if self._answer.is_whole():
            self._complete = True
            self._answer.end()
        return part

    def close(self) -> None:
        """Close what the application returned, and end the request."""
        exchange = self._answer.exchange
        if exchange is not None and not self._complete and self._parts is not None:
            exchange.disconnected = True
        _close(self._answer, getattr(self._result, "close", None))


class _Failed:
    """An answer that is started, for a server that takes its body from an iterator only.

    Then the exception that it is the answer to.
    """

    def __init__(self, answer: _Answer, error: Exception) -> None:
        self._answer = answer
        self._error: Exception | None = error

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self._answer.sent:
            self._answer.count(_BODY_500)
            return _BODY_500
        error, self._error = self._error, None
        self._answer.end()
        if error is None:
            raise StopIteration
        raise error

    def close(self) -> None:
        """End the request."""
        self._error = None
        self._answer.end()


def _text(environ: Any, name: str) -> str:
    value = environ.get(name)
    return value if isinstance(value, str) else ""


def _decoded(path: str) -> str:
    # PEP 3333: bytes, as if they were latin-1.
    return path.encode("latin-1", "replace").decode("utf-8", "replace") or "/"


def _with_header(headers: Any, header: tuple[str, str]) -> Any:
    try:
        own = header[0].lower()
        has_own = any(name.lower() == own for name, _ in headers)
    except Exception:  # noqa: BLE001 - the server says what it thinks of them
        return headers
    return headers if has_own else [*headers, header]


def _begin(
    access: AccessLog, environ: dict[str, Any], ids: dict[str, str], trace: _trace.Trace | None
) -> Exchange:
    try:
        headers = {
            name: [value.encode("latin-1", "replace")]
            for name, variable in _VARIABLES.items()
            if isinstance(value := environ.get(variable), str)
        }
        query = _text(environ, "QUERY_STRING").encode("latin-1", "replace")
        fields = _arrival.fields_of(access, environ.get("REMOTE_ADDR"), headers, query)
        fields.update(ids)
        path = _decoded(_text(environ, "SCRIPT_NAME") + _text(environ, "PATH_INFO"))
        method = _access.shown(_text(environ, "REQUEST_METHOD") or "?")
        exchange = Exchange(access, method, path, trace, **fields)
    except Exception:  # noqa: BLE001 - what can be told is told
        _access.report()
        return Exchange(access, "?", "?", trace)
    return exchange
