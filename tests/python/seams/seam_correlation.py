"""asgi-correlation-id puts the request's id on records by a filter."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import logging.config

import seam
from asgi_correlation_id import CorrelationIdFilter, correlation_id
from asgi_correlation_id.middleware import CorrelationIdMiddleware


def filter_on_our_handler(side: seam.Side) -> None:
    logger = side.logger()
    path = side.file(logger, "[%(correlation_id)s] %(message)s")
    logger.handlers[0].addFilter(CorrelationIdFilter(uuid_length=4, default_value="-"))

    def request(turn: int) -> None:
        correlation_id.set(f"{turn}234567")
        logger.info("turn %d", turn)

    logger.info("outside")
    for turn in range(seam.WARM):
        contextvars.copy_context().run(request, turn)
    logger.info("outside")
    lines = seam.text(path, logger).splitlines()
    assert lines[0] == "[-] outside" and lines[2] == "[1234] turn 1", lines
    print("\n".join(lines))


def middleware(side: seam.Side) -> None:
    logging.config.dictConfig(
        {
            "version": 1,
            "filters": {"id": {"()": "asgi_correlation_id.CorrelationIdFilter"}},
            "formatters": {"plain": {"format": "%(levelname)s [%(correlation_id)s] %(message)s"}},
            "handlers": {
                "file": {
                    "class": side.file_handler,
                    "filename": "app.log",
                    "filters": ["id"],
                    "formatter": "plain",
                }
            },
            "loggers": {"app": {"handlers": ["file"], "level": "DEBUG", "propagate": False}},
        }
    )
    logger = side.logger("app")
    sent = []

    async def app(scope: object, receive: object, send: object) -> None:
        logger.info("in the request")
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    asgi = CorrelationIdMiddleware(app, validator=None)
    for turn in range(seam.WARM):
        scope = {"type": "http", "headers": [(b"x-request-id", f"request-{turn}".encode())]}
        asyncio.run(asgi(scope, None, send))  # type: ignore[arg-type]
    assert "INFO [request-3] in the request" in seam.text(seam.Path("app.log"), logger)
    print(sent)
