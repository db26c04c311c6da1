"""Litestar: its logging configuration, delivered natively, and a request id on every line.

Invariants:

1. Configuring again starts nothing and leaks nothing. ``LoggingConfig.configure`` makes no queue,
   no listener and no thread, in any number of calls, from any thread, in any request.
2. A logger that had handlers before a reconfiguration and has some after it has some in between:
   the list is exchanged, never emptied. A line that another request logs meanwhile is delivered.
3. While a request runs, every line of it has its id (``_request_id`` tells where and how), and the
   id is in a header of every response that the application sends, errors too.
4. When the application has shut down, every record whose call had returned is in its sink, or
   standard error says that it is not. What is logged afterwards, by a server that is about to end,
   is in its sink when its call returns (``_last_lines``).

The way of a request: a `RequestIdGate` stands around the whole application, router and exception
logging included. Litestar offers no place to put it before the application is complete, so the
plugin does that at start-up. Where a server or a test never starts the application up (the ASGI
lifespan protocol is optional), the same gate stands as the outermost middleware; then only what
Litestar answers without reaching a route, such as a 404, goes without an id.

What it does not do: replace handlers that a configuration defines by a class of the standard
library. ``logging.FileHandler`` stays the standard one, on the caller's thread; name
``logboom.FileHandler`` for the native one. Event listeners (``app.emit``) run in a task of the
application, outside of any request, and have no id.

Pinned by ``tests/python/test_litestar_*.py``.
"""

from __future__ import annotations

import contextlib
import logging
import logging.config
import re
import sys
from dataclasses import dataclass, field, fields
from importlib import metadata
from typing import TYPE_CHECKING, Any, cast

import logboom
from logboom import _last_lines
from logboom._request_id import RequestIdGate, new_request_id

_LITESTAR_VERSION = metadata.version("litestar")
_MAJOR, _MINOR = (int(part) for part in _LITESTAR_VERSION.split(".")[:2])
if _MAJOR != 2 or _MINOR < 15:
    raise ImportError(
        f"unsupported version of `litestar`: got {_LITESTAR_VERSION}, expected 2.15 or a later 2.x"
    )

from litestar.logging import LoggingConfig as _LitestarLoggingConfig  # noqa: E402 - asked first
from litestar.logging.config import (  # noqa: E402
    default_handlers as _shipped_handlers,
    default_picologging_handlers as _shipped_picologging_handlers,
)
from litestar.middleware import DefineMiddleware  # noqa: E402
from litestar.plugins import InitPlugin  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from litestar import Litestar
    from litestar.config.app import AppConfig
    from litestar.types.callable_types import GetLogger

    _Entry = dict[str, Any]

__all__ = ("LogboomPlugin", "LoggingConfig")

_DICT_CONFIG_KEYS = frozenset(
    {
        "version",
        "incremental",
        "disable_existing_loggers",
        "filters",
        "formatters",
        "handlers",
        "loggers",
        "root",
    }
)

_VALID_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

# What Litestar puts a queue and a thread behind, each time it is configured.
_QUEUE_HANDLERS = frozenset(
    {
        "litestar.logging.standard.QueueListenerHandler",
        "litestar.logging.picologging.QueueListenerHandler",
    }
)
_QUEUE_LISTENER = "litestar.logging.standard.LoggingQueueListener"
_LONGEST_FLUSH = 86_400  # seconds
_OF_ANY_HANDLER = frozenset({"level", "formatter", "filters"})


def _console() -> _Entry:
    return {"class": "logboom.StreamHandler", "level": "DEBUG", "formatter": "standard"}


@dataclass
class LoggingConfig(_LitestarLoggingConfig):
    """Litestar's ``LoggingConfig``, field for field, with native handlers where it has its own.

    Two handlers are there without being defined. ``console`` is a ``logboom.StreamHandler`` to
    standard error; ``queue_listener`` does what ``console`` is defined to do, and is there because
    configurations name it: nothing that logboom delivers waits in a Python queue.

    A handler that is defined with Litestar's own ``QueueListenerHandler`` or
    ``LoggingQueueListener`` is replaced by the handlers behind it, each with the stricter of the
    two levels. They are called directly: behind a queue of Litestar's, name native handlers rather
    than standard ones. Every other handler is what its class says.

    ``configure()`` may be called from any thread at any time. It costs what ``dictConfig`` costs,
    on the caller's thread.

    Raises:
        ConfigError: ``logging_module`` is not ``"logging"``.
    """

    logging_module: str = field(default="logging")
    """The only valid value is ``logging``: native loggers are loggers of the standard library."""

    def __post_init__(self) -> None:
        """Fill in what Litestar expects to be there."""
        if self.logging_module != "logging":
            raise logboom.ConfigError(
                f"invalid `logging_module`: got {self.logging_module!r}, expected 'logging'"
            )
        self.handlers.setdefault("console", _console())
        self.handlers.setdefault("queue_listener", dict(self.handlers["console"]))
        super().__post_init__()

    def configure(self) -> GetLogger:
        """Apply the configuration to the process.

        Returns:
            ``logging.getLogger``.

        Raises:
            ValueError: what ``logging.config.dictConfig`` raises for a configuration it cannot use.
        """
        values = {
            name: value
            for name in _DICT_CONFIG_KEYS
            if (value := getattr(self, name)) is not None
            and (name != "root" or self.configure_root_logger)
        }
        _Configurator(_without_queues(values)).configure()
        return cast("GetLogger", logging.getLogger)

    @classmethod
    def of(cls, config: _LitestarLoggingConfig) -> LoggingConfig:
        """Make the native equal of a configuration of Litestar's.

        Handlers that are there by default become the native ones; whatever was defined stays.
        """
        values = {item.name: getattr(config, item.name) for item in fields(_LitestarLoggingConfig)}
        values["logging_module"] = "logging"
        values["handlers"] = {
            name: entry
            for name, entry in config.handlers.items()
            if entry not in (_shipped_handlers.get(name), _shipped_picologging_handlers.get(name))
        }
        return cls(**values)


