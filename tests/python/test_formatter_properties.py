"""A native logger writes what the library's own formatter gives, whatever the format and the call.

Hypothesis draws a formatter, context and a call. The call is made from one place in the program, first
on a native logger and then on the library's own, whose record is given the times of the first; the
bytes that were written, what was reported on standard error and what was raised must be the same. Each
side gets arguments of its own, made alike; those of the native side are changed after the call.

The test counts the calls that made no `LogRecord`, so that it cannot compare the library with itself.
"""

from __future__ import annotations

import contextlib
import copy
import enum
import io
import logging
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.core import given

import logboom

pytestmark = pytest.mark.usefixtures("logging_as_it_was")

# `HYPOTHESIS_PROFILE=long` looks further, and elsewhere each time.
PROFILES = {
    "bounded": settings(max_examples=1000, derandomize=True, database=None),
    "long": settings(max_examples=20_000, derandomize=False),
}
PROFILE = PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "bounded")]

# --- values --------------------------------------------------------------------------------------


class Text(str):  # noqa: SLOT000 - as users write them
    def __str__(self) -> str:
        return "text's own str"

    def __format__(self, spec: str) -> str:
        return f"text's own format of {spec!r}"


class Number(int):
    def __str__(self) -> str:
        return "number's own str"

    def __repr__(self) -> str:
        return "number's own repr"

    def __format__(self, spec: str) -> str:
        return f"number's own format of {spec!r}"


class Fraction(float):
    def __repr__(self) -> str:
        return "fraction's own repr"


