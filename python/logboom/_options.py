"""What is said of an option that is not as it should be, in one way everywhere."""

from __future__ import annotations

from collections.abc import Iterable

from logboom._logboom import ConfigError


def invalid(option: str, got: object, expected: str) -> ConfigError:
    """Make the error that says what an option got, and what it takes."""
    return ConfigError(f"invalid `{option}`: got {got!r}, expected {expected}")


def names(option: str, given: object) -> list[str]:
    """Give names as a list.

    Raises `ConfigError` for one text, for what is no sequence, and for a name that is no text.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise invalid(option, given, "a sequence of names")
    found = list(given)
    for name in found:
        if not isinstance(name, str):
            raise invalid(option, name, "a name, as str")
    return found


def seconds(option: str, given: object, longest: float) -> float:
    """Give seconds above 0 up to ``longest``.

    Raises `ConfigError` for anything else.
    """
    if isinstance(given, (int, float)) and not isinstance(given, bool) and 0 < given <= longest:
        return float(given)
    raise invalid(option, given, f"more than 0 up to {longest:.0f} seconds")
