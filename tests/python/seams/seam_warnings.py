"""Warnings that are captured go to the logger `py.warnings`."""

from __future__ import annotations

import logging
import warnings

import seam


def captured(side: seam.Side) -> None:
    logger = side.logger("py.warnings")
    path = side.file(logger)
    warnings.simplefilter("always")
    shown = warnings.showwarning
    logging.captureWarnings(True)
    for turn in range(seam.WARM):
        warnings.warn(f"turn {turn}", DeprecationWarning, stacklevel=1)
    logging.captureWarnings(False)
    assert warnings.showwarning is shown
    warnings.warn("on standard error", UserWarning, stacklevel=1)
    told = seam.text(path, logger)
    assert told.count("WARNING:py.warnings:") == seam.WARM
    assert told.count("DeprecationWarning: turn") == seam.WARM
    print(told)