class Plain:
    """Shows a value that can be changed."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __str__(self) -> str:
        return f"plain {self.value}"

    __repr__ = __str__


class Formats(Plain):
    def __format__(self, spec: str) -> str:
        return f"{self.value} as {spec}"


class Level(enum.IntEnum):
    TWENTY = 20


class Abort(BaseException):
    pass


class Raises:
    def __init__(self, error: type[BaseException]) -> None:
        self.error = error

    def __str__(self) -> str:
        raise self.error("no text")

    def __repr__(self) -> str:
        return "a value that raises"

    def __format__(self, spec: str) -> str:
        raise self.error("no format")


class Counts:
    def __init__(self) -> None:
        self.calls = 0

    def __str__(self) -> str:
        self.calls += 1
        return f"call {self.calls}"

    __repr__ = __str__


class Logs:
    def __init__(self, logger: logging.Logger) -> None:
        self.logger = logger

    def __str__(self) -> str:
        self.logger.info("from %s", "within")
        return "logged"

    __repr__ = __str__


class NoText:
    def __str__(self) -> str:
        return 5  # type: ignore[return-value]


# Makes a value; is given a logger of the side that the value is for.
Recipe = Callable[[logging.Logger], Any]

characters = st.one_of(
    st.characters(codec="ascii"),
    st.sampled_from("äß日\U0001f600\u0301\x00\x1b\x7f\x85\u2028'\"\\%{}$\n\r\t"),
    st.characters(),
)
texts = st.text(characters, max_size=12)
broken_texts = st.text(st.one_of(characters, st.sampled_from("\ud800\udfff")), max_size=6)
floats = st.one_of(
    st.floats(),
    st.sampled_from([0.0, -0.0, 1e16, 1e-5, 123456.5, float("nan"), float("inf"), -float("inf")]),
)
integers = st.one_of(
    st.integers(-(10**6), 10**6), st.integers(), st.sampled_from([2**63, -(2**63), 2**64, 10**40])
)
builtin = st.one_of(texts, integers, floats, st.booleans(), st.none())


def _fixed(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Recipe]:
    return values.map(lambda value: lambda logger: value)


def _fresh(values: st.SearchStrategy[Any], make: Callable[[Any], Any]) -> st.SearchStrategy[Recipe]:
    return values.map(lambda value: lambda logger: make(value))


# May lie in a formatter's defaults or in the context: the same object for both sides, always alike.
lasting = st.one_of(
    builtin,
    st.binary(max_size=4),
    st.lists(builtin, max_size=2),
    texts.map(Text),
    st.integers(-9, 9).map(Number),
    st.just(Fraction(0.5)),
    texts.map(Formats),
    texts.map(Plain),
    st.just(Level.TWENTY),
    st.just(1 + 2j),
)
arguments = st.one_of(
    _fixed(builtin),
    _fixed(builtin),
    _fresh(lasting, copy.copy),
    _fixed(broken_texts),
    _fresh(st.lists(builtin, max_size=3), list),
    _fresh(st.lists(builtin, max_size=3), tuple),
    _fresh(st.dictionaries(texts, builtin, max_size=2), dict),
    _fresh(st.binary(max_size=4), bytearray),
    _fresh(texts, Plain),
    _fresh(texts, Formats),
    _fresh(st.sampled_from([ValueError, KeyError, TypeError, RecursionError, Abort]), Raises),
    _fresh(st.none(), lambda _: Counts()),
    _fresh(st.none(), lambda _: NoText()),
    st.just(Logs),
)


def _spoil(value: object) -> None:
    if isinstance(value, list):
        value.append("spoilt")
    elif isinstance(value, (dict, bytearray)):
        value.clear()
    elif isinstance(value, Plain):
        value.value = "spoilt"


# --- formats -------------------------------------------------------------------------------------

TEXTS = [
    *("name", "levelname", "pathname", "filename", "module", "funcName", "asctime", "threadName"),
    *("processName", "message", "taskName"),
]
WHOLE = ["levelno", "lineno", "thread", "process"]
BROKEN = ["created", "msecs", "relativeCreated"]
ODD = [
    "msg",
    "args",
    "exc_info",
    "exc_text",
    "stack_info",
    "getMessage",
    "__class__",
    "0",
    "a b",
    "",
]
FIELDS = ["user", "count", "ratio", "größe"]

widths = st.sampled_from(["", "", "1", "5", "12", "30"])
precisions = st.sampled_from(["", "", ".0", ".2", ".7", "."])
literals = st.one_of(st.sampled_from(["", " ", "|", "é", "%%", "{{", "}}", "$$"]), texts)


def _mostly(draw: st.DrawFn, times: int) -> bool:
    """Whether this is not the one of so many times."""
    return bool(draw(st.integers(0, times - 1)))


@st.composite
def percent_places(draw: st.DrawFn) -> str:
    names, letters = draw(
        st.sampled_from(
            [(TEXTS, "sa"), (TEXTS, "s"), (WHOLE, "sdixof"), (BROKEN, "sdefgr"), (FIELDS, "s")]
        )
        if _mostly(draw, 40)
        else st.just((TEXTS + WHOLE + BROKEN + FIELDS + ODD, "sradiuxXoeEfFgGc%q"))
    )
    flags = draw(st.text("-+ #0", max_size=2))
    length = draw(st.sampled_from(["", "", "", "l"]))
    name, letter = draw(st.sampled_from(names)), draw(st.sampled_from(letters))
    return f"%({name}){flags}{draw(widths)}{draw(precisions)}{length}{letter}"


@st.composite
def brace_places(draw: st.DrawFn) -> str:
    names, letters = draw(
        st.sampled_from(
            [
                (TEXTS, ["", "s"]),
                (TEXTS, ["", "s"]),
                (WHOLE, ["", *"dbxXof%"]),
                (BROKEN, ["", *"eEfFgG%"]),
                (FIELDS, [""]),
            ]
        )
        if _mostly(draw, 40)
        else st.just((TEXTS + WHOLE + BROKEN + FIELDS + ODD, ["", *"sdbeEfFgGoxX%ncq"]))
    )
    name = draw(st.sampled_from(names))
    conversion = draw(st.sampled_from(["", "", "", "!s", "!s", "!a"]))
    if not _mostly(draw, 20):
        conversion = "!r"
    kind = draw(st.integers(0, 29))
    if kind < 8 or (name in {"taskName", *FIELDS} and kind < 24):
        return f"{{{name}{conversion}}}"
    if kind == 8:
        return f"{{{name}{conversion}:{draw(texts)}}}"
    is_text = names is TEXTS or conversion
    aligns = ["", "<", ">", "^", "*<", "0>", "é^", "日>", " <", "<<"]
    spec = draw(st.sampled_from(aligns if is_text else [*aligns, "=", "0=", "_="]))
    if not is_text or kind == 9:
        spec += draw(st.sampled_from(["", "", "+", "-", " "]))
        spec += draw(st.sampled_from(["", "", "", "z"])) + draw(st.sampled_from(["", "", "#"]))
    spec += draw(st.sampled_from(["", "", "0"])) + draw(widths)
    if not is_text or kind == 9:
        spec += draw(st.sampled_from(["", "", "", ",", "_"]))
    if names is not WHOLE or kind == 9:
        spec += draw(precisions)
    letter = draw(st.sampled_from(["", "s"] if conversion else letters))
    return f"{{{name}{conversion}:{spec}{letter}}}"


dollar_places = st.builds(
    str.format,
    st.sampled_from([*["${}", "${{{}}}"] * 12, "${{{}", "$ {}"]),
    st.one_of(*[st.sampled_from(names) for names in (TEXTS, WHOLE, BROKEN, FIELDS, TEXTS)]),
)
PLACES = {"%": percent_places(), "{": brace_places(), "$": dollar_places}
# Shows the times, so that the library's record can be given the same.
TIMES = {
    "%": "%(created)r %(msecs)r %(relativeCreated)r|",
    "{": "{created!r} {msecs!r} {relativeCreated!r}|",
    "$": "$created $msecs $relativeCreated|",
}


@st.composite
def formats(draw: st.DrawFn, style: str) -> str:
    safe = [one for one in ("", " ", "|", "é", style * 2) if draw(st.integers(0, 3))] + ["-"]
    between = st.sampled_from(safe) if _mostly(draw, 20) else literals
    parts = []
    for place in draw(st.lists(PLACES[style], min_size=1, max_size=3)):
        parts += [draw(between), place]
    return "".join(parts) + draw(between)


DATES = [
    *("%Y-%m-%d", "%H:%M:%S", "%A %j", "%%", "%d.%m.%Y é", "%Z%z", "%FT%T%z", "%B %p", "é"),
    *("%s", "%q", "%", "\0"),
]
VARIATIONS: dict[str, st.SearchStrategy[Any]] = {
    "converter": st.sampled_from([time.gmtime, time.localtime, lambda seconds: time.gmtime(0)]),
    "default_time_format": st.sampled_from(["%H:%M", "%Y", "time"]),
    "default_msec_format": st.sampled_from([None, "", "%s.%03d", "%s!%5.1f", "%s"]),
}
KEYS = st.sampled_from([*FIELDS, "message", "asctime", "name", "taskName", "getMessage"])
fields = st.one_of(
    st.dictionaries(KEYS, lasting, max_size=5),
    st.fixed_dictionaries(dict.fromkeys(FIELDS, lasting)),
    st.fixed_dictionaries(dict.fromkeys(FIELDS, builtin)),
)


@st.composite
def formatters(draw: st.DrawFn) -> tuple[str, logging.Formatter]:
    style = draw(st.sampled_from("%{$"))
    how: dict[str, Any] = {
        "datefmt": draw(st.one_of(st.none(), st.none(), st.sampled_from(DATES))),
        "validate": draw(st.booleans()),
        "defaults": draw(st.one_of(st.none(), fields)),
    }
    fmt = draw(formats(style))
    try:
        formatter = logging.Formatter(TIMES[style] + fmt, style=style, **how)  # type: ignore[arg-type]
    except ValueError:
        # Refused by the library when it is made; `validate` alone decides over that.
        how["validate"] = False
        formatter = logging.Formatter(TIMES[style] + fmt, style=style, **how)  # type: ignore[arg-type]
    for name, values in VARIATIONS.items():
        if not _mostly(draw, 8):
            setattr(formatter, name, draw(values))
    return style, formatter


# --- calls ---------------------------------------------------------------------------------------


@dataclass
class Call:
    level: Any
    message: Recipe
    arguments: list[Recipe]


@st.composite
def calls(draw: st.DrawFn) -> Call:
    level = draw(st.sampled_from([10, 20, 30, 40, 50, 7, 25]))
    if not _mostly(draw, 20):
        level = draw(st.sampled_from([10**12, True, Level.TWENTY]))
    given_arguments = draw(st.lists(arguments, max_size=3))
    kind = draw(st.integers(0, 19))
    if kind == 0:
        return Call(level, draw(arguments), given_arguments)
    if kind == 1:
        return Call(level, draw(_fixed(broken_texts)), given_arguments)
    if kind == 2:
        values = draw(st.dictionaries(st.sampled_from(["a", "b"]), builtin, max_size=2))
        return Call(level, lambda logger: "%(a)s and %(b)r", [lambda logger: dict(values)])
    parts = [draw(texts).replace("%", "%%")]
    for _ in range(len(given_arguments) if kind < 19 else draw(st.integers(0, 4))):
        flags = draw(st.text("-+ #0", max_size=1))
        letter = draw(st.sampled_from("ssssssra" if kind < 18 else "sradiuxXoeEfFgGcq"))
        parts += [
            "%",
            flags,
            draw(widths),
            draw(precisions),
            letter,
            draw(texts).replace("%", "%%"),
        ]
    template = "".join(parts)
    return Call(level, lambda logger: template, given_arguments)


# A frame of a traceback that is not of this file, with the lines of source and carets below it.
_FRAME = re.compile(rf'  File "(?!{re.escape(__file__)})[^"]*", line .*\n(?:    .*\n)*')


class Side:
    """A logger with a handler, and what comes of a call on it."""

    def __init__(self, directory: Path, family: Any, logger_class: type[logging.Logger]) -> None:
        directory.mkdir()
        self.logger = logger_class("tests.formatter", 1)
        self.inner = logger_class("tests.formatter.inner", 1)
        self.paths = directory / "app.log", directory / "inner.log"
        self.handlers = [family(path, encoding="utf-8") for path in self.paths]
        for logger, handler in zip((self.logger, self.inner), self.handlers, strict=True):
            logger.addHandler(handler)
        self.taken = [0, 0]
        self.records = 0

    def run(self, call: Call, after: Callable[[object], None]) -> tuple[Any, ...]:
        """Make the call; give what it wrote, what it reported and what it raised. `after` changes its
        arguments before anything is looked at."""
        made = [recipe(self.inner) for recipe in (call.message, *call.arguments)]
        raised = None
        self.records = 0
        before = sys.getprofile()
        with contextlib.redirect_stderr(io.StringIO()) as stderr:
            sys.setprofile(self._count)
            try:
                self.logger.log(call.level, *made)
            except BaseException as error:
                raised = type(error), str(error)
            finally:
                sys.setprofile(before)
        for value in made:
            after(value)
        told = re.sub(r"\bat 0x[0-9a-f]+", "at ADDRESS", _FRAME.sub("", stderr.getvalue()))
        written, inner = self._written(0), self._written(1)
        if told:
            # A message that cannot be formatted is formatted once more by the library, so that what
            # the text of an argument does besides is done twice.
            told = re.sub(r"\bcall \d", "call N", told)
            inner = inner[: inner.find(b"\n") + 1]
        return written, inner, told.splitlines(), raised

    def _count(self, frame: FrameType, event: str, argument: object) -> None:
        self.records += event == "call" and frame.f_code is _MAKES_RECORD

    def _written(self, which: int) -> bytes:
        self.handlers[which].flush()
        with self.paths[which].open("rb") as file:
            file.seek(self.taken[which])
            new = file.read()
        self.taken[which] += len(new)
        return new


_MAKES_RECORD = logging.LogRecord.__init__.__code__
_METHODS = frozenset(dir(logging.LogRecord))


@dataclass
class Comparison:
    native: Side
    library: Side
    times: list[float] = field(default_factory=list)
    taken: Counter[tuple[str, bool]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.library.handlers[0].addFilter(self._prepare)

    def _prepare(self, record: logging.LogRecord) -> bool:
        """Make the library's record the one that the native side had."""
        for name, value in logboom.context().items():
            if name not in _METHODS:
                record.__dict__.setdefault(name, value)
        if self.times:
            record.created, record.msecs, record.relativeCreated = self.times
        return True

    def run(self, style: str, formatter: logging.Formatter, call: Call, context: Any) -> None:
        for side in (self.native, self.library):
            side.handlers[0].setFormatter(formatter)
        with logboom.bound(**context):
            # The first record of a new formatter is the library's.
            for one in (Call(20, lambda logger: "warm", []), call):
                outcomes = []
                self.times = []
                for side in (self.native, self.library):
                    # The one place that both sides call from.
                    outcomes.append(side.run(one, _spoil))
                    times = re.match(rb"([^ |]+) ([^ |]+) ([^ |]+)\|", outcomes[0][0])
                    self.times = [float(text) for text in times.groups()] if times else []
                assert self.library.records > 0
                ours, library = outcomes
                for one_of_ours, one in zip(ours, library, strict=True):
                    assert one_of_ours == one, (formatter._style._fmt, formatter.__dict__, context)
        self.taken[style, self.native.records == 0] += 1


@pytest.fixture
def comparison(tmp_path: Path) -> Iterator[Comparison]:
    logboom.install()
    both = Comparison(
        Side(tmp_path / "native", logboom.FileHandler, logging.Logger),
        Side(tmp_path / "library", logging.FileHandler, logging.Logger),
    )
    yield both
    for side in (both.native, both.library):
        for handler in side.handlers:
            handler.close()


def test_a_native_logger_writes_what_the_librarys_formatter_gives(comparison):
    @settings(PROFILE, deadline=None, suppress_health_check=list(HealthCheck))
    @given(formatters(), calls(), fields)
    def holds(formatter: tuple[str, logging.Formatter], call: Call, context: Any) -> None:
        comparison.run(*formatter, call, context)

    holds()
    taken = comparison.taken
    for style in "%{$":
        assert taken[style, True] > 60, taken
