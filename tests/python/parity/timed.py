"""File handlers that rotate by time."""

from __future__ import annotations

import datetime
import logging
import os
import time

from harness import WARM, Side, show
from rotating import _logger


def by_time(side: Side) -> None:
    for when in ("S", "m", "H", "d", "MIDNIGHT", "W3"):
        for utc in (False, True):
            name = f"{when}{utc}.app.log"
            handler = side.of("TimedRotatingFileHandler")(
                name, when, backupCount=2, encoding="utf-8", utc=utc
            )
            # A time that does not end while this runs.
            handler.rolloverAt = 4_000_000_000
            logger = _logger(handler)
            for at in (None, 1_000_000_000, 1_100_000_000, 1_200_000_000, 1_300_000_000):
                if at is not None:
                    handler.rolloverAt = at
                for n in range(WARM):
                    logger.info("after %s: %d", at, n)
                    if handler.rolloverAt < 4_000_000_000:
                        print(handler.rolloverAt > 1_500_000_000)
                        handler.rolloverAt = 4_000_000_000
            handler.close()
    print(sorted(os.listdir(".")))


def by_time_at_a_time(side: Side) -> None:
    for when in ("midnight", "W0", "D"):
        handler = side.of("TimedRotatingFileHandler")(
            f"{when}.app.log", when, atTime=datetime.time(13, 30, 5), encoding="utf-8"
        )
        show(handler.computeRollover, 1_700_000_000)
        logger = _logger(handler)
        handler.rolloverAt = 1_700_000_000
        for n in range(WARM):
            logger.info("line %d", n)
        print(handler.atTime, handler.rolloverAt > time.time())
        handler.close()


def by_time_on_a_clock_of_its_own(side: Side) -> None:
    now = [1_700_000_000.0]
    real = time.time
    handler = side.of("TimedRotatingFileHandler")("app.log", "S", backupCount=3, encoding="utf-8")
    logger = _logger(handler)
    handler.rolloverAt = 1_700_000_002
    time.time = lambda: now[0]
    try:
        for n in range(40):
            logger.info("line %d", n)
            now[0] += 0.4
    finally:
        time.time = real
    handler.flush()
    print(handler.rolloverAt, sorted(os.listdir(".")))


def by_time_with_a_namer(side: Side) -> None:
    handler = side.of("TimedRotatingFileHandler")("app.log", "D", backupCount=2, encoding="utf-8")
    handler.namer = lambda name: name.replace("app.log.", "") + ".app.log"
    logger = _logger(handler)
    for day in range(5):
        handler.rolloverAt = 1_700_000_000 + day * 86_400
        for n in range(WARM):
            logger.info("line %d of day %d", n, day)
    handler.flush()
    print(sorted(os.listdir(".")))


def by_time_at_odd_times(side: Side) -> None:
    handler = side.of("TimedRotatingFileHandler")("app.log", "D", encoding="utf-8")
    logger = _logger(handler)
    for at in (float("inf"), float("nan"), 4e9, 4_000_000_000.5, 2**70):
        handler.rolloverAt = at
        for n in range(WARM):
            logger.info("%s %d", at, n)
        print(handler.rolloverAt)
    handler.rolloverAt = "never"
    for n in range(2):
        logger.info("wrong %d", n)
    handler.rolloverAt = 2**70
    logger.info("last")
    handler.flush()


def by_time_by_hand(side: Side) -> None:
    handler = side.of("TimedRotatingFileHandler")("app.log", "D", utc=True, encoding="utf-8")
    logger = _logger(handler)
    for day in range(3):
        handler.rolloverAt = 4_000_000_000 + day * 86_400
        for n in range(WARM):
            logger.info("line %d of %d", n, day)
        print(handler.shouldRollover(logging.makeLogRecord({})))
        handler.doRollover()
        print(sorted(os.listdir(".")), handler.rolloverAt < 4_000_000_000)


def by_time_subclasses(side: Side) -> None:
    base = side.of("TimedRotatingFileHandler")

    class Both(base):
        """By time and by size, as many have it."""

        def shouldRollover(self, record: logging.LogRecord) -> bool:
            return self.stream.tell() > 100 or bool(super().shouldRollover(record))

        def doRollover(self) -> None:
            self.rolloverAt = 1_700_000_000 + 86_400 * len(os.listdir("."))
            super().doRollover()

    class Plain(base):
        pass

    for cls in (Both, Plain):
        handler = cls(f"{cls.__name__}.app.log", "D", encoding="utf-8")
        logger = _logger(handler)
        for n in range(30):
            logger.info("line %d", n)
        handler.close()
    print(sorted(os.listdir(".")))
