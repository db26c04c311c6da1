"""The application of the server runs: one handler that logs some lines, in one of five ways.

What it does is told by variables of the environment: ``BENCH_LOGGING`` (a peer), ``BENCH_LINES`` (a
request), ``BENCH_FILE`` (where the lines go; as shipped Litestar writes to standard error).
"""

import os
from typing import Any

from litestar import Litestar, Request, get
from litestar.logging import LoggingConfig

LOGGING = os.environ["BENCH_LOGGING"]
LINES = 0 if LOGGING == "none" else int(os.environ["BENCH_LINES"])
FILE = os.environ["BENCH_FILE"]


@get("/work")
async def work(request: Request[Any, Any, Any]) -> dict[str, int]:
    """Answer, and log."""
    if LINES:
        logger = request.logger
        for line in range(LINES):
            logger.info("%s - line %d", "request", line)
    return {"lines": LINES}


def application() -> Litestar:
    """Make the application with the logging that was asked for."""
    if LOGGING == "none":
        return Litestar([work], logging_config=None)
    if LOGGING == "shipped":
        return Litestar([work], logging_config=LoggingConfig(logging_module="logging"))
    to_file: dict[str, Any] = {"filename": FILE, "formatter": "standard"}
    if LOGGING == "logboom-plugin":
        # All that is on by default: JSON lines, access lines, request ids, redaction by names.
        from logboom.litestar import LogboomPlugin, LoggingConfig as Ours

        config = Ours(
            formatters={"json": {"()": "logboom.JsonFormatter"}},
            handlers={
                "queue_listener": {
                    "class": "logboom.FileHandler",
                    "filename": FILE,
                    "formatter": "json",
                }
            },
        )
        return Litestar([work], plugins=[LogboomPlugin(config)])
    if LOGGING == "logboom":
        import logboom
        from logboom.litestar import LoggingConfig as Ours

        logboom.install()
        handlers = {"queue_listener": {**to_file, "class": "logboom.FileHandler"}}
        return Litestar([work], logging_config=Ours(handlers=handlers))
    handlers = {"queue_listener": {**to_file, "class": "logging.FileHandler"}}
    return Litestar(
        [work], logging_config=LoggingConfig(logging_module="logging", handlers=handlers)
    )


app = application()
