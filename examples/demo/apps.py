"""The application of the demo, as a user would write it: three times, apart only in its logging.

``work`` does what https://github.com/litestar-org/litestar/issues/3080 describes: on every request
it configures logging anew and gets a logger, so that the request's arguments are in every line.
uvicorn runs one of the three factories at the end: ``uvicorn apps:with_logboom --factory``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable  # noqa: TC003 - Litestar reads the annotations
from typing import Any

from litestar import Litestar, Request, Response, get, logging as litestar_logging
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath  # noqa: TC002 - as above

from logboom.litestar import LogboomPlugin, LoggingConfig as LogboomLoggingConfig

LINES = 5
LOG_FILE = os.environ.get("DEMO_LOG_FILE", "demo.log")


@get("/work/{number:int}")
async def work(
    number: FromPath[int], logging_for: NamedDependency[Callable[..., Any]]
) -> dict[str, int]:
    """Answer a request, and log five lines about it."""
    get_logger = logging_for(number=number).configure()
    logger = get_logger("demo")
    for line in range(1, LINES + 1):
        logger.info("line %d of %d", line, LINES)
    return {"number": number}


@get("/work/{number:int}")
async def work_silently(number: FromPath[int]) -> dict[str, int]:
    """Answer the same, and log nothing."""
    return {"number": number}


@get("/ready")
async def ready() -> str:
    """Answer without logging: the demo asks before it measures."""
    return "ready"


def formatters(number: int) -> dict[str, Any]:
    """Put the request's arguments into every line."""
    # A number cannot hold a `%`; text from a request must never become part of a format.
    return {"standard": {"format": f"%(levelname)s - %(asctime)s - request {number} - %(message)s"}}


LOGGERS = {"demo": {"level": "INFO", "handlers": ["queue_listener"], "propagate": False}}


def shipped_logging(number: int) -> litestar_logging.LoggingConfig:
    """Write to a file through Litestar's own queue, which each Python spells differently."""
    to_file = {"class": "logging.FileHandler", "filename": LOG_FILE, "formatter": "standard"}
    if sys.version_info >= (3, 12):
        queue: dict[str, Any] = {
            "class": "logging.handlers.QueueHandler",
            "queue": {"()": "queue.Queue", "maxsize": -1},
            "listener": "litestar.logging.standard.LoggingQueueListener",
            "handlers": ["file"],
        }
    else:
        queue = {
            "class": "litestar.logging.standard.QueueListenerHandler",
            "handlers": ["cfg://handlers.file"],
        }
    return litestar_logging.LoggingConfig(
        logging_module="logging",  # also where picologging is installed
        formatters=formatters(number),
        handlers={"file": to_file, "queue_listener": queue},
        loggers=dict(LOGGERS),
    )


def logboom_logging(number: int) -> LogboomLoggingConfig:
    """Write to a file natively."""
    to_file = {"class": "logboom.FileHandler", "filename": LOG_FILE, "formatter": "standard"}
    return LogboomLoggingConfig(
        formatters=formatters(number),
        handlers={"queue_listener": to_file},
        loggers=dict(LOGGERS),
    )


def explain(_: Request[Any, Any, Any], error: Exception) -> Response[dict[str, str]]:
    """Tell the client what went wrong, so that the demo can."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return Response({"error": f"{type(cause).__name__}: {cause}"}, status_code=500)


def application(handler: Any, logging_for: Callable[..., Any] | None, **options: Any) -> Litestar:
    """Make the application around one of the handlers."""
    if logging_for is not None:
        options["dependencies"] = {
            "logging_for": Provide(lambda: logging_for, sync_to_thread=False)
        }
    return Litestar([handler, ready], exception_handlers={Exception: explain}, **options)


def without_logging() -> Litestar:
    """Log nothing at all."""
    return application(work_silently, None, logging_config=None)


def shipped() -> Litestar:
    """Log as Litestar ships it."""
    config = litestar_logging.LoggingConfig(logging_module="logging")
    return application(work, shipped_logging, logging_config=config)


def with_logboom() -> Litestar:
    """Log with logboom: the same lines, so no access lines."""
    return application(work, logboom_logging, plugins=[LogboomPlugin(access=False)])
