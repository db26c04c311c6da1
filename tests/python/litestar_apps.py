"""Applications of Litestar whose lines go to a file, and requests as no client would make them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from litestar.middleware import logging as shipped

import logboom
from logboom.litestar import LoggingConfig
from logboom.litestar._features import LINES_BY_CONFIG

if TYPE_CHECKING:
    from pathlib import Path

JSON = {"()": "logboom.JsonFormatter"}


def to_file(path: Path, formatter: dict[str, Any] = JSON, **options: Any) -> LoggingConfig:
    """Give a configuration whose lines go to a file; ``options``: more of its fields."""
    return LoggingConfig(
        formatters={"standard": dict(formatter)},
        loggers={"httpx": {"level": "WARNING"}},  # the client of the tests
        handlers={
            "queue_listener": {
                "class": "logboom.FileHandler",
                "filename": str(path),
                "formatter": "standard",
            }
        },
        **options,
    )


def lines_of(**options: Any) -> Any:
    """Give Litestar's logging middleware, made as its version makes it."""
    if LINES_BY_CONFIG:
        return shipped.LoggingMiddlewareConfig(**options).middleware
    return shipped.LoggingMiddleware("litestar", **options)


def written(path: Path) -> list[dict[str, Any]]:
    """Give what is in such a file."""
    assert logboom.flush(timeout=10)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


async def status_of(app: Any, **changes: Any) -> int:
    """Ask an application with a scope of HTTP that is changed like this; give the status."""
    status = 0

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [],
        **changes,
    }
    await app(scope, receive, send)
    return status
