"""Request data as context: fields on every record logged below, by ``contextvars``.

One context variable holds an immutable set of fields. A task, a thread-pool call made by
``asyncio.to_thread`` or ``contextvars.copy_context().run`` sees what was bound where it began; what it
binds itself is seen by no other.

Within a request that one of our gates or middlewares serves it is the other way round: there the
variable holds the request's scope, which all its tasks and threads share, so that what any of them binds
is on every later line of that request. What ``bound`` gives stays within its block there too, and what
is bound within the block is on the rest of the request as well as on the block.
"""

from __future__ import annotations

import contextlib
import logging
from contextvars import ContextVar, Token
from functools import partial
from typing import TYPE_CHECKING, Any

from logboom._logboom import Context, RequestScope, extend_context, shrink_context

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import TypeAlias

# What a record has by its class: an attribute of that name would stand before it.
_METHODS = frozenset(dir(logging.LogRecord))

_TRIES = 100
_GONE = object()

variable: ContextVar[Context | RequestScope | None] = ContextVar("logboom_context", default=None)


# In a block of `bound` in a request: the block's scope, and those around it up to the request's.
block_scopes: ContextVar[tuple[RequestScope, ...]] = ContextVar("logboom_blocks", default=())


class ScopeToken:
    """What `bind` returns within a request: for `reset`, once."""

    __slots__ = ("changed", "used")

    def __init__(self, changed: list[tuple[RequestScope, _Set, _Set]]) -> None:
        # Each scope, with what it held before and after.
        self.changed = changed
        self.used = False


if TYPE_CHECKING:
    _Set: TypeAlias = Context | None
    _Token: TypeAlias = Token[Context | RequestScope | None] | ScopeToken


def held() -> Context | None:
    """What is bound here: in a request, by any part of it."""
    value = variable.get()
    return value.get() if type(value) is RequestScope else value


def _change(change: Callable[[Context | None], Context | None]) -> _Token:
    value = variable.get()
    if type(value) is not RequestScope:
        return variable.set(change(value))
    return ScopeToken([(scope, *_change_scope(scope, change)) for scope in _around(value)])


def _around(scope: RequestScope) -> tuple[RequestScope, ...]:
    """Give a scope and those around it in the same request."""
    blocks = block_scopes.get()
    # A request within a block has its own scope, and no block yet.
    return blocks if blocks and blocks[0] is scope else (scope,)


def _change_scope(scope: RequestScope, change: Callable[[_Set], _Set]) -> tuple[_Set, _Set]:
    for _ in range(_TRIES):
        old = scope.get()
        new = change(old)
        # Another thread of the same request may have bound something meanwhile.
        if scope.exchange(old, new):
            return old, new
    # A value whose text binds something does so each time: what that bound gives way.
    new = change(scope.get())
    while not scope.exchange(old := scope.get(), new):
        pass
    return old, new


def _taken_back(before: _Set, after: _Set, now: _Set) -> _Set:
    """Give ``now`` without what made ``after`` of ``before``."""
    if now is after:
        return before
    was = {} if before is None else before.as_dict()
    became = {} if after is None else after.as_dict()
    again = {name: was[name] for name in was if was[name] is not became.get(name, _GONE)}
    if now is not None:
        now = shrink_context(now, [name for name in became if name not in was])
    return extend_context(now, again) if again else now


def bind(**fields: Any) -> _Token:
    """Put fields on every record logged from here on in this context; in a request, on all of it.

    A value of a builtin type is kept as it is, any other by its ``str`` as of now. A name bound anew
    replaces the old value. Fields are attributes of a ``LogRecord`` unless it has one of that name
    already (``name``, ``args`` …).

    Returns a token for `reset`.

    Raises whatever ``str`` of a value raises.
    """
    return _change(lambda old: extend_context(old, fields))


def unbind(*names: str) -> _Token:
    """Take fields off again; names that are not bound are ignored. Returns a token for `reset`."""
    gone = list(names)
    return _change(lambda old: None if old is None else shrink_context(old, gone))


def clear() -> _Token:
    """Take all fields off. Returns a token for `reset`."""
    return _change(lambda _: None)


def reset(token: _Token) -> None:
    """Bring back what was bound before the call that returned this token.

    In another context than that call's (an async generator closed elsewhere) the old fields are
    bound anew, which is what the caller meant. In a request, what its other parts have bound since then
    stays.

    Raises `RuntimeError` for a token that was used already.
    """
    if isinstance(token, ScopeToken):
        if token.used:
            raise RuntimeError(f"{token!r} has already been used once")
        token.used = True
        for scope, before, after in token.changed:
            _change_scope(scope, partial(_taken_back, before, after))
        return
    try:
        variable.reset(token)
    except ValueError:
        old = token.old_value
        variable.set(None if old is token.MISSING else old)


def context() -> dict[str, Any]:
    """The fields that are bound here, as a new dict of the objects that were given."""
    current = held()
    return {} if current is None else current.as_dict()


class bound:  # noqa: N801 - reads as a statement: `with logboom.bound(user=7):`
    """``with bound(**fields):`` — `bind` for the length of a block, also ``async with``."""

    __slots__ = ("_fields", "_tokens")

    def __init__(self, /, **fields: Any) -> None:
        self._fields = fields
        self._tokens: list[tuple[_Token, Token[tuple[RequestScope, ...]] | None]] = []

    def __enter__(self) -> None:
        value = variable.get()
        if type(value) is not RequestScope:
            self._tokens.append((variable.set(extend_context(value, self._fields)), None))
            return
        scope = RequestScope(extend_context(value.get(), self._fields))
        blocks = block_scopes.set((scope, *_around(value)))
        self._tokens.append((variable.set(scope), blocks))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        bound_here, blocks = self._tokens.pop()
        reset(bound_here)
        if blocks is not None:
            with contextlib.suppress(ValueError):  # in another context, whose blocks are its own
                block_scopes.reset(blocks)

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)


def put_on(attributes: dict[str, Any]) -> None:
    """Add the bound fields to the attributes of a record, where it has none of that name."""
    current = held()
    if current is not None:
        for name, value in current.as_dict().items():
            if name not in _METHODS:
                attributes.setdefault(name, value)
