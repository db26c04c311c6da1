"""Tells the native module of the classes and functions that are defined in Python, once."""

import logging

from logboom import _context, _handlers, _loggers
from logboom._logboom import setup

setup(
    {
        "library_methods": _loggers.LIBRARY,
        "slot_handler": _handlers.StreamHandler,
        "handlers": _handlers.native,
        "null_handlers": [logging.NullHandler, _handlers.NullHandler],
        "handler_overrides": _handlers.OVERRIDES,
        "context_var": _context.variable,
        "helpers": {
            "thread_name": _loggers.thread_name,
            "process_name": _loggers.process_name,
            "task_name": _loggers.task_name,
            "level_name": _loggers.level_name,
            "is_plain": _handlers.is_plain,
        },
    }
)
