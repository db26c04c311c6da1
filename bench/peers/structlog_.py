"""structlog: its own filtering logger, writing the same line as the others on the caller's thread."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import structlog
from structlog.processors import CallsiteParameter, CallsiteParameterAdder

from bench.peers.base import STANDARD, Peer


def render(_: Any, __: str, fields: dict[str, Any]) -> str:
    """Write Litestar's text format."""
    level, time = fields["level"].upper(), fields["timestamp"]
    line = f"{level} - {time} - {fields['logger']} - {fields['module']} - {fields['event']}"
    return f"{line}\n{fields['exception']}" if "exception" in fields else line


class Structlog(Peer):
    """A logger that writes to a file."""

    calls: ClassVar[dict[str, str]] = {
        **STANDARD,
        "fields": 'log.info("order placed", order=number, user="alice", price=9.5, paid=True)',
    }

    def open(self) -> None:
        self.file = self.path.open("a", encoding="utf-8")
        times = "%Y-%m-%d %H:%M:%S,%f" if self.style == "text" else "iso"
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt=times, utc=False),
                CallsiteParameterAdder([CallsiteParameter.MODULE]),
                structlog.processors.format_exc_info,
                render if self.style == "text" else structlog.processors.JSONRenderer(),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            logger_factory=structlog.WriteLoggerFactory(file=self.file),
            cache_logger_on_first_use=True,
        )

    def logger(self, name: str) -> Any:
        return structlog.get_logger().bind(logger=name)

    def drain(self) -> None:
        self.file.flush()

    def close(self) -> None:
        self.file.close()
