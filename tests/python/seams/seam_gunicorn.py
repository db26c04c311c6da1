"""gunicorn's logger: its files, which it reopens, its configurations, its access lines."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import seam
from gunicorn.config import Config
from gunicorn.glogging import Logger

PLAIN = {"format": "%(levelname)s %(message)s"}


def _config(**settings: object) -> Config:
    config = Config()
    for name, value in settings.items():
        config.set(name, value)
    return config


def _access(log: Logger) -> None:
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/a",
        "RAW_URI": "/a",
        "SERVER_PROTOCOL": "HTTP/1.1",
    }
    response = SimpleNamespace(status="200 OK", response_length=5, sent=5, headers=())
    log.access(response, SimpleNamespace(headers=()), environ, timedelta(seconds=1))


def files_that_are_reopened(side: seam.Side) -> None:
    form = '%(m)s "%(U)s" %(s)s %(B)s'
    log = Logger(_config(errorlog="error.log", accesslog="access.log", access_log_format=form))
    for logger in (side.logger("gunicorn.error"), side.logger("gunicorn.access")):
        for handler in logger.handlers:
            handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    for turn in range(seam.WARM):
        log.info("turn %d", turn)
        log.critical("turn %d of %s", turn, "four")
        _access(log)
    Path("error.log").rename("error.1.log")
    log.reopen_files()
    log.warning("reopened")
    log.exception("no exception")
    log.close_on_exec()
    assert "reopened" in Path("error.log").read_text()
    assert "reopened" not in Path("error.1.log").read_text()
    assert Path("access.log").read_text() == seam.WARM * 'INFO GET "/a" 200 5\n'


def our_file_is_reopened(side: seam.Side) -> None:
    # gunicorn closes the handler and puts a stream in it that its `_open` gave.
    handler = {"class": side.file_handler, "filename": "error.log", "formatter": "plain"}
    log = Logger(
        _config(
            logconfig_dict={
                "version": 1,
                "formatters": {"plain": PLAIN},
                "handlers": {"file": handler},
                "root": {"handlers": []},
                "loggers": {"gunicorn.error": {"handlers": ["file"], "propagate": False}},
            }
        )
    )
    logger = side.logger("gunicorn.error")
    for turn in range(seam.WARM):
        log.info("turn %d", turn)
    for name in ("error.1.log", "error.2.log"):
        Path("error.log").rename(name)
        log.reopen_files()
        log.close_on_exec()
        log.info("after %s", name)
    seam.flush(logger)
    assert Path("error.log").read_text() == "INFO after error.2.log\n"
    assert Path("error.2.log").read_text() == "INFO after error.1.log\n"
    assert side.reached_the_engine(seam.WARM)
