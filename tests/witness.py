"""Whether logboom's methods are in effect: what a run of other people's tests has to prove."""

from __future__ import annotations

import inspect
import logging


def class_of(thing: object) -> str:
    """Give the name of a logger's or handler's class, and say whether a logger's calls are native."""
    cls = type(thing)
    name = f"{cls.__module__}.{cls.__qualname__}"
    native = inspect.getattr_static(cls, "info", None)
    return f"native {name}" if type(native).__name__ == "method_descriptor" else name


def ours(counts: dict[str, int]) -> int:
    """Count what is ours, by such names: native loggers, and handlers of our classes."""
    return sum(count for name, count in counts.items() if name.startswith(("native ", "logboom.")))


def in_effect() -> str:
    """Tell why our methods are not in effect; nothing where they are."""
    import logboom

    if not logboom.installed():
        return "not installed"
    for name in ("debug", "info", "warning", "error", "critical", "log", "isEnabledFor"):
        kind = type(vars(logging.Logger).get(name)).__name__
        if kind != "method_descriptor":
            return f"`logging.Logger.{name}` is not native, but a {kind}"
    return ""
