"""What a request brings along for its access line: client, user agent and query.

Invariants:

1. Nothing here raises: a header that is no bytes, a client that is no pair and a missing key cost the
   line that one field.
2. The client is who the server says. ``X-Forwarded-For`` counts only as far as ``forwarded_hops`` of
   our own proxies have written it, from the right; what stands to the left of that is anybody's word.
3. What a query says under a name that sounds of a secret is never told.

Pinned by ``tests/python/test_arrival.py``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from logboom._access import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logboom._access import AccessLog

WANTED = frozenset({b"user-agent", b"traceparent", b"x-forwarded-for"})
# With a port or without; one of IPv6 with a port stands in brackets.
_ADDRESS = re.compile(
    r"([0-9.]{7,15})(?::[0-9]{1,5})?"
    r"|\[([0-9A-Fa-f:.%]{2,64})\](?::[0-9]{1,5})?"
    r"|([0-9A-Fa-f:.%]{2,64})"
)
_LONGEST = 1024  # bytes of a header or a query that are looked at
_SECRET = re.compile(
    r"pass|pwd|secret|token|auth|key|session|sid$|sign|^sig$|credential|cookie|jwt|otp|^code$|^pin$",
    re.IGNORECASE,
)


def headers_of(scope: Any, wanted: frozenset[bytes] = WANTED) -> dict[bytes, list[Any]]:
    """Give those headers of an ASGI scope that are looked at."""
    found: dict[bytes, list[Any]] = {}
    try:
        for name, value in scope.get("headers") or ():
            if name in wanted:
                found.setdefault(name, []).append(value)
    except (TypeError, ValueError, AttributeError):  # malformed from here on
        pass
    return found


def fields_of(
    access: AccessLog, peer: Any, headers: dict[bytes, list[Any]], query: Any
) -> dict[str, Any]:
    """Give the fields of a request that came from ``peer``, an address of the server's."""
    fields: dict[str, Any] = {}
    client = _client(peer, headers.get(b"x-forwarded-for"), access.forwarded_hops)
    if client:
        fields["client"] = client
    if access.user_agent and (agents := headers.get(b"user-agent")):
        agent = text_of(agents[0])
        if agent:
            fields["user_agent"] = agent
    if access.query and (asked := text_of(query)):
        fields["query"] = without_secrets(asked)
    return fields


def text_of(value: Any) -> str:
    """Give bytes or a text of a client's as it may be shown; nothing where it is neither."""
    if isinstance(value, (bytes, bytearray)):
        value = bytes(value[:_LONGEST]).decode("latin-1")
    return shown(value[:_LONGEST]) if isinstance(value, str) else ""


def peer_of(scope: Any) -> Any:
    """Give the address that a server says a request came from."""
    client = scope.get("client")
    return client[0] if isinstance(client, (tuple, list)) and client else None


def _client(peer: Any, forwarded: Sequence[Any] | None, hops: int) -> str:
    if hops and forwarded:
        # From the right, however much a client sent to the left of it.
        entries = [entry for header in forwarded for entry in _last_entries(header, hops)]
        # Fewer entries than hops: all of them are our proxies'.
        entry = entries[-min(hops, len(entries))] if entries else ""
        if found := _ADDRESS.fullmatch(entry):
            return str(found[1] or found[2] or found[3])
    return shown(str(peer)) if isinstance(peer, str) else ""


def _last_entries(header: Any, hops: int) -> list[str]:
    text = header.decode("latin-1") if isinstance(header, (bytes, bytearray)) else header
    if not isinstance(text, str):
        return []
    return [one.strip() for one in text.rsplit(",", hops)[-hops:]]


def without_secrets(query: str) -> str:
    """Give a query with ``***`` for what it says under names that sound of secrets."""
    parts = []
    for part in query.split("&"):
        name, equals, _ = part.partition("=")
        parts.append(f"{name}=***" if equals and _SECRET.search(unquote_plus(name)) else part)
    return "&".join(parts)
