"""Set-up in one call: the engine's options, and `logging.basicConfig` with native handlers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from logboom import _logboom
from logboom._handlers import FileHandler, StreamHandler
from logboom._loggers import install

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from typing_extensions import TypedDict, Unpack

    class _EngineOptions(TypedDict, total=False):
        capacity_bytes: int
        table_bytes: int
        overflow: str
        block_timeout: float | None
        shutdown_timeout: float
        notice_interval: float


# As of the import: programs put ours in its place, `logging.basicConfig = logboom.basicConfig`.
_library_basic_config = logging.basicConfig


def configure(**options: Unpack[_EngineOptions]) -> None:
    """Change options of the engine; those not given stay as they are. Routes and counts go on.

    ``capacity_bytes``: the ring's size, 65,536 to 17,179,869,184; default 4,194,304. Larger rides out
    longer bursts, costs memory only as far as it was ever used.
    ``table_bytes``: room for the texts that records name by number (call sites, templates), 4,096 to
    1,073,741,824; default 1,048,576. Once full, texts travel with each record.
    ``overflow``: what happens when the ring is full: ``"block"`` (default) waits without the GIL,
    ``"drop_newest"`` drops and counts the new record.
    ``block_timeout``: seconds that ``"block"`` waits before it drops; default `None`, for ever.
    ``shutdown_timeout``: seconds that the end of the process may take; default 5.0.
    ``notice_interval``: least seconds between two notices of drops or faults; default 1.0.

    Raises `ConfigError` (a `ValueError`) for an unknown option or one out of its bounds, before
    anything is changed. The calling thread waits until the writer has written what was submitted.
    """
    _logboom.configure(dict(options))


def basicConfig(
    *,
    filename: str | PathLike[str] | None = None,
    filemode: str = "a",
    format: str | None = None,  # noqa: A002 - the standard signature
    datefmt: str | None = None,
    style: str = "%",
    level: int | str | None = None,
    stream: Any = None,
    handlers: Iterable[logging.Handler] | None = None,
    force: bool = False,
    encoding: str | None = None,
    errors: str | None = "backslashreplace",
    **unknown: Any,
) -> None:
    """`logging.basicConfig` with native handlers, after `install()`.

    The arguments are the standard ones (CPython ``Doc/library/logging.rst``). Does nothing if the root
    logger has handlers, unless ``force``.

    Raises what the standard one raises, before anything is changed.
    """
    if logging.root.handlers and not force:
        install()
        return
    if handlers is None:
        if filename is not None and stream is not None:
            raise ValueError("'stream' and 'filename' should not be specified together")
    elif stream is not None or filename is not None:
        raise ValueError("'stream' or 'filename' should not be specified together with 'handlers'")
    if unknown:
        raise ValueError(f"Unrecognised argument(s): {', '.join(unknown)}")
    # Everything that can be refused is refused before a file is opened or a handler taken away.
    if style not in logging._STYLES:
        raise ValueError("Style must be one of: {}".format(",".join(logging._STYLES)))
    default = logging._STYLES[style][1]
    formatter = logging.Formatter(format or default, datefmt, style)  # type: ignore[arg-type]
    if level is not None:
        level = logging._checkLevel(level)  # type: ignore[attr-defined]
    if handlers is not None:
        made = list(handlers)
    elif filename is not None:
        text = "b" not in filemode
        made = [
            FileHandler(
                filename,
                filemode,
                encoding=encoding if text else None,
                errors=errors if text else None,
            )
        ]
    else:
        made = [StreamHandler(stream)]
    for handler in made:
        if handler.formatter is None:
            handler.setFormatter(formatter)
    install()
    _library_basic_config(handlers=made, level=level, force=force)
