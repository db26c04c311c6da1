"""The span of OpenTelemetry's that is current here, where a program uses that.

Nothing of it is imported: where nobody has, there is no span. Pinned by ``tests/python/test_access.py``.
"""

from __future__ import annotations

import sys


def span_fields() -> dict[str, str]:
    """Give the ids of the current span, as ``trace_id`` and ``span_id`` in hexadecimal; none without."""
    module = sys.modules.get("opentelemetry.trace")
    if module is None:
        return {}
    try:
        span = module.get_current_span().get_span_context()
        ids = {"trace_id": f"{span.trace_id:032x}", "span_id": f"{span.span_id:016x}"}
    except Exception:  # noqa: BLE001 - another version of it, or a half imported one
        return {}
    return ids if span.is_valid else {}
