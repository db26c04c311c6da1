"""Levels at run time: held for a while, by the environment, a file, a signal or a call.

A *hold* gives levels to loggers, whatever the program gives them. Holds lie over one another: first
``LOGBOOM_LEVEL``, then ``LOGBOOM_LEVEL_FILE``, then the calls of `levels`, the later over the earlier.

Invariants:

1. While some hold names a logger, it has the level of the uppermost. What the program sets meanwhile
   (``setLevel``, `dictConfig`, ``basicConfig``) is kept, and comes into effect when the last such hold ends.
2. A logger that is not there yet gets its level when the program asks for it, of the program's own class.
   It is made before only where one below it is there, which inherits its level; when the program asks
   for it then, it is not disabled, whatever `dictConfig` disabled meanwhile.
3. While there is a hold, two functions of the library have ours in front of them, ``Logger.setLevel`` and
   ``Manager.getLogger``; otherwise nothing of it is touched. A log call does not know of holds: its level is
   an attribute of its logger as ever, so holds cost it nothing.
4. Changes happen under the lock of `logging`, and one that is interrupted by a signal handler which makes
   another is done again.

Times are kept by the handler lane: it looks at the file once a second, and ends what is over, while
other threads sleep or are busy. A forked child goes on with the holds of its parent. What it does not do:
enable a logger that was disabled, or lower the level of a handler.

Pinned by ``tests/python/test_levels.py`` and ``test_level_file.py``.
"""

from __future__ import annotations

import functools
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, overload

from logboom import _level_words
from logboom._lane import lane
from logboom._level_file import LevelFile
from logboom._logboom import ConfigError

if TYPE_CHECKING:
    from types import FrameType, TracebackType

# Seconds between two looks at the file.
_LOOK_EVERY = 1.0
_LONGEST = 31_536_000.0

_lock = logging._lock  # type: ignore[attr-defined]
_changes = 0


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
        return self in _calls

    def restore(self) -> None:
        """Hold them no longer: the loggers have the levels that they would have without. Idempotent."""
        with _lock:
            if self in _calls:
                _calls.remove(self)
                _settle()

    def _is_over(self, now: float) -> bool:
        return self._until is not None and self._until <= now

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


# The holds, the lowest first.
_environment: HeldLevels | None = None
_of_file: HeldLevels | None = None
_calls: list[HeldLevels] = []
_file: LevelFile | None = None
# What was read of the environment.
_given: tuple[str, str] = ("", "")
# The levels to be held, and what the program gave those of the loggers that there are.
_wanted: dict[str, int] = {}
_base: dict[str, int] = {}
# Loggers that the program has not asked for yet.
_made: set[str] = set()


def _logger(name: str) -> logging.Logger | None:
    if name == "root":
        return logging.root
    found = logging.root.manager.loggerDict.get(name)
    return found if isinstance(found, logging.Logger) else None


def _settle() -> None:
    """Give every logger the level that it is to have. With the lock held."""
    global _changes, _wanted
    _changes += 1
    seen = None
    while seen != _changes:
        seen = _changes
        wanted: dict[str, int] = {}
        for hold in (_environment, _of_file, *_calls):
            if hold is not None:
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
        with _lock:
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
        with _lock:
            _take(logger)
    above, _, _ = name.rpartition(".")
    while above:
        if above in _wanted and above not in _base:
            with _lock:
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


@overload
def levels() -> dict[str, str]: ...
@overload
def levels(
    changes: Mapping[str, int | str] | str, *, for_seconds: float | None = None
) -> HeldLevels: ...
def levels(
    changes: Mapping[str, int | str] | str | None = None, *, for_seconds: float | None = None
) -> dict[str, str] | HeldLevels:
    """The levels of all loggers; or hold others, for a while or until they are restored.

    Without arguments: the effective level of each logger that there is, by its name, ``root`` first.

    ``changes``: levels by loggers' names, ``root`` for the root logger, each a name or a number; or a text
    as for ``LOGBOOM_LEVEL``: ``"info,app.db=debug"``. ``for_seconds``: how long, more than 0 up to
    31,536,000 seconds; default `None`, until `HeldLevels.restore`. What the program sets meanwhile comes
    into effect afterwards; of two that are held for one logger the later counts. Returns what restores
    them, also at the end of a ``with`` statement.

    A logger that is not there yet gets its level once the program asks for it. Log calls cost the same.
    The thread ``logboom-lane`` ends what is over, a few milliseconds after its time, whatever other
    threads do; it runs as long as something is to end. Only this process is changed, and its forked
    children from then on; ``LOGBOOM_LEVEL_FILE`` reaches all processes of a service.

    Raises `ConfigError` for a level or a time that is none, before anything is changed, and
    `RuntimeError` where the system refuses the thread.
    """
    if changes is None:
        if for_seconds is not None:
            raise ConfigError(f"invalid `for_seconds`: got {for_seconds!r}, expected `changes` with it")
        return _effective()
    hold = HeldLevels(_checked(changes), _seconds(for_seconds))
    with _lock:
        _calls.append(hold)
        _settle()
    if hold._until is not None:
        try:
            lane.call_at(_on_time, hold._until)
        except BaseException:
            hold.restore()
            raise
    return hold


