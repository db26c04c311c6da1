"""LogXide: the standard library's API in Rust, after its `install`."""

from __future__ import annotations

from typing import Any

import logxide
from logxide import logging

from bench.peers.base import FORMAT, Peer
from bench.peers.stdlib import json_formatter


class Logxide(Peer):
    """Its own FileHandler on the root."""

    def open(self) -> None:
        # Only without `encoding` does it write natively.
        self.handler = logxide.FileHandler(str(self.path))
        text = self.style == "text"
        self.handler.setFormatter(logging.Formatter(FORMAT) if text else json_formatter())

    def logger(self, name: str) -> Any:
        # On the root the handler writes the bare message, whatever its formatter is.
        log = logging.getLogger(name)
        log.setLevel(logging.INFO)
        log.propagate = False
        log.addHandler(self.handler)
        return log

    def drain(self) -> None:
        logxide.flush()
        self.handler.flush()
