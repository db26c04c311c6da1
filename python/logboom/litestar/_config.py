"""`LoggingConfig` beside Litestar 2: its own ``LoggingConfig``, field for field, delivered natively.

Pinned by ``tests/python/test_litestar_config.py``.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, cast

from litestar.logging import LoggingConfig as ShippedConfig
from litestar.logging.config import (
    default_handlers as _shipped_handlers,
    default_picologging_handlers as _shipped_picologging_handlers,
)

from logboom._options import invalid
from logboom.litestar import _apply

if TYPE_CHECKING:
    from litestar.types.callable_types import GetLogger


@dataclass
class LoggingConfig(ShippedConfig):
    """Litestar's ``LoggingConfig``, field for field, with native handlers where it has its own.

    Two handlers are there without being defined. ``console`` is a ``logboom.StreamHandler`` to
    standard error; ``queue_listener`` does what ``console`` is defined to do, and is there because
    configurations name it: nothing that logboom delivers waits in a Python queue.

    A handler that is defined with Litestar's own ``QueueListenerHandler`` or
    ``LoggingQueueListener`` is replaced by the handlers behind it, each with the stricter of the
    two levels. They are called directly: behind a queue of Litestar's, name native handlers rather
    than standard ones. Every other handler is what its class says.

    ``configure()`` may be called from any thread at any time. It costs what ``dictConfig`` costs,
    on the caller's thread.

    Raises:
        ConfigError: ``logging_module`` is not ``"logging"``.
    """

    logging_module: str = field(default="logging")
    """The only valid value is ``logging``: native loggers are loggers of the standard library."""

    def __post_init__(self) -> None:
        """Fill in what Litestar expects to be there."""
        if self.logging_module != "logging":
            raise invalid("logging_module", self.logging_module, "'logging'")
        self.handlers.setdefault("console", _apply.console())
        self.handlers.setdefault("queue_listener", dict(self.handlers["console"]))
        super().__post_init__()

    def configure(self) -> GetLogger:
        """Apply the configuration to the process.

        Returns:
            ``logging.getLogger``.

        Raises:
            ValueError: what ``logging.config.dictConfig`` raises for a configuration it cannot use.
        """
        _apply.apply(self)
        return cast("GetLogger", logging.getLogger)

    @classmethod
    def of(cls, config: ShippedConfig) -> LoggingConfig:
        """Make the native equal of a configuration of Litestar's.

        Handlers that are there by default become the native ones; whatever was defined stays.
        """
        values = {item.name: getattr(config, item.name) for item in fields(ShippedConfig)}
        values["logging_module"] = "logging"
        values["handlers"] = {
            name: definition
            for name, definition in config.handlers.items()
            if definition
            not in (_shipped_handlers.get(name), _shipped_picologging_handlers.get(name))
        }
        return cls(**values)
