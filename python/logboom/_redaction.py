"""What is not for the log's readers: `Redaction`, for ``logboom.configure(redact=...)``.

The engine redacts, on the writer's thread; here are the options and their check.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from logboom._logboom import RedactionCore
from logboom._options import invalid, names

# Every named pattern but `email`.
_USUAL = ("bearer", "url_password", "pairs", "jwt", "cloud_key", "card", "private_key")
_WORD = re.compile(r"\w+")
_FLAGS = ((re.IGNORECASE, "i"), (re.MULTILINE, "m"), (re.DOTALL, "s"), (re.VERBOSE, "x"))


def _pattern(given: object) -> tuple[bool, str]:
    if isinstance(given, re.Pattern) and isinstance(given.pattern, str):
        flags = "".join(letter for flag, letter in _FLAGS if given.flags & flag)
        return True, f"(?{flags}:{given.pattern})" if flags else given.pattern
    if isinstance(given, str):
        return _WORD.fullmatch(given) is None, given
    raise invalid("patterns", given, "a name or a regular expression, as str or re.Pattern of str")


class Redaction:
    """What the engine takes out of records, and what it puts there. Immutable.

    ``keys``: names that are secret beside the usual ones, as words: ``"tax_id"`` stands for ``TaxID``,
    ``customer.tax-id`` and ``customerTaxId`` too. What stands under such a name in a field, at any
    depth, is replaced as a whole, but for `None`, `True`, `False` and an empty text.
    ``exceptions``: names that are not secret, whatever their words.
    ``patterns``: what is found in texts: messages with their arguments, fields, tracebacks, finished
    lines of any formatter. `True` stands for all of these but ``"email"``; default none:

    - ``"bearer"``: what follows ``Bearer`` or ``Basic`` and looks like a token;
    - ``"url_password"``: the password in ``scheme://user:password@host``;
    - ``"pairs"``: ``name=value``, ``name: value``, ``"name": "value"`` where the name is secret;
    - ``"jwt"``: a JSON web token;
    - ``"cloud_key"``: keys of AWS, GitHub, GitLab, Google, Slack and Stripe, by their prefixes;
    - ``"card"``: numbers of payment cards, by length, prefix and check digit;
    - ``"private_key"``: blocks of PEM with a private key, also without their end;
    - ``"email"``: addresses;
    - any other text, or an `re.Pattern`: a regular expression of Rust's ``regex`` (docs.rs/regex: no
      look-around, no back-references; time linear in the text), at most 4,096 bytes and 64 of them.
      Where it has a group, the group is replaced, not all of it.

    ``replacement``: what is put there, at most 64 bytes without spaces, quotes, ``=``, backslashes and
    control characters, so that a line stays a line and JSON stays JSON; default ``"[redacted]"``.

    The writer's thread does the work. A `LogRecord` that a handler of somebody else's gets is as the
    program made it. Raises `ConfigError` for options that are not as described.
    """

    __slots__ = ("_core",)

    def __init__(
        self,
        *,
        keys: Iterable[str] = (),
        exceptions: Iterable[str] = (),
        patterns: bool | Iterable[str | re.Pattern[str]] = (),
        replacement: str = "[redacted]",
    ) -> None:
        if isinstance(patterns, bool):
            patterns = _USUAL if patterns else ()
        if isinstance(patterns, str) or not isinstance(patterns, Iterable):
            raise invalid("patterns", patterns, "True, or a sequence of names and expressions")
        if not isinstance(replacement, str):
            raise invalid("replacement", replacement, "a text")
        self._core = RedactionCore(
            names("keys", keys),
            names("exceptions", exceptions),
            [_pattern(one) for one in patterns],
            replacement,
        )


def core_of(given: object) -> Any:
    """What the engine takes for an option ``redact`` that is no bool; others are refused there."""
    if isinstance(given, Redaction):
        return given._core
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in _OPTIONS]
        if unknown:
            raise invalid("redact", unknown[0], f"options of Redaction: {', '.join(_OPTIONS)}")
        return Redaction(**given)._core
    return given


_OPTIONS = ("keys", "exceptions", "patterns", "replacement")
