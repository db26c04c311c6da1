"""What loguru and those after it have in common: one logger for all, sinks by `add`."""

from __future__ import annotations

from typing import Any, ClassVar

from bench.peers.base import Peer

FORMAT = "{level} - {time:YYYY-MM-DD HH:mm:ss,SSS} - {name} - {module} - {message}"

# With arguments in braces.
CALLS = {
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


class Sinks(Peer):
    """A file sink."""

    calls: ClassVar[dict[str, str]] = CALLS
    log: ClassVar[Any]
    format: ClassVar[str] = FORMAT
    options: ClassVar[dict[str, Any]] = {}

    def open(self) -> None:
        self.log.remove()
        self.log.add(
            str(self.path),
            level="INFO",
            format=self.format,
            serialize=self.style == "json",
            **self.options,
        )

    def logger(self, name: str) -> Any:  # noqa: ARG002 - there is one for all
        return self.log

    def drain(self) -> None:
        self.log.complete()

    def close(self) -> None:
        self.log.remove()
