"""logboom under the standard library's API."""

from __future__ import annotations

import logging

import logboom
from bench.peers.base import BACKUPS, FORMAT, ROTATE_AT, UnsupportedError
from bench.peers.stdlib import Sync


class Logboom(Sync):
    """A FileHandler of ours on the root, every logger native."""

    def open(self) -> None:
        logboom.install()
        self.handler = self.made_handler()
        self.handler.setFormatter(self._formatter())
        self.attach()
        logging.getLogger().setLevel(logging.INFO)

    def _formatter(self) -> logging.Formatter:
        if self.style == "text":
            return logging.Formatter(FORMAT)
        formatter = getattr(logboom, "JsonFormatter", None)
        if formatter is None:
            raise UnsupportedError("not there yet: logboom has no JsonFormatter")
        made: logging.Formatter = formatter()
        return made

    def made_handler(self) -> logging.Handler:
        return logboom.FileHandler(self.path, encoding="utf-8")

    def drain(self) -> None:
        logboom.flush()


class Rotating(Logboom):
    """A RotatingFileHandler of ours on the root."""

    def made_handler(self) -> logging.Handler:
        return logboom.RotatingFileHandler(
            self.path, maxBytes=ROTATE_AT, backupCount=BACKUPS, encoding="utf-8"
        )
