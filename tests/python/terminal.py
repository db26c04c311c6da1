"""Programs that write to a terminal: a pseudo terminal of a given width."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest
from tests.python.conftest import DEADLINE, clean_environment

if TYPE_CHECKING:
    from pathlib import Path


def on_terminal(
    code: str, directory: Path, columns: int = 120, streams: str = "both", **env: str
) -> str:
    """Run a program whose standard streams are a terminal; give what that shows.

    ``streams``: ``both``, ``stdout`` or ``stderr``; the other one is thrown away.
    """
    pty = pytest.importorskip("pty", reason="no pseudo terminals here")
    import fcntl
    import termios

    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    its_stream = {
        name: its if streams in {"both", name} else subprocess.DEVNULL
        for name in ("stdout", "stderr")
    }
    kept = {
        name: value
        for name, value in clean_environment().items()
        if name not in {"NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"}
    }
    program = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        env={**kept, "TERM": "xterm", **env},
        **its_stream,
    )
    os.close(its)
    shown = b""
    try:
        while True:
            try:
                read = os.read(ours, 65536)
            except OSError:  # Linux: nobody has the other end any more
                break
            if not read:
                break
            shown += read
        assert program.wait(DEADLINE) == 0, shown
    finally:
        program.kill()
        program.wait()
        os.close(ours)
    return shown.decode().replace("\r\n", "\n")
