"""Which `traceparent` counts, and what OpenTelemetry says instead."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings, strategies as st

from logboom import _trace

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
USUAL = f"00-{TRACE}-{SPAN}-01".encode()


@pytest.mark.parametrize(
    "header",
    [
        USUAL,
        USUAL.decode(),
        b" \t" + USUAL + b" ",
        f"00-{TRACE}-{SPAN}-00".encode(),
        f"00-{TRACE}-{SPAN}-ff".encode(),
        f"cc-{TRACE}-{SPAN}-01".encode(),
        f"cc-{TRACE}-{SPAN}-01-".encode(),
        f"cc-{TRACE}-{SPAN}-01-what=ever-more".encode(),
    ],
    ids=repr,
)
def test_a_header_as_the_standard_has_it(header):
    found = _trace.parse([header])
    assert found is not None
    assert (found.trace_id, found.span_id) == (TRACE, SPAN)
    assert found.traceparent == (header if isinstance(header, str) else header.decode()).strip()


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"00",
        USUAL[:-1],
        USUAL + b"-",
        USUAL + b"-more",
        USUAL + b"0",
        USUAL + b"\n",
        USUAL.upper(),
        f"ff-{TRACE}-{SPAN}-01".encode(),
        f"cc-{TRACE}-{SPAN}-01.more".encode(),
        f"cc-{TRACE}-{SPAN}-01-\x1b[2J".encode(),
        f"cc-{TRACE}-{SPAN}-01-{'x' * 600}".encode(),
        f"00-{'0' * 32}-{SPAN}-01".encode(),
        f"00-{TRACE}-{'0' * 16}-01".encode(),
        f"00-{TRACE}-{SPAN}-0g".encode(),
        f"0g-{TRACE}-{SPAN}-01".encode(),
        f"00-{TRACE[:-1]}٣-{SPAN}-01",
        f"00_{TRACE}_{SPAN}_01".encode(),
        None,
        7,
    ],
    ids=repr,
)
def test_a_header_that_is_anything_else(header):
    assert _trace.parse([header]) is None


def test_two_headers_are_none():
    assert _trace.parse([USUAL, USUAL]) is None
    assert _trace.parse([]) is None


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.binary(max_size=80) | st.text(max_size=80) | st.none(), max_size=2))
def test_no_header_raises(headers):
    _trace.of(headers)


def test_a_span_of_opentelemetry_counts_before_the_header():
    trace = pytest.importorskip("opentelemetry.trace", reason="needs opentelemetry")
    context = trace.SpanContext(int(TRACE[::-1], 16), 0xABC, False, trace.TraceFlags(1))
    with trace.use_span(trace.NonRecordingSpan(context)):
        found = _trace.of([USUAL])
    assert found is not None
    assert found.traceparent == f"00-{TRACE[::-1]}-0000000000000abc-01"
    found = _trace.of([USUAL])
    assert found is not None
    assert found.trace_id == TRACE


def test_opentelemetry_is_not_imported():
    code = "import logboom.asgi, sys; sys.exit('opentelemetry' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
