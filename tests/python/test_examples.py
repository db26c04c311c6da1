"""Each example is started on its usual server and called, and its lines are read."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.python import serving

ROOT = Path(__file__).parents[2] / "examples"
GUNICORN = ("--logger-class", "logboom.gunicorn.Logger", "-b", "127.0.0.1:{port}")
UVICORN = ("--log-config", "{config}", "--port", "{port}")
EXAMPLES = {
    "litestar": ("uvicorn", "app:app", *UVICORN),
    "fastapi": ("uvicorn", "app:app", *UVICORN),
    "django": ("gunicorn", "app:application", *GUNICORN),
    "django-asgi": ("uvicorn", "app:asgi_application", *UVICORN),
    "flask": ("gunicorn", "app:app", *GUNICORN),
}
PATHS = ("/orders/42?name=ada", "/orders/1000", "/broken", "/health", "/nowhere")
ROUTES = {
    "litestar": "/orders/{number}",
    "fastapi": "/orders/{number}",
    "django": "/orders/<int:number>",
    "django-asgi": "/orders/<int:number>",
    "flask": "/orders/<int:number>",
}


def run(name: str, output: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    answers = {}
    directory = ROOT / name.partition("-")[0]
    plain = {"PYTHONDONTWRITEBYTECODE": "1"}
    with serving.served(EXAMPLES[name], directory, output, **plain) as (process, port):
        for path in PATHS:
            given = "id:" + path.partition("?")[0]
            status, headers, _ = serving.ask(port, path, **{"X-Request-ID": given})
            answers[path] = (status, headers.get("x-request-id"))
        serving.end(process)
    return answers, serving.json_lines(output)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_says_what_it_should(name, tmp_path):
    for package in (name.partition("-")[0], EXAMPLES[name][0]):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not there for this interpreter")
    answers, lines = run(name, tmp_path / "server.out")
    assert [status for status, _ in answers.values()] == [200, 404, 500, 200, 404]
    assert all(given == "id:" + path.partition("?")[0] for path, (_, given) in answers.items())
    of = {
        path: [one for one in lines if one.get("request_id") == path]
        for _, path in answers.values()
    }

    fetched, line = of["id:/orders/42"]
    assert (fetched["message"], fetched["order"], fetched["items"]) == (
        "order 42 is fetched",
        42,
        3,
    )
    assert fetched["customer"] == "ada"
    assert (line["logger"], line["status"], line["route"]) == ("logboom.access", 200, ROUTES[name])
    assert "ada" not in line["path"]

    warning, line = of["id:/orders/1000"]
    assert (warning["level"], warning["order"]) == ("WARNING", 1000)
    assert (line["level"], line["status"], line["route"]) == ("INFO", 404, ROUTES[name])

    (line,) = of["id:/broken"]
    assert (line["level"], line["status"], line["error"]) == ("ERROR", 500, "RuntimeError")
    assert "the database is gone" in line["exception"] and "Traceback" in line["exception"]
    assert sum("the database is gone" in json.dumps(one) for one in lines) == 1

    assert of["id:/health"] == []
    (line,) = of["id:/nowhere"]
    assert (line["status"], line["level"]) == (404, "INFO")
    # No server's access line beside ours.
    assert not [
        one for one in lines if one["logger"].endswith(".access") and one["logger"][:3] != "log"
    ]
