"""Applications that are to be changed in nothing, and those of structlog, beside the plugin."""

from __future__ import annotations

import atexit
import json
import logging
import logging.handlers
import os
import sys
from typing import Any

import pytest
from litestar import Litestar, Request, get
from litestar.testing import TestClient

import logboom
from logboom._lane import NAME
from logboom.litestar import LogboomPlugin, LoggingConfig
from logboom.litestar._features import HAS_CONFIG

if not HAS_CONFIG:
    pytest.skip("needs Litestar 2", allow_module_level=True)

from litestar.logging import LoggingConfig as ShippedConfig, StructLoggingConfig

pytestmark = pytest.mark.usefixtures("logging_as_it_was")


@get("/")
async def hello(request: Request) -> str:
    request.logger.info("hello")
    return ""


@get("/boom")
async def boom() -> None:
    raise ValueError("boom")


@pytest.fixture
def ended():
    """End the listeners that Litestar's configurations made."""
    yield
    for logger in (logging.root, logging.getLogger("litestar")):
        for handler in logger.handlers:
            if isinstance(getattr(handler, "listener", None), logging.handlers.QueueListener):
                atexit.unregister(handler.listener.stop)
                if handler.listener._thread is not None:
                    handler.listener.stop()


def test_a_configuration_that_is_adopted_is_the_one_that_was_given(thread_names, ended):
    own = ShippedConfig(logging_module="logging", log_exceptions="always")
    before = thread_names(os.getpid())
    app = Litestar([hello], logging_config=own, plugins=[LogboomPlugin(adopt=True)])
    assert app.logging_config is own
    for _ in range(3):
        own.configure()
    (handler,) = logging.root.handlers
    assert isinstance(handler, logging.handlers.QueueHandler)
    started = [name for name in thread_names(os.getpid()) if name not in before]
    assert set(started) <= {NAME}
    assert type(handler.listener._thread).__module__ == "logboom._lane"
    with TestClient(app) as client:
        assert client.get("/").status_code == 200


def test_what_an_adopted_application_logs_reaches_its_own_handlers(tmp_path, ended):
    path = tmp_path / "own.log"
    own = ShippedConfig(
        logging_module="logging",
        formatters={"standard": {"format": "%(levelname)s %(message)s"}},
        handlers={
            "console": {
                "class": "logging.FileHandler",
                "filename": str(path),
                "formatter": "standard",
            },
            **({} if sys.version_info >= (3, 12) else _behind_console()),
        },
    )
    app = Litestar([hello], logging_config=own, plugins=[LogboomPlugin(adopt=True)])
    with TestClient(app) as client:
        client.get("/")
    assert logboom.flush(timeout=30)
    assert "INFO hello" in path.read_text().splitlines()
    for handler in {one for one in logging.root.handlers if hasattr(one, "listener")}:
        for behind in handler.listener.handlers:
            behind.close()


def _behind_console() -> dict[str, Any]:
    queue = "litestar.logging.standard.QueueListenerHandler"
    return {"queue_listener": {"class": queue, "handlers": ["cfg://handlers.console"]}}


# The format


@pytest.mark.parametrize(
    ("chosen", "environment", "kind"),
    [
        ("auto", "", logboom.JsonFormatter),
        ("auto", "logfmt", logboom.LogfmtFormatter),
        ("logfmt", "json", logboom.LogfmtFormatter),
        ("json", "", logboom.JsonFormatter),
        ("litestar", "json", logging.Formatter),
    ],
)
def test_the_format_that_nobody_chose_is_for_machines(chosen, environment, kind, monkeypatch):
    monkeypatch.setenv("LOGBOOM_FORMAT", environment)
    for given in (None, LoggingConfig()):
        Litestar([hello], plugins=[LogboomPlugin(given, format=chosen)])
        (handler,) = logging.root.handlers
        assert type(handler.formatter) is kind
    own = LoggingConfig(formatters={"standard": {"format": "%(message)s"}})
    Litestar([hello], plugins=[LogboomPlugin(own, format=chosen)])
    assert type(logging.root.handlers[0].formatter) is logging.Formatter


