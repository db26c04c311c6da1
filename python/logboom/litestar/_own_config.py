"""`LoggingConfig` beside Litestar 3, which has none: the fields that mean something without one.

Pinned by ``tests/python/test_litestar_3.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from logboom.litestar import _apply

_ExceptionHandler = Callable[[Any, Any, "list[str]"], None]


def _formatters() -> dict[str, dict[str, Any]]:
    return {"standard": {"format": _apply.SHIPPED_FORMAT}}


def _loggers() -> dict[str, dict[str, Any]]:
    return {"litestar": {"level": "INFO", "handlers": ["queue_listener"], "propagate": False}}


def _root() -> dict[str, Any]:
    return {"level": "INFO", "handlers": ["queue_listener"]}


@dataclass
class LoggingConfig:
    """The logging configuration of an application, as Litestar 2 has it.

    What is defined goes to ``logging.config``, where a formatter ``standard``, handlers ``console`` (a
    ``logboom.StreamHandler`` to standard error) and ``queue_listener`` (the same) and a logger
    ``litestar`` are there without being defined.
    """

    version: Literal[1] = 1
    """The only valid value is 1."""
    incremental: bool = False
    """Whether the configuration is to be added to the one that is there."""
    disable_existing_loggers: bool = False
    """Whether loggers that are there and not named here are disabled."""
    filters: dict[str, dict[str, Any]] | None = None
    """Filters by name."""
    formatters: dict[str, dict[str, Any]] = field(default_factory=_formatters)
    """Formatters by name."""
    handlers: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Handlers by name."""
    loggers: dict[str, dict[str, Any]] = field(default_factory=_loggers)
    """Loggers by name."""
    root: dict[str, Any] = field(default_factory=_root)
    """The root logger."""
    configure_root_logger: bool = True
    """Whether ``root`` is applied."""
    log_exceptions: Literal["always", "debug", "never"] = "debug"
    """When an exception is a line of its own: see `LogboomPlugin`."""
    disable_stack_trace: set[int | type[Exception]] = field(default_factory=set)
    """Status codes and classes of exceptions whose line has no traceback."""
    exception_logging_handler: _ExceptionHandler | None = None
    """Called with a logger, the scope and the formatted traceback instead of logging that line."""

    def __post_init__(self) -> None:
        """Fill in what has to be there."""
        self.formatters.setdefault("standard", _formatters()["standard"])
        self.handlers.setdefault("console", _apply.console())
        self.handlers.setdefault("queue_listener", dict(self.handlers["console"]))
        self.loggers.setdefault("litestar", _loggers()["litestar"])

    def configure(self) -> Callable[..., logging.Logger]:
        """Apply the configuration to the process; gives ``logging.getLogger``.

        Raises:
            ValueError: what ``logging.config.dictConfig`` raises for a configuration it cannot use.
        """
        _apply.apply(self)
        return logging.getLogger

    @staticmethod
    def set_level(logger: Any, level: int) -> None:
        """Set a logger's level."""
        logger.setLevel(level)
