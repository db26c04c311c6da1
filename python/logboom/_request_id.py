"""Ids of requests: which are taken from a client, and how new ones are made.

An id is taken when it is 1 to 128 characters of ``A-Z a-z 0-9 . _ : / + = @ -``. Anything else could
forge a line or drive a terminal, and is replaced by a new one, never repaired. That holds as well for
what a program's own factory makes; a factory that raises is reported, and costs no request.

Pinned by ``tests/python/test_litestar_plugin.py``.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from logboom._access import report
from logboom._options import invalid

if TYPE_CHECKING:
    from collections.abc import Callable

FIELD = "request_id"

_VALID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_VALID_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def new_request_id() -> str:
    """Make 32 random hexadecimal digits."""
    # Not from a generator with a state: forked workers would share it.
    return os.urandom(16).hex()


def header_of(name: str) -> bytes:
    """Give a header's name as servers give it.

    Raises `ConfigError` for what is no name of a header.
    """
    if not _VALID_HEADER_NAME.fullmatch(name):
        raise invalid("request_id_header", name, "a header name")
    return name.lower().encode("ascii")


def is_id(given: str) -> bool:
    """Whether a text is an id as one is taken."""
    return _VALID.fullmatch(given.encode("ascii", "replace")) is not None


def id_of(brought: Any, factory: Callable[[], str]) -> str:
    """Give the id that a request brings along, the value of a header in bytes, or a new one."""
    if isinstance(brought, (bytes, bytearray)) and _VALID.fullmatch(brought):
        return brought.decode("ascii")
    return _made(factory)


def _made(factory: Callable[[], str]) -> str:
    if factory is new_request_id:
        return new_request_id()
    try:
        made = str(factory())
        if is_id(made):
            return made
    except Exception:  # noqa: BLE001 - the request goes on
        report()
    return new_request_id()
