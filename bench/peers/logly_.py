"""logly: loguru's way in Rust, sinks by `add`."""

from __future__ import annotations

from typing import ClassVar

from logly import logger

from bench.peers.sinks import CALLS, Sinks


class Logly(Sinks):
    """A file sink."""

    log = logger
    calls: ClassVar[dict[str, str]] = {
        **CALLS,
        "fields": (
            'log.bind(order=number, user="alice", price=9.5, paid=True).info("order placed")'
        ),
    }
