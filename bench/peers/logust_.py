"""logust: loguru's way in Rust; it takes no arguments, so callers format."""

from __future__ import annotations

from typing import Any, ClassVar

from logust import logger

from bench.peers.base import Peer


class Logust(Peer):
    """A file sink."""

    calls: ClassVar[dict[str, str]] = {
        "none": 'log.info("the cache is warm")',
        "two": "log.info(f\"user {'alice'} did {number} things\")",
        "six": (
            "log.info(f\"{'GET'} {'/items'} gave {200} in {12.25:.3f} ms to {'alice'}, "
            'item {number}")'
        ),
        "off": "log.debug(f\"user {'alice'} did {number} things\")",
        "fields": 'log.info("order placed", order=number, user="alice", price=9.5, paid=True)',
        "exception": 'log.opt(exception=True).error(f"request {number} failed")',
    }

    def open(self) -> None:
        logger.remove()
        logger.add(
            str(self.path),
            level="INFO",
            format="{level} - {time} - {name} - {module} - {message}",
            serialize=self.style == "json",
        )

    def logger(self, name: str) -> Any:  # noqa: ARG002 - there is one for all
        return logger

    def drain(self) -> None:
        logger.complete()

    def close(self) -> None:
        logger.remove()
