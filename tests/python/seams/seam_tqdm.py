"""tqdm's `logging_redirect_tqdm` looks for a handler on a standard stream, and takes its place."""

from __future__ import annotations

import logging
import sys

import seam
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm


def _redirect(side: seam.Side, logger: logging.Logger) -> None:
    path = side.file(logger)
    console = side.StreamHandler(sys.stderr)
    console.setFormatter(logging.Formatter("console %(message)s"))
    logger.addHandler(console)
    before = list(logger.handlers)

    def log(turn: object) -> None:
        logger.warning("turn %s", turn)

    for turn in range(seam.WARM):
        log(turn)
    seam.flush(logger)
    with logging_redirect_tqdm([logger]):
        assert console not in logger.handlers
        assert len(logger.handlers) == 2
        for turn in tqdm(range(2), bar_format="[{n}]", miniters=1, mininterval=0, ascii=True):
            log(f"{turn} under the bar")
    assert logger.handlers == before
    log("after")
    seam.flush(logger)
    assert seam.text(path, logger).count("under the bar") == 2
    print(seam.text(path, logger))


def redirect(side: seam.Side) -> None:
    logger = side.logger()
    logger.propagate = False
    _redirect(side, logger)


def redirect_of_the_root(side: seam.Side) -> None:
    _redirect(side, side.logger(None))
