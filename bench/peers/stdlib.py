"""The standard library: handlers on the caller's thread, and behind a queue.

A peer with the same API derives from these and names its own modules.
"""

from __future__ import annotations

import logging
import logging.handlers
import queue
from typing import Any, ClassVar

from bench.peers.base import BACKUPS, FORMAT, ROTATE_AT, Peer


def json_formatter() -> logging.Formatter:
    """Give python-json-logger's."""
    from pythonjsonlogger.json import JsonFormatter

    return JsonFormatter("%(asctime)s %(levelname)s %(name)s %(module)s %(message)s")


class Sync(Peer):
    """A FileHandler on the root."""

    api: ClassVar[Any] = logging

    def open(self) -> None:
        self.handler = self.made_handler()
        self.handler.setFormatter(self.made_formatter())
        self.attach()
        self.api.getLogger().setLevel(self.api.INFO)

    def made_handler(self) -> Any:
        return self.api.FileHandler(str(self.path), encoding="utf-8")

    def made_formatter(self) -> Any:
        return self.api.Formatter(FORMAT) if self.style == "text" else json_formatter()

    def attach(self) -> None:
        self.api.getLogger().addHandler(self.handler)

    def logger(self, name: str) -> Any:
        return self.api.getLogger(name)

    def drain(self) -> None:
        self.handler.flush()

    def close(self) -> None:
        self.handler.close()


class Rotating(Sync):
    """A RotatingFileHandler on the root."""

    def made_handler(self) -> Any:
        return self.api.handlers.RotatingFileHandler(
            str(self.path), maxBytes=ROTATE_AT, backupCount=BACKUPS, encoding="utf-8"
        )


class Queued(Sync):
    """The same handler behind a queue without bound, as Litestar ships it."""

    def attach(self) -> None:
        self.queue: queue.Queue[Any] = queue.Queue(-1)
        self.api.getLogger().addHandler(self.api.handlers.QueueHandler(self.queue))
        self.listener = self.api.handlers.QueueListener(self.queue, self.handler)
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
