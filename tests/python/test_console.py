"""`ConsoleFormatter`: readable, coloured where somebody looks, and nothing that drives a terminal."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import re
import sys
import textwrap
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from tests.python.terminal import on_terminal

import logboom

COLOR = re.compile(r"\x1b\[[0-9;]*m")
DATE = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"


def record(message: Any = "m", args: Any = (), exc_info: Any = None, **extra: Any):
    made = logging.LogRecord(
        "shop", logging.WARNING, "/app/a.py", 7, message, args, exc_info, "sell"
    )
    made.created = 1700000000.123456
    made.__dict__.update(extra)
    return made


def shown(
    message: str, args: Any = (), extra: Any = None, exc_info: Any = None, **options: Any
) -> str:
    formatter = logboom.ConsoleFormatter(utc=True, colors=False, width=0, **options)
    return formatter.format(record(message, args, exc_info, **(extra or {})))


def test_a_line_is_for_people():
    assert shown("sold %d", (3,), extra={"user": "ann smith", "total": 3.5, "paid": None}) == (
        "2023-11-14 22:13:20.123 WARNING  shop             sold 3  "
        'user="ann smith" total=3.5 paid=null'
    )
    assert shown("a\nb", datefmt="%H:%M", logger_width=0, drop=["x"], extra={"x": 1}) == (
        "22:13 WARNING  shop a\n  | b"
    )


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"fmt": "%(message)s"}, "invalid `fmt`: got '%(message)s', expected None"),
        ({"colors": "auto"}, "invalid `colors`: got 'auto', expected True, False or None"),
        ({"traceback": "long"}, "invalid `traceback`: got 'long', expected 'short' or 'full'"),
        ({"width": -1}, "invalid `width`: got -1, expected 0 to 65535 columns"),
        ({"width": True}, "invalid `width`: got True"),
        ({"logger_width": 1.5}, "invalid `logger_width`: got 1.5"),
        ({"own": [1]}, "invalid `own`: got 1, expected a name, as str"),
        ({"drop": "user"}, "invalid `drop`: got 'user', expected a sequence of names"),
        ({"datefmt": "%c"}, "invalid `datefmt`: got `%c`, expected one of"),
        ({"datefmt": 5}, "invalid `datefmt`: got 5"),
    ],
    ids=str,
)
def test_options_are_checked(wrong, told):
    with pytest.raises(logboom.ConfigError) as raised:
        logboom.ConsoleFormatter(**wrong)
    assert str(raised.value).startswith(told)


HARMFUL = [*map(chr, (*range(32), *range(0x7F, 0xA0))), *"\u061c\u200e\u200f\u2028\u2029"]
HARMFUL += [*map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))]
TEXTS = st.text(st.characters() | st.sampled_from(HARMFUL), max_size=30)


def is_harmless(text: str) -> bool:
    return not set(HARMFUL).intersection(text)


@settings(max_examples=400, deadline=None)
@given(
    TEXTS,
    TEXTS,
    st.dictionaries(TEXTS, TEXTS | st.integers() | st.lists(TEXTS, max_size=3), max_size=6),
    TEXTS,
    st.booleans(),
    st.integers(0, 120),
)
def test_nothing_in_a_record_forges_a_line_or_drives_a_terminal(
    logger, message, extra, raised, colors, width
):
    one = record(message, exc_info=(ValueError, ValueError(raised), None))
    one.name = logger
    one.__dict__.update({k: v for k, v in extra.items() if k not in vars(one)})
    text = logboom.ConsoleFormatter(colors=colors, width=width).format(one)
    if colors:
        text = COLOR.sub("", text)
    first, *others = text.split("\n")
    assert re.match(rf"{DATE} WARNING ", first)
    assert is_harmless(first)
    for line in others:
        assert line.startswith("  ")
        assert is_harmless(line)
    for formatter in (logboom.JsonFormatter(), logboom.LogfmtFormatter()):
        assert is_harmless(formatter.format(one))
    json.loads(logboom.JsonFormatter().format(one))


def raises(depth: int = 0) -> None:
    secret = "a value of a variable"
    if depth:
        raises(depth - 1)
    json.loads("{" + secret[:0])


def test_a_short_traceback_shows_the_programs_own_frames():
    try:
        try:
            raises()
        except ValueError as error:
            raise RuntimeError("no\n2026-01-01 00:00:00.000 INFO     root  forged") from error
    except RuntimeError:
        info = sys.exc_info()
    text = shown("failed", exc_info=info)
    lines = text.split("\n")[1:]
    assert all(line.startswith("  ") for line in lines)
    assert "  Traceback (most recent call last):" in lines
    assert lines.count("    ... 2 frames in python") == 1
    assert [line for line in lines if ", in raises" in line]
    # Where it was raised is shown, though it is the library's.
    assert [line for line in lines if "decoder.py" in line]
    assert "  The above exception was the direct cause of the following exception:" in lines
    assert "  RuntimeError: no" in lines
    assert "  2026-01-01 00:00:00.000 INFO     root  forged" in lines
    assert "a value of a variable" not in text.replace('secret = "a value of a variable"', "")
    whole = shown("failed", exc_info=info, traceback="full")
    assert "frames in" not in whole
    expected = logging.Formatter().formatException(info)
    assert [line.removeprefix("  ") for line in whole.split("\n")[1:]] == expected.split("\n")


PROGRAM = """
    import json, logging, sys
    import logboom
    logboom.install()
    handler = logboom.StreamHandler(sys.{stream})
    handler.setFormatter(logboom.ConsoleFormatter({options}))
    logging.root.addHandler(handler)
    log = logging.getLogger("shop")
    log.warning("sold %d", 3, extra={{"user": "ann", "place": "hall nine"}})
    try:
        json.loads("{{")
    except ValueError:
        log.exception("failed \\x1b[31m\\nagain")
    {more}
    assert logboom.stats().submitted >= 2
