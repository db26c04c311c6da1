"""Exceptions of requests: told once, by whoever is to tell them.

Invariants:

1. Where a request has an access line, that line tells its exception: with the traceback where the
   answer is a 5xx, by the name of its class otherwise.
2. ``log_exceptions="never"`` and ``disable_stack_trace`` take the traceback away, never the line.
3. A handler of the application's own (``exception_logging_handler``) is called when Litestar would
   call it, and what it told is not told again.
4. Nothing raised here reaches the request.

The way: Litestar 2 calls the handler of its configuration, 3 has none; both call the hooks of
``after_exception`` for every exception that they handle, so ours hears of each with its scope.

Pinned by ``tests/python/test_litestar_exceptions.py``.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import TYPE_CHECKING, Any

from litestar.exceptions import HTTPException, WebSocketDisconnect, WebSocketException

from logboom._access import report as report
from logboom.litestar._features import HAS_CONFIG

if TYPE_CHECKING:
    from collections.abc import Callable

_SHIPPED = "_default_exception_logging_handler_factory."
_FIRST_FAILURE = 500
_SEEN = "_logboom_exception"
_TOLD = "_logboom_exception_told"
MESSAGE = "Uncaught exception (connection_type=%s, path=%r):"


def disabled_trace(config: Any, error: BaseException) -> bool:
    """Whether ``disable_stack_trace`` names an exception by its class or its status code."""
    disabled = getattr(config, "disable_stack_trace", None) or ()
    status = getattr(error, "status_code", None)
    return any(one is type(error) or (status is not None and one == status) for one in disabled)


def wanted(config: Any, debug: bool) -> bool:
    """Whether ``log_exceptions`` asks for exceptions to be told."""
    asked = getattr(config, "log_exceptions", "debug")
    return bool(asked == "always" or (asked == "debug" and debug))


class ExceptionLogging:
    """Stands where Litestar calls the ``exception_logging_handler`` of a configuration."""

    def __init__(
        self, config: Any, handler: Callable[..., None], has_line: Callable[[Any], bool]
    ) -> None:
        self.handler = handler
        self.is_shipped = _SHIPPED in getattr(handler, "__qualname__", "")
        self._config = config
        self._has_line = has_line

    def __call__(self, logger: Any, scope: Any, lines: list[str]) -> None:
        """Tell an exception, unless somebody else does."""
        if self.is_shipped and (self._has_line(scope) or self._is_told_shortly()):
            return
        try:
            self.handler(logger, scope, lines)
        except Exception:  # noqa: BLE001 - the request goes on
            report()
        else:
            scope[_TOLD] = True

    def _is_told_shortly(self) -> bool:
        """Whether the exception has a line without traceback, or, as a client went away, none."""
        error = sys.exc_info()[1]
        return error is None or is_farewell(error) or disabled_trace(self._config, error)


def is_farewell(error: BaseException) -> bool:
    """Whether an exception only says that a client closed its socket."""
    return isinstance(error, WebSocketDisconnect)


def told_by_the_application(scope: Any) -> bool:
    """Whether a handler of the application's own told the exception of this request."""
    return _TOLD in scope


def is_traced(config: Any, scope: Any, error: BaseException) -> bool:
    """Whether the access line of a request has the traceback of its exception."""
    never = getattr(config, "log_exceptions", None) == "never"
    return not (never or told_by_the_application(scope) or disabled_trace(config, error))


def is_failure(error: BaseException) -> bool:
    """Whether an exception is a failure and no answer to a client that asked for the wrong thing."""
    if isinstance(error, HTTPException):
        return error.status_code >= _FIRST_FAILURE
    if isinstance(error, WebSocketException):
        return error.code in {1011, 4500}
    return True


def tell_by_handler(
    logger: Any, config: Any, scope: Any, error: BaseException, debug: bool
) -> None:
    """Call a handler of the application's own where Litestar has nobody who does."""
    handler = getattr(config, "exception_logging_handler", None)
    if handler is not None and wanted(config, debug) and not disabled_trace(config, error):
        scope[_TOLD] = True
        handler(logger, scope, traceback.format_exception(error))


def first_time(scope: Any, error: BaseException) -> bool:
    """Whether this exception is new here: it passes each layer of Litestar's on its way out."""
    if scope.get(_SEEN) == id(error):
        return False
    scope[_SEEN] = id(error)
    return True


def tell_without_access_line(
    logger: Any, config: Any, scope: Any, error: BaseException, debug: bool
) -> None:
    """Log the line that Litestar does not log: in 3 all of them, in 2 those without a traceback."""
    if not wanted(config, debug) or is_farewell(error) or told_by_the_application(scope):
        return
    without = disabled_trace(config, error)
    if HAS_CONFIG and not without:
        return
    if isinstance(logger, logging.Logger):
        if without:
            logger.error(f"{MESSAGE} %s", scope["type"], scope["path"], _one_line(error))
        else:
            logger.error(MESSAGE, scope["type"], scope["path"], exc_info=error)
    else:
        more = {"error": _one_line(error)} if without else {"exc_info": error}
        logger.error(
            "Uncaught exception", connection_type=scope["type"], path=scope["path"], **more
        )


def _one_line(error: BaseException) -> str:
    last = traceback.format_exception_only(type(error), error)
    return " ".join("".join(last).split())
