"""Handlers that hand on records, not lines: to sockets, a web server, another handler, syslog.

What they do needs a `logging.LogRecord` by contract (it is pickled, made a form of, kept for any
target), so the library's own code does it, on the caller's thread. Ours adds what the other handlers
of this package have: the bound context on each record, and an end that waits for no lock of the
library's.
"""

from __future__ import annotations

import logging
import logging.handlers as library
from typing import Any

from logboom import _context, _handlers


class _RecordHandler(logging.Handler):
    """Stands before the library's class of a name."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        _handlers._list_weakly(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Put the bound context on the record, and do as the library does."""
        _context.put_on(record.__dict__)
        super().emit(record)


class SocketHandler(_RecordHandler, library.SocketHandler):
    """`logging.handlers.SocketHandler`: pickled records over TCP or a unix socket."""


class DatagramHandler(SocketHandler, library.DatagramHandler):
    """`logging.handlers.DatagramHandler`: pickled records as datagrams."""


class HTTPHandler(_RecordHandler, library.HTTPHandler):
    """`logging.handlers.HTTPHandler`: records as forms to a web server."""


class MemoryHandler(_RecordHandler, library.MemoryHandler):
    """`logging.handlers.MemoryHandler`: keeps records, and gives them to a target all together."""


class SysLogHandler(_RecordHandler, library.SysLogHandler):
    """`logging.handlers.SysLogHandler`: lines to a syslog daemon, over unix sockets, UDP or TCP."""