"""


def program(stream: str = "stderr", options: str = "", more: str = "") -> str:
    return PROGRAM.format(stream=stream, options=options, more=more)


@pytest.mark.parametrize(
    ("env", "options", "colored"),
    [
        ({}, "", True),
        ({"NO_COLOR": "1"}, "", False),
        ({"NO_COLOR": ""}, "", True),
        ({"TERM": "dumb"}, "", False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, "", True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, "", False),
        ({"CLICOLOR": "0"}, "", False),
        ({"NO_COLOR": "1"}, "colors=True", True),
        ({}, "colors=False", False),
    ],
    ids=str,
)
def test_a_terminal_is_coloured_as_the_environment_says(env, options, colored, tmp_path):
    text = on_terminal(program(options=options), tmp_path, **env)
    assert bool(COLOR.search(text)) == colored, text
    plain = COLOR.sub("", text).split("\n")
    assert re.fullmatch(
        rf'{DATE} WARNING  shop             sold 3  user=ann place="hall nine"', plain[0]
    )
    assert plain[2] == r"  | again"
    assert plain[1].endswith(r"failed \x1b[31m")
    assert "\x1b" not in "\n".join(plain)


def test_fields_get_lines_of_their_own_where_the_terminal_is_narrow(tmp_path):
    text = COLOR.sub("", on_terminal(program(stream="stdout"), tmp_path, columns=60))
    assert text.split("\n")[1] == '    user=ann place="hall nine"'
    text = COLOR.sub("", on_terminal(program(), tmp_path, columns=60, COLUMNS="200"))
    assert 'user=ann place="hall nine"' in text.split("\n")[0]
    text = COLOR.sub("", on_terminal(program(options="width=20"), tmp_path, columns=200))
    assert text.split("\n")[1:3] == ["    user=ann", '    place="hall nine"']


def test_only_the_stream_that_is_a_terminal_is_coloured(tmp_path):
    both = """
    other = logboom.StreamHandler(sys.stdout)
    other.setFormatter(logboom.ConsoleFormatter())
    logging.root.addHandler(other)
    log.error("seen once")
    """.replace("    \n", "")
    text = on_terminal(program(more=both.strip()), tmp_path, streams="stderr")
    assert text.count("seen once") == 1
    assert COLOR.search(text)


def test_records_made_by_the_library_look_the_same(tmp_path):
    more = (
        "handler.addFilter(lambda record: True); log.warning('sold %d', 3, extra={'user': 'ann'})"
    )
    text = on_terminal(program(more=more), tmp_path)
    lines = [line for line in text.split("\n") if "sold 3" in line]
    native, made = (re.sub(DATE, "", line).replace(' place="hall nine"', "") for line in lines)
    assert COLOR.search(native)
    assert native == made


def test_a_formatter_of_ones_own_on_top_is_asked_and_coloured_as_well(tmp_path):
    more = """
    class Own(logboom.ConsoleFormatter):
        def format(self, record):
            return super().format(record) + " own"
    handler.setFormatter(Own())
    log.warning("by a class")
    handler.setFormatter(logboom.ConsoleFormatter())
    handler.formatter.format = lambda record: "by the formatter"
    log.warning("m")
    handler.format = lambda record: "by the handler"
    log.warning("m")
    """
    text = on_terminal(textwrap.dedent(program()) + textwrap.dedent(more), tmp_path)
    *_, first, second, third = text.splitlines()
    assert COLOR.search(first)
    assert first.endswith("by a class own")
    assert (second, third) == ("by the formatter", "by the handler")


def test_what_is_no_terminal_is_not_coloured_unless_forced(run_python):
    assert not COLOR.search(run_python(program()).ok().err)
    assert COLOR.search(run_python(program(), FORCE_COLOR="1").ok().err)


def test_a_handler_of_the_library_is_told_by_stream(tmp_path):
    code = """
    import logging, sys, logboom
    for stream in (None, sys.stderr):
        handler = logging.StreamHandler()
        handler.setFormatter(logboom.ConsoleFormatter(stream=stream))
        logging.root.addHandler(handler)
    logging.warning("m")
    """
    first, second, _ = on_terminal(code, tmp_path).split("\n")
    assert not COLOR.search(first)
    assert COLOR.search(second)
    formatter = logboom.ConsoleFormatter(stream=io.StringIO())
    assert not COLOR.search(formatter.format(record()))


def test_it_works_in_dict_config_and_is_native(closing, log, logging_as_it_was):
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "people": {"()": "logboom.ConsoleFormatter", "datefmt": "%H:%M", "utc": True},
                "by_class": {"class": "logboom.ConsoleFormatter"},
            },
            "handlers": {
                "file": {
                    "class": "logboom.FileHandler",
                    "filename": str(log),
                    "formatter": "people",
                }
            },
            "loggers": {
                "console.test": {"handlers": ["file"], "level": "INFO", "propagate": False}
            },
        }
    )
    logboom.install()
    logger = logging.getLogger("console.test")
    closing(logger.handlers[0])
    logger.info("a %s", "b", extra={"user": "ann"})
    explanation = logboom.explain("console.test", file=io.StringIO())
    assert explanation.native
    assert explanation.handlers[0].way == "native"
    with logboom.bound(request_id="r1"):
        logger.info("c")
    logboom.flush()
    first, second = log.lines()
    assert re.fullmatch(r"\d\d:\d\d INFO     console\.test     a b  user=ann", first)
    assert second.endswith("c  request_id=r1")
