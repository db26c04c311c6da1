"""A Django application with logboom, for WSGI and for ASGI: one line of set-up, one line a request."""

from __future__ import annotations

import logging
import os
from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import path

import logboom
from logboom import asgi, wsgi

logboom.basicConfig(level="INFO")
logger = logging.getLogger("shop")

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "localhost", "testserver"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ.get("SECRET_KEY", "for this example only"),
    LOGGING_CONFIG=None,  # it is configured above
)


def order(request: HttpRequest, number: int) -> JsonResponse:
    """Give an order."""
    name = request.GET.get("name", "guest")
    logboom.bind(customer=name)
    if number > 999:
        logger.warning("no such order", extra={"order": number})
        raise Http404("no such order")
    logger.info("order %d is fetched", number, extra={"order": number, "items": 3})
    return JsonResponse({"order": number, "customer": name})


def broken(_: HttpRequest) -> JsonResponse:
    """Fail: the access line has the traceback, and the answer the same request id."""
    raise RuntimeError("the database is gone")


def health(_: HttpRequest) -> JsonResponse:
    """Say that all is well; has no access line as long as it is."""
    return JsonResponse({"status": "ok"})


urlpatterns: list[Any] = [
    path("orders/<int:number>", order),
    path("broken", broken),
    path("health", health),
]

application = wsgi.LoggingMiddleware(get_wsgi_application())
asgi_application = asgi.LoggingMiddleware(get_asgi_application())
