"""hypercorn: its lines through native handlers, with its access lines typed.

On the command line::

    hypercorn app:app -c python:logboom.hypercorn --access-logfile -

or, in a configuration of one's own (``-c file:hypercorn.py``, or an object of ``Config``)::

    from logboom.hypercorn import Logger as logger_class

``accesslog``, ``errorlog``, ``loglevel``, ``access_log_format`` and ``logconfig`` keep what they mean;
what would be a ``StreamHandler`` or ``FileHandler`` of the standard library is one of logboom, which
writes for people on a terminal and JSON elsewhere. The file of ``python -m logboom log-config`` works as
well: ``--log-config "json:$(python -m logboom log-config)"``.

Pinned by ``tests/python/test_server_lines.py``.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import hypercorn.logging as _hypercorn

from logboom import _servers

if TYPE_CHECKING:
    from hypercorn.config import Config

__all__ = ("Logger", "logger_class")


class Logger(_hypercorn.Logger):
    """hypercorn's logger with native handlers; loggers become native with it."""

    def __init__(self, config: Config) -> None:
        _servers.prepare()
        # With handlers that it made before, hypercorn would do as it is told by `config`.
        super().__init__(config)
        if config.logconfig is None and config.logconfig_dict is None:
            _exchange("hypercorn.access", config.accesslog, sys.stdout)
            _exchange("hypercorn.error", config.errorlog, sys.stderr)


def _exchange(name: str, target: object, stream: object) -> None:
    """Put a handler of ours in the place of the one that was just made."""
    if not isinstance(target, str) or not target:
        return
    logger = logging.getLogger(name)
    replaced = list(logger.handlers)
    logger.handlers = [_servers.handler_to(target, stream)]
    # Else each line would be there twice where the application has configured the root logger.
    logger.propagate = False
    for one in replaced:
        one.close()


logger_class = Logger
