"""uvicorn's own configuration and formatters, with its handlers and with ours in their place."""

from __future__ import annotations

import copy
import logging.config
from typing import Any

import seam
from uvicorn.config import LOGGING_CONFIG, Config


def _log(side: seam.Side) -> None:
    error, access = side.logger("uvicorn.error"), side.logger("uvicorn.access", logging.INFO)
    for turn in range(seam.WARM):
        error.info("Started turn %d", turn, extra={"color_message": "Started turn %d"})
        access.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "GET", f"/?turn={turn}", "1.1", 404)
    for name in ("uvicorn", "uvicorn.access"):
        seam.flush(logging.getLogger(name))


def as_shipped(side: seam.Side) -> None:
    Config("app:app", use_colors=False).configure_logging()
    _log(side)


def colours(side: seam.Side) -> None:
    Config("app:app", use_colors=True).configure_logging()
    _log(side)


def its_configuration_with_our_handlers(side: seam.Side) -> None:
    config: dict[str, Any] = copy.deepcopy(LOGGING_CONFIG)
    for handler in config["handlers"].values():
        handler["class"] = side.stream_handler
    config["handlers"]["file"] = {
        "class": side.file_handler,
        "filename": "access.log",
        "formatter": "access",
    }
    config["loggers"]["uvicorn.access"]["handlers"].append("file")
    Config("app:app", log_config=config, use_colors=False).configure_logging()
    _log(side)
    lines = seam.Path("access.log").read_text().splitlines()
    assert lines[0].endswith('127.0.0.1:5 - "GET /?turn=0 HTTP/1.1" 404 Not Found'), lines


def configured_twice(side: seam.Side) -> None:
    config = Config("app:app", use_colors=False, log_level="warning")
    config.configure_logging()
    logger = side.logger("uvicorn.error")
    logger.warning("before")
    config.configure_logging()
    for turn in range(seam.WARM):
        logging.getLogger("uvicorn.error").warning("turn %d", turn)