def test_the_callers_configuration_is_not_changed_by_the_format():
    given = LoggingConfig()
    Litestar([hello], plugins=[LogboomPlugin(given)])
    assert given.formatters["standard"]["format"].startswith("%(levelname)s")


def test_an_unknown_format_is_refused():
    with pytest.raises(logboom.ConfigError, match="invalid `format`: got 'xml', expected one of"):
        LogboomPlugin(format="xml")


# structlog


@pytest.fixture
def structlog():
    module = pytest.importorskip("structlog", reason="needs structlog")
    yield module
    module.reset_defaults()


def test_a_structlog_configuration_stays_and_its_standard_part_is_native(structlog, thread_names):
    own = StructLoggingConfig(log_exceptions="always")
    app = Litestar([hello, boom], logging_config=own, plugins=[LogboomPlugin(access=False)])
    assert app.logging_config is own
    assert type(own.standard_lib_logging_config) is LoggingConfig
    with structlog.testing.capture_logs() as told, TestClient(app) as client:
        client.get("/")
        client.get("/boom")
    assert [one["event"] for one in told] == ["hello", "Uncaught exception"]
    assert (told[1]["path"], told[1]["connection_type"]) == ("/boom", "http")


@pytest.mark.parametrize("order", ["before", "after"])
def test_the_structlog_plugin_starts_no_thread_and_its_lines_are_native(
    order, structlog, thread_names, capfd
):
    from litestar.plugins.structlog import StructlogPlugin

    before = thread_names(os.getpid())
    plugins = [LogboomPlugin(), StructlogPlugin()]
    app = Litestar([hello], plugins=plugins if order == "before" else plugins[::-1])
    with structlog.testing.capture_logs() as told, TestClient(app) as client:
        assert client.get("/?token=sesame").status_code == 200
    assert [one["event"] for one in told] == ["HTTP Request", "hello", "HTTP Response"]
    assert "sesame" not in json.dumps(told, default=str)
    assert "body" not in told[0]
    started = [name for name in thread_names(os.getpid()) if name not in before]
    assert set(started) <= {"logboom-writer", NAME}


def test_lines_of_structlog_have_the_id_and_an_exception_is_told_once(structlog, log):
    told: list[Any] = []

    def collect(_: Any, __: Any, line: Any) -> Any:
        told.append(dict(line))
        raise structlog.DropEvent

    own = StructLoggingConfig(processors=[collect], log_exceptions="always")
    access = logging.getLogger("logboom.access")
    handler = logboom.FileHandler(log.path)
    handler.setFormatter(logboom.JsonFormatter())
    access.handlers, access.propagate = [handler], False
    access.setLevel("INFO")
    app = Litestar([hello, boom], logging_config=own, plugins=[LogboomPlugin()])
    with TestClient(app) as client:
        client.get("/", headers={"X-Request-ID": "given"})
        assert client.get("/boom").status_code == 500
    handler.close()
    assert told == [{"event": "hello", "request_id": "given"}]
    first, second = map(json.loads, log.lines())
    assert (first["status"], second["status"], second["error"]) == (200, 500, "ValueError")
    assert "Traceback" in json.dumps(second)


def test_a_structlog_configuration_alone_leaves_no_line_without_a_place(structlog, log):
    before = list(logging.root.handlers)
    logging.root.handlers = []
    try:
        Litestar([hello], logging_config=StructLoggingConfig(), plugins=[LogboomPlugin()])
        assert [type(handler) for handler in logging.root.handlers] == [logboom.StreamHandler]
        assert logging.getLogger("logboom.access").isEnabledFor(logging.INFO)
    finally:
        logging.root.handlers = before
