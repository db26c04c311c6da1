"""What frameworks without a hook of ours know of a request: its route, and the exception they answered.

Flask, Quart and Django answer an exception themselves, so that no middleware around the application sees
it, and say it on a logger. During a request that has an access line, `fold` has that line tell the
exception instead. Django has a logger for it, which gets a filter. Flask and Quart say it on the
application's own logger, which stays as it is, and native: they call ``log_exception`` for it, which is
theirs to be replaced; where a program has its own, that is called as ever.

Nothing is imported here: a framework is known by the module of the application's class, and is there
then. Pinned by ``tests/python/test_frameworks.py``.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from logboom import _access

if TYPE_CHECKING:
    from collections.abc import Callable

_DEPTH = 8  # middlewares around an application


class Answered(logging.Filter):
    """On a framework's logger: hands the exception that it answered to the access line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is to be logged."""
        exchange = _access.current.get()
        if exchange is None or exchange.ended or not _tells_outcome(record):
            return True
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            exchange.answered(error)
        return False


def _tells_outcome(record: logging.LogRecord) -> bool:
    # What `django.utils.log.log_response` says; anything else there is somebody else's.
    return hasattr(record, "status_code")


_answered = Answered()


class _LogException:
    """The ``log_exception`` of an application of Flask's or Quart's."""

    def __init__(self, shipped: Callable[[Any], None]) -> None:
        self._shipped = shipped

    def __call__(self, exc_info: Any) -> None:
        """Name an exception that the application answers, or say it as ever."""
        exchange = _access.current.get()
        if exchange is None or exchange.ended or not isinstance(exc_info[1], BaseException):
            self._shipped(exc_info)
        else:
            exchange.answered(exc_info[1])


def fold(app: object) -> None:
    """Have the framework of an application leave out what access lines tell; idempotent."""
    kind, inner = _framework(app)
    if kind == "django":
        logging.getLogger("django.request").addFilter(_answered)  # which adds it once
    elif kind in {"flask", "quart"}:
        shipped = inner.log_exception
        if getattr(shipped, "__module__", None) == f"{kind}.app":
            inner.log_exception = _LogException(shipped)


def route_finder(app: object) -> Callable[[str], str | None] | None:
    """Give what finds the template of the route of a request, where one is needed.

    It is called while the request runs, on its thread, with the path. It raises nothing.
    """
    find = _finder(app)
    if find is None:
        return None

    def found(path: str) -> str | None:
        try:
            return find(path)
        except Exception:  # noqa: BLE001 - the line goes without
            return None

    return found


def _finder(app: object) -> Callable[[str], str | None] | None:
    kind, inner = _framework(app)
    if kind == "django":
        return _django_route
    if kind == "flask":
        return _flask_route
    if kind == "quart":
        return lambda path: _quart_route(inner, path)
    return None


def _framework(app: object) -> tuple[str, Any]:
    """Give the name of an application's framework, and the application itself."""
    at: Any = app
    for _ in range(_DEPTH):
        at = getattr(at, "__self__", at)  # of `app.wsgi_app`
        for base in type(at).__mro__:
            module = base.__module__
            if module == "flask.app" or module == "quart.app":
                return module.partition(".")[0], at
            if module in {"django.core.handlers.wsgi", "django.core.handlers.asgi"}:
                return "django", at
        inner = getattr(at, "app", None) or getattr(at, "application", None)
        if inner is None:
            break
        at = inner
    return "", None


def _django_route(path: str) -> str | None:
    urls = sys.modules["django.urls"]
    try:
        route = urls.resolve(path).route
    except urls.Resolver404:
        return None
    return "/" + route if isinstance(route, str) and not route.startswith(("/", "^")) else route


def _flask_route(_: str) -> str | None:
    flask = sys.modules["flask"]
    rule = flask.request.url_rule if flask.has_request_context() else None
    return None if rule is None else str(rule.rule)


def _quart_route(app: Any, path: str) -> str | None:
    # Its request is over by the time it sends; the map of its routes is there.
    adapter = app.url_map.bind("")
    methods = list(adapter.allowed_methods(path))
    if not methods:
        return None
    rule, _ = adapter.match(path, method=methods[0], return_rule=True)
    return str(rule.rule)
