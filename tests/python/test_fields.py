"""Fields of a call: `extra` and the bound context, natively as through a `LogRecord`."""

from __future__ import annotations

import datetime
import json
import logging
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings, strategies as st
from tests.python.test_logger import python_calls

import logboom


class Told:
    """An object with a text of its own."""

    def __str__(self) -> str:
        return "told\n"


class Raises:
    """An object that has none."""

    def __str__(self) -> str:
        raise ValueError("no text")


SURROGATE = "lone \ud800"
FORMATTERS: dict[str, Callable[[], logging.Formatter]] = {
    "json": logboom.JsonFormatter,
    "ecs": lambda: logboom.JsonFormatter(preset="ecs"),
    "gcp": lambda: logboom.JsonFormatter(preset="gcp"),
    "datadog": lambda: logboom.JsonFormatter(preset="datadog"),
    "otel": lambda: logboom.JsonFormatter(preset="otel"),
    "logfmt": logboom.LogfmtFormatter,
    "pattern": lambda: logging.Formatter("%(levelname)s %(user)s %(message)s"),
    "default": lambda: logging.Formatter(
        "%(user)s %(rate)5.1f|%(message)s", defaults={"user": "-", "rate": 0.5}
    ),
}


class Pair:
    """A logger whose records go to one file natively and to another through a `LogRecord`."""

    def __init__(self, directory: Path, make: Callable[[], logging.Formatter]) -> None:
        self.native = logging.Logger("tests.fields", 10)
        self.library = logging.Logger("tests.fields", 10)
        # A filter gets a LogRecord, so that the library makes one.
        self.library.addFilter(lambda record: True)
        self.paths = []
        for name, logger in (("native", self.native), ("library", self.library)):
            self.paths.append(directory / f"{name}.log")
            handler = logboom.FileHandler(self.paths[-1], "w", encoding="utf-8")
            handler.setFormatter(make())
            logger.addHandler(handler)

    def lines(self) -> tuple[list[str], list[str]]:
        """Give what is in the files, without what differs from call to call."""
        texts = []
        for logger, path in zip((self.native, self.library), self.paths, strict=True):
            logger.handlers[0].flush()
            texts.append([steady(line) for line in path.read_text(encoding="utf-8").splitlines()])
        return texts[0], texts[1]

    def close(self) -> None:
        """Close the files."""
        for logger in (self.native, self.library):
            logger.handlers[0].close()


def steady(line: str) -> str:
    """Take times and places out of a line of JSON or logfmt."""
    try:
        found = json.loads(line)
    except ValueError:
        return " ".join(part for part in line.split(" ") if not part.startswith("timestamp="))
    assert orjson.loads(line) is not None
    return json.dumps({key: value for key, value in found.items() if "time" not in key.lower()})


@pytest.fixture(autouse=True)
def _installed(logging_as_it_was: None) -> None:
    logboom.install()


@pytest.fixture(params=FORMATTERS)
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    pair = Pair(tmp_path, FORMATTERS[request.param])
    yield pair
    pair.close()


EXTRAS: list[dict[str, Any]] = [
    {"user": "ann"},
    {"user": "größe", "rate": 1.5, "count": 3, "yes": True, "none": None},
    {"user": 'quote " back \\ tab \t line \n escape \x1b end \u2028'},
    {"user": "x", "level": "mine", "timestamp": "mine", "message_": 1},
    {"user": math.nan, "rate": math.inf, "huge": 10**30},
    {"user": SURROGATE},
    {"user": ["a", {"b": (1, None)}], "rate": 2},
    {"user": Told(), "rate": 1},
    {"user": Raises()},
    {"user": datetime.date(2026, 1, 2)},
    {f"field{number}": number for number in range(40)} | {"user": "many"},
]


