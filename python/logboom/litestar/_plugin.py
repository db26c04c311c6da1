"""`LogboomPlugin`: what it puts into an application that is being made, and when.

Invariants:

1. Configuring again starts nothing and leaks nothing. ``LoggingConfig.configure`` makes no queue,
   no listener and no thread, in any number of calls, from any thread, in any request.
2. While a request runs, every line of it has its id, and the id is in a header of every response that
   the application sends, errors too.
3. A request has one line, with its exception if there was one, and nothing of the logging raises.
4. When the application has shut down, every record whose call had returned is in its sink, or
   standard error says that it is not. What is logged afterwards, by a server that is about to end,
   is in its sink when its call returns (``_last_lines``).

The way of a request: a gate stands around the whole application, router and exception logging
included. Litestar offers no place to put it before the application is complete, so the plugin does
that at start-up. Where a server or a test never starts the application up (the ASGI lifespan protocol
is optional), the same gate stands as the outermost middleware, and puts itself around the application
at the first request that reaches it; until then what Litestar answers without reaching a route, such
as a 404, goes without.

What it does not do: replace handlers that a configuration defines by a class of the standard
library. ``logging.FileHandler`` stays the standard one, on the caller's thread; name
``logboom.FileHandler`` for the native one. Event listeners (``app.emit``) run in a task of the
application, outside of any request, and have no id.

Pinned by ``tests/python/test_litestar_*.py``.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import re
import sys
from typing import TYPE_CHECKING, Any

from litestar.middleware import DefineMiddleware
from litestar.plugins import InitPlugin, ReceiveRoutePlugin

import logboom
from logboom import _last_lines
from logboom._request_id import RequestIdGate, new_request_id
from logboom.litestar import _apply, _connections, _exceptions, _lines
from logboom.litestar._features import HAS_CONFIG

if TYPE_CHECKING or HAS_CONFIG:
    from litestar.logging import LoggingConfig as ShippedConfig

    from logboom.litestar._config import LoggingConfig
else:
    from logboom.litestar._own_config import LoggingConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar import Litestar
    from litestar.config.app import AppConfig
    from litestar.routes import BaseRoute

_VALID_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_LONGEST_FLUSH = 86_400  # seconds
# Present in `sys.modules` where somebody uses it; importing it needs what not everybody has.
_STRUCTLOG_PLUGIN = "litestar.plugins.structlog"


class LogboomPlugin(InitPlugin, ReceiveRoutePlugin):
    """Native logging for a Litestar application: ``Litestar(plugins=[LogboomPlugin()])``.

    ``app.get_logger``, ``request.logger`` and the logging of exceptions work as Litestar documents
    them. On top, every line that is logged while a request runs has the field ``request_id``, the
    response says it in a header, and a shutdown of the application flushes.

    The field is in the context, so any format can name it. Lines outside of requests have none, so
    give it a default there::

        LoggingConfig(formatters={"standard": {
            "()": "logging.Formatter",
            "fmt": "%(levelname)s - %(asctime)s - %(request_id)s - %(message)s",
            "defaults": {"request_id": "-"},
        }})

    Args:
        config: The logging configuration. By default the application's own: a ``LoggingConfig`` of
            Litestar's, which an application has unless told otherwise, is used with native handlers
            in the place of its default ones; one of logboom's, a structlog configuration, a
            subclass with other ideas, and ``None`` stay what they are. Litestar 3 has none: there the
            default is ``LoggingConfig()`` where the root logger has no handler, and otherwise what the
            program configured.
        adopt: Whether the application's own configuration stays as it is, handlers and queues included,
            and only the threads of its queue listeners are ended (``logboom.adopt()``), each time that
            it is applied. For applications that are to be changed in nothing.
        format: What the formatter ``standard`` is where the configuration left it as Litestar has it:
            ``"console"``, ``"json"``, ``"logfmt"``, ``"litestar"`` for Litestar's own, or ``"auto"``
            (default): what ``LOGBOOM_FORMAT`` in the environment says, or else ``"console"`` where
            standard error is a terminal and ``"json"`` where not. A formatter that is defined stays
            what it is.
        request_id: Whether requests have ids. Without, nothing stands around the application.
        request_id_header: The header that an id is taken from and returned in. An id is taken when
            it is 1 to 128 characters of ``A-Z a-z 0-9 . _ : / + = @ -``; anything else could forge
            a line, and is replaced by a new one.
        request_id_factory: Makes the id of a request that brings none, on the event loop's thread.
            By default 32 random hexadecimal digits.
        install: Whether loggers become native (``logboom.install()``), which is a matter of the
            whole process. Without, native handlers hang on standard loggers and a call costs more.
        flush_timeout: Seconds that a shutdown of the application waits at most for its lines to be
            written, on the event loop's thread; 0 to 86,400, default 5. 0 asks and does not wait.
            Raise it for slow sinks; keep it below what the server or its supervisor grants a
            shutdown. What was not written is in ``stats()`` as pending.

    Raises:
        ConfigError: ``request_id_header`` is no header name, ``format`` is none of those, or
            ``flush_timeout`` is out of bounds.
    """

    def __init__(
        self,
        config: LoggingConfig | None = None,
        *,
        access: bool = True,
        adopt: bool = False,
        format: str = "auto",  # noqa: A002 - as in `basicConfig`
        request_id: bool = True,
        request_id_header: str = "X-Request-ID",
        request_id_factory: Callable[[], str] = new_request_id,
        install: bool = True,
        flush_timeout: float = 5.0,
    ) -> None:
        if not _VALID_HEADER_NAME.fullmatch(request_id_header):
            raise logboom.ConfigError(
                f"invalid `request_id_header`: got {request_id_header!r}, expected a header name"
            )
        if not 0 <= flush_timeout <= _LONGEST_FLUSH:
            raise logboom.ConfigError(
                f"invalid `flush_timeout`: got {flush_timeout!r}, expected 0 to {_LONGEST_FLUSH}"
            )
        self._config = config
        self._access = access
        self._adopt = adopt
        self._format = _apply.checked_format(format)
        self._request_id = request_id
        self._header = request_id_header.lower().encode("ascii")
        self._factory = request_id_factory
        self._install = install
        self._flush_timeout = flush_timeout
        self._has_lines = False

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Take over the logging of an application that is being made."""
        if self._install:
            logboom.install()
        if HAS_CONFIG:
            self._take_config(app_config)
        else:
            self._bring_config(app_config)
        app_config.after_exception.insert(0, self._after_exception)
        app_config.on_startup.insert(0, _last_lines.end)
        if self._request_id:
            app_config.on_startup.insert(0, self._stand_around)
            gate = DefineMiddleware(RequestIdGate, header=self._header, factory=self._factory)
            app_config.middleware.insert(0, gate)
        # Last, after the application's own hooks have logged what they had to say.
        app_config.on_shutdown.append(self._shut_down)
        return app_config

    def receive_route(self, route: BaseRoute) -> None:
        """Look at a route that is being registered, before its middlewares are made."""
        self._has_lines = _lines.take_over(route) or self._has_lines
        if not HAS_CONFIG:
            _connections.give_loggers(route)

    def _take_config(self, app_config: AppConfig) -> None:
        """Litestar 2: the application has a configuration, and configures itself with it."""
        config: Any = app_config.logging_config
        if self._config is not None:
            config = self._formatted(copy.copy(self._config))
        # A subclass may configure something else altogether; only the exact type is known.
        elif type(config) is ShippedConfig and not self._adopt:
            config = self._formatted(LoggingConfig.of(config))
        app_config.logging_config = config
        for one in (config, *_of_structlog_plugins(app_config)):
            if one is None:
                continue
            _hear_exceptions(one)
            inner = getattr(one, "standard_lib_logging_config", None)
            if self._adopt:
                _adopting(one)
                if inner is not None:
                    _adopting(inner)
            elif type(inner) is ShippedConfig:
                one.standard_lib_logging_config = native = LoggingConfig.of(inner)
                if _is_applied(inner):
                    native.configure()
                    logboom.adopt()

    def _bring_config(self, app_config: AppConfig) -> None:
        """Litestar 3: it has neither configuration nor loggers."""
        config: Any = self._config
        if config is None and not logging.root.handlers:
            config = LoggingConfig()
        if config is not None:
            config = self._formatted(copy.copy(config))
            if app_config.debug and isinstance(config, LoggingConfig):
                litestar = {**config.loggers["litestar"], "level": "DEBUG"}
                config.loggers = {**config.loggers, "litestar": litestar}
            if self._adopt:
                _adopting(config)
            app_config.state[_connections.GET_LOGGER] = config.configure()
        self._own = config if config is not None else LoggingConfig()
        request: Any = app_config.request_class or _connections.Request
        socket: Any = app_config.websocket_class or _connections.WebSocket
        app_config.request_class = _connections.with_logger(request)
        app_config.websocket_class = _connections.with_logger(socket)

    def _formatted(self, config: Any) -> Any:
        shipped = {"format": _apply.SHIPPED_FORMAT}
        chosen = _apply.formatter_of(self._format)
        if chosen is not None and getattr(config, "formatters", {}).get("standard") == shipped:
            config.formatters = {**config.formatters, "standard": chosen}
        return config

    async def _after_exception(self, error: Exception, scope: Any) -> None:
        try:
            self._hear(error, scope)
        except Exception:  # noqa: BLE001 - the answer goes on
            _exceptions.report()

    def _hear(self, error: Exception, scope: Any) -> None:
        if not _exceptions.first_time(scope, error):
            return
        app = scope["litestar_app"]
        config = app.logging_config if HAS_CONFIG else self._own
        if not _has_line(scope):
            logger = app.logger if HAS_CONFIG else logging.getLogger("litestar")
            if logger is not None and config is not None:
                _exceptions.tell_without_access_line(logger, config, scope, error, app.debug)

    def _stand_around(self, app: Litestar) -> None:
        # An application can start up more than once, as in tests.
        if not isinstance(app.asgi_handler, RequestIdGate):
            app.asgi_handler = RequestIdGate(app.asgi_handler, self._header, self._factory)

    def _shut_down(self) -> None:
        flushed = logboom.flush(timeout=self._flush_timeout)
        figures = logboom.stats().as_dict()
        if not flushed and sys.stderr is not None:
            with contextlib.suppress(OSError, ValueError):  # closed, and nobody left to tell
                sys.stderr.write(
                    f"logboom: {figures['pending']} records were pending {self._flush_timeout} s "
                    f"after the application's shutdown, {figures['failed']} have failed\n"
                )
        if flushed or not figures["pending"]:  # else each last line would wait for a hung sink
            _last_lines.begin(self._flush_timeout)


