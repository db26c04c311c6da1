"""Django's default configuration, its mails to administrators, its reports of requests."""

from __future__ import annotations

import logging
import re
from typing import Any

import django
import seam
from django.conf import settings
from django.core import mail
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import setup_test_environment
from django.urls import path


def _fine(request: HttpRequest) -> HttpResponse:
    logging.getLogger("app").info("in the view of %s", request.path)
    return HttpResponse("fine")


def _broken(request: HttpRequest) -> HttpResponse:
    raise LookupError("no such order")


urlpatterns = [path("fine/", _fine), path("broken/", _broken)]


def _setup(**more: Any) -> None:
    settings.configure(
        SECRET_KEY="test",
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["testserver"],
        ADMINS=[("Admin", "admin@example.com")],
        EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
        **more,
    )
    django.setup()
    setup_test_environment()


def default_configuration(side: seam.Side) -> None:
    _setup(DEBUG=False)
    request, server = side.logger("django.request"), side.logger("django.server")
    mails = [one for one in logging.getLogger("django").handlers if one.level == logging.ERROR]
    assert [type(one).__name__ for one in mails] == ["AdminEmailHandler"]
    client = Client(raise_request_exception=False)
    for _ in range(seam.WARM):
        assert client.get("/broken/").status_code == 500
        assert client.get("/none/").status_code == 404
    assert len(mail.outbox) == seam.WARM
    assert mail.outbox[0].subject.endswith("Internal Server Error: /broken/")
    server.info('"%s" %s', "GET /", 200, extra={"status_code": 200, "server_time": "now"})
    request.warning("no mail for this")
    print([(one.subject, one.to, "LookupError" in one.body) for one in mail.outbox])


def in_debug_mode_to_the_console(side: seam.Side) -> None:
    _setup(DEBUG=True)
    logger = side.logger("django.request")
    client = Client(raise_request_exception=False)
    for _ in range(seam.WARM):
        client.get("/none/")
    logger.error("no mail in debug mode")
    assert mail.outbox == []


def our_handlers_in_its_configuration(side: seam.Side) -> None:
    _setup(
        DEBUG=False,
        LOGGING={
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {
                "no_debug": {"()": "django.utils.log.RequireDebugFalse"},
                "only_views": {
                    "()": "django.utils.log.CallbackFilter",
                    "callback": lambda record: "view" in record.getMessage(),
                },
            },
            "formatters": {
                "server": {
                    "()": "django.utils.log.ServerFormatter",
                    "format": "{message}",
                    "style": "{",
                },
                "plain": {"format": "%(levelname)s %(name)s %(message)s"},
            },
            "handlers": {
                "app": {
                    "class": side.file_handler,
                    "filename": "app.log",
                    "filters": ["no_debug", "only_views"],
                    "formatter": "plain",
                },
                "requests": {
                    "class": side.file_handler,
                    "filename": "requests.txt",
                    "formatter": "plain",
                },
                "console": {"class": side.stream_handler, "formatter": "server"},
            },
            "loggers": {
                "app": {"handlers": ["app", "console"], "level": "INFO", "propagate": False},
                "django.request": {"handlers": ["requests"], "level": "INFO", "propagate": False},
            },
        },
    )
    logger, request = side.logger("app"), side.logger("django.request")
    client = Client(raise_request_exception=False)
    for _ in range(seam.WARM):
        client.get("/fine/")
        client.get("/none/")
        client.get("/broken/")
        logger.info("nothing of the kind")
    seam.flush(logger)
    seam.flush(request)
    # The traceback of a view has the addresses of nothing, and Django's own lines.
    told = seam.Path("requests.txt").read_text()
    assert len(re.findall("^WARNING django.request Not Found: /none/$", told, re.M)) == seam.WARM
    assert told.count("LookupError: no such order") == seam.WARM
    assert seam.Path("app.log").read_text() == seam.WARM * "INFO app in the view of /fine/\n"
    assert side.reached_the_engine(seam.WARM)


def mail_handler_beside_ours(side: seam.Side) -> None:
    from django.utils.log import AdminEmailHandler

    _setup(DEBUG=False)
    logger = side.logger()
    logger.propagate = False
    path = side.file(logger)
    logger.addHandler(AdminEmailHandler(include_html=False))
    for turn in range(seam.WARM):
        logger.error("turn %d\nof four", turn, extra={"request": RequestFactory().get("/a")})
    assert [one.subject for one in mail.outbox][1].endswith("turn 1\\nof four")
    print([one.subject for one in mail.outbox], seam.text(path, logger))
