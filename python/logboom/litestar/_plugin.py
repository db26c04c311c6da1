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

import copy
import logging
import sys
from typing import TYPE_CHECKING, Any

from litestar.middleware import DefineMiddleware
from litestar.plugins import InitPlugin, ReceiveRoutePlugin

import logboom
from logboom import _access, _last_lines, _shutdown
from logboom._gate import EXCHANGE, Gate
from logboom._request_id import header_of, new_request_id
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

    from logboom._access import AccessLog

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
            in the place of its default ones; one of logboom's, a subclass with other ideas and ``None``
            stay what they are. So does a structlog configuration, whose lines get what is bound in a
            request by a processor more, and whose part for standard loggers becomes native.
            Litestar 3 has none: there the default is ``LoggingConfig()`` where the root logger has no
            handler, and otherwise what the program configured.
        adopt: Whether the application's own configuration stays as it is, handlers and queues included,
            and only the threads of its queue listeners are ended (``logboom.adopt()``), each time that
            it is applied. For applications that are to be changed in nothing.
        format: What the formatter ``standard`` is where the configuration left it as Litestar has it:
            ``"console"``, ``"json"``, ``"logfmt"``, ``"litestar"`` for Litestar's own, or ``"auto"``
            (default): what ``LOGBOOM_FORMAT`` in the environment says, or else ``"console"`` where
            standard error is a terminal and ``"json"`` where not. A formatter that is defined stays
            what it is.
        access: Whether a request has an access line, or the options of that line: an ``AccessLog``.
            By default it has one, unless a line of Litestar's own logging middleware tells that it went
            well, or that middleware is told to leave it out.
        request_id: Whether requests have ids.
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
        access: bool | AccessLog = True,
        adopt: bool = False,
        format: str = "auto",  # noqa: A002 - as in `basicConfig`
        request_id: bool = True,
        request_id_header: str = "X-Request-ID",
        request_id_factory: Callable[[], str] = new_request_id,
        install: bool = True,
        flush_timeout: float = 5.0,
    ) -> None:
        self._config = config
        self._access = _access.access_of(access)
        # Options that somebody chose are not weighed against Litestar's own lines.
        self._is_quiet = self._told_by_litestar if access is True else None
        self._adopt = adopt
        self._format = _apply.checked_format(format)
        header = header_of(request_id_header)
        self._header = header if request_id else None
        self._factory = request_id_factory
        self._install = install
        self._flush_timeout = _shutdown.checked_timeout(flush_timeout)
        self._excluded: set[int] = set()

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
        if self._header is not None or self._access is not None:
            app_config.on_startup.insert(0, self._stand_around)
            app_config.middleware.insert(0, DefineMiddleware(self._gate))
        if self._access is not None:
            _access.fold()
        # Last, after the application's own hooks have logged what they had to say.
        app_config.on_shutdown.append(self._shut_down)
        return app_config

    def receive_route(self, route: BaseRoute) -> None:
        """Look at a route that is being registered, before its middlewares are made."""
        self._excluded.update(map(id, _lines.take_over(route)))
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
                elif not logging.root.handlers:
                    # Litestar leaves that to a plugin of its own; access lines would go nowhere.
                    native.configure()
            processors = getattr(one, "processors", None)
            if isinstance(processors, list) and _add_context not in processors:
                one.processors = [_add_context, *processors]

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
        logger = app.logger if HAS_CONFIG else logging.getLogger("litestar")
        farewell = _exceptions.is_farewell(error)
        if not HAS_CONFIG and not farewell:
            _exceptions.tell_by_handler(logger, config, scope, error, app.debug)
        exchange = scope.get(EXCHANGE)
        if exchange is None:
            if logger is not None and config is not None:
                _exceptions.tell_without_access_line(logger, config, scope, error, app.debug)
        elif not farewell:
            failure = scope["type"] == "websocket" and _exceptions.is_failure(error)
            traced = _exceptions.is_traced(config, scope, error)
            exchange.answered(error, traced=traced, failure=failure)

    def _gate(self, app: Any) -> Gate:
        return _InnerGate(app, self._header, self._factory, self._access, self._is_quiet)

    def _stand_around(self, app: Litestar) -> None:
        # An application can start up more than once, as in tests.
        if type(app.asgi_handler) is not Gate:
            app.asgi_handler = self._gate(app.asgi_handler).around(app.asgi_handler)

    def _told_by_litestar(self, scope: Any) -> bool:
        return _lines.SAID in scope or id(scope.get("route_handler")) in self._excluded

    def _shut_down(self) -> None:
        _shutdown.shut_down(self._flush_timeout)


class _InnerGate(Gate):
    """The outermost middleware, which puts a gate around the application where start-up did not."""

    __slots__ = ()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a connection."""
        app = scope.get("litestar_app")
        if app is not None and type(app.asgi_handler) is not Gate:
            app.asgi_handler = self.around(app.asgi_handler)
        await super().__call__(scope, receive, send)


def _has_line(scope: Any) -> bool:
    """Whether a request will have an access line."""
    return EXCHANGE in scope


def _hear_exceptions(config: Any) -> None:
    handler = getattr(config, "exception_logging_handler", None)
    if handler is not None and not isinstance(handler, _exceptions.ExceptionLogging):
        stands = _exceptions.ExceptionLogging(config, handler, _has_line)
        config.exception_logging_handler = stands


def _add_context(_: object, __: object, told: Any) -> Any:
    """Put what is bound in a request on a line of structlog's, as a processor of its own."""
    for name, value in logboom.context().items():
        told.setdefault(name, value)
    return told


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
