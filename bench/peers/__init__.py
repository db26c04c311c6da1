"""The table of peers. Each is a class in a small module, imported only in the process that runs it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.peers.base import Peer


@dataclass(frozen=True)
class Entry:
    """Where a peer is, and what it needs."""

    title: str
    module: str
    class_name: str
    distribution: str | None = None  # of `requirements.txt`


STDLIB = "standard library"
PEERS = {
    "stdlib-sync": Entry(f"{STDLIB}, FileHandler", "stdlib", "Sync"),
    "stdlib-queue": Entry(f"{STDLIB}, QueueHandler and QueueListener", "stdlib", "Queued"),
    "stdlib-rotating": Entry(f"{STDLIB}, RotatingFileHandler", "stdlib", "Rotating"),
    "structlog": Entry("structlog", "structlog_", "Structlog", "structlog"),
    "loguru": Entry("loguru", "loguru_", "Loguru", "loguru"),
    "loguru-enqueue": Entry("loguru, enqueue=True", "loguru_", "LoguruEnqueue", "loguru"),
    "picologging": Entry("picologging, FileHandler", "picologging_", "Sync", "picologging"),
    "picologging-queue": Entry(
        "picologging, QueueHandler and QueueListener", "picologging_", "Queued", "picologging"
    ),
    "logxide": Entry("LogXide", "logxide_", "Logxide", "logxide"),
    "logly": Entry("logly", "logly_", "Logly", "logly"),
    "logust": Entry("logust", "logust_", "Logust", "logust"),
    "concurrent-log-handler": Entry(
        "concurrent-log-handler", "concurrent", "Concurrent", "concurrent-log-handler"
    ),
    "logboom": Entry("logboom, FileHandler", "logboom_", "Logboom"),
    "logboom-rotating": Entry("logboom, RotatingFileHandler", "logboom_", "Rotating"),
    "logboom-shared": Entry("logboom, RotatingFileHandler, shared", "logboom_", "Shared"),
    # Known to `litestar_app.py` and `reconfigure.py` only.
    "none": Entry("no logging", "", ""),
    "shipped": Entry("Litestar as shipped", "", ""),
    "logboom-plugin": Entry("logboom.litestar.LogboomPlugin, with all that it does", "", ""),
    "litestar-shipped": Entry("Litestar's LoggingConfig", "", ""),
    "litestar-logboom": Entry("logboom.litestar.LoggingConfig", "", ""),
}


def peer_class(name: str) -> type[Peer]:
    """Import a peer."""
    entry = PEERS[name]
    module = importlib.import_module(f"bench.peers.{entry.module}")
    found: type[Peer] = getattr(module, entry.class_name)
    return found
