"""concurrent-log-handler: rotation that several processes share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_log_handler import ConcurrentRotatingFileHandler

from bench.peers.base import BACKUPS, ROTATE_AT
from bench.peers.stdlib import Sync

if TYPE_CHECKING:
    from pathlib import Path


class Concurrent(Sync):
    """Its rotating handler on the root."""

    def made_handler(self) -> Any:
        return ConcurrentRotatingFileHandler(
            str(self.path), maxBytes=ROTATE_AT, backupCount=BACKUPS, encoding="utf-8"
        )

    def files(self) -> list[Path]:
        return [path for path in super().files() if not path.name.endswith(".lock")]
