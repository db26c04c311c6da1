"""Levels at run time: what the environment, a file, a signal or a call says, and for how long.

`_holds` gives loggers their levels. Times are kept by the handler lane: it looks at the file once a
second, and ends what is over, while other threads sleep or are busy. A forked child goes on with the
holds of its parent.

Pinned by ``tests/python/test_levels.py`` and ``test_level_file.py``.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, overload

from logboom import _holds, _level_words
from logboom._holds import HeldLevels
from logboom._lane import lane
from logboom._level_file import LevelFile
from logboom._logboom import ConfigError
from logboom._options import invalid, seconds

if TYPE_CHECKING:
    from types import FrameType

# Seconds between two looks at the file.
_LOOK_EVERY = 1.0
# Seconds for which levels may be held: a year.
LONGEST = 31_536_000.0

_file: LevelFile | None = None
# What was read of the environment.
_given: tuple[str, str] = ("", "")


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

    ``changes``: levels by loggers' names, ``root`` for the root logger, each a name or a number; or a
    text as for ``LOGBOOM_LEVEL``: ``"info,app.db=debug"``. ``for_seconds``: how long, more than 0 up to
    31,536,000 seconds; default `None`, until `HeldLevels.restore`. What the program sets meanwhile
    comes into effect afterwards; of two that are held for one logger the later counts. Returns what
    restores them, also at the end of a ``with`` statement.

    A logger that is not there yet gets its level once the program asks for it. Log calls cost the same.
    The thread ``logboom-lane`` ends what is over, a few milliseconds after its time, whatever other
    threads do; it runs as long as something is to end. Only this process is changed, and its forked
    children from then on; ``LOGBOOM_LEVEL_FILE`` reaches all processes of a service.

    Raises `ConfigError` for a level or a time that is none, before anything is changed, and
    `RuntimeError` where the system refuses the thread.
    """
    if changes is None:
        if for_seconds is not None:
            raise invalid("for_seconds", for_seconds, "`changes` with it")
        return _effective()
    found = _checked(changes)
    length = None if for_seconds is None else seconds("for_seconds", for_seconds, LONGEST)
    hold = HeldLevels(found, length)
    hold.begin()
    if hold.until is not None:
        try:
            lane.call_at(_on_time, hold.until)
        except BaseException:
            hold.restore()
            raise
    return hold


def _effective() -> dict[str, str]:
    known = logging.root.manager.loggerDict
    with _holds.LOCK:
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
        raise invalid("changes", changes, "levels by loggers' names")
    found = {}
    for logger, level in changes.items():
        if not isinstance(logger, str):
            raise invalid("changes", logger, "a logger's name, as str")
        number = level if not isinstance(level, str) else _level_words.number(level)
        if type(number) is not int or not 0 <= number <= _level_words.OFF:
            raise invalid("changes", level, "a level's name or number")
        found[logger or "root"] = number
    return found


def _on_time() -> float | None:
    """End what is over, look at the file; when the next is due. On the handler lane."""
    now = time.monotonic()
    for hold in list(_holds.calls):
        if hold.until is not None and hold.until <= now:
            hold.restore()
    file = _file
    if file is not None and file.look():
        with _holds.LOCK:
            if file is _file:
                _holds.lowest[1:] = [HeldLevels(file.levels)]
                _holds.settle()
    times = [hold.until for hold in list(_holds.calls) if hold.until is not None]
    if _file is not None:
        times.append(time.monotonic() + _LOOK_EVERY)
    return min(times, default=None)


def _tell(source: str, problem: str) -> None:
    if problem and sys.stderr is not None:
        with suppress(OSError, ValueError):  # closed, and nobody left to tell
            sys.stderr.write(f"logboom: {source}: {problem}; the rest is in effect\n")


def begin_environment() -> None:
    """Hold what ``LOGBOOM_LEVEL`` and ``LOGBOOM_LEVEL_FILE`` say. Idempotent; raises nothing."""
    global _file, _given
    given = (os.environ.get("LOGBOOM_LEVEL", ""), os.environ.get("LOGBOOM_LEVEL_FILE", ""))
    with _holds.LOCK:
        if given == _given:
            return
        _given = given
    words, path = given
    found, wrong = _level_words.parse(words)
    _tell("LOGBOOM_LEVEL", wrong)
    file = LevelFile(path, functools.partial(_tell, "LOGBOOM_LEVEL_FILE")) if path else None
    if file is not None:
        file.look(first=True)
    with _holds.LOCK:
        _file = file
        _holds.lowest[:] = [HeldLevels(found), *([HeldLevels(file.levels)] if file else [])]
        _holds.settle()
    if file is not None:
        try:
            lane.call_at(_on_time, time.monotonic() + _LOOK_EVERY)
        except RuntimeError as error:
            _tell("LOGBOOM_LEVEL_FILE", f"it is not looked at again: {error}")


def end_environment() -> None:
    """Hold no longer what the environment said."""
    global _file, _given
    with _holds.LOCK:
        if _given != ("", ""):
            _file, _given = None, ("", "")
            _holds.lowest.clear()
            _holds.settle()


def levels_on_signal(number: int, changes: Mapping[str, int | str] | str = "debug") -> None:
    """Have a signal hold levels, and the same signal once more restore them.

    ``number``: the signal, as `signal.SIGUSR1`; one that has its default action, or that this
    function was called for before. ``changes``: as for `levels`; default: everything from ``DEBUG`` on.
    To be sent to each process of a service; Python runs what it does on the main thread, between two
    instructions.

    Raises `ConfigError` for a signal that cannot be handled or that the program handles, and for levels
    that are none; `ValueError` outside of the main thread.
    """
    import signal  # at need: few programs ask for it

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
        self._hold.begin()
