"""One of the processes that write to one file: set up, told to begin, and done when all is in the file.

    python -m bench.writing PEER FILE LINES DIRECTORY

Prints "ready", waits for a line on standard input, logs, drains, prints "done", and ends with its input.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench import subject
from bench.peers import peer_class
from bench.peers.base import UnsupportedError


def main() -> int:
    """Log as told."""
    name, path, calls, directory = sys.argv[1:]
    peer = peer_class(name)(Path(path), "text")
    peer.open()
    log = peer.logger("shop.orders")
    module = subject.made(Path(directory), subject.NAME, peer.call("two"), "two")
    print("ready", flush=True)
    sys.stdin.readline()
    module.burst(log, int(calls))
    peer.drain()
    print("done", flush=True)
    sys.stdin.readline()
    peer.close()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (UnsupportedError, ImportError) as error:
        sys.exit(f"unsupported: {error}")
