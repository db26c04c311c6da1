"""What Flask answers is told by the access line; the application's own logger stays as it is."""

from __future__ import annotations

import logging
from typing import Any

import pytest

import logboom
from logboom.wsgi import LoggingMiddleware

flask = pytest.importorskip("flask", reason="flask is not there for this interpreter")
pytestmark = pytest.mark.usefixtures("logging_as_it_was")


def made(kind: Any) -> Any:
    app = kind(__name__)

    @app.route("/items/<int:number>")
    def item(number: int) -> str:
        raise LookupError("as asked")

    app.wsgi_app = LoggingMiddleware(app.wsgi_app)
    return app


def test_an_answered_exception_is_one_line(caplog):
    caplog.set_level(logging.INFO)
    app = made(flask.Flask)
    assert app.logger.filters == []
    LoggingMiddleware(app.wsgi_app)
    answer = app.test_client().get("/items/7")
    assert (answer.status_code, len(answer.headers.getlist("X-Request-ID"))) == (500, 1)
    (line,) = [one for one in caplog.records if one.name != "httpx"]
    assert (line.name, line.levelname, line.status) == ("logboom.access", "ERROR", 500)
    assert (line.error, line.route) == ("LookupError", "/items/<int:number>")
    assert line.exc_info is not None
    # Outside of requests it is said as ever.
    caplog.clear()
    with app.test_request_context("/items/7"):
        app.log_exception((LookupError, LookupError("another"), None))
    assert [one.getMessage() for one in caplog.records] == ["Exception on /items/7 [GET]"]


def test_a_log_exception_of_the_programs_is_called_as_ever(caplog):
    seen: list[Any] = []

    class Own(flask.Flask):  # type: ignore[misc, name-defined]
        def log_exception(self, exc_info: Any) -> None:
            seen.append(exc_info[0])

    assert made(Own).test_client().get("/items/7").status_code == 500
    assert seen == [LookupError]


def test_an_exception_that_flask_lets_through_is_raised_at_once(caplog):
    app = made(flask.Flask)
    app.testing = True
    with pytest.raises(LookupError, match="as asked"):
        app.test_client().get("/items/7")
    (line,) = [one for one in caplog.records if one.name == "logboom.access"]
    assert (line.status, line.error) == (500, "LookupError")
    assert logboom.context() == {}
