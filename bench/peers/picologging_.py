"""picologging: the standard library's API in C++, on the caller's thread and behind a queue."""

from __future__ import annotations

import queue
from typing import Any

import picologging
import picologging.handlers

from bench.peers.base import FORMAT, Peer


class Sync(Peer):
    """A FileHandler on the root."""

    def open(self) -> None:
        self.handler = picologging.FileHandler(str(self.path), encoding="utf-8")
        self.handler.setFormatter(picologging.Formatter(FORMAT))
        picologging.getLogger().setLevel(picologging.INFO)
        self.attach()

    def attach(self) -> None:
        picologging.getLogger().addHandler(self.handler)

    def logger(self, name: str) -> Any:
        return picologging.getLogger(name)

    def drain(self) -> None:
        self.handler.flush()

    def close(self) -> None:
        self.handler.close()


class Queued(Sync):
    """The same handler behind a queue."""

    def attach(self) -> None:
        self.queue: queue.Queue[Any] = queue.Queue(-1)
        picologging.getLogger().addHandler(picologging.handlers.QueueHandler(self.queue))
        self.listener = picologging.handlers.QueueListener(self.queue, self.handler)
        self.listener.start()

    def hold(self) -> None:
        self.listener.stop()

    def release(self) -> None:
        self.listener.start()

    def drain(self) -> None:
        self.listener.stop()
        self.handler.flush()
        self.listener.start()

    def close(self) -> None:
        self.listener.stop()
        self.handler.close()
