"""What the environment says about terminals: whether to colour, and how wide they are.

The order is that of CPython's own ``_colorize.can_colorize`` (since 3.13), with the conventions of
``https://no-color.org``, ``https://force-color.org`` and ``https://bixense.com/clicolors``.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

_WIDEST = 65_535


class _Writing(threading.local):
    """What a handler of ours is about to write on this thread, and to which standard stream."""

    record: logging.LogRecord | None = None
    place: str | None = None


writing = _Writing()


def colors_in_environment() -> bool | None:
    """Whether the environment wants colours; `None`: where lines go to a terminal."""
    get = os.environ.get
    if get("NO_COLOR"):
        return False
    if get("FORCE_COLOR") or get("CLICOLOR_FORCE", "0") not in {"", "0"}:
        return True
    if get("TERM") == "dumb" or get("CLICOLOR") == "0":
        return False
    return None


def columns_in_environment() -> int | None:
    """How many columns ``COLUMNS`` says that there are; `None` where it says nothing."""
    given = os.environ.get("COLUMNS", "")
    if not (given.isascii() and given.isdigit()):
        return None
    return min(int(given[:6]), _WIDEST) or None


def is_terminal(stream: object) -> bool:
    """Whether a stream is a terminal that people look at."""
    isatty = getattr(stream, "isatty", None)
    try:
        return bool(isatty is not None and isatty())
    except (OSError, ValueError):  # closed
        return False


def standard_name(stream: object) -> str | None:
    """Give the name of the standard stream that this is, by its descriptor."""
    try:
        number = stream.fileno()  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return None
    return {1: "stdout", 2: "stderr"}.get(number)


def enable_colors() -> None:
    """Have a console of Windows understand colours; elsewhere there is nothing to do.

    Consoles since Windows 10 do once they are told to, each on its handle
    (``https://learn.microsoft.com/windows/console/setconsolemode``).
    """
    if sys.platform != "win32":
        return
    import ctypes

    kernel = ctypes.windll.kernel32
    for number in (-11, -12):  # standard output and error
        handle, mode = kernel.GetStdHandle(number), ctypes.c_ulong()
        if kernel.GetConsoleMode(handle, ctypes.byref(mode)):
            kernel.SetConsoleMode(handle, mode.value | 4)  # ENABLE_VIRTUAL_TERMINAL_PROCESSING
