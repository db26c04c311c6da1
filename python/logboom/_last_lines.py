"""Lines that are logged when nothing after them will flush: after an application's shutdown.

A server such as uvicorn takes SIGTERM over, shuts its application down, logs that it did, and then
raises the signal once more with the action it had before, which ends the process on the spot.
Neither ``atexit`` nor the engine's own end runs, and what the server said last would stay in the
ring.

`begin` makes every logger with native handlers flush after each line from then on; `end` undoes it.
Such a line goes the library's own way and waits for the writer, which the few last lines of a
process can. It does nothing where nobody has taken SIGTERM over: then the process lives on, as in
a test, or ends as Python ends.

What it does not do: catch the signal. Pinned by ``tests/python/test_litestar_uvicorn.py``.
"""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING

from logboom._handlers import StreamHandler
from logboom._lifecycle import flush

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Flusher(logging.Handler):
    """Writes nothing itself, and stands behind the handlers that do."""

    def __init__(self, timeout: float) -> None:
        super().__init__()
        self._timeout = timeout

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002 - it is written already
        flush(self._timeout)


def begin(timeout: float) -> None:
    """Flush after each line from now on, if a server will end the process; idempotent.

    ``timeout``: seconds that each line waits at most.
    """
    if signal.getsignal(signal.SIGTERM) in (None, signal.SIG_DFL, signal.SIG_IGN):
        return
    end()
    flusher = _Flusher(timeout)
    for logger in _loggers():
        if any(isinstance(handler, StreamHandler) for handler in logger.handlers):
            logger.addHandler(flusher)


def end() -> None:
    """Go back to flushing when somebody asks for it; idempotent."""
    for logger in _loggers():
        for handler in list(logger.handlers):
            if isinstance(handler, _Flusher):
                logger.removeHandler(handler)


def _loggers() -> Iterator[logging.Logger]:
    yield logging.root
    for logger in list(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            yield logger
