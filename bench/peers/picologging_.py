"""picologging: the standard library's API in C++, on the caller's thread and behind a queue."""

from __future__ import annotations

import picologging
import picologging.handlers

from bench.peers import stdlib


class Sync(stdlib.Sync):
    """A FileHandler on the root."""

    api = picologging


class Queued(stdlib.Queued):
    """The same handler behind a queue."""

    api = picologging
