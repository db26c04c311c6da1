"""rich's handler renders records, tracebacks too."""

from __future__ import annotations

import logging

import seam
from rich.console import Console
from rich.logging import RichHandler


def handler_beside_ours(side: seam.Side) -> None:
    logger = side.logger()
    logger.propagate = False
    path = side.file(logger)
    console = Console(width=100, force_terminal=False)
    logger.addHandler(RichHandler(console=console, show_time=False, rich_tracebacks=True))
    for turn in range(seam.WARM):
        logger.info("turn %d", turn)
        logger.warning("[bold]turn[/] %d", turn, extra={"markup": True})
    try:
        raise LookupError("no such order")
    except LookupError:
        logger.exception("while looking", extra={"highlighter": None})
    assert seam.text(path, logger).count("turn") == 2 * seam.WARM


def formatter_of_its_own(side: seam.Side) -> None:
    logging.basicConfig(
        level="DEBUG",
        format="%(message)s",
        handlers=[RichHandler(console=Console(width=100), show_time=False)],
    )
    logger = side.logger()
    for turn in range(seam.WARM):
        logger.error("turn %d of %s", turn, "four")
