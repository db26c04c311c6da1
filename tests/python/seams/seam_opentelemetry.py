"""OpenTelemetry's instrumentor replaces the record factory; its SDK's handler exports records."""

from __future__ import annotations

import logging

import seam
from opentelemetry import trace
from opentelemetry.instrumentation.logging import LoggingInstrumentor
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import IdGenerator, TracerProvider

FORMAT = "%(levelname)s %(otelTraceID)s %(otelSpanID)s %(otelTraceSampled)s %(message)s"


class _Counting(IdGenerator):
    def __init__(self) -> None:
        self.last = 0

    def generate_span_id(self) -> int:
        self.last += 1
        return self.last

    def generate_trace_id(self) -> int:
        return 0x100 + self.generate_span_id()


def _tracer() -> trace.Tracer:
    trace.set_tracer_provider(TracerProvider(id_generator=_Counting()))
    return trace.get_tracer("app")


def _log(side: seam.Side) -> None:
    tracer, logger = _tracer(), side.logger()
    logger.propagate = False
    path = side.file(logger, FORMAT)
    logger.info("outside")
    for turn in range(seam.WARM):
        with tracer.start_as_current_span("outer"):
            logger.info("turn %d", turn)
            with tracer.start_as_current_span("inner"):
                logger.warning("turn %d of %s", turn, "four")
    lines = seam.text(path, logger).splitlines()
    assert lines[0] == "INFO 0 0 False outside"
    # Both numbers come of one counter, in the order in which spans ask.
    assert len({line.split()[2] for line in lines[1:]}) == 2 * seam.WARM
    assert lines[1].endswith("True turn 0")
    print("\n".join(lines))


def instrumented_after_install(side: seam.Side) -> None:
    LoggingInstrumentor().instrument(set_logging_format=True, enable_log_auto_instrumentation=False)
    _log(side)


@seam.late
def instrumented_before_install(side: seam.Side) -> None:
    LoggingInstrumentor().instrument(set_logging_format=True, enable_log_auto_instrumentation=False)
    side.install()
    _log(side)


def instrumented_while_a_logger_is_warm(side: seam.Side) -> None:
    logger = side.logger()
    logger.propagate = False
    path = side.file(logger)

    def log(turn: int) -> None:
        logger.info("turn %d", turn)

    for turn in range(seam.WARM):
        log(turn)

    def hook(span: trace.Span, record: logging.LogRecord) -> None:
        record.hooked = span.get_span_context().span_id

    tracer = _tracer()
    LoggingInstrumentor().instrument(
        inject_trace_context=True, log_hook=hook, enable_log_auto_instrumentation=False
    )
    logger.handlers[0].setFormatter(logging.Formatter("%(hooked)s %(otelSpanID)s %(message)s"))
    with tracer.start_as_current_span("span"):
        log(seam.WARM)
    LoggingInstrumentor().uninstrument()
    logger.handlers[0].setFormatter(None)
    log(seam.WARM + 1)
    print(seam.text(path, logger))


def handler_beside_ours(side: seam.Side) -> None:
    exporter = InMemoryLogRecordExporter()
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    tracer, logger = _tracer(), side.logger()
    path = side.file(logger)
    logger.addHandler(LoggingHandler(logger_provider=provider))
    with tracer.start_as_current_span("span"):
        for turn in range(seam.WARM):
            logger.warning("turn %d of %s", turn, "four", extra={"order": turn})
        try:
            raise LookupError("no such order")
        except LookupError:
            logger.exception("while looking")
    got = [one.log_record for one in exporter.get_finished_logs()]
    assert [one.body for one in got][:2] == ["turn 0 of four", "turn 1 of four"]
    assert len(got) == seam.WARM + 1
    for one in got:
        attributes = dict(one.attributes or {})
        attributes.pop("exception.stacktrace", None)
        print(one.severity_text, one.body, one.trace_id, one.span_id, sorted(attributes.items()))
    print(seam.text(path, logger))
