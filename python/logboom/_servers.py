"""What uvicorn, gunicorn, hypercorn and granian say about themselves and about requests.

``servers.json`` beside this file is a dictionary for ``logging.config`` that any of them takes:
everything goes through one native handler to standard error, for people on a terminal and as JSON
elsewhere. `console` and `formatter` are what it names.

Invariants:

1. A line of a server's own access log has the fields of an access line of ours: ``method``, ``path``,
   ``status``, and of ``duration_ms``, ``bytes``, ``client``, ``user_agent`` what the server tells. Its
   message is ours too, unless the program gave the server a format of its own: then it is that.
   It tells no query, unless that format does.
2. `Typing` drops nothing and raises nothing: a record that it does not understand stays as it is.
   Which access lines are left out, for there is one of ours, is for ``_access.Folding`` to say.
3. What is logged last is written. A server that raises SIGTERM again comes back to us first.

It imports no server: what each says is known by the names of loggers and the arguments of records.
Pinned by ``tests/python/test_server_lines.py`` with the real servers.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logboom import _basic
from logboom._access import shown
from logboom._handlers import FileHandler, StreamHandler
from logboom._loggers import install
from logboom._signals import flush_on_signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LOG_CONFIG_FILE = Path(__file__).with_name("servers.json")

# The formats that servers have when nobody chooses one.
_APACHE = '%(h)s %(l)s %({})s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'
_USUAL = frozenset(
    {
        '%s - "%s %s HTTP/%s" %d',  # uvicorn
        _APACHE.format("u"),  # gunicorn
        _APACHE.format("l"),  # hypercorn
        '[%(time)s] %(addr)s - "%(method)s %(path)s %(protocol)s" %(status)d %(dt_ms).3f',  # granian
    }
)


def log_config() -> dict[str, Any]:
    """Give ``servers.json`` as a new dictionary."""
    loaded: dict[str, Any] = json.loads(LOG_CONFIG_FILE.read_text(encoding="utf-8"))
    return loaded


def formatter(use_colors: bool | None = None, **_: Any) -> logging.Formatter:
    """Make what `basicConfig` would choose for standard error.

    ``use_colors``: `True` or `False`, as uvicorn says it; default `None`, where people look at it.
    """
    made = _basic.formatter_for(logging.StreamHandler(sys.stderr))
    if use_colors is not None and type(made).__name__ == "ConsoleFormatter":
        from logboom._formatters import ConsoleFormatter

        return ConsoleFormatter(colors=use_colors, drop=_NOISE)
    return made


def handler_to(target: str, stream: object) -> logging.Handler:
    """Make the handler for a log that a server names: a file, or ``-`` for a stream."""
    handler = StreamHandler(stream) if target == "-" else FileHandler(target)
    handler.setFormatter(_basic.formatter_for(handler))
    return handler


def console() -> logging.Handler:
    """Make the handler to standard error; native loggers, and the lines of servers, come with it."""
    prepare()
    return StreamHandler(sys.stderr)


def prepare() -> None:
    """Make loggers native, have servers' records typed, and have SIGTERM write first; idempotent."""
    install()
    for name in (*_READERS, *_TALKERS):
        logging.getLogger(name).addFilter(_typing)  # which adds it once
    with contextlib.suppress(ValueError):  # not the main thread: there is no signal to handle
        flush_on_signal()


class Typing(logging.Filter):
    """On a server's loggers: gives access lines their fields, and takes the noise off the others."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let each record through."""
        for name in _NOISE:
            record.__dict__.pop(name, None)
        reader = _READERS.get(record.name)
        if reader is not None and record.args:
            try:
                _type(record, reader(record.args))
            except Exception:  # noqa: BLE001 - said as the server says it
                return True
        return True


def _type(record: logging.LogRecord, fields: dict[str, Any]) -> None:
    fields = {name: value for name, value in fields.items() if value not in {None, "", "-"}}
    for name in ("method", "path", "client", "user_agent"):
        if name in fields:
            fields[name] = shown(str(fields[name]))
    if record.msg in _USUAL:
        message = f"{fields['method']} {fields['path']} {fields['status']}"
        if "duration_ms" in fields:
            message += f" {fields['duration_ms']:.1f} ms"
    else:
        message = record.getMessage()
    # The arguments hold every header and variable of the environment that a format may name.
    record.msg, record.args = message, ()
    record.__dict__.update(fields)


def _uvicorn(args: Any) -> dict[str, Any]:
    client, method, path, _, status = args
    return {
        "method": method,
        "path": path.partition("?")[0],
        "status": int(status),
        "client": client.rpartition(":")[0],
    }


def _of_apache(args: Any, client: str) -> dict[str, Any]:
    length, (method, target) = args["B"], str(args["r"]).split(" ")[:2]
    return {
        "method": method,
        # Of a request that failed early gunicorn knows the first line only.
        "path": args["U"] or target.partition("?")[0],
        "status": int(args["s"]) if str(args["s"]).isdigit() else None,
        "duration_ms": int(args["D"]) / 1000,
        "bytes": int(length) if str(length).isdigit() else None,
        "client": client,
        "user_agent": args["a"],
    }


def _gunicorn(args: Any) -> dict[str, Any]:
    return _of_apache(args, args["h"])


def _hypercorn(args: Any) -> dict[str, Any]:
    return _of_apache(args, str(args["h"] or "").rpartition(":")[0])


def _granian(args: Any) -> dict[str, Any]:
    return {
        "method": args["method"],
        "path": args["path"],
        "status": int(args["status"]),
        "duration_ms": round(args["dt_ms"], 3),
        "client": args["addr"],
    }


_READERS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "uvicorn.access": _uvicorn,
    "gunicorn.access": _gunicorn,
    "hypercorn.access": _hypercorn,
    "granian.access": _granian,
}
# Who says with its message what it would look like on a terminal.
_TALKERS = ("uvicorn.error", "uvicorn.asgi")
_NOISE = ("color_message",)
_typing = Typing()