def _has_line(scope: Any) -> bool:
    """Whether a request will have an access line."""
    return "_logboom_exchange" in scope


def _hear_exceptions(config: Any) -> None:
    handler = getattr(config, "exception_logging_handler", None)
    if handler is not None and not isinstance(handler, _exceptions.ExceptionLogging):
        stands = _exceptions.ExceptionLogging(config, handler, _has_line)
        config.exception_logging_handler = stands


def _is_applied(config: Any) -> bool:
    """Whether a queue of a configuration of Litestar's has a listener already."""
    loggers = (logging.root, *map(logging.getLogger, config.loggers))
    handlers = (handler for one in loggers for handler in one.handlers)
    return any(getattr(handler, "listener", None) is not None for handler in handlers)


def _of_structlog_plugins(app_config: AppConfig) -> list[Any]:
    """Give the configurations that plugins for structlog will configure, or have."""
    module = sys.modules.get(_STRUCTLOG_PLUGIN)
    if module is None:
        return []
    plugins = [one for one in app_config.plugins if isinstance(one, module.StructlogPlugin)]
    return [one._config.structlog_logging_config for one in plugins]


def _adopting(config: Any) -> None:
    """Have a configuration adopt what it started, each time that it is applied."""
    configure = config.configure
    if getattr(configure, "adopts", False):
        return

    def configure_and_adopt() -> Any:
        get_logger = configure()
        logboom.adopt()
        return get_logger

    configure_and_adopt.adopts = True  # type: ignore[attr-defined]
    config.configure = configure_and_adopt
