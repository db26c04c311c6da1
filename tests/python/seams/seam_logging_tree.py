"""logging_tree describes every logger and handler of a process."""

from __future__ import annotations

import logging.config

import logging_tree
import seam


def describes_the_same_tree(side: seam.Side) -> None:
    logging.config.dictConfig(
        {
            "version": 1,
            "formatters": {"plain": {"format": "%(message)s"}},
            "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
            "root": {"handlers": ["console"], "level": "INFO"},
            "loggers": {"a.b": {"propagate": False}, "a.c.d": {"level": "ERROR"}},
        }
    )
    for name in ("a.b", "a.c.d", "e"):
        side.logger(name)
    logging.getLogger("a.b").addFilter(logging.Filter("a.b"))
    told = logging_tree.format.build_description()
    assert '"a.c.d"' in told and "Propagate OFF" in told
    print(told)
