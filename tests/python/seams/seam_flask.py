"""Flask makes its logger when it is first asked for, with a handler that finds the request's stream."""

from __future__ import annotations

import io
import logging

import flask
import seam
from flask.logging import default_handler, has_level_handler, wsgi_errors_stream


def _app() -> flask.Flask:
    app = flask.Flask("shop")

    @app.get("/")
    def index() -> str:
        app.logger.warning("in the request %s", flask.request.path)
        return "fine"

    @app.get("/broken")
    def broken() -> str:
        raise LookupError("no such order")

    # Its own shows a time.
    default_handler.setFormatter(logging.Formatter("%(levelname)s in %(module)s: %(message)s"))
    return app


def default_handler_of_its_own(side: seam.Side) -> None:
    app = _app()
    logger = side.logger("shop")
    assert app.logger is logger
    assert logger.handlers == [default_handler]
    errors = io.StringIO()
    client = app.test_client()
    for _ in range(seam.WARM):
        client.get("/", errors_stream=errors)
    assert client.get("/broken", errors_stream=errors).status_code == 500
    assert errors.getvalue().count("WARNING in seam_flask: in the request /") == seam.WARM
    assert "LookupError: no such order" in errors.getvalue()
    app.logger.error("outside, to standard error")


def no_handler_of_its_own_where_there_is_ours(side: seam.Side) -> None:
    root = side.logger(None)
    path = side.file(root)
    app = _app()
    logger = side.logger("shop")
    assert app.logger.handlers == []
    assert has_level_handler(logger)
    client = app.test_client()
    for _ in range(seam.WARM):
        client.get("/")
    assert seam.text(path, root).count("WARNING:shop:in the request /") == seam.WARM
    print(seam.text(path, root))


def our_handler_on_its_stream(side: seam.Side) -> None:
    app = _app()
    logger = side.logger("shop")
    app.logger.removeHandler(default_handler)
    app.logger.addHandler(side.StreamHandler(wsgi_errors_stream))
    errors = io.StringIO()
    for _ in range(seam.WARM):
        app.test_client().get("/", errors_stream=errors)
    logger.error("outside, to standard error")
    assert errors.getvalue() == seam.WARM * "in the request /\n"
