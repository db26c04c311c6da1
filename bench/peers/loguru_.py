"""loguru: one logger, sinks by `add`; with `enqueue=True` a thread of its own writes."""

from __future__ import annotations

from typing import Any, ClassVar

from loguru import logger

from bench.peers.base import Peer

FORMAT = "{level} - {time:YYYY-MM-DD HH:mm:ss,SSS} - {name} - {module} - {message}"


class Loguru(Peer):
    """A file sink."""

    enqueue = False
    calls: ClassVar[dict[str, str]] = {
        "none": 'log.info("the cache is warm")',
        "two": 'log.info("user {} did {} things", "alice", number)',
        "six": (
            'log.info("{} {} gave {} in {:.3f} ms to {}, item {}", '
            '"GET", "/items", 200, 12.25, "alice", number)'
        ),
        "off": 'log.debug("user {} did {} things", "alice", number)',
        "fields": 'log.info("order placed", order=number, user="alice", price=9.5, paid=True)',
        "exception": 'log.opt(exception=error).error("request {} failed", number)',
    }

    def open(self) -> None:
        logger.remove()
        logger.add(
            self.path,
            level="INFO",
            format=FORMAT,
            enqueue=self.enqueue,
            serialize=self.style == "json",
            # As its documentation advises for production.
            backtrace=False,
            diagnose=False,
        )

    def logger(self, name: str) -> Any:  # noqa: ARG002 - there is one for all
        return logger

    def drain(self) -> None:
        logger.complete()

    def close(self) -> None:
        logger.remove()


class LoguruEnqueue(Loguru):
    """A file sink behind loguru's queue."""

    enqueue = True
