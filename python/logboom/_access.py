"""The access line: what a request was, what it was answered with, and what went wrong.

Invariants:

1. A request has one line, when its response has ended or it is known that there will be none.
2. Nothing here raises: what cannot be read of a request is not told.
3. No body, and no query unless asked for, and then without its secrets. What a line tells of a
   client's bytes has no control characters and a bounded length.
4. A failure (a 5xx, an exception that nobody answered) is at ERROR, with its traceback, whatever is
   sampled or suppressed; a slow request is at WARNING, and so is one that was cancelled though its
   client was there. A 4xx is at INFO: it is the client's doing, and at a higher level anybody could
   fill the alarms of a service.
5. A client that leaves is no failure, whatever a framework then raises to say so.

An `Exchange` is one request; whoever serves it tells it what happens, and its `end` says the line. A
framework finds the exchange of a request by `current`, to name the exception that it answered.

Pinned by ``tests/python/test_access.py`` and the tests of the frameworks.
"""

from __future__ import annotations

import contextlib
import logging
import random
import re
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from logboom._options import invalid

if TYPE_CHECKING:
    from logboom._trace import Trace

PROBES = ("/health", "/healthz", "/livez", "/readyz", "/ready", "/live", "/ping", "/metrics")
_LONGEST = 512  # characters of a path, a query or a user agent
# Controls, formats such as those that turn the direction of text, separators of lines, lone surrogates.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_TOLD = "__logboom_told__"
_DISCONNECTED = 499  # nginx's, where a client left before there was a status
_FIRST_FAILURE = 500
_FIRST_CLIENT_ERROR = 400
_MOST_HOPS = 16
# What frameworks raise where the client has left.
_FAREWELLS = frozenset({"ClientDisconnect", "ClientDisconnected", "WebSocketDisconnect"})

current: ContextVar[Exchange | None] = ContextVar("logboom_exchange", default=None)
# Whether what runs here has just served a request with a line of ours: some servers tell of a request
# when the application has returned.
served: ContextVar[bool] = ContextVar("logboom_served", default=False)


