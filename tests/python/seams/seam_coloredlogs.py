"""coloredlogs looks for a stream handler to replace, and brings a formatter of its own."""

from __future__ import annotations

import io
import sys

import coloredlogs
import seam

FORMAT = "%(name)s %(levelname)s %(message)s"


def install(side: seam.Side) -> None:
    stream, logger = io.StringIO(), side.logger()
    for _ in range(2):  # the second finds its handler of the first
        coloredlogs.install(level="DEBUG", logger=logger, stream=stream, isatty=True, fmt=FORMAT)
    for turn in range(seam.WARM):
        logger.warning("turn %d", turn)
    assert stream.getvalue().count("turn 3") == 1
    assert "\x1b[" in stream.getvalue()
    print(repr(stream.getvalue()))


def install_in_the_place_of_our_handler(side: seam.Side) -> None:
    logger = side.logger()
    logger.propagate = False
    logger.addHandler(side.StreamHandler(sys.stderr))
    logger.warning("before")
    seam.flush(logger)
    # `reconfigure`: the stream handler that is there goes.
    coloredlogs.install(level="DEBUG", logger=logger, isatty=False, fmt=FORMAT)
    assert [type(one).__module__ for one in logger.handlers] == ["coloredlogs"] or (
        len(logger.handlers) == 1 and type(logger.handlers[0]) is not side.StreamHandler
    )
    for turn in range(seam.WARM):
        logger.warning("turn %d", turn)


def its_formatter_on_our_handler(side: seam.Side) -> None:
    logger = side.logger()
    path = side.file(logger)
    logger.handlers[0].setFormatter(coloredlogs.ColoredFormatter(FORMAT))
    logger.handlers[0].addFilter(coloredlogs.HostNameFilter())
    for turn in range(seam.WARM):
        logger.error("turn %d", turn)
    assert seam.text(path, logger).count("\x1b[") >= seam.WARM
    print(repr(seam.text(path, logger)))
