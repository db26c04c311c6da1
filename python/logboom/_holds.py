"""Holds: levels that loggers have for a while, whatever the program gives them.

Holds lie over one another: first that of ``LOGBOOM_LEVEL``, then that of ``LOGBOOM_LEVEL_FILE``, then
those of calls (`_levels`), the later over the earlier.

Invariants:

1. While some hold names a logger, it has the level of the uppermost. What the program sets meanwhile
   (``setLevel``, `dictConfig`, ``basicConfig``) is kept, and comes into effect when the last of them
   ends.
2. A logger that is not there yet gets its level when the program asks for it, of the program's own
   class. It is made before only where one below it is there, which inherits its level; when the
   program asks for it then, it is not disabled, whatever `dictConfig` disabled meanwhile.
3. While there is a hold, two functions of the library have ours in front of them, ``Logger.setLevel``
   and ``Manager.getLogger``; otherwise nothing of it is touched. A log call does not know of holds: its
   level is an attribute of its logger as ever, so holds cost it nothing.
4. Changes happen under the lock of `logging`, and one that is interrupted by a signal handler which
   makes another is done again.

What it does not do: enable a logger that was disabled, or lower the level of a handler.

Pinned by ``tests/python/test_levels.py``.
"""

from __future__ import annotations

import functools
import logging
import time
from typing import TYPE_CHECKING, Any

from logboom import _level_words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

LOCK = logging._lock  # type: ignore[attr-defined]


class HeldLevels:
    """Levels that are held; made by `levels`. In a ``with`` statement they are held to its end."""

    def __init__(self, levels: Mapping[str, int], seconds: float | None = None) -> None:
        self._levels = dict(levels)
        self._until = None if seconds is None else time.monotonic() + seconds

    @property
    def levels(self) -> dict[str, str]:
        """The levels by the loggers' names."""
        return {logger: _level_words.name(level) for logger, level in self._levels.items()}

    @property
    def active(self) -> bool:
        """Whether they are held at this moment."""
        return self in calls

    def restore(self) -> None:
        """Hold them no longer: the loggers have the levels that they would have without. Idempotent."""
        with LOCK:
            if self in calls:
                calls.remove(self)
                settle()

    def begin(self) -> None:
        """Hold them from now on."""
        with LOCK:
            calls.append(self)
            settle()

    @property
    def until(self) -> float | None:
        """When it is over, by `time.monotonic`; `None` for never."""
        return self._until

    def __enter__(self) -> HeldLevels:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.restore()

    def __repr__(self) -> str:
        state = "" if self.active else ", restored"
        return f"<HeldLevels {self.levels}{state}>"


# The holds, the lowest first: what the environment and its file say, and the calls.
lowest: list[HeldLevels] = []
calls: list[HeldLevels] = []
# The levels to be held, and what the program gave those of the loggers that there are.
_wanted: dict[str, int] = {}
_base: dict[str, int] = {}
# Loggers that the program has not asked for yet.
_made: set[str] = set()
_changes = 0


def _logger(name: str) -> logging.Logger | None:
    if name == "root":
        return logging.root
    found = logging.root.manager.loggerDict.get(name)
    return found if isinstance(found, logging.Logger) else None


def settle() -> None:
    """Give every logger the level that it is to have. With the lock held."""
    global _changes, _wanted
    _changes += 1
    seen = None
    while seen != _changes:
        seen = _changes
        wanted: dict[str, int] = {}
        for hold in (*lowest, *calls):
            wanted.update(hold._levels)
        _wanted = wanted
        if wanted:
            _stand_in_front()
        for name in wanted:
            logger = _logger(name)
            if logger is not None:
                _take(logger)
            elif name in logging.root.manager.loggerDict:  # there are some below it
                _make(name)
        for name in [name for name in _base if name not in wanted]:
            logger, level = _logger(name), _base.pop(name, None)
            if logger is not None and level is not None:
                _behind_set_level(logger, level)
        if not wanted and not _wanted:
            _stand_aside()


def is_held(name: str) -> bool:
    """Whether a logger of this name has a level that is held."""
    return name in _base


def _make(name: str) -> None:
    _made.add(name)
    _take(_behind_get_logger(logging.root.manager, name))


def _take(logger: logging.Logger) -> None:
    level = _wanted.get(logger.name)
    if level is None:
        return
    _base.setdefault(logger.name, logger.level)
    if logger.level != level:
        _behind_set_level(logger, level)


_behind_set_level: Any = logging.Logger.setLevel
_behind_get_logger: Any = logging.Manager.getLogger


@functools.wraps(logging.Logger.setLevel)
def _set_level(self: logging.Logger, level: int | str) -> None:
    if self.name in _base and _logger(self.name) is self:
        level = logging._checkLevel(level)  # type: ignore[attr-defined]
        with LOCK:
            if self.name in _base:
                _base[self.name] = int(level)
                return
    _behind_set_level(self, level)


@functools.wraps(logging.Manager.getLogger)
def _get_logger(self: logging.Manager, name: str) -> logging.Logger:
    logger: logging.Logger = _behind_get_logger(self, name)
    if self is not logging.root.manager:
        return logger
    if name in _made:
        _made.discard(name)
        logger.disabled = False
    if name in _wanted and name not in _base:
        with LOCK:
            _take(logger)
    above, _, _ = name.rpartition(".")
    while above:
        if above in _wanted and above not in _base:
            with LOCK:
                _make(above)
        above, _, _ = above.rpartition(".")
    return logger


# Whether ours are in front of the library's, maybe with somebody else's in front of them.
_stands: set[str] = set()


def _stand_in_front() -> None:
    global _behind_set_level, _behind_get_logger
    if "setLevel" not in _stands:
        _stands.add("setLevel")
        _behind_set_level = logging.Logger.setLevel
        logging.Logger.setLevel = _set_level  # type: ignore[method-assign]
    if "getLogger" not in _stands:
        _stands.add("getLogger")
        _behind_get_logger = logging.Manager.getLogger
        logging.Manager.getLogger = _get_logger  # type: ignore[method-assign]


def _stand_aside() -> None:
    # Somebody else's that is in front keeps ours behind it, where it passes everything on.
    if logging.Logger.setLevel is _set_level:
        logging.Logger.setLevel = _behind_set_level  # type: ignore[method-assign]
        _stands.discard("setLevel")
    if logging.Manager.getLogger is _get_logger:
        logging.Manager.getLogger = _behind_get_logger  # type: ignore[method-assign]
        _stands.discard("getLogger")