def shown(text: str) -> str:
    """Give a text of a client's without what drives terminals or forges lines, and bounded."""
    return escaped(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")


def escaped(text: str) -> str:
    """Give a text without what drives terminals or forges lines."""
    if text.isprintable():
        return text
    from unicodedata import category

    return "".join(
        one.encode("unicode_escape").decode("ascii") if category(one) in _UNSAFE else one
        for one in text
    )


def report() -> None:
    """Say on standard error that logging failed, as the standard library does for a handler."""
    if logging.raiseExceptions and sys.stderr is not None:
        try:
            sys.stderr.write("--- Logging error ---\n")
            traceback.print_exc(file=sys.stderr)
        except (OSError, ValueError):  # closed: nobody is left to tell
            pass


class AccessLog:
    """What access lines tell, and which requests have one.

    ``logger``: the name of their logger; default ``"logboom.access"``.
    ``slow``: seconds from which on a request is at WARNING; default 1.0; `None`: none.
    ``probes``: paths, or patterns that begin with ``^``, whose requests have no line when they are
    answered with a 2xx and in time; default: the usual ones of health checks and metrics.
    ``sample``: the share of lines that are kept, 0.0 to 1.0, by class of status (``"2xx"``) or by route
    (``"/items/{id}"``), a route counting more, or a function of status, route (or `None`) and path that
    gives it; default: all. Failures and slow requests always are.
    ``sample_failures``: whether failures are sampled too; default `False`.
    ``user_agent``: whether the line tells it, up to 512 characters; default `True`.
    ``query``: whether the line tells the query, with ``***`` for what stands under a name that sounds of
    a secret; default `False`.
    ``forwarded_hops``: how many proxies of our own stand before the server and write
    ``X-Forwarded-For``, 0 to 16: the client is the entry that the outermost of them wrote. Default 0:
    the client is who the server says, and the header counts for nothing.
    ``client_errors``: the level of a 4xx; default ``"INFO"``.

    Raises `ConfigError` for options that are not as described.
    """

    def __init__(
        self,
        *,
        logger: str = "logboom.access",
        slow: float | None = 1.0,
        probes: Iterable[str] = PROBES,
        sample: Mapping[str, float] | Callable[[int, str | None, str], float] | None = None,
        sample_failures: bool = False,
        user_agent: bool = True,
        query: bool = False,
        forwarded_hops: int = 0,
        client_errors: int | str = logging.INFO,
    ) -> None:
        if not isinstance(logger, str):
            raise invalid("logger", logger, "the name of a logger")
        if slow is not None and not (isinstance(slow, (int, float)) and slow > 0):
            raise invalid("slow", slow, "a number of seconds above 0, or None")
        if isinstance(probes, str) or not isinstance(probes, Iterable):
            raise invalid("probes", probes, "paths")
        self.logger = logging.getLogger(logger)
        self.slow = slow
        self.user_agent = bool(user_agent)
        self.query = bool(query)
        if type(forwarded_hops) is not int or not 0 <= forwarded_hops <= _MOST_HOPS:
            raise invalid("forwarded_hops", forwarded_hops, f"0 to {_MOST_HOPS}")
        self.forwarded_hops = forwarded_hops
        named = isinstance(client_errors, str)
        level = logging.getLevelName(client_errors.upper()) if named else client_errors  # type: ignore[union-attr]
        if type(level) is not int:
            raise invalid("client_errors", client_errors, "a level's name or number")
        self.client_errors = level
        self.sample_failures = bool(sample_failures)
        given = list(probes)
        for one in given:
            if not isinstance(one, str):
                raise invalid("probes", one, "a path, as str")
        self._probes = frozenset(one for one in given if not one.startswith("^"))
        try:
            self._patterns = [re.compile(one) for one in given if one.startswith("^")]
        except re.error as error:
            raise invalid("probes", given, f"patterns: {error}") from error
        self._share = sample if callable(sample) else None
        if sample is not None and self._share is None and not isinstance(sample, Mapping):
            raise invalid("sample", sample, "shares by name, or a function that gives them")
        self._sample = dict(sample) if isinstance(sample, Mapping) else {}
        for name, share in self._sample.items():
            if not isinstance(share, (int, float)) or not 0 <= share <= 1:
                raise invalid("sample", {name: share}, "shares from 0.0 to 1.0")

    def is_probe(self, path: str) -> bool:
        """Whether a path is one of ``probes``."""
        return path in self._probes or any(one.search(path) for one in self._patterns)

    def is_kept(self, status: int, route: str | None, path: str) -> bool:
        """Whether a request that may be left out is one of those that have a line."""
        if self._share is not None:
            try:
                return float(self._share(status, route, path)) > random.random()  # noqa: S311 - as below
            except Exception:  # noqa: BLE001 - the line is said
                report()
                return True
        if not self._sample:
            return True
        share = self._sample.get(route or "", self._sample.get(f"{status // 100}xx", 1.0))
        return share >= 1 or random.random() < share  # noqa: S311 - nobody guards a secret with it


def access_of(given: bool | AccessLog) -> AccessLog | None:
    """Give the options of access lines: the usual ones, none, or those that are given.

    Raises `ConfigError` for anything else.
    """
    if given is True:
        return AccessLog()
    if given is False:
        return None
    if isinstance(given, AccessLog):
        return given
    raise invalid("access", given, "True, False or an AccessLog")


class Exchange:
    """A request and what became of it."""

    __slots__ = (
        "_error",
        "_escaped",
        "_failure",
        "_log",
        "_started",
        "_traced",
        "bytes",
        "cancelled",
        "disconnected",
        "ended",
        "fields",
        "kind",
        "lost",
        "method",
        "outcome",
        "path",
        "quiet",
        "route",
        "status",
        "traceparent",
    )

    def __init__(
        self, log: AccessLog, method: str, path: str, trace: Trace | None = None, **fields: Any
    ) -> None:
        self._log = log
        self._started = time.perf_counter()
        self._error: BaseException | None = None
        self._escaped = False
        self._failure = False
        self._traced = True
        self.kind = "http"
        self.method = method
        self.path = path
        self.fields = fields
        self.route: str | None = None
        self.status: int | None = None
        # What the request brought along, where it is valid.
        self.traceparent = None if trace is None else trace.traceparent
        self.bytes = 0
        self.disconnected = False
        # What the server raised where the application sent to a client that had left.
        self.lost: OSError | None = None
        self.cancelled = False
        self.outcome: str | None = None
        # Somebody else told what went well.
        self.quiet = False
        self.ended = False

    def answered(self, error: BaseException, *, traced: bool = True, failure: bool = False) -> None:
        """Name the exception that the response is the answer to.

        ``traced``: whether a failure has its traceback. ``failure``: whether it is one whatever the
        status says, as with websockets, which have none.
        """
        self._error = error
        self._traced = traced
        self._failure = failure

    def failed(self, error: BaseException) -> None:
        """Name the exception that nobody answered."""
        if error is self.lost or (self.disconnected and type(error).__name__ in _FAREWELLS):
            mark(error)
            return
        if error is not self._error and self._error is not error.__cause__:
            self._traced = True
        if self._error is None or not _is_within(self._error, error):
            self._error = error
        self._escaped = True
        mark(error)
        if _TEXTS in sys.modules:
            _escaped_texts.append("".join(traceback.format_exception_only(error)).strip())

    @property
    def failure(self) -> bool:
        """Whether an exception escaped that is no farewell."""
        return self._escaped

    def ended_by(self, error: BaseException) -> None:
        """Name what ended the request from outside: a cancellation, or the end of the program."""
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            self.failed(error)
        else:
            self.cancelled = True

    def broken(self, outcome: str) -> None:
        """Say that the application left its response as it was, with no exception."""
        self.outcome = outcome
        self._failure = True

    def end(self, outcome: str | None = None) -> None:
        """Say the line, the first time."""
        if self.ended:
            return
        self.ended = True
        try:
            self._say(outcome)
        except Exception:  # noqa: BLE001 - the request goes on
            report()

    def _say(self, outcome: str | None) -> None:
        log = self._log
        seconds = time.perf_counter() - self._started
        status = self.status
        if status is None:
            gone = (self.disconnected or self.cancelled) and not self._escaped
            status = _DISCONNECTED if gone else 500
        failed = self._escaped or self._failure or status >= _FIRST_FAILURE
        slow = self.kind == "http" and log.slow is not None and seconds >= log.slow
        cancelled = self.cancelled and not self.disconnected
        client_error = _FIRST_CLIENT_ERROR <= status < _FIRST_FAILURE and not self.disconnected
        if failed:
            level = logging.ERROR
        elif slow or cancelled:
            level = logging.WARNING
        else:
            level = log.client_errors if client_error else logging.INFO
        if not log.logger.isEnabledFor(level) or self._is_left_out(
            status, failed, slow or cancelled
        ):
            return
        milliseconds = round(seconds * 1000, 3)
        path = shown(self.path)
        fields: dict[str, Any] = {
            "method": self.method,
            "path": path,
            "route": self.route,
            "status": status,
            "duration_ms": milliseconds,
            "bytes": self.bytes,
            **self.fields,
        }
        if self.route is None:
            del fields["route"]
        outcome = outcome or self.outcome
        if outcome is None and self.kind == "http":
            if self.disconnected:
                outcome = "disconnected"
            elif self.cancelled:
                outcome = "cancelled"
        if outcome is not None:
            fields["outcome"] = outcome
        error = self._error
        if error is not None:
            fields["error"] = type(error).__name__
        exc_info = error if failed and self._traced and error is not None else None
        said = status if outcome is None else f"{status} {outcome}"
        log.logger.log(
            level,
            "%s %s %s %.1f ms",
            self.method,
            path,
            said,
            milliseconds,
            extra=fields,
            exc_info=exc_info,
        )

    def _is_left_out(self, status: int, failed: bool, notable: bool) -> bool:
        log = self._log
        if failed:
            return log.sample_failures and not log.is_kept(status, self.route, self.path)
        if notable:
            return False
        if self.quiet or (200 <= status < 300 and log.is_probe(self.path)):
            return True
        return not log.is_kept(status, self.route, self.path)


def _is_within(inner: BaseException, outer: BaseException) -> bool:
    """Whether an exception is what another one was raised from."""
    seen = 0
    at: BaseException | None = outer
    while at is not None and seen < 16:
        if at is inner:
            return True
        at = at.__cause__ or at.__context__
        seen += 1
    return False


def mark(error: BaseException) -> None:
    """Remember on an exception that its line is said."""
    # Where it has no place for it, it is told twice.
    with contextlib.suppress(AttributeError, TypeError):
        setattr(error, _TOLD, True)


class Folding(logging.Filter):
    """On a server's loggers: drops what an access line tells.

    That is a line of the server's own access log for a request that has ours, and the report of an
    exception that an access line has told.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is to be logged."""
        if record.name in _ACCESS_LOGGERS:
            if served.get():
                # A thread of a server serves others next.
                served.set(False)
                return False
            return current.get() is None
        if record.name == _TEXTS_LOGGER:
            return not _is_told_text(record)
        error = record.exc_info[1] if record.exc_info else None
        return not getattr(error, _TOLD, False)


_ACCESS_LOGGERS = frozenset(
    {"uvicorn.access", "hypercorn.access", "gunicorn.access", "granian.access"}
)
_ERROR_LOGGERS = (
    "uvicorn.error",
    "hypercorn.error",
    "gunicorn.error",
    "_granian",
    "_granian.utils",
)
# granian hands tracebacks on as text, from a thread of its own.
_TEXTS, _TEXTS_LOGGER = "granian", "_granian.utils"
_escaped_texts: deque[str] = deque(maxlen=64)
_folding = Folding()


def _is_told_text(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    for text in list(_escaped_texts):
        if message.rstrip().endswith(text):
            with contextlib.suppress(ValueError):  # another thread was faster
                _escaped_texts.remove(text)
                return True
    return False


def fold() -> None:
    """Have servers leave out what access lines tell; idempotent."""
    for name in (*_ACCESS_LOGGERS, *_ERROR_LOGGERS):
        logging.getLogger(name).addFilter(_folding)  # which adds it once
