"""`JsonFormatter` and `LogfmtFormatter`: every line is safe, and gives back what was put in."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import sys
from datetime import datetime, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given, settings

import logboom


def record(message="m", args=(), exc_info=None, **extra):
    made = logging.LogRecord(
        "shop", logging.WARNING, "/app/a.py", 7, message, args, exc_info, "sell"
    )
    made.created = 1700000000.123456
    made.__dict__.update(extra)
    return made


def read(line):
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u2028\u2029" for c in line)

    def unique(pairs):
        assert len(dict(pairs)) == len(pairs), "a key stands twice"
        return dict(pairs)

    assert json.loads(line) == orjson.loads(line)
    return json.loads(line, object_pairs_hook=unique)


def shown(value, **options):
    return read(logboom.JsonFormatter(**options).format(record(x=value)))["x"]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_a_value_comes_back_as_it_was(value):
    assert shown(value) == value


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30), st.dictionaries(st.text(max_size=10), st.text() | VALUES, max_size=40))
def test_every_line_is_one_json_object(message, extra):
    own = {"timestamp", "level", "logger", "message"}
    fields = {k: v for k, v in extra.items() if k not in vars(record()) and k not in own}
    one = record(message)
    one.__dict__.update(fields)
    line = read(logboom.JsonFormatter().format(one))
    assert line["message"] == message.encode("utf-8", "backslashreplace").decode()
    assert line["level"] == "WARNING"
    text = logboom.LogfmtFormatter().format(one)
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in text)


def test_a_line_begins_with_time_level_logger_and_message():
    line = logboom.JsonFormatter().format(record("sold %d", (3,), user="ann"))
    assert line == (
        '{"timestamp":"2023-11-14T22:13:20.123456Z","level":"WARNING","logger":"shop",'
        '"message":"sold 3","user":"ann"}'
    )
    assert logboom.LogfmtFormatter().format(record("sold %d", (3,), user="ann")) == (
        'timestamp=2023-11-14T22:13:20.123456Z level=WARNING logger=shop message="sold 3" user=ann'
    )


class Colour(Enum):
    RED = 1


def test_what_json_cannot_hold_has_its_answer():
    assert shown(float("nan")) == "NaN"
    assert shown([float("inf"), float("-inf")]) == ["Infinity", "-Infinity"]
    assert shown(2**64) == "18446744073709551616"
    assert shown({"a": -(2**63) - 1}) == {"a": "-9223372036854775809"}
    assert shown(1 << 20_000).startswith("0x1000") or sys.version_info < (3, 11)
    assert shown("a\ud800b") == "a\\ud800b"
    assert shown({"\udc80": 1, 2: 3, None: 4, True: 5}) == {
        "\\udc80": 1,
        "2": 3,
        "null": 4,
        "true": 5,
    }
    for value in (
        datetime(2020, 1, 2, tzinfo=timezone.utc),
        UUID(int=7),
        Decimal("1.50"),
        Colour.RED,
        b"a",
        {1},
    ):
        assert shown(value) == str(value)


def test_depth_and_size_are_bounded():
    cycle: list[object] = []
    cycle.append(cycle)
    text = json.dumps(shown(cycle))
    assert text == "[" * 16 + '"<nested too deeply>"' + "]" * 16
    wide = shown(list(range(20_000)))
    assert wide == [*range(10_000), "<cut>"]
    assert shown({str(i): i for i in range(20_000)})["<cut>"] is True


def test_a_str_that_raises_leaves_a_marker_and_an_exit_goes_through():
    class Bad:
        def __init__(self, error):
            self.error = error

        def __str__(self):
            raise self.error

    assert shown([Bad(ValueError())]) == ["<str() of Bad raised ValueError>"]
    with pytest.raises(KeyboardInterrupt):
        shown(Bad(KeyboardInterrupt()))


def test_a_str_that_logs_or_changes_what_is_shown_does_no_harm():
    formatter = logboom.JsonFormatter()
    values: dict[str, object] = {}

    class Changes:
        def __str__(self):
            values.clear()
            return formatter.format(record("inner"))

    values.update(a=Changes(), b=1)
    line = read(formatter.format(record(x=values)))
    assert json.loads(line["x"]["a"])["message"] == "inner"


def test_the_hook_is_asked_for_what_is_no_builtin():
    assert shown({"a": {1}}, default=sorted) == {"a": [1]}
    assert shown(Colour.RED, default=lambda _: 1 / 0) == (
        "<default() of Colour raised ZeroDivisionError>"
    )


def test_no_field_forges_a_value_of_the_formatter():
    line = read(logboom.JsonFormatter().format(record("a\n{}\x1b[2J", level="X", timestamp=0)))
    assert line["level"] == "WARNING"
    assert (line["level_"], line["timestamp_"]) == ("X", 0)
    text = logboom.LogfmtFormatter().format(
        record("m\nlevel=ERROR", **{"level": 1, "x level": "a b"})
    )
    assert text.endswith(r'message="m\nlevel=ERROR" level_=1 x_level="a b"')


def traceback_record():
    try:
        raise ValueError("no")
    except ValueError:
        return record("m", exc_info=sys.exc_info())


def test_a_traceback_is_the_librarys_text():
    one = traceback_record()
    line = read(logboom.JsonFormatter(preset="ecs").format(one))
    assert line["error.stack_trace"] == logging.Formatter().formatException(one.exc_info)
    assert (line["error.type"], line["error.message"]) == ("ValueError", "no")


@pytest.mark.parametrize(
    ("preset", "keys"),
    [
        ("ecs", {"@timestamp", "log.level", "message", "ecs.version", "log.logger", "error.type"}),
        (
            "gcp",
            {"severity", "time", "message", "logging.googleapis.com/sourceLocation", "stack_trace"},
        ),
        ("datadog", {"timestamp", "status", "message", "logger", "error"}),
        ("otel", {"Timestamp", "SeverityText", "SeverityNumber", "Body", "Attributes"}),
    ],
)
def test_presets_have_their_keys(preset, keys):
    assert keys <= set(read(logboom.JsonFormatter(preset=preset).format(traceback_record())))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"preset": "splunk"}, "`preset`"),
        ({"precision": "m"}, "`precision`"),
        ({"keys": ["what"]}, "`keys`"),
        ({"keys": "name"}, "`keys`"),
        ({"drop": [1]}, "`drop`"),
        ({"rename": {"message": "level"}}, "`rename`"),
        ({"rename": {"message": 3}}, "`rename`"),
        ({"static": {"level": 1}}, "`static`"),
        ({"static": 3}, "`static`"),
        ({"default": 3}, "`default`"),
        ({"fmt": "%(message)s"}, "`fmt`"),
    ],
)
def test_options_are_checked_when_a_formatter_is_made(options, text):
    with pytest.raises(logboom.ConfigError, match=f"invalid {text}: got .*, expected "):
        logboom.JsonFormatter(**options)


@pytest.mark.parametrize(
    "given",
    [{"()": "logboom.JsonFormatter", "precision": "ms"}, {"class": "logboom.JsonFormatter"}],
)
def test_dict_config_takes_it_for_any_handler(given):
    stream = io.StringIO()
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": given},
            "handlers": {
                "h": {"class": "logging.StreamHandler", "stream": stream, "formatter": "json"}
            },
            "loggers": {"structured": {"handlers": ["h"], "level": "INFO", "propagate": False}},
        }
    )
    logger = logging.getLogger("structured")
    try:
        logger.info("sold %d", 3, extra={"user": {"id": 7}})
    finally:
        logger.handlers.clear()
    line = read(stream.getvalue().removesuffix("\n"))
    assert (line["message"], line["user"]) == ("sold 3", {"id": 7})


def test_a_file_handler_of_ours_writes_the_same_line(tmp_path):
    handler = logboom.FileHandler(tmp_path / "log")
    handler.setFormatter(logboom.JsonFormatter(static={"service": "till"}))
    one = record("größe\n", user=[1])
    handler.handle(one)
    handler.close()
    written = (tmp_path / "log").read_bytes().decode()
    assert written == handler.formatter.format(one) + "\n"
    assert read(written.removesuffix("\n"))["service"] == "till"
