"""A Flask application with logboom: one line of set-up, one line a request."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, abort, request

import logboom
from logboom.wsgi import LoggingMiddleware

logboom.basicConfig(level="INFO")
logger = logging.getLogger("shop")

app = Flask(__name__)
app.wsgi_app = LoggingMiddleware(app.wsgi_app)  # type: ignore[method-assign]


@app.before_request
def customer() -> None:
    """Bind who asks: what is logged below says it."""
    logboom.bind(customer=request.args.get("name", "guest"))


@app.get("/orders/<int:number>")
def order(number: int) -> dict[str, Any]:
    """Give an order."""
    if number > 999:
        logger.warning("no such order", extra={"order": number})
        abort(404)
    logger.info("order %d is fetched", number, extra={"order": number, "items": 3})
    return {"order": number, "customer": logboom.context()["customer"]}


@app.get("/broken")
def broken() -> str:
    """Fail: the access line has the traceback, and the answer the same request id."""
    raise RuntimeError("the database is gone")


@app.get("/health")
def health() -> dict[str, str]:
    """Say that all is well; has no access line as long as it is."""
    return {"status": "ok"}
