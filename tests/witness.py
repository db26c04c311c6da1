"""Whether logboom's loggers are in effect: what a run of other people's tests has to prove."""

from __future__ import annotations

import logging


def in_effect(others_class: bool = False) -> str:
    """Tell why our loggers are not in effect; nothing where they are.

    ``others_class``: new loggers may be of a class that the program gave to `logging.setLoggerClass`.
    """
    import logboom

    if not logboom.installed():
        return "not installed"
    new = logging.getLoggerClass()
    if new is not logboom.Logger and not (others_class and new is not logging.Logger):
        return f"the class of new loggers is {new}"
    if not type(logging.root).__module__.startswith("logboom."):
        return f"the class of the root logger is {type(logging.root)}"
    if type(vars(type(logging.root)).get("info")).__name__ != "method_descriptor":
        return "the methods of the root logger are not native"
    return ""
