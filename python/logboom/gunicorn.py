"""gunicorn: its lines through native handlers, with its access lines typed.

In ``gunicorn.conf.py``, or with ``--logger-class``::

    logger_class = "logboom.gunicorn.Logger"

Invariants:

1. Options keep what they mean: ``errorlog``, ``accesslog``, ``loglevel``, ``access_log_format``,
   ``capture_output``, ``logconfig`` in all its forms, ``syslog``, and ``statsd_host``, of which
   gunicorn itself takes no notice where a logger class is named.
2. Where gunicorn would make a ``StreamHandler`` or a ``FileHandler`` of the standard library it is one
   of logboom: for people on a terminal, JSON elsewhere, or what ``LOGBOOM_FORMAT`` says. SIGUSR1 reopens
   files, as ever.
3. An access line has typed fields. Where the application is in a ``LoggingMiddleware`` of logboom its
   access lines take the place of gunicorn's; statsd counts all the same.
4. A worker of uvicorn's class, which the signal ends that it raises once more, writes everything first.

The root logger is the application's to configure, `logboom.basicConfig` for one.
Pinned by ``tests/python/test_server_lines.py``.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from typing import TYPE_CHECKING, Any

from gunicorn import glogging as _glogging, util as _util
from gunicorn.instrument import statsd as _statsd

from logboom import _servers
from logboom._signals import flush_on_signal

if TYPE_CHECKING:
    from gunicorn.config import Config

__all__ = ("Logger",)


class Logger(_glogging.Logger):
    """gunicorn's logger with native handlers; loggers become native with it."""

    def __new__(cls, cfg: Config) -> Logger:
        """Make one that tells statsd, where there is one to tell."""
        chosen = _StatsdLogger if cls is Logger and cfg.statsd_host else cls
        return object.__new__(chosen)

    def setup(self, cfg: Config) -> None:
        """Configure, at the start and when gunicorn is told to configure again."""
        _servers.prepare()
        hook = cfg.post_worker_init
        if not isinstance(hook, _AfterInit):
            cfg.set("post_worker_init", _AfterInit(hook))
        super().setup(cfg)

    def _set_handler(self, log: Any, output: str | None, fmt: Any, stream: Any = None) -> None:
        del fmt  # of plain text
        found = next((one for one in log.handlers if getattr(one, "_gunicorn", False)), None)
        if found is not None:
            log.handlers.remove(found)
            found.close()
        if output is None:
            return
        if output != "-":
            _util.check_is_writable(output)
        handler: Any = _servers.handler_to(output, stream)
        if output != "-":
            with contextlib.suppress(OSError):  # a device: nobody will have to reopen it
                os.chown(handler.baseFilename, self.cfg.user, self.cfg.group)
        handler._gunicorn = True
        log.addHandler(handler)


class _StatsdLogger(Logger, _statsd.Statsd):
    """The same, and what gunicorn tells statsd."""


class _AfterInit:
    """What runs in a worker once it has set its signals: the program's own hook, then ours."""

    def __init__(self, hook: Any) -> None:
        self._hook = hook

    def __call__(self, process: Any) -> None:
        self._hook(process)
        # Only where it has its default action: gunicorn's own workers end as Python ends.
        with contextlib.suppress(ValueError):
            flush_on_signal([signal.SIGTERM])
        for name in ("uvicorn.error", "uvicorn.access"):
            logger = logging.getLogger(name)
            if any(getattr(one, "_gunicorn", False) for one in logger.handlers):
                # A list of its own: it is gunicorn's, and would change with it.
                logger.handlers = list(logger.handlers)
