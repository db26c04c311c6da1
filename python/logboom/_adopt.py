"""`adopt`: queue listeners that run on threads of their own, moved onto the handler lane.

The cure for a program that keeps its configuration: each listener goes on with the same queue, the
same handlers and the same ``stop()``, without its thread. No record is lost, none changes its place:
a thread is ended by the sentinel that ``stop()`` would use, and the lane takes nothing before it has
ended.
"""

from __future__ import annotations

import gc
import logging
import logging.handlers
import queue
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from logboom import _lane, _sources
from logboom._explain import class_name
from logboom._queues import overrides_loop

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAUSE = 0.005
_lock = threading.Lock()


@dataclass(frozen=True)
class AdoptedListener:
    """One queue listener that `adopt` found running.

    ``listener``, ``queue``: their classes; ``handlers``: those of its handlers. ``waiting``: records in
    its queue when it was found. ``outcome``: ``"moved"``: it is on the lane, its thread has ended;
    ``"moving"``: the same as soon as its thread comes back from its handlers; ``"on the lane"``: it
    was there already; ``"left"``: nothing was done. ``reason``: why it was left.
    """

    listener: str
    queue: str
    handlers: tuple[str, ...]
    waiting: int
    outcome: Literal["moved", "moving", "on the lane", "left"]
    reason: str = ""


@dataclass(frozen=True)
class AdoptReport:
    """What `adopt` found and did. ``threads_ended``: how many threads it has ended."""

    listeners: tuple[AdoptedListener, ...]
    threads_ended: int

    def as_dict(self) -> dict[str, Any]:
        """The same as a dict of numbers, texts, lists and dicts, for machines."""
        found = [{**asdict(one), "handlers": list(one.handlers)} for one in self.listeners]
        return {"listeners": found, "threads_ended": self.threads_ended}

    def __str__(self) -> str:
        lines = [f"{len(self.listeners)} queue listeners found, {self.threads_ended} threads ended"]
        for one in self.listeners:
            handlers = ", ".join(one.handlers) or "nothing"
            because = f", as {one.reason}" if one.reason else ""
            lines.append(
                f"  {one.listener} on {one.queue} to {handlers}: {one.outcome}{because}"
                f" ({one.waiting} records waiting)"
            )
        return "\n".join(lines)


def adopt(timeout: float = 5.0) -> AdoptReport:
    """Move all queue listeners that run on threads of their own onto the one handler lane.

    ``timeout``: seconds to wait for their threads, all together; default 5.0. A thread that does not
    come back from a handler in time is waited for by the lane, and ends once it does.

    Found is every `logging.handlers.QueueListener` of the process that is running, whatever made it:
    ``dictConfig``, Litestar, the program. Listeners made afterwards are not touched: call it again, or
    configure `logboom.QueueListener`. A class that overrides ``dequeue`` or ``_monitor`` goes through
    its queue in its own way, and is left alone.

    Idempotent; safe to call from any thread, also while others log. Costs a walk over all objects.
    Raises `ValueError` for a negative time-out.
    """
    if not timeout >= 0:
        raise ValueError(
            f"invalid `timeout`: got {timeout!r}, expected a number of seconds, 0 or more"
        )
    deadline = time.monotonic() + timeout
    with _lock:
        found = list(_running())
        movable = [one for one in found if _left_because(one) == ""]
        told = {id(one): _describe(one) for one in found}
        # All are told before one is waited for, so that they end side by side, also two on one queue.
        stopped = [one for one in movable if _tell(one, deadline)]
        threads: dict[int, Any] = {id(one): one._thread for one in stopped}
        for one in stopped:
            _lane.start(one, predecessor=threads[id(one)])
        ended = 0
        for thread in threads.values():
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
            ended += not thread.is_alive()
        listeners = []
        for one in found:
            outcome, reason = _outcome(one, threads.get(id(one)))
            listeners.append(AdoptedListener(*told[id(one)], outcome, reason))
    return AdoptReport(tuple(listeners), ended)


def _running() -> Iterator[logging.handlers.QueueListener]:
    for one in gc.get_objects():
        # By the class alone: asking some objects for theirs runs code.
        if issubclass(type(one), logging.handlers.QueueListener):
            thread = getattr(one, "_thread", None)
            if thread is not None and thread.is_alive():
                yield one


def _left_because(listener: logging.handlers.QueueListener) -> str:
    if isinstance(listener._thread, _lane.Seat):
        return "it is on the lane"
    name = overrides_loop(type(listener))
    return f"its class has its own `{name}`" if name else ""


def _describe(listener: logging.handlers.QueueListener) -> tuple[str, str, tuple[str, ...], int]:
    handlers = tuple(class_name(handler) for handler in listener.handlers)
    source = listener.queue
    return class_name(listener), class_name(source), handlers, _sources.size(source)


def _tell(listener: logging.handlers.QueueListener, deadline: float) -> bool:
    """Have a listener's thread end behind the records that are there."""
    while True:
        try:
            listener.enqueue_sentinel()
        except queue.Full:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_PAUSE)
        else:
            return True


def _outcome(
    listener: logging.handlers.QueueListener, thread: threading.Thread | None
) -> tuple[Literal["moved", "moving", "on the lane", "left"], str]:
    if thread is not None:
        return ("moving", "") if thread.is_alive() else ("moved", "")
    if isinstance(listener._thread, _lane.Seat):
        return "on the lane", ""
    return "left", _left_because(listener) or "its queue stayed full"
