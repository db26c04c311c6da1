"""Handlers that hand on records, not lines: to sockets, a web server, another handler, syslog.

What they do needs a `logging.LogRecord` by contract (it is pickled, made a form of, kept for any
target), so the library's own code does it, on the caller's thread. Ours adds what the other handlers
of this package have: the bound context on each record, and an end that waits for no lock of the
library's.

Imported at need, as `logging.handlers` is not cheap.
"""

from __future__ import annotations

import functools
import logging
import logging.handlers as library
from typing import TYPE_CHECKING, Any, TypeVar

from logboom import _context, _handlers

if TYPE_CHECKING:
    from collections.abc import Callable

_Handler = TypeVar("_Handler", bound=type[logging.Handler])


def _in_the_place_of(peer: type[logging.Handler]) -> Callable[[_Handler], _Handler]:
    """Give a class the constructor of the library's class, whatever this version of it takes."""

    def made(cls: _Handler) -> _Handler:
        @functools.wraps(peer.__init__)
        def __init__(self: logging.Handler, *arguments: Any, **named: Any) -> None:  # noqa: N807
            peer.__init__(self, *arguments, **named)
            _handlers._list_weakly(self)

        cls.__init__ = __init__  # type: ignore[method-assign]
        return cls

    return made


class _RecordHandler(logging.Handler):
    """Stands before the library's class of a name."""

    def emit(self, record: logging.LogRecord) -> None:
        """Put the bound context on the record, and do as the library does."""
        _context.put_on(record.__dict__)
        super().emit(record)


@_in_the_place_of(library.SocketHandler)
class SocketHandler(_RecordHandler, library.SocketHandler):
    """`logging.handlers.SocketHandler`: pickled records over TCP or a unix socket."""


@_in_the_place_of(library.DatagramHandler)
class DatagramHandler(SocketHandler, library.DatagramHandler):
    """`logging.handlers.DatagramHandler`: pickled records as datagrams."""


@_in_the_place_of(library.HTTPHandler)
class HTTPHandler(_RecordHandler, library.HTTPHandler):
    """`logging.handlers.HTTPHandler`: records as forms to a web server."""


@_in_the_place_of(library.MemoryHandler)
class MemoryHandler(_RecordHandler, library.MemoryHandler):
    """`logging.handlers.MemoryHandler`: keeps records, and gives them to a target all together."""


@_in_the_place_of(library.SysLogHandler)
class SysLogHandler(_RecordHandler, library.SysLogHandler):
    """`logging.handlers.SysLogHandler`: lines to a syslog daemon, over unix sockets, UDP or TCP."""
