"""What Litestar's request lines tell of a request and a response, read so that nothing raises.

Invariants:

1. A value that cannot be read (bytes of no encoding, a malformed header, a scope without the key) is
   told as such, and the others are told all the same.
2. The body is what the application itself received or sent: nothing is read for the sake of a line,
   and no more than ``LONGEST_BODY`` bytes are kept.
3. Headers, cookies, query parameters and the keys of a body that hold secrets are hidden: those that
   the configuration names, and those whose name says so.
4. A text made for a line has no control characters.

Pinned by ``tests/python/test_litestar_lines.py``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from litestar.connection import Request
from litestar.serialization import encode_json
from litestar.utils.scope import get_serializer_from_scope

from logboom._access import escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HIDDEN = "*****"
LONGEST_BODY = 16_384
# Names come from clients, and must not fill the memory.
_MOST_KNOWN = 1024
_SECRET_WORDS = frozenset(
    {
        "auth",
        "authorization",
        "cookie",
        "cookies",
        "credential",
        "credentials",
        "csrf",
        "jwt",
        "passphrase",
        "passwd",
        "password",
        "pin",
        "pwd",
        "secret",
        "session",
        "sessionid",
        "signature",
        "sid",
        "token",
        "tokens",
        "xsrf",
        "apikey",
    }
)
_SECRET_PAIRS = ("api_key", "access_key", "private_key", "client_secret")


def is_secret(name: str) -> bool:
    """Whether the name of a header, a parameter or a key says that its value is a secret."""
    flat = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
    return not _SECRET_WORDS.isdisjoint(flat.split("_")) or any(
        pair in flat for pair in _SECRET_PAIRS
    )


class Hiding:
    """Which names are hidden: those given, and those that say so themselves. Verdicts are kept."""

    __slots__ = ("_given", "_known")

    def __init__(self, given: Iterable[str]) -> None:
        self._given = frozenset(name.lower() for name in given)
        self._known: dict[str, bool] = {}

    def __call__(self, name: str) -> bool:
        """Whether the value under a name is hidden."""
        verdict = self._known.get(name)
        if verdict is None:
            verdict = name.lower() in self._given or is_secret(name)
            if len(self._known) < _MOST_KNOWN:
                self._known[name] = verdict
        return verdict

    def within(self, value: Any, depth: int = 8) -> Any:
        """Give a value of builtin types without what is under hidden names."""
        if depth == 0:
            return "…"
        if isinstance(value, dict):
            return {
                key: HIDDEN if self(str(key)) else self.within(one, depth - 1)
                for key, one in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.within(one, depth - 1) for one in value]
        return value


def read(reader: Callable[[], Any]) -> Any:
    """Give what a reader gives, or say that it could not."""
    try:
        return reader()
    except Exception as error:  # noqa: BLE001 - a line must not cost the request
        return f"<unreadable: {type(error).__name__}>"


def headers(pairs: Iterable[tuple[bytes, bytes]], hiding: Hiding) -> dict[str, str]:
    """Give headers by name; those that are there more than once are joined."""
    found: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name = raw_name.decode("latin-1")
        if name.lower() == "set-cookie":
            continue  # told as cookies
        value = HIDDEN if hiding(name) else raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def response_cookies(pairs: Iterable[tuple[bytes, bytes]], hiding: Hiding) -> dict[str, str]:
    """Give the cookies that a response sets, with their attributes, as Litestar does."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name.lower() != b"set-cookie":
            continue
        for part in value.decode("latin-1").split(";"):
            key, _, text = part.strip().partition("=")
            found[key] = HIDDEN if hiding(key) else text
    return found


def body(data: bytes, whole: bool, content_type: str, hiding: Hiding) -> Any:
    """Give a body as a value of builtin types: what it holds where that is known, else its size."""
    kind = content_type.partition(";")[0].strip().lower()
    if not data and whole:
        return None
    if whole and (kind == "application/json" or kind.endswith("+json")):
        try:
            return hiding.within(json.loads(data))
        except (ValueError, RecursionError):
            return text_of(data)
    if whole and kind == "application/x-www-form-urlencoded":
        return hiding.within(dict(parse_qsl(data.decode("latin-1"), keep_blank_values=True)))
    size = f"{len(data)} bytes" if whole else f"more than {len(data)} bytes"
    if kind.startswith("text/") and whole:
        return text_of(data)
    # A part of a form or of JSON cannot be searched for secrets, and other types are no text.
    return f"<{kind or 'no content type'}, {size}>"


def text_of(data: bytes) -> str:
    """Give bytes as text."""
    return data.decode("utf-8", "backslashreplace")


class RequestReader:
    """Reads the fields of a request line from a scope."""

    __slots__ = ("_cookies", "_headers", "_parse_query")

    def __init__(self, hidden_headers: Hiding, hidden_cookies: Hiding, parse_query: bool) -> None:
        self._headers = hidden_headers
        self._cookies = hidden_cookies
        self._parse_query = parse_query

    def fields(self, names: Iterable[str], scope: Any, received: Any) -> dict[str, Any]:
        """Give the fields by name, in their order; ``received``: the body."""
        request: Request[Any, Any, Any] = Request(scope)
        readers: dict[str, Callable[[], Any]] = {
            "path": lambda: scope["path"],
            "method": lambda: scope["method"],
            "scheme": lambda: scope["scheme"],
            "client": lambda: tuple(scope.get("client") or ("", 0)),
            "content_type": lambda: request.content_type,
            "headers": lambda: headers(scope["headers"], self._headers),
            "cookies": lambda: self._cookies.within(dict(request.cookies)),
            "query": lambda: self._query(request),
            "path_params": lambda: self._headers.within(dict(scope["path_params"])),
            "body": lambda: received,
        }
        return {name: read(readers[name]) for name in names if name in readers}

    def _query(self, request: Request[Any, Any, Any]) -> Any:
        if self._parse_query:
            return self._headers.within(request.query_params.dict())
        parts = request.scope["query_string"].decode("latin-1").split("&")
        hide = (HIDDEN if self._headers(part.partition("=")[0]) else None for part in parts)
        return "&".join(
            part if hidden is None else f"{part.partition('=')[0]}={hidden}"
            for part, hidden in zip(parts, hide, strict=True)
        )


def line(values: dict[str, Any], scope: Any) -> str:
    """Give fields as Litestar writes them into a message: ``path=/, method=GET``."""
    text = ", ".join(f"{key}={_shown(value, scope)}" for key, value in values.items())
    return escaped(text)


def _shown(value: Any, scope: Any) -> Any:
    if not isinstance(value, (dict, list, tuple, set)):
        return value
    try:
        return encode_json(value, get_serializer_from_scope(scope)).decode()
    except Exception:  # noqa: BLE001 - a parameter of a type that has no JSON
        return read(lambda: json.dumps(value, default=str))
