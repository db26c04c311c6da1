"""The logging engine for Python web services: ``import logging`` as ever, one writer thread.

``install()`` makes every logger of the standard library native; the handlers of this package hand
their records to an engine whose one thread formats and writes without the GIL.

    import logging, logboom

    logboom.install()
    logboom.basicConfig(filename="app.log", level="INFO")
    logging.getLogger("app").info("started on port %d", 8000)
"""

from logboom import _binding as _binding
from logboom._adopt import AdoptedListener, AdoptReport, adopt
from logboom._config import basicConfig, configure
from logboom._context import bind, bound, clear, context, reset, unbind
from logboom._explain import Explanation, HandlerWay, explain
from logboom._handlers import FileHandler, NullHandler, StreamHandler
from logboom._lifecycle import flush, shutdown, stats, sync
from logboom._logboom import ConfigError, LogboomError, Report, Stats, __version__
from logboom._loggers import Logger, install, installed, uninstall
from logboom._queues import QueueHandler, QueueListener

__all__ = [
    "AdoptReport",
    "AdoptedListener",
    "ConfigError",
    "Explanation",
    "FileHandler",
    "HandlerWay",
    "LogboomError",
    "Logger",
    "NullHandler",
    "QueueHandler",
    "QueueListener",
    "Report",
    "Stats",
    "StreamHandler",
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
    "install",
    "installed",
    "reset",
    "shutdown",
    "stats",
    "sync",
    "unbind",
    "uninstall",
]