def _effective() -> dict[str, str]:
    known = logging.root.manager.loggerDict
    with _lock:
        loggers = [one for one in known.values() if isinstance(one, logging.Logger)]
    ordered = [logging.root, *sorted(loggers, key=lambda one: one.name)]
    return {one.name: _level_words.name(one.getEffectiveLevel()) for one in ordered}


def _checked(changes: object) -> dict[str, int]:
    if isinstance(changes, str):
        found, wrong = _level_words.parse(changes)
        if wrong:
            raise ConfigError(f"invalid `changes`: got {wrong}")
        return found
    if not isinstance(changes, Mapping):
        raise ConfigError(f"invalid `changes`: got {changes!r}, expected levels by loggers' names")
    found = {}
    for logger, level in changes.items():
        if not isinstance(logger, str):
            raise ConfigError(f"invalid `changes`: got {logger!r}, expected a logger's name, as str")
        number = level if not isinstance(level, str) else _level_words.number(level)
        if type(number) is not int or not 0 <= number <= _level_words.OFF:
            raise ConfigError(f"invalid `changes`: got {level!r}, expected a level's name or number")
        found[logger or "root"] = number
    return found


def _seconds(given: object) -> float | None:
    if given is None:
        return None
    if isinstance(given, (int, float)) and not isinstance(given, bool) and 0 < given <= _LONGEST:
        return float(given)
    text = f"invalid `for_seconds`: got {given!r}, expected more than 0 up to {_LONGEST:.0f} seconds"
    raise ConfigError(text)


def _on_time() -> float | None:
    """End what is over, look at the file; when the next is due. On the handler lane."""
    global _of_file
    now = time.monotonic()
    with _lock:
        over = [hold for hold in _calls if hold._is_over(now)]
        for hold in over:
            _calls.remove(hold)
        if over:
            _settle()
        file = _file
    # Without the lock: a disk may take its time.
    if file is not None and file.look():
        with _lock:
            if file is _file:
                _of_file = HeldLevels(file.levels)
                _settle()
    times = [hold._until for hold in list(_calls) if hold._until is not None]
    if _file is not None:
        times.append(time.monotonic() + _LOOK_EVERY)
    return min(times, default=None)


def _tell(source: str, problem: str) -> None:
    if problem and sys.stderr is not None:
        with suppress(OSError, ValueError):  # closed, and nobody left to tell
            sys.stderr.write(f"logboom: {source}: {problem}; the rest is in effect\n")


def begin_environment() -> None:
    """Hold what ``LOGBOOM_LEVEL`` and ``LOGBOOM_LEVEL_FILE`` say. Idempotent; raises nothing."""
    global _environment, _of_file, _file, _given
    given = (os.environ.get("LOGBOOM_LEVEL", ""), os.environ.get("LOGBOOM_LEVEL_FILE", ""))
    with _lock:
        if given == _given:
            return
        _given = given
    words, path = given
    found, wrong = _level_words.parse(words)
    _tell("LOGBOOM_LEVEL", wrong)
    file = LevelFile(path, functools.partial(_tell, "LOGBOOM_LEVEL_FILE")) if path else None
    if file is not None:
        file.look(first=True)
    with _lock:
        _environment = HeldLevels(found)
        _file = file
        _of_file = None if file is None else HeldLevels(file.levels)
        _settle()
    if file is not None:
        try:
            lane.call_at(_on_time, time.monotonic() + _LOOK_EVERY)
        except RuntimeError as error:
            _tell("LOGBOOM_LEVEL_FILE", f"it is not looked at again: {error}")


def end_environment() -> None:
    """Hold no longer what the environment said."""
    global _environment, _of_file, _file, _given
    with _lock:
        if _given != ("", ""):
            _environment = _of_file = _file = None
            _given = ("", "")
            _settle()


def levels_on_signal(number: int, changes: Mapping[str, int | str] | str = "debug") -> None:
    """Have a signal hold levels, and the same signal once more restore them.

    ``number``: the signal, as `signal.SIGUSR1`; one that has its default action, or that this function
    was called for before. ``changes``: as for `levels`; default: everything from ``DEBUG`` on. To be sent
    to each process of a service; Python runs what it does on the main thread, between two instructions.

    Raises `ConfigError` for a signal that cannot be handled or that the program handles, and for levels
    that are none; `ValueError` outside of the main thread.
    """
    found = _checked(changes)
    if threading.current_thread() is not threading.main_thread():
        raise ValueError(
            f"invalid thread: got {threading.current_thread().name!r}, expected the main thread, "
            "where Python handles signals"
        )
    try:
        current = signal.getsignal(number)
        if current == signal.SIG_DFL or isinstance(current, _Toggle):
            signal.signal(number, _Toggle(found, current))
            return
    except (OSError, TypeError, ValueError) as error:
        reason = f"expected one that a program can handle: {error}"
    else:
        reason = "which the program handles already, expected one with its default action"
    raise ConfigError(f"invalid `number`: got {number!r}, {reason}")


class _Toggle:
    """What handles such a signal."""

    def __init__(self, levels: dict[str, int], before: object) -> None:
        self._levels = levels
        self._hold: HeldLevels | None = None
        if isinstance(before, _Toggle) and before._hold is not None:
            before._hold.restore()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        hold, self._hold = self._hold, None
        if hold is not None and hold.active:
            hold.restore()
            return
        self._hold = HeldLevels(self._levels)
        with _lock:
            _calls.append(self._hold)
            _settle()
