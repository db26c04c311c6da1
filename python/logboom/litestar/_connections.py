"""``request.logger`` and ``socket.logger`` where Litestar's own connections have none.

The application's connection classes are replaced by subclasses with that property. Litestar asks the
class of a route before the application's, so routes get theirs as they are registered.

Pinned by ``tests/python/test_litestar_3.py``.
"""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any

from litestar.connection import Request, WebSocket

if TYPE_CHECKING:
    from litestar.routes import BaseRoute

GET_LOGGER = "_logboom_get_logger"


class HasLogger:
    """What a connection gets."""

    __slots__ = ()

    @property
    def logger(self) -> Any:
        """The application's logger; ``logging.getLogger()`` where it configured nothing."""
        state = self.scope["litestar_app"].state  # type: ignore[attr-defined]
        return state.get(GET_LOGGER, logging.getLogger)()


@functools.lru_cache(maxsize=128)
def with_logger(base: Any) -> Any:
    """Give a connection class that has a logger: itself, or a subclass of it."""
    if hasattr(base, "logger"):
        return base
    body = {"__slots__": (), "__module__": base.__module__, "__doc__": base.__doc__}
    return type(base.__name__, (HasLogger, base), body)


def give_loggers(route: BaseRoute) -> None:
    """Give the connections of a route loggers, where it has a class of its own for them."""
    handlers = getattr(route, "route_handlers", None) or [route.route_handler]  # type: ignore[attr-defined]
    for handler in handlers:
        for name in ("_request_class", "_websocket_class"):
            own = getattr(handler, name, None)
            if isinstance(own, type):
                setattr(handler, name, with_logger(own))


__all__ = ("GET_LOGGER", "HasLogger", "Request", "WebSocket", "give_loggers", "with_logger")