@pytest.mark.parametrize("extra", EXTRAS, ids=range(len(EXTRAS)))
def test_extra_is_shown_as_through_a_record(
    pair: Pair, extra: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    for logger in (pair.native, pair.library):
        # The same place of a call for both.
        for _ in range(3):
            logger.info("hello %s", "you", extra=extra)
    ours, theirs = pair.lines()
    assert ours == theirs
    assert len(ours) >= 3 or "--- Logging error ---" in capsys.readouterr().err


def test_with_an_exception_and_context(pair: Pair) -> None:
    for logger in (pair.native, pair.library):
        with logboom.bound(user="bound", request=7, name="hidden", getMessage=1):
            try:
                raise KeyError("k")
            except KeyError:
                for _ in range(3):
                    logger.exception("failed")
                    logger.warning("failed %d", 1, exc_info=True, extra={"user": "own"})
    ours, theirs = pair.lines()
    assert ours == theirs
    assert ours


def test_bound_objects(pair: Pair) -> None:
    for logger in (pair.native, pair.library):
        with logboom.bound(user=["a", "list"], rate=2.5):
            for _ in range(3):
                logger.info("x")
    ours, theirs = pair.lines()
    assert ours == theirs


@pytest.mark.parametrize("key", ["message", "asctime", "name", "levelno", "args", "thread"])
def test_what_the_library_refuses_is_refused(pair: Pair, key: str) -> None:
    for _ in range(2):
        pair.native.info("x", extra={"user": 1})
        with pytest.raises(KeyError, match=key):
            pair.native.info("x", extra={key: 1})
    # Not where the record is not enabled.
    pair.native.disabled = True
    pair.native.info("x", extra={key: 1})


def test_odd_extras(pair: Pair) -> None:
    class Own(dict):  # type: ignore[type-arg]
        pass

    for extra in (None, {}, Own(user="own"), {"user": 1, "getMessage": None}):
        for logger in (pair.native, pair.library):
            outcomes = []
            try:
                logger.info("x", extra=extra)
                outcomes.append(None)
            except Exception as error:
                outcomes.append(type(error))
        assert len(set(outcomes)) == 1
    ours, theirs = pair.lines()
    assert ours == theirs


@pytest.mark.parametrize("name", ["json", "logfmt", "pattern"])
def test_extra_goes_natively(tmp_path: Path, name: str) -> None:
    pair = Pair(tmp_path, FORMATTERS[name])
    extra = {"user": "ann", "count": 3, "rate": 0.5, "yes": True}

    def call() -> None:
        pair.native.info("x %d", 1, extra=extra)

    call()
    call()
    assert python_calls(call) == []
    nested = {"user": "ann", "list": [1, {"a": None}]}
    assert python_calls(lambda: pair.native.info("x", extra=nested)) == []
    pair.close()


def test_a_hook_and_a_subclass_take_the_librarys_way(tmp_path: Path) -> None:
    class Own(logboom.JsonFormatter):
        def format(self, record: logging.LogRecord) -> str:
            return super().format(record).replace("ann", "eve")

    for make in (Own, lambda: logboom.JsonFormatter(default=lambda value: f"given {value}")):
        pair = Pair(tmp_path, make)
        for logger in (pair.native, pair.library):
            for _ in range(3):
                logger.info("x", extra={"user": "ann", "told": Told()})
        ours, theirs = pair.lines()
        assert ours == theirs
        pair.close()


def test_a_formatter_that_is_changed_is_seen(tmp_path: Path) -> None:
    pair = Pair(tmp_path, logboom.JsonFormatter)
    formatter = pair.native.handlers[0].formatter
    assert formatter is not None
    for _ in range(3):
        pair.native.info("x")
    formatter.format = lambda record: "mine"  # type: ignore[method-assign]
    pair.native.info("x")
    del formatter.format
    pair.native.info("x")
    pair.native.info("x")
    ours, _ = pair.lines()
    assert [line == "mine" for line in ours] == [False] * 3 + [True] + [False] * 2
    pair.close()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.text(max_size=8).filter(
    lambda key: key not in vars(logging.makeLogRecord({})) and key not in {"message", "asctime"}
)


@given(st.dictionaries(KEYS, VALUES, max_size=5), st.sampled_from(["json", "otel", "logfmt"]))
@settings(deadline=None)
def test_drawn_extras(tmp_path_factory: Any, extra: dict[str, Any], name: str) -> None:
    pair = Pair(tmp_path_factory.mktemp("drawn"), FORMATTERS[name])
    for logger in (pair.native, pair.library):
        for _ in range(2):
            logger.info("drawn", extra=extra)
    ours, theirs = pair.lines()
    pair.close()
    assert ours == theirs
    assert len(ours) == 2


def test_extra_that_changes_while_a_value_is_asked(tmp_path: Path) -> None:
    extra: dict[str, Any] = {}

    class Clears:
        def __str__(self) -> str:
            extra.clear()
            return "cleared"

    pair = Pair(tmp_path, logboom.JsonFormatter)
    pair.native.info("first")
    extra.update(one="a" * 100, two=Clears(), three="b" * 100)
    pair.native.info("second", extra=extra)
    ours, _ = pair.lines()
    found = json.loads(ours[-1])
    assert (found["one"], found["two"], found["three"]) == ("a" * 100, "cleared", "b" * 100)
    assert sys.getrefcount(extra) < 10
    pair.close()
