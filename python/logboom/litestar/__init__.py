"""Litestar 2 and 3: logging that is native, one line a request, and a request id on every line.

    from litestar import Litestar
    from logboom.litestar import LogboomPlugin

    app = Litestar([...], plugins=[LogboomPlugin()])

Beside Litestar 2, `LoggingConfig` is Litestar's own, field for field, with native handlers. Litestar 3
configures no logging, so there it is one of ours with the fields that mean something, and ``Request``
and ``WebSocket`` are Litestar's with a ``logger``. Which of the two is there is found out by what it
has (``_features``).

The parts: ``_plugin`` puts everything into an application; ``_apply`` applies a configuration, of the
kind in ``_config`` or ``_own_config``; ``_exceptions`` decides who tells an exception; ``_lines`` says
Litestar's own request lines natively, with what ``_extract`` reads; ``_connections`` gives Litestar 3's
connections their loggers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

# First: it refuses a Litestar that the others cannot be imported with.
from logboom.litestar._features import HAS_CONFIG
from logboom.litestar._plugin import LogboomPlugin

if TYPE_CHECKING:
    from litestar.connection import Request, WebSocket

    from logboom.litestar._config import LoggingConfig
else:
    from litestar import connection as _connection

    from logboom.litestar._connections import with_logger as _with_logger

    if HAS_CONFIG:
        from logboom.litestar._config import LoggingConfig
    else:
        from logboom.litestar._own_config import LoggingConfig

    Request = _with_logger(_connection.Request)
    WebSocket = _with_logger(_connection.WebSocket)

__all__ = ("LogboomPlugin", "LoggingConfig", "Request", "WebSocket")
