"""The logging engine for Python web services: ``import logging`` as ever, one writer thread.

``install()`` makes every logger of the standard library native; the handlers of this package hand
their records to an engine whose one thread formats and writes without the GIL.

    import logging, logboom

    logboom.install()
    logboom.basicConfig(filename="app.log", level="INFO")
    logging.getLogger("app").info("started on port %d", 8000)
"""

from typing import TYPE_CHECKING

from logboom import _binding as _binding
from logboom._basic import basicConfig
from logboom._config import configure
from logboom._context import bind, bound, clear, context, reset, unbind
from logboom._handlers import FileHandler, NullHandler, StreamHandler
from logboom._lifecycle import flush, shutdown, stats, sync
from logboom._logboom import (
    ConfigError,
    FoldFilter,
    LogboomError,
    OnceFilter,
    RateLimitFilter,
    Report,
    SampleFilter,
    Stats,
    __version__,
)
from logboom._loggers import install, installed, uninstall

if TYPE_CHECKING:
    from logboom._access import AccessLog
    from logboom._adopt import AdoptedListener, AdoptReport, adopt
    from logboom._explain import Explanation, HandlerWay, explain
    from logboom._formatters import ConsoleFormatter, JsonFormatter, LogfmtFormatter
    from logboom._holds import HeldLevels
    from logboom._levels import levels, levels_on_signal
    from logboom._network import (
        DatagramHandler,
        HTTPHandler,
        MemoryHandler,
        SocketHandler,
        SysLogHandler,
    )
    from logboom._queues import QueueHandler, QueueListener
    from logboom._redaction import Redaction
    from logboom._rotating import (
        RotatingFileHandler,
        TimedRotatingFileHandler,
        WatchedFileHandler,
    )
    from logboom._signals import flush_on_signal

__all__ = [
    "AccessLog",
    "AdoptReport",
    "AdoptedListener",
    "ConfigError",
    "ConsoleFormatter",
    "DatagramHandler",
    "Explanation",
    "FileHandler",
    "FoldFilter",
    "HTTPHandler",
    "HandlerWay",
    "HeldLevels",
    "JsonFormatter",
    "LogboomError",
    "LogfmtFormatter",
    "MemoryHandler",
    "NullHandler",
    "OnceFilter",
    "QueueHandler",
    "QueueListener",
    "RateLimitFilter",
    "Redaction",
    "Report",
    "RotatingFileHandler",
    "SampleFilter",
    "SocketHandler",
    "Stats",
    "StreamHandler",
    "SysLogHandler",
    "TimedRotatingFileHandler",
    "WatchedFileHandler",
    "__version__",
    "adopt",
    "basicConfig",
    "bind",
    "bound",
    "clear",
    "configure",
    "context",
    "explain",
    "flush",
    "flush_on_signal",
    "install",
    "installed",
    "levels",
    "levels_on_signal",
    "reset",
    "shutdown",
    "stats",
    "sync",
    "unbind",
    "uninstall",
]

# Where the things are that need `logging.handlers` or `dataclasses`, each of which costs as much to
# import as all of ours.
_AT_NEED = {
    "AccessLog": "_access",
    "AdoptReport": "_adopt",
    "AdoptedListener": "_adopt",
    "ConsoleFormatter": "_formatters",
    "DatagramHandler": "_network",
    "Explanation": "_explain",
    "HTTPHandler": "_network",
    "HandlerWay": "_explain",
    "HeldLevels": "_holds",
    "JsonFormatter": "_formatters",
    "LogfmtFormatter": "_formatters",
    "MemoryHandler": "_network",
    "QueueHandler": "_queues",
    "QueueListener": "_queues",
    "Redaction": "_redaction",
    "RotatingFileHandler": "_rotating",
    "SocketHandler": "_network",
    "SysLogHandler": "_network",
    "TimedRotatingFileHandler": "_rotating",
    "WatchedFileHandler": "_rotating",
    "adopt": "_adopt",
    "explain": "_explain",
    "flush_on_signal": "_signals",
    "levels": "_levels",
    "levels_on_signal": "_levels",
}


def __getattr__(name: str) -> object:
    if name not in _AT_NEED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"logboom.{_AT_NEED[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
