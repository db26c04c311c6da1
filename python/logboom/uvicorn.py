"""uvicorn: its lines through native handlers, with its access lines typed.

On the command line, with a file that this package brings along::

    uvicorn app:app --log-config "$(python -m logboom log-config)"

In code::

    uvicorn.run("app:app", log_config=logboom.uvicorn.LOG_CONFIG)

Either configures the root logger too, at INFO, so that what the application logs goes the same way:
to standard error, as `ConsoleFormatter` on a terminal, as JSON elsewhere, or as ``LOGBOOM_FORMAT`` says.
``use_colors``, ``log_level`` and ``access_log`` of uvicorn work as ever. Where the application is in
`logboom.asgi.LoggingMiddleware`, its access lines take the place of uvicorn's.

uvicorn ends by raising the signal that ended it once more. SIGTERM and SIGHUP that have their default
action when this is applied on the main thread then write everything first, as `flush_on_signal` does.

Pinned by ``tests/python/test_server_lines.py``.
"""

from __future__ import annotations

from logboom._servers import log_config

__all__ = ("LOG_CONFIG",)

LOG_CONFIG = log_config()
"""For ``log_config=``; a dictionary for ``logging.config.dictConfig``, free to be changed."""
