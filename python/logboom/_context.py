"""Request data as context: fields on every record logged below, by ``contextvars``.

One context variable holds an immutable set of fields. A task, a thread-pool call made by
``asyncio.to_thread`` or ``contextvars.copy_context().run`` sees what was bound where it began; what it
binds itself is seen by no other.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from logboom._logboom import Context, extend_context, shrink_context

if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType

# What a record has by its class: an attribute of that name would stand before it.
_METHODS = frozenset(dir(logging.LogRecord))

variable: ContextVar[Context | None] = ContextVar("logboom_context", default=None)


def bind(**fields: Any) -> Token[Context | None]:
    """Put fields on every record logged from here on in this context.

    A value of a builtin type is kept as it is, any other by its ``str`` as of now. A name bound anew
    replaces the old value. Fields are attributes of a ``LogRecord`` unless it has one of that name
    already (``name``, ``args`` …).

    Returns a token for `reset`.

    Raises whatever ``str`` of a value raises.
    """
    return variable.set(extend_context(variable.get(), fields))


def unbind(*names: str) -> Token[Context | None]:
    """Take fields off again; names that are not bound are ignored. Returns a token for `reset`."""
    current = variable.get()
    return variable.set(None if current is None else shrink_context(current, list(names)))


def clear() -> Token[Context | None]:
    """Take all fields off. Returns a token for `reset`."""
    return variable.set(None)


def reset(token: Token[Context | None]) -> None:
    """Bring back what was bound before the call that returned this token.

    In another context than that call's (an async generator closed elsewhere) the old fields are
    bound anew, which is what the caller meant.

    Raises `RuntimeError` for a token that was used already.
    """
    try:
        variable.reset(token)
    except ValueError:
        old = token.old_value
        variable.set(None if old is token.MISSING else old)


def context() -> dict[str, Any]:
    """The fields that are bound here, as a new dict of the objects that were given."""
    current = variable.get()
    return {} if current is None else current.as_dict()


class bound:  # noqa: N801 - reads as a statement: `with logboom.bound(user=7):`
    """``with bound(**fields):`` — `bind` for the length of a block, also ``async with``."""

    __slots__ = ("_fields", "_tokens")

    def __init__(self, /, **fields: Any) -> None:
        self._fields = fields
        self._tokens: list[Token[Context | None]] = []

    def __enter__(self) -> None:
        self._tokens.append(bind(**self._fields))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        reset(self._tokens.pop())

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
    current = variable.get()
    if current is not None:
        for name, value in current.as_dict().items():
            if name not in _METHODS:
                attributes.setdefault(name, value)
