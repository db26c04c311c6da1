"""logust: loguru's way in Rust; it takes no arguments, so callers format."""

from __future__ import annotations

from typing import ClassVar

from logust import logger

from bench.peers.sinks import CALLS, Sinks


class Logust(Sinks):
    """A file sink."""

    log = logger
    format = "{level} - {time} - {name} - {module} - {message}"
    calls: ClassVar[dict[str, str]] = {
        **CALLS,
        "two": "log.info(f\"user {'alice'} did {number} things\")",
        "six": (
            "log.info(f\"{'GET'} {'/items'} gave {200} in {12.25:.3f} ms to {'alice'}, "
            'item {number}")'
        ),
        "off": "log.debug(f\"user {'alice'} did {number} things\")",
        "exception": 'log.opt(exception=True).error(f"request {number} failed")',
    }
