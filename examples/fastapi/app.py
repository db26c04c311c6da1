"""A FastAPI application with logboom: one line of set-up, one line a request."""

from __future__ import annotations

import logging
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException

import logboom
from logboom.asgi import LoggingMiddleware

logboom.basicConfig(level="INFO")
logger = logging.getLogger("shop")

app = FastAPI()
app.add_middleware(LoggingMiddleware)


async def customer(name: str = "guest") -> str:
    """Bind who asks: what is logged below says it."""
    logboom.bind(customer=name)
    return name


@app.get("/orders/{number}")
async def order(number: int, who: Annotated[str, Depends(customer)]) -> dict[str, str | int]:
    """Give an order."""
    if number > 999:
        logger.warning("no such order", extra={"order": number})
        raise HTTPException(404, "no such order")
    logger.info("order %d is fetched", number, extra={"order": number, "items": 3})
    return {"order": number, "customer": who}


@app.get("/broken")
async def broken() -> None:
    """Fail: the access line has the traceback, and the answer the same request id."""
    raise RuntimeError("the database is gone")


@app.get("/health")
async def health() -> dict[str, str]:
    """Say that all is well; has no access line as long as it is."""
    return {"status": "ok"}