class _Configurator(logging.config.DictConfigurator):
    """``dictConfig``, but a logger's handlers are exchanged and never missing."""

    def common_logger_config(
        self, logger: logging.Logger, config: Any, incremental: bool = False
    ) -> None:
        """Configure what the root logger and the others have in common."""
        if incremental:
            super().common_logger_config(logger, config, incremental)
            return
        if (level := config.get("level")) is not None:
            logger.setLevel(level)
        names = config.get("handlers") or ()
        try:
            found = [self.config["handlers"][name] for name in names]
        except KeyError as error:
            raise ValueError(f"unable to add handler {error}") from error
        # A new list: a call that walks the old one on another thread walks it to its end.
        logger.handlers = list(dict.fromkeys(found))
        if filters := config.get("filters"):
            self.add_filters(logger, filters)


def _dotted(factory: object) -> str:
    if isinstance(factory, str):
        return factory
    return f"{getattr(factory, '__module__', '')}.{getattr(factory, '__qualname__', '')}"


def _is_queue(entry: _Entry) -> bool:
    factory = _dotted(entry.get("class") or entry.get("()"))
    return factory in _QUEUE_HANDLERS or _dotted(entry.get("listener")) == _QUEUE_LISTENER


def _without_queues(values: Mapping[str, Any]) -> dict[str, Any]:
    """Put the handlers behind Litestar's queues in the places of the queues."""
    result = dict(values)
    handlers = result["handlers"] = dict(values["handlers"])
    replaced: dict[str, list[str]] = {}
    for name, entry in values["handlers"].items():
        if not _is_queue(entry):
            continue
        behind = _behind_queue(name, entry, values["handlers"])
        del handlers[name]
        handlers.update(behind)
        replaced[name] = list(behind)
    if replaced:
        result["loggers"] = {
            name: _rename_handlers(logger, replaced) for name, logger in values["loggers"].items()
        }
        if "root" in values:
            result["root"] = _rename_handlers(values["root"], replaced)
    return result


def _behind_queue(name: str, queue: _Entry, handlers: Mapping[str, _Entry]) -> dict[str, _Entry]:
    """Give the handlers that a queue stands for, under the names they get."""
    targets = [
        str(target).removeprefix("cfg://handlers.") for target in queue.get("handlers") or ()
    ]
    if not targets:  # Litestar's own fallback: a stream handler that nobody named
        kept = {key: value for key, value in queue.items() if key in _OF_ANY_HANDLER}
        return {name: {"class": "logboom.StreamHandler", **kept}}
    behind = {}
    for target in targets:
        if target not in handlers:
            raise ValueError(f"invalid handler {name!r}: it names {target!r}, which is not there")
        entry = dict(handlers[target])
        levels = [item["level"] for item in (queue, entry) if item.get("level") is not None]
        if levels:
            entry["level"] = max(levels, key=_level_number)
        if "formatter" in queue:
            entry.setdefault("formatter", queue["formatter"])
        if "filters" in queue:
            entry["filters"] = [*queue["filters"], *entry.get("filters", ())]
        # One handler keeps the queue's name, so that an incremental configuration finds it.
        behind[name if len(targets) == 1 else f"{name}.{target}"] = entry
    return behind


def _level_number(level: int | str) -> int:
    number = logging.getLevelName(level) if isinstance(level, str) else level
    if not isinstance(number, int):
        raise ValueError(f"invalid `level`: got {level!r}, expected a level's name or number")  # noqa: TRY004 - as dictConfig
    return number


def _rename_handlers(logger: _Entry, replaced: Mapping[str, list[str]]) -> _Entry:
    names = logger.get("handlers")
    if not names:
        return logger
    return {**logger, "handlers": [new for name in names for new in replaced.get(name, [name])]}


class LogboomPlugin(InitPlugin):
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
            subclass with other ideas, and ``None`` stay what they are.
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
        ConfigError: ``request_id_header`` is no header name, or ``flush_timeout`` is out of bounds.
    """

    def __init__(
        self,
        config: LoggingConfig | None = None,
        *,
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
        self._request_id = request_id
        self._header = request_id_header.lower().encode("ascii")
        self._factory = request_id_factory
        self._install = install
        self._flush_timeout = flush_timeout

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Take over the logging of an application that is being made."""
        if self._config is not None:
            app_config.logging_config = self._config
        # A subclass may configure something else altogether; only the exact type is known.
        elif type(app_config.logging_config) is _LitestarLoggingConfig:
            app_config.logging_config = LoggingConfig.of(app_config.logging_config)
        if self._install:
            logboom.install()
        app_config.on_startup.insert(0, _last_lines.end)
        if self._request_id:
            app_config.on_startup.insert(0, self._stand_around)
            gate = DefineMiddleware(RequestIdGate, header=self._header, factory=self._factory)
            app_config.middleware.insert(0, gate)
        # Last, after the application's own hooks have logged what they had to say.
        app_config.on_shutdown.append(self._shut_down)
        return app_config

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
