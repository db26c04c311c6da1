"""logboom under the standard library's API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import logboom
from bench.peers.base import BACKUPS, ROTATE_AT
from bench.peers.stdlib import Sync

if TYPE_CHECKING:
    from pathlib import Path


class Logboom(Sync):
    """A FileHandler of ours on the root, every logger native."""

    def open(self) -> None:
        logboom.install()
        super().open()

    def made_formatter(self) -> Any:
        return logboom.JsonFormatter() if self.style == "json" else super().made_formatter()

    def made_handler(self) -> Any:
        return logboom.FileHandler(self.path, encoding="utf-8")

    def drain(self) -> None:
        logboom.flush()


class Rotating(Logboom):
    """A RotatingFileHandler of ours on the root."""

    def made_handler(self) -> Any:
        return logboom.RotatingFileHandler(
            self.path, maxBytes=ROTATE_AT, backupCount=BACKUPS, encoding="utf-8"
        )


class Shared(Logboom):
    """The same, shared with other processes."""

    def made_handler(self) -> Any:
        return logboom.RotatingFileHandler(
            self.path, maxBytes=ROTATE_AT, backupCount=BACKUPS, encoding="utf-8", shared=True
        )

    def files(self) -> list[Path]:
        return [path for path in super().files() if path.suffix != ".lock"]
