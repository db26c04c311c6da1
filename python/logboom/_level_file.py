"""A file that says which levels loggers have, looked at again and again (``LOGBOOM_LEVEL_FILE``).

1. A look is one `os.stat`; the file is read where that shows a change, or one that is so young that the
   next change might have the same time.
2. Nothing about the file does harm: what is no regular file is not opened, 64 KiB are read at most, and
   no read waits for another process. A file that is not there says nothing, and so does one that cannot
   be read or is no text.
3. What is wrong in it is told once it stands there at two looks, so that a file that is being written
   is not complained about; once a change, and at most every ten seconds.

Pinned by ``tests/python/test_level_file.py``.
"""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

from logboom import _level_words

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_BYTES = 65_536
# Seconds for which a change may be followed by another at the same time of the file.
_YOUNG = 2.0
_QUIET = 10.0
_FLAGS = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY")
)


class LevelFile:
    """What a file says."""

    def __init__(self, path: str, report: Callable[[str], object]) -> None:
        # Programs change their directory.
        self.path = os.path.abspath(path)
        self.levels: dict[str, int] = {}
        self._report = report
        self._seen: tuple[int, ...] | None = None
        self._said: tuple[str, str] | None = None
        self._untold = ""
        self._told_at: float | None = None

    @property
    def text(self) -> str:
        """What it said when it was read last; empty where there was nothing to read."""
        return self._said[0] if self._said else ""

    def look(self, first: bool = False) -> bool:
        """Look whether the file says something else than before, and whether it does."""
        seen: tuple[int, ...] = ()
        try:
            found = os.stat(self.path)
            seen = (found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev, found.st_mode)
            is_young = time.time() - found.st_mtime < _YOUNG
        except (OSError, ValueError):
            is_young = False
        if seen == self._seen and not is_young:
            self._tell()
            return False
        text, problem = self._read() if seen else ("", "")
        before = self.levels
        if (text, problem) == self._said:
            self._tell()
        else:
            self._said = (text, problem)
            self.levels, wrong = _level_words.parse(text)
            self._untold = problem or wrong
            if first:
                self._tell()
        # Last: a process that is forked meanwhile looks again.
        self._seen = seen
        return self.levels != before

    def _read(self) -> tuple[str, str]:
        """The text of the file, and why there is none."""
        try:
            if not stat.S_ISREG(os.stat(self.path).st_mode):
                return "", "it is no regular file"
            descriptor = os.open(self.path, _FLAGS)
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    return "", "it is no regular file"
                read = b""
                while len(read) <= MOST_BYTES:
                    more = os.read(descriptor, MOST_BYTES + 1 - len(read))
                    if not more:
                        break
                    read += more
            finally:
                os.close(descriptor)
        except FileNotFoundError:
            return "", ""
        except OSError as error:
            return "", f"it cannot be read: {error.strerror}"
        if len(read) > MOST_BYTES:
            return "", f"got more than {MOST_BYTES} bytes, expected at most as many"
        try:
            return read.decode(), ""
        except UnicodeDecodeError:
            return "", "it is no text in UTF-8"

    def _tell(self) -> None:
        if not self._untold:
            return
        now = time.monotonic()
        if self._told_at is not None and now - self._told_at < _QUIET:
            return
        self._told_at, problem, self._untold = now, self._untold, ""
        self._report(problem)
