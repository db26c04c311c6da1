"""The standard library: handlers on the caller's thread, and behind a queue."""

from __future__ import annotations

import logging
import logging.handlers
import queue
from typing import Any

from bench.peers.base import BACKUPS, FORMAT, ROTATE_AT, Peer


def formatter(style: str) -> logging.Formatter:
    """Give the standard formatter, or python-json-logger's."""
    if style == "text":
        return logging.Formatter(FORMAT)
    from pythonjsonlogger.json import JsonFormatter

    return JsonFormatter("%(asctime)s %(levelname)s %(name)s %(module)s %(message)s")


class Sync(Peer):
    """A FileHandler on the root."""

    def open(self) -> None:
        self.handler = self.made_handler()
        self.handler.setFormatter(formatter(self.style))
        self.attach()
        logging.getLogger().setLevel(logging.INFO)

    def made_handler(self) -> logging.Handler:
        return logging.FileHandler(self.path, encoding="utf-8")

    def attach(self) -> None:
        logging.getLogger().addHandler(self.handler)

    def logger(self, name: str) -> logging.Logger:
        return logging.getLogger(name)

    def drain(self) -> None:
        self.handler.flush()

    def close(self) -> None:
        self.handler.close()


class Rotating(Sync):
    """A RotatingFileHandler on the root."""

    def made_handler(self) -> logging.Handler:
        return logging.handlers.RotatingFileHandler(
            self.path, maxBytes=ROTATE_AT, backupCount=BACKUPS, encoding="utf-8"
        )


class Queued(Sync):
    """The same handler behind a queue without bound, as Litestar ships it."""

    def attach(self) -> None:
        self.queue: queue.Queue[Any] = queue.Queue(-1)
        logging.getLogger().addHandler(logging.handlers.QueueHandler(self.queue))
        self.listener = logging.handlers.QueueListener(self.queue, self.handler)
        self.listener.start()

    def hold(self) -> None:
        self.listener.stop()

    def release(self) -> None:
        self.listener.start()

    def drain(self) -> None:
        # `stop` returns when the queue is empty and the last record was handled.
        self.listener.stop()
        self.handler.flush()
        self.listener.start()

    def close(self) -> None:
        self.listener.stop()
        self.handler.close()
