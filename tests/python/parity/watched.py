"""File handlers whose file others move away."""

from __future__ import annotations

import os

from harness import WARM, Side, show
from rotating import LINE, Json, _logger, _sizes


def watched(side: Side) -> None:
    handler = side.of("WatchedFileHandler")("app.log", encoding="utf-8")
    logger = _logger(handler)

    def burst(what: str) -> None:
        for n in range(WARM):
            logger.info("%s %d", what, n)
        handler.flush()
        print(what, _sizes(), handler.stream.tell(), handler.ino == os.stat("app.log").st_ino)

    burst("first")
    os.rename("app.log", "app.log.1")
    burst("moved")
    os.remove("app.log")
    burst("removed")
    os.remove("app.log")
    with open("app.log", "w") as file:
        file.write("somebody else's\n")
    burst("made anew")
    os.rename("app.log", "app.log.2")
    handler.reopenIfNeeded()
    print(_sizes())
    burst("reopened by hand")
    handler.setFormatter(Json())
    os.rename("app.log", "app.log.3")
    burst("by Python é")
    handler.setFormatter(LINE)
    with open("app.log", "w"):
        pass
    burst("emptied")


def watched_in_other_ways(side: Side) -> None:
    base = side.of("WatchedFileHandler")

    class Reopens(base):
        def reopenIfNeeded(self) -> None:
            print("looks")
            super().reopenIfNeeded()

    for name, cls, how in (
        ("delay", base, {"delay": True}),
        ("w", base, {"mode": "w"}),
        ("latin", base, {"encoding": "latin-1"}),
        ("own", Reopens, {}),
    ):
        handler = cls(f"{name}.app.log", **{"encoding": "utf-8", **how})
        logger = _logger(handler)
        for k in range(3):
            for n in range(WARM):
                logger.info("é %d %d", k, n)
            handler.flush()
            os.rename(f"{name}.app.log", f"{name}.app.log.{k}")
        handler.close()


def watched_without_its_directory(side: Side) -> None:
    os.mkdir("inside")
    handler = side.of("WatchedFileHandler")("inside/app.log", encoding="latin-1")
    logger = _logger(handler)
    logger.info("there")
    os.rename("inside", "gone")
    show(logger.info, "not there")
    os.rename("gone", "inside")
    logger.info("there again")
    handler.flush()
