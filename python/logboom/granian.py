"""granian: its lines through native handlers, with its access lines typed.

On the command line, with a file that this package brings along::

    granian app:app --interface asgi --log-config "$(python -m logboom log-config)" --access-log

In code::

    Granian("app:app", log_dictconfig=logboom.granian.LOG_CONFIG, log_access=True).serve()

Either configures the root logger too, at INFO. ``--access-log`` is needed only where the application
is not in a ``LoggingMiddleware`` of logboom, whose access lines take the place of granian's; a line in
``--access-log-fmt`` of one's own stays as it is, with our fields beside it.

Pinned by ``tests/python/test_server_lines.py``.
"""

from __future__ import annotations

from logboom._servers import log_config

__all__ = ("LOG_CONFIG",)

LOG_CONFIG = log_config()
"""For ``log_dictconfig=``; a dictionary for ``logging.config.dictConfig``, free to be changed."""
