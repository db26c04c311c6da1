"""The options of the engine."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from logboom import _logboom

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from typing_extensions import TypedDict, Unpack

    from logboom._redaction import Redaction

    class _EngineOptions(TypedDict, total=False):
        capacity_bytes: int
        table_bytes: int
        overflow: str
        block_timeout: float | None
        block_on_event_loop: bool
        shutdown_timeout: float
        notice_interval: float
        durable: str | PathLike[str] | bool | None
        sync_every: float | None
        sync_level: int | str | None
        redact: bool | Redaction | Mapping[str, Any]


def configure(**options: Unpack[_EngineOptions]) -> None:
    """Change options of the engine; those not given stay as they are. Routes and counts go on.

    ``capacity_bytes``: the ring's size, 65,536 to 17,179,869,184; default 4,194,304. Larger rides out
    longer bursts, costs memory only as far as it was ever used.
    ``table_bytes``: room for the texts that records name by number (call sites, templates), 4,096 to
    1,073,741,824; default 1,048,576. Once full, texts travel with each record.
    ``overflow``: what happens to a record that finds the ring full.

    - ``"block"`` (default): the call waits without the GIL, in the order in which calls came.
    - ``"drop_newest"``: the record is dropped. What began a burst is kept.
    - ``"drop_oldest"``: as many of the oldest records as make room are dropped. What was logged last is
      kept. The writer copies what it is at, up to 256 KiB, which costs it a few nanoseconds a record.
    - ``"sample"``: records below ``WARNING`` are dropped where they would fill the ring by more than
      three quarters; the last quarter is for warnings and graver ones, which wait as with ``"block"``
      where that is full too.

    What is dropped is counted, and told in the log itself (``notice_interval``).
    ``block_timeout``: seconds that a call waits before its record is dropped; default `None`, for ever;
    0 drops at once.
    ``block_on_event_loop``: whether a call waits on a thread that runs an event loop of ``asyncio`` (or
    one that says so to it, as uvloop does); default `True`. With `False` its record is dropped and
    counted instead, one that is too long for the ring rejected. Asked only where the ring is full.

    Calls never wait on the writer's own thread. A signal handler that logs while the call that it
    interrupted waits for room does not wait either: its record goes beside the ring, up to 1 MiB of
    them, and is dropped beyond that.
    ``shutdown_timeout``: seconds that the end of the process may take; default 5.0.
    ``notice_interval``: least seconds between two notices of drops in one log, and between two reports
    of faults; default 1.0. A flush, a close and the end of the process tell the rest at once.

    ``durable``: a directory in which the ring lies as a file, so that what was logged outlives the
    process, or `True` for ``/dev/shm/logboom-UID``; default `None`, also ``LOGBOOM_DURABLE`` in the
    environment. After `os._exit`, SIGKILL, ``abort`` or a segmentation fault, the next start with the
    same directory, or ``python -m logboom recover DIR``, writes what was accepted and not written: once
    where one process writes a file, at least once where several do. Linux only. A call costs the same
    on a memory file system; each process takes ``capacity_bytes``, ``table_bytes`` and 0.3 MB of it.
    In a dictionary for ``logging.config``, a formatter ``{"()": "logboom.configure", "durable": DIR}``
    does it, since formatters are made before handlers.
    What killed processes left there is written before this returns, on the calling thread. The machine
    is another matter: a memory file system ends with it.
    ``sync_every``: seconds between two ``fdatasync`` of every file that was written to, 0.001 to 86,400;
    default `None`, never. Bounds what a machine loses that loses power.
    ``sync_level``: the level from which on a record is put onto its device as soon as it is written,
    by name or number; default `None`, none. The writer's thread pays for both.

    ``redact``: what is taken out of records on the writer's thread, before any formatter sees them.
    `True` (default): the values of fields with secret names (``password``, ``access_token``,
    ``X-Api-Key`` and their like, at any depth) in lines of `JsonFormatter` and the other formatters of
    this package; `False`: nothing; a `Redaction`, or a mapping of its options as a dictionary for
    ``logging.config`` has: further names, and patterns for all texts and formats.

    Raises `ConfigError` (a `ValueError`) for an unknown option or one out of its bounds, before
    anything is changed. What was submitted before is written first; the call does not wait for that,
    unless eight rings of earlier calls are not written yet: then at most a second, after which it raises
    `LogboomError` and changes nothing.
    """
    given: dict[str, Any] = dict(options)
    level = given.get("sync_level")
    if isinstance(level, str):
        number = logging.getLevelName(level)
        # Any other type is refused with its own words.
        given["sync_level"] = number if isinstance(number, int) else level
    if not isinstance(given.get("redact", True), bool):
        from logboom._redaction import core_of

        given["redact"] = core_of(given["redact"])
    _logboom.configure(given)
