"""loguru: one logger, sinks by `add`; with `enqueue=True` a thread of its own writes."""

from __future__ import annotations

from typing import Any, ClassVar

from loguru import logger

from bench.peers.sinks import Sinks


class Loguru(Sinks):
    """A file sink."""

    log = logger
    # As its documentation advises for production.
    options: ClassVar[dict[str, Any]] = {"backtrace": False, "diagnose": False}


class LoguruEnqueue(Loguru):
    """A file sink behind loguru's queue."""

    options: ClassVar[dict[str, Any]] = {**Loguru.options, "enqueue": True}
