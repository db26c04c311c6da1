"""logly: loguru's way in Rust, sinks by `add`."""

from __future__ import annotations

from typing import Any, ClassVar

from logly import logger

from bench.peers.base import Peer
from bench.peers.loguru_ import FORMAT

CALLS = {
    "none": 'log.info("the cache is warm")',
    "two": 'log.info("user {} did {} things", "alice", number)',
    "six": (
        'log.info("{} {} gave {} in {:.3f} ms to {}, item {}", '
        '"GET", "/items", 200, 12.25, "alice", number)'
    ),
    "off": 'log.debug("user {} did {} things", "alice", number)',
    "fields": ('log.bind(order=number, user="alice", price=9.5, paid=True).info("order placed")'),
    "exception": 'log.opt(exception=error).error("request {} failed", number)',
}


class Logly(Peer):
    """A file sink."""

    calls: ClassVar[dict[str, str]] = CALLS

    def open(self) -> None:
        logger.remove()
        logger.add(str(self.path), level="INFO", format=FORMAT, serialize=self.style == "json")

    def logger(self, name: str) -> Any:  # noqa: ARG002 - there is one for all
        return logger

    def drain(self) -> None:
        logger.complete()

    def close(self) -> None:
        logger.remove()
