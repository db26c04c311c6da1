"""A Litestar application with logboom: one plugin, one line a request."""

from __future__ import annotations

import logging
from typing import Any

from litestar import Litestar, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery  # noqa: TC002 - read when it runs

import logboom
from logboom.litestar import LogboomPlugin

logboom.basicConfig(level="INFO")
logger = logging.getLogger("shop")


@get("/orders/{number:int}")
async def order(number: FromPath[int], name: FromQuery[str] = "guest") -> dict[str, Any]:
    """Give an order."""
    logboom.bind(customer=name)
    if number > 999:
        logger.warning("no such order", extra={"order": number})
        raise NotFoundException("no such order")
    logger.info("order %d is fetched", number, extra={"order": number, "items": 3})
    return {"order": number, "customer": name}


@get("/broken")
async def broken() -> None:
    """Fail: there is one line with the traceback, and the answer has the same request id."""
    raise RuntimeError("the database is gone")


@get("/health")
async def health() -> dict[str, str]:
    """Say that all is well; has no access line as long as it is."""
    return {"status": "ok"}


app = Litestar([order, broken, health], plugins=[LogboomPlugin()])
