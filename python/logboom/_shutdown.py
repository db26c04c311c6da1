"""The end of an application: what it logged is written, or standard error says that it is not.

Pinned by ``tests/python/test_litestar_plugin.py`` and ``test_litestar_uvicorn.py``.
"""

from __future__ import annotations

import contextlib
import sys

from logboom import _last_lines, _lifecycle
from logboom._options import invalid

_LONGEST_FLUSH = 86_400  # seconds


def checked_timeout(given: float) -> float:
    """Give back seconds that a shutdown may wait.

    Raises `ConfigError` for what is out of bounds.
    """
    if not 0 <= given <= _LONGEST_FLUSH:
        raise invalid("flush_timeout", given, f"0 to {_LONGEST_FLUSH}")
    return given


def shut_down(timeout: float) -> None:
    """Have everything written that was logged, waiting ``timeout`` seconds at most."""
    flushed = _lifecycle.flush(timeout=timeout)
    figures = _lifecycle.stats().as_dict()
    if not flushed and sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):  # closed, and nobody left to tell
            sys.stderr.write(
                f"logboom: {figures['pending']} records were pending {timeout} s "
                f"after the application's shutdown, {figures['failed']} have failed\n"
            )
    if flushed or not figures["pending"]:  # else each last line would wait for a hung sink
        _last_lines.begin(timeout)
