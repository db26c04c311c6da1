"""The trace that a request belongs to: OpenTelemetry's current span, or else its ``traceparent``.

Invariants:

1. A header counts when it is what W3C Trace Context (Level 2, sections 3.2 and 4.3) says, to the letter:
   lower-case digits, no id of zeros, version ``00`` with nothing behind its flags, a later version
   with nothing or a dash behind them, version ``ff`` never, and one header, not two. All others are as
   none.
2. Nothing here raises, and nothing is imported: OpenTelemetry is asked where the program imported it.

Pinned by ``tests/python/test_trace.py``.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST = 512  # bytes; later versions may say more behind the flags, and this is enough for it
_FORM = re.compile(
    rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-[!-~]*)?"
)


class Trace(NamedTuple):
    """Which trace, and which span in it."""

    trace_id: str
    span_id: str
    traceparent: str

    def ids(self) -> dict[str, str]:
        """Give both, as fields of a line."""
        return {"trace_id": self.trace_id, "span_id": self.span_id}


def parse(headers: Sequence[object]) -> Trace | None:
    """Read the ``traceparent`` headers of a request: bytes, or text of latin-1."""
    if len(headers) != 1:
        return None
    value = headers[0]
    if isinstance(value, str):
        value = value.encode("latin-1", "replace")
    if not isinstance(value, bytes) or len(value) > _LONGEST:
        return None
    found = _FORM.fullmatch(value.strip(b" \t"))
    if found is None or (found[1] == b"00" and found[4] is not None):
        return None
    return Trace(found[2].decode(), found[3].decode(), found[0].decode())


def current_span() -> Trace | None:
    """Give the span of OpenTelemetry that is current here."""
    module = sys.modules.get("opentelemetry.trace")
    if module is None:
        return None
    try:
        span = module.get_current_span().get_span_context()
        if not span.is_valid:
            return None
        trace_id, span_id = f"{span.trace_id:032x}", f"{span.span_id:016x}"
        flags = int(span.trace_flags)
    except Exception:  # noqa: BLE001 - half imported, or of another version
        return None
    return Trace(trace_id, span_id, f"00-{trace_id}-{span_id}-{flags:02x}")


def of(headers: Sequence[object] | None) -> Trace | None:
    """Give the trace of a request that begins here, with these ``traceparent`` headers."""
    return current_span() or (parse(headers) if headers else None)
