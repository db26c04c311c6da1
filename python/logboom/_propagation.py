"""What an outgoing call is told of the request that it is made for: its id and its trace.

Invariants:

1. A header that the program set stays. One that was put there for an earlier request, on a request
   object that is sent again, does not.
2. Nothing here raises, and nothing is told outside of a request.
3. An id that could break a header is not told.

``traceparent`` is that of the OpenTelemetry span which is current, where the program has imported
OpenTelemetry; else the one that the request brought along, unchanged, as W3C Trace Context 3.3 has it
for who takes no part in the trace. Pinned by ``tests/python/test_propagation.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from logboom import _access, _context, _trace
from logboom._request_id import FIELD, header_of, is_id

if TYPE_CHECKING:
    from collections.abc import Container


class Propagation:
    """Which headers an outgoing call gets.

    ``request_id_header``: the header of the id; default ``"X-Request-ID"``.

    Raises `ConfigError` for what is no name of a header.
    """

    def __init__(self, *, request_id_header: str = "X-Request-ID") -> None:
        header_of(request_id_header)
        self._header = request_id_header

    def missing_in(self, headers: Container[str]) -> dict[str, str]:
        """Give what is to be put beside the headers that the program set."""
        return {name: value for name, value in self.headers().items() if name not in headers}

    def headers(self) -> dict[str, str]:
        """Give what the request that runs here is to be told by."""
        found = {}
        request_id = _context.context().get(FIELD)
        if isinstance(request_id, str) and is_id(request_id):
            found[self._header] = request_id
        span = _trace.current_span()
        trace = _brought_along() if span is None else span.traceparent
        if trace is not None:
            found["traceparent"] = trace
        return found


def _brought_along() -> str | None:
    exchange = _access.current.get()
    return None if exchange is None else exchange.traceparent
