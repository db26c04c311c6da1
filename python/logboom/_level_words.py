"""Levels of loggers in words, as ``LOGBOOM_LEVEL`` has them: ``info,app.db=debug,uvicorn=warning``.

The syntax is that of ``RUST_LOG`` as far as levels of targets go
(``https://docs.rs/env_logger/latest/env_logger/#enabling-logging``): directives, separated by commas;
``level`` for all loggers, ``logger=level`` for one and those below it, a bare ``logger`` for every level
of it. A level is a name that `logging` knows, in any case, among them those of `logging.addLevelName`,
a number, ``trace`` (5), ``all`` or ``off``. White space around the parts does not count. Line ends
separate directives as well, and ``#`` begins a comment, for files.

What is wrong never raises: it is told, and the rest is good.
"""

from __future__ import annotations

import logging

# Above every level that a record may have.
OFF = 2**31 - 1
_EVERY = 1
# Of a directive that is wrong, and of those that are told.
_MOST_CHARACTERS, _MOST_TOLD = 40, 5


def number(word: str) -> int | None:
    """Give the number of a level, by its name or digits; `None` for what is neither."""
    word = word.strip()
    if word.isascii() and word.isdigit():
        return int(word) if len(word) < 11 and int(word) <= OFF else None
    return _names().get(word.lower())


def _names() -> dict[str, int]:
    known = list(logging._nameToLevel.items())
    ours = {"trace": 5, "all": _EVERY, "off": OFF}
    return {**ours, **{str(name).lower(): level for name, level in known}}


def name(level: int) -> str:
    """Give a level's name, as `number` takes it."""
    return "OFF" if level == OFF else logging.getLevelName(level)


def parse(text: str) -> tuple[dict[str, int], str]:
    """Read directives: the levels by logger (``root`` for all), and what is wrong, in one line."""
    levels: dict[str, int] = {}
    wrong: list[str] = []
    for line in text.splitlines():
        for directive in line.partition("#")[0].split(","):
            if not directive.strip():
                continue
            problem = _add(directive.strip(), levels)
            if problem:
                wrong.append(f"{_shown(directive.strip())}: {problem}")
    if len(wrong) > _MOST_TOLD:
        wrong[_MOST_TOLD:] = [f"and {len(wrong) - _MOST_TOLD} more"]
    return levels, "; ".join(wrong)


def _add(directive: str, levels: dict[str, int]) -> str | None:
    """Add what a directive says; or give what is wrong."""
    logger, equals, word = (part.strip() for part in directive.partition("="))
    if not equals:
        level = number(directive)
        if level is not None:
            levels["root"] = level
            return None
        if directive.isdigit():
            return f"expected a level of 0 to {OFF}"
        close = _close(directive)
        if close:
            return f"no level, and too close to `{close}` to be a logger; `{directive}=all` is one"
        word = ""
    if not logger.isprintable() or not logger or any(char.isspace() for char in logger):
        return "expected a logger's name before `=`"
    level = number(word) if word else _EVERY
    if level is None:
        return "expected a level's name or number behind `=`"
    levels[logger] = level
    return None


def _close(word: str) -> str | None:
    from difflib import get_close_matches  # at need: it costs more than all of ours

    found = get_close_matches(word[:_MOST_CHARACTERS].lower(), _names(), 1, 0.7)
    return found[0] if found else None


def _shown(text: str) -> str:
    cut = "..." if len(text) > _MOST_CHARACTERS else ""
    return f"`{ascii(text[:_MOST_CHARACTERS])[1:-1]}{cut}`"
