"""``python -m logboom levels FILE [LEVELS] [--for SECONDS]``: reads and writes a `LOGBOOM_LEVEL_FILE`.

The file is replaced as a whole, so that no process reads a part of it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from typing import TYPE_CHECKING

from logboom import _level_words
from logboom._level_file import LevelFile
from logboom._levels import LONGEST
from logboom._logboom import ConfigError
from logboom._options import invalid, seconds

if TYPE_CHECKING:
    import argparse


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser(
        "levels",
        help="show or set the levels of all processes that watch a file",
        description="Write levels into the file that the processes of a service watch by "
        "LOGBOOM_LEVEL_FILE; they have them within two seconds. Without levels, show them.",
    )
    command.add_argument("file")
    command.add_argument(
        "levels",
        nargs="?",
        help='such as "info,app.db=debug"; an empty text ends what the file says',
    )
    command.add_argument(
        "--for",
        dest="seconds",
        type=float,
        metavar="SECONDS",
        help="wait so long, then put back what the file said, unless others changed it",
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Do what the command line says."""
    path = os.path.realpath(options.file)
    before = _said(path)
    if options.levels is None:
        if options.seconds is not None:
            raise invalid("--for", options.seconds, "levels with it")
        for logger, level in sorted(before.levels.items()):
            sys.stdout.write(f"{logger}={_level_words.name(level)}\n")
        return 0
    if options.seconds is not None:
        seconds("--for", options.seconds, LONGEST)
    _, wrong = _level_words.parse(options.levels)
    if wrong:
        raise ConfigError(f"invalid levels: got {wrong}")
    _replace(path, options.levels)
    if options.seconds is not None:
        with contextlib.suppress(KeyboardInterrupt):
            time.sleep(options.seconds)
        if _said(path).text == options.levels:
            _replace(path, before.text)
    return 0


def _said(path: str) -> LevelFile:
    file = LevelFile(path, lambda problem: sys.stderr.write(f"logboom: {path}: {problem}\n"))
    file.look(first=True)
    return file


def _replace(path: str, text: str) -> None:
    descriptor, other = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".logboom-levels-")
    try:
        with open(descriptor, "w", encoding="utf-8") as out:
            out.write(text)
        # Who may read the file now may read it then; a new one is as `open` would make it.
        try:
            mode = os.stat(path).st_mode & 0o777
        except FileNotFoundError:
            mask = os.umask(0)
            os.umask(mask)
            mode = 0o666 & ~mask
        os.chmod(other, mode)
        os.replace(other, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(other)
        raise
