"""A request's place in the context: entered where it begins, left where it ends.

1. Within a request the context holds a scope of its own, which all its tasks and threads share, and its
   exchange. It begins with what was bound outside of all requests, also where one request begins inside
   another: servers start a pipelined one from the one before, and a handler may call in-process.
2. What was there is so again afterwards. A request may be left and entered again, on another thread too,
   as a server does that asks for one part of a response after the other: a block of ``bound`` that it is
   in goes on.

Pinned by ``tests/python/test_request_scope.py`` and ``test_wsgi_steps.py``.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from logboom import _access, _context
from logboom._logboom import RequestScope, extend_context

if TYPE_CHECKING:
    from contextvars import Token

    from logboom._access import Exchange
    from logboom._logboom import Context


class Request:
    """One request, for the context."""

    __slots__ = ("_blocks", "_bound", "_outside", "exchange")

    _outside: Context | None

    def __init__(self, fields: dict[str, Any], exchange: Exchange | None) -> None:
        around = _serving.get()
        outside = _context.held() if around is None else around._outside
        self._outside = outside
        self._bound: Any = RequestScope(extend_context(outside, fields) if fields else outside)
        self._blocks: Any = ()
        self.exchange = exchange

    def enter(self) -> tuple[Token[Any], ...]:
        """Make the context this request's. Gives what `leave` needs."""
        return (
            _serving.set(self),
            _context.variable.set(self._bound),
            _context.block_scopes.set(self._blocks),
            _access.current.set(self.exchange),
        )

    def leave(self, tokens: tuple[Token[Any], ...]) -> None:
        """Bring back what was there."""
        self._bound, self._blocks = _context.variable.get(), _context.block_scopes.get()
        for token in tokens:
            try:
                token.var.reset(token)
            except ValueError:  # in a copy of the context
                old = token.old_value
                token.var.set(_NOTHING[token.var] if old is token.MISSING else old)


_serving: ContextVar[Request | None] = ContextVar("logboom_serving", default=None)
_NOTHING: dict[ContextVar[Any], Any] = {
    _serving: None,
    _context.variable: None,
    _context.block_scopes: (),
    _access.current: None,
}
