"""What the installed Litestar has, asked for by feature and not by the number of its version.

``HAS_CONFIG``: it configures logging itself and has loggers on connections, as 2 does. 3 has neither.
``LINES_BY_CONFIG``: its request lines are made by a middleware that is defined with a configuration,
as in 2; in 3 by an object that is its own configuration.
"""

from __future__ import annotations

from importlib import metadata, util

_VERSION = metadata.version("litestar")
# Before 2.15 there is no `ASGIMiddleware`, and plugins are made in another way.
if tuple(int(part) for part in _VERSION.split(".")[:2]) < (2, 15):
    raise ImportError(
        f"unsupported version of `litestar`: got {_VERSION}, expected 2.15 or a later one"
    )

from litestar.middleware.base import ASGIMiddleware  # noqa: E402 - asked first
from litestar.middleware.logging import LoggingMiddleware  # noqa: E402

HAS_CONFIG = util.find_spec("litestar.logging") is not None
LINES_BY_CONFIG = not issubclass(LoggingMiddleware, ASGIMiddleware)
