"""requests: outgoing calls say the id and the trace of the request that they are made for.

    session = logboom.requests.propagate(requests.Session())

It costs a call a look at two context variables and a copy of the prepared request, on its own thread.
See ``_propagation`` for what is told; headers that the program sets stay.

Pinned by ``tests/python/test_propagation.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requests.adapters import BaseAdapter

from logboom._propagation import Propagation

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

__all__ = ("propagate",)


class _Adapter(BaseAdapter):
    """Stands before the adapter that sends."""

    def __init__(self, inner: BaseAdapter, propagation: Propagation) -> None:
        super().__init__()
        self._inner = inner
        self._propagation = propagation

    def __getattr__(self, name: str) -> Any:
        if name == "_inner":  # while it is unpickled
            raise AttributeError(name)
        return getattr(self._inner, name)

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        """Send a request with the headers."""
        return self._inner.send(self._told(request), *args, **options)

    def _told(self, request: PreparedRequest) -> PreparedRequest:
        try:
            missing = self._propagation.missing_in(request.headers)
            if not missing:
                return request
            # A copy: the program may send its own again, for another request.
            request = request.copy()
            request.headers.update(missing)
        except Exception:  # noqa: BLE001 - the call goes on without
            return request
        return request

    def close(self) -> None:
        """Close the adapter that sends."""
        self._inner.close()


def propagate(session: Session, *, request_id_header: str = "X-Request-ID") -> Session:
    """Have every adapter of a session tell; idempotent. Adapters mounted later do not.

    ``request_id_header``: the header of the id; default ``"X-Request-ID"``. Returns the session.

    Raises `ConfigError` for what is no name of a header.
    """
    propagation = Propagation(request_id_header=request_id_header)
    for prefix, adapter in session.adapters.items():
        inner = adapter._inner if isinstance(adapter, _Adapter) else adapter
        session.adapters[prefix] = _Adapter(inner, propagation)
    return session
