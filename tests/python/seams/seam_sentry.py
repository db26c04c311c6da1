"""Sentry's SDK puts a wrapper in the place of `Logger.callHandlers`: breadcrumbs, events and logs."""

from __future__ import annotations

from typing import Any

import seam
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.integrations.logging import LoggingIntegration, ignore_logger


class _Memory(sentry_sdk.Transport):
    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.items: list[tuple[str, Any]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.items += [(item.type, item.payload.json) for item in envelope.items]

    def of(self, kind: str) -> list[Any]:
        return [payload for name, payload in self.items if name == kind]


def _init(**options: Any) -> _Memory:
    sent = _Memory()
    sentry_sdk.init(
        dsn="http://key@localhost/1",
        transport=sent,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[LoggingIntegration()],
        **options,
    )
    return sent


def _show(event: dict[str, Any]) -> None:
    crumbs = event.get("breadcrumbs", {}).get("values", [])
    print(event["level"], event["logger"], event["logentry"], event.get("extra", {}).get("order"))
    for crumb in crumbs:
        print("  ", crumb["category"], crumb["level"], crumb["message"], crumb["data"])
    for exception in event.get("exception", {}).get("values", []):
        frames = [frame["function"] for frame in exception["stacktrace"]["frames"]]
        print("  ", exception["type"], exception["value"], exception["mechanism"], frames)


def _log(side: seam.Side, sent: _Memory) -> None:
    logger = side.logger()
    path = side.file(logger)
    for turn in range(seam.WARM):
        logger.debug("not a breadcrumb")
        logger.info("turn %d of %s", turn, "four")
    logger.error("order %d failed", 7, extra={"order": "A7"})
    try:
        raise LookupError("no such order")
    except LookupError:
        logger.exception("while looking")
    events = sent.of("event")
    assert [one["logentry"]["message"] for one in events] == ["order %d failed", "while looking"]
    assert len(events[0]["breadcrumbs"]["values"]) == seam.WARM
    assert events[1]["exception"]["values"][0]["type"] == "LookupError"
    for event in events:
        _show(event)
    assert "ERROR:app:order 7 failed" in seam.text(path, logger)


def installed_before(side: seam.Side) -> None:
    _log(side, _init())


@seam.late
def installed_after(side: seam.Side) -> None:
    sent = _init()
    side.install()
    _log(side, sent)


@seam.late
def installed_after_records_were_logged(side: seam.Side) -> None:
    sent = _init()
    seam.logging.getLogger("app").warning("before")
    side.install()
    logger = side.logger()
    path = side.file(logger)
    logger.error("after")
    (event,) = sent.of("event")
    _show(event)
    print(seam.text(path, logger))


def started_while_a_logger_is_warm(side: seam.Side) -> None:
    logger = side.logger()
    path = side.file(logger)

    def log(turn: int) -> None:
        logger.error("turn %d", turn)

    for turn in range(seam.WARM):
        log(turn)
    sent = _init()
    log(seam.WARM)
    assert len(sent.of("event")) == 1
    _show(sent.of("event")[0])
    print(seam.text(path, logger))


def ignored_loggers(side: seam.Side) -> None:
    sent = _init()
    ignore_logger("noisy")
    noisy, app = side.logger("noisy"), side.logger()
    paths = [side.file(noisy), side.file(app)]
    for _ in range(seam.WARM):
        noisy.error("ignored")
    app.error("seen")
    (event,) = sent.of("event")
    assert event["logger"] == "app"
    _show(event)
    print([seam.text(path, logger) for path, logger in zip(paths, (noisy, app), strict=True)])


def its_logs(side: seam.Side) -> None:
    sent = _init(enable_logs=True)
    logger = side.logger()
    path = side.file(logger)
    for turn in range(seam.WARM):
        logger.warning("turn %d of %s", turn, "four", extra={"order": turn})
    sentry_sdk.flush()
    (batch,) = sent.of("log")
    assert [one["body"] for one in batch["items"]] == [f"turn {turn} of four" for turn in range(4)]
    wanted = ("logger.name", "sentry.message.template", "order", "code.function.name")
    for one in batch["items"]:
        attributes = one["attributes"]
        print(one["level"], one["body"], [attributes.get(name, {}).get("value") for name in wanted])
    print(seam.text(path, logger))
