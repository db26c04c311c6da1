"""python-json-logger's formatter on a handler of ours, with `extra`."""

from __future__ import annotations

import json
import logging.config

import seam
from pythonjsonlogger.json import JsonFormatter


def formatter_on_our_handler(side: seam.Side) -> None:
    logger = side.logger()
    path = side.file(logger)
    form = "%(levelname)s %(name)s %(funcName)s %(lineno)d %(message)s"
    formatter = JsonFormatter(
        form, rename_fields={"levelname": "level"}, static_fields={"app": "a"}
    )
    logger.handlers[0].setFormatter(formatter)
    for turn in range(seam.WARM):
        logger.warning("turn %d", turn, extra={"order": turn, "items": [1, {"a": None}]})
        logger.warning({"message": "a mapping", "turn": turn})
    try:
        raise LookupError("no such order")
    except LookupError:
        logger.exception("while looking", stack_info=True)
    lines = [json.loads(line) for line in seam.text(path, logger).splitlines()]
    assert lines[0]["order"] == 0 and lines[0]["items"] == [1, {"a": None}]
    assert lines[0]["message"] == "turn 0" and lines[0]["level"] == "WARNING"
    assert lines[0]["funcName"] == "formatter_on_our_handler"
    for line in lines:
        line.pop("stack_info", None)
        print(sorted(line.items(), key=str))
    # The stack has the frames of the side that is run.
    path.unlink()


def configured_by_dict(side: seam.Side) -> None:
    logging.config.dictConfig(
        {
            "version": 1,
            "formatters": {
                "json": {
                    "()": "pythonjsonlogger.json.JsonFormatter",
                    "fmt": "{levelname}{name}{message}",
                    "style": "{",
                    "defaults": {"environment": "test"},
                }
            },
            "handlers": {
                "file": {"class": side.file_handler, "filename": "app.log", "formatter": "json"}
            },
            "root": {"handlers": ["file"], "level": "INFO"},
        }
    )
    logger = side.logger("app")
    for turn in range(seam.WARM):
        logger.info("turn %d", turn, extra={"order": turn})
    seam.flush(logging.root)
