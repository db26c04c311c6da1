"""A configuration of Litestar's kind, applied to the process.

Invariants:

1. Nothing is started. Where a handler of Litestar's would make a queue, a listener and a thread, the
   handlers behind it stand in its place.
2. A logger that had handlers and has some afterwards has some in between: its list is exchanged,
   never emptied. A line that another request logs meanwhile is delivered.
3. What the caller gave is not changed.

It names no part of Litestar: its handlers are known by their dotted names, in 2 and where it has none.
Pinned by ``tests/python/test_litestar_config.py``.
"""

from __future__ import annotations

import logging
import logging.config
import sys
from typing import TYPE_CHECKING, Any

from logboom._basic import name_for
from logboom._options import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    Definition = dict[str, Any]

KEYS = frozenset(
    {
        "version",
        "incremental",
        "disable_existing_loggers",
        "filters",
        "formatters",
        "handlers",
        "loggers",
        "root",
    }
)
SHIPPED_FORMAT = "%(levelname)s - %(asctime)s - %(name)s - %(module)s - %(message)s"
FORMATS = ("auto", "console", "json", "logfmt", "litestar")

# What Litestar puts a queue and a thread behind, each time it is configured.
_QUEUE_HANDLERS = frozenset(
    {
        "litestar.logging.standard.QueueListenerHandler",
        "litestar.logging.picologging.QueueListenerHandler",
    }
)
_QUEUE_LISTENER = "litestar.logging.standard.LoggingQueueListener"
_OF_ANY_HANDLER = frozenset({"level", "formatter", "filters"})
_FORMATTERS = {
    "console": "logboom.ConsoleFormatter",
    "json": "logboom.JsonFormatter",
    "logfmt": "logboom.LogfmtFormatter",
}


def console() -> Definition:
    """Give the handler that is there without being defined."""
    return {"class": "logboom.StreamHandler", "level": "DEBUG", "formatter": "standard"}


def apply(config: object) -> None:
    """Apply a configuration, by its fields.

    Raises:
        ValueError: what ``logging.config.dictConfig`` raises for a configuration it cannot use.
    """
    values = {
        name: value
        for name in KEYS
        if (value := getattr(config, name)) is not None
        and (name != "root" or config.configure_root_logger)  # type: ignore[attr-defined]
    }
    _Configurator(_without_queues(values)).configure()


def formatter_of(chosen: str) -> Definition | None:
    """Give the definition of the formatter of a format; none for Litestar's own.

    ``"auto"`` is what ``LOGBOOM_FORMAT`` in the environment says, or else for people where standard
    error is a terminal, and for machines otherwise.
    """
    name = _FORMATTERS.get(name_for(sys.stderr) if chosen == "auto" else chosen)
    return None if name is None else {"()": name}


class _Configurator(logging.config.DictConfigurator):
    """``dictConfig``, but a logger's handlers are exchanged and never missing."""

    def common_logger_config(
        self, logger: logging.Logger, config: Any, incremental: bool = False
    ) -> None:
        """Configure what the root logger and the others have in common."""
        if incremental:
            super().common_logger_config(logger, config, incremental)
            return
        if (level := config.get("level")) is not None:
            logger.setLevel(level)
        names = config.get("handlers") or ()
        try:
            found = [self.config["handlers"][name] for name in names]
        except KeyError as error:
            raise ValueError(f"unable to add handler {error}") from error
        # A new list: a call that walks the old one on another thread walks it to its end.
        logger.handlers = list(dict.fromkeys(found))
        if filters := config.get("filters"):
            self.add_filters(logger, filters)


def _dotted(factory: object) -> str:
    if isinstance(factory, str):
        return factory
    return f"{getattr(factory, '__module__', '')}.{getattr(factory, '__qualname__', '')}"


def _is_queue(definition: Definition) -> bool:
    factory = _dotted(definition.get("class") or definition.get("()"))
    return factory in _QUEUE_HANDLERS or _dotted(definition.get("listener")) == _QUEUE_LISTENER


def _without_queues(values: Mapping[str, Any]) -> dict[str, Any]:
    """Put the handlers behind Litestar's queues in the places of the queues."""
    result = dict(values)
    handlers = result["handlers"] = dict(values["handlers"])
    replaced: dict[str, list[str]] = {}
    for name, definition in values["handlers"].items():
        if not _is_queue(definition):
            continue
        behind = _behind_queue(name, definition, values["handlers"])
        del handlers[name]
        handlers.update(behind)
        replaced[name] = list(behind)
    if replaced:
        result["loggers"] = {
            name: _rename_handlers(logger, replaced) for name, logger in values["loggers"].items()
        }
        if "root" in values:
            result["root"] = _rename_handlers(values["root"], replaced)
    return result


def _behind_queue(
    name: str, queue: Definition, handlers: Mapping[str, Definition]
) -> dict[str, Definition]:
    """Give the handlers that a queue stands for, under the names they get."""
    targets = [
        str(target).removeprefix("cfg://handlers.") for target in queue.get("handlers") or ()
    ]
    if not targets:  # Litestar's own fallback: a stream handler that nobody named
        kept = {key: value for key, value in queue.items() if key in _OF_ANY_HANDLER}
        return {name: {"class": "logboom.StreamHandler", **kept}}
    behind = {}
    for target in targets:
        if target not in handlers:
            raise ValueError(f"invalid handler {name!r}: it names {target!r}, which is not there")
        definition = dict(handlers[target])
        levels = [item["level"] for item in (queue, definition) if item.get("level") is not None]
        if levels:
            definition["level"] = max(levels, key=_level_number)
        if "formatter" in queue:
            definition.setdefault("formatter", queue["formatter"])
        if "filters" in queue:
            definition["filters"] = [*queue["filters"], *definition.get("filters", ())]
        # One handler keeps the queue's name, so that an incremental configuration finds it.
        behind[name if len(targets) == 1 else f"{name}.{target}"] = definition
    return behind


def _level_number(level: int | str) -> int:
    number = logging.getLevelName(level) if isinstance(level, str) else level
    if not isinstance(number, int):
        raise ValueError(f"invalid `level`: got {level!r}, expected a level's name or number")  # noqa: TRY004 - as dictConfig
    return number


def _rename_handlers(logger: Definition, replaced: Mapping[str, list[str]]) -> Definition:
    names = logger.get("handlers")
    if not names:
        return logger
    return {**logger, "handlers": [new for name in names for new in replaced.get(name, [name])]}


def checked_format(given: str) -> str:
    """Give back what was chosen.

    Raises:
        ConfigError: it is none of ``FORMATS``.
    """
    if given not in FORMATS:
        raise invalid("format", given, f"one of {', '.join(FORMATS)}")
    return given
