"""What a peer is: set up, a logger, the text of its calls, a drain, and the files it wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from pathlib import Path

# Litestar's default text format.
FORMAT = "%(levelname)s - %(asctime)s - %(name)s - %(module)s - %(message)s"
ROTATE_AT = 1_000_000  # bytes
BACKUPS = 1000

# The calls in the way of the standard library.
STANDARD = {
    "none": 'log.info("the cache is warm")',
    "two": 'log.info("user %s did %d things", "alice", number)',
    "six": (
        'log.info("%s %s gave %d in %.3f ms to %s, item %d", '
        '"GET", "/items", 200, 12.25, "alice", number)'
    ),
    "off": 'log.debug("user %s did %d things", "alice", number)',
    "fields": (
        'log.info("order placed", '
        'extra={"order": number, "user": "alice", "price": 9.5, "paid": True})'
    ),
    "exception": 'log.error("request %d failed", number, exc_info=True)',
}


class UnsupportedError(Exception):
    """The peer cannot do this workload; the text says why."""


class Peer:
    """One logging library, writing to one file."""

    calls: ClassVar[dict[str, str]] = STANDARD

    def __init__(self, path: Path, style: str) -> None:
        """Set up nothing yet: ``path`` is the file, ``style`` is "text" or "json"."""
        self.path = path
        self.style = style

    def call(self, kind: str) -> str:
        """Give the text of one call, in which ``log`` and ``number`` are known."""
        if kind not in self.calls:
            raise UnsupportedError(f"has no call for {kind}")
        return self.calls[kind]

    def open(self) -> None:
        """Set up: level INFO, the file, the format."""
        raise NotImplementedError

    def logger(self, name: str) -> Any:
        """Give a logger."""
        raise NotImplementedError

    def hold(self) -> None:
        """Keep the thread that writes away, where there is a way, so that calls alone are measured."""

    def release(self) -> None:
        """Let it go on."""

    def drain(self) -> None:
        """Return when every line logged so far is in the file."""
        raise NotImplementedError

    def close(self) -> None:
        """End."""

    def files(self) -> list[Path]:
        """Give what was written, older files first or not: the lines are a set."""
        directory = self.path.parent
        return sorted(found for found in directory.glob(f"{self.path.name}*") if found.is_file())
