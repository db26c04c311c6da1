"""httpx: outgoing calls say the id and the trace of the request that they are made for.

    client = httpx.AsyncClient(event_hooks={"request": [logboom.httpx.propagate]})

The same hook serves `httpx.Client`. It costs a call a look at two context variables, on its own
thread. See ``_propagation`` for what is told; headers that the program sets stay.

Pinned by ``tests/python/test_propagation.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from logboom import _propagation

if TYPE_CHECKING:
    from collections.abc import Generator

    import httpx

__all__ = ("Propagation", "propagate")

_OURS = "logboom.propagated"


class _Nothing:
    """What an asynchronous client awaits, and a synchronous one forgets."""

    def __await__(self) -> Generator[None, None, None]:
        yield from ()


_NOTHING = _Nothing()


class Propagation(_propagation.Propagation):
    """A hook with options: ``Propagation(request_id_header="X-Correlation-ID")``."""

    def __call__(self, request: httpx.Request) -> _Nothing:
        """Put the headers on a request."""
        try:
            # What we put there before, on a request that is sent again or was redirected.
            before = request.extensions.get(_OURS) or {}
            for name, value in before.items():
                if request.headers.get(name) == value:
                    del request.headers[name]
            ours = self.missing_in(request.headers)
            request.headers.update(ours)
            request.extensions = {**request.extensions, _OURS: ours}
        except Exception:  # noqa: BLE001 - the call goes on without
            return _NOTHING
        return _NOTHING


propagate = Propagation()
