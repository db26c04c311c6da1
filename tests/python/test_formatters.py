"""Which records of which formatters go natively. That they are right, `test_parity.py` and
`test_formatter_properties.py` show.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

import logboom

pytestmark = pytest.mark.usefixtures("logging_as_it_was")

MAKES_RECORD = logging.LogRecord.__init__.__code__


@pytest.fixture
def logger(log) -> Iterator[logging.Logger]:
    logboom.install()
    # In no hierarchy, as pytest puts handlers of its own onto the loggers that it finds.
    logger = logging.Logger("tests.formatters", logging.DEBUG)
    handler = logboom.FileHandler(log)
    logger.addHandler(handler)
    yield logger
    handler.close()


def makes_record(call: Callable[[], object]) -> bool:
    """Whether the library made a record in the course of the call."""
    made = []

    def look(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code is MAKES_RECORD:
            made.append(event)

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        call()
    finally:
        sys.setprofile(before)
    return bool(made)


def is_native(logger: logging.Logger, formatter: logging.Formatter) -> bool:
    """Whether a record goes natively once the formatter is known."""
    logger.handlers[0].setFormatter(formatter)
    logger.info("warm")
    return not makes_record(lambda: logger.info("user %s", "ann"))


NATIVE = [
    *(("%", "%(levelname)-8s %(asctime)s %(message)s"), ("%", "%%"), ("{", "{{")),
    *(("{", "{levelname:>8} {asctime:é^30} {message!s:.3} {lineno:06,d} {created:z>+20_.3f}"),),
    *(("{", "{message!a} {taskName}{msecs:e}"), ("$", "$levelname ${asctime} $$ $message")),
]
LIBRARY = [
    *(("%", "%(message)r"), ("%", "%(args)s"), ("{", "{message!r}"), ("{", "{message.real}")),
    *(("{", "{lineno:n}"), ("{", "{message:{lineno}}"), ("$", "$args"), ("{", "{absent}")),
]
PLACES = {"%": "%(message)s %(user)s", "{": "{message} {user}", "$": "$message $user"}


@pytest.mark.parametrize(("style", "pattern"), NATIVE)
def test_simple_places_of_every_style_are_native(logger, style, pattern):
    if "taskName" in pattern and sys.version_info < (3, 12):
        pattern = pattern.replace("taskName", "name")
    assert is_native(logger, logging.Formatter(pattern, style=style, validate=False))


@pytest.mark.parametrize(("style", "pattern"), LIBRARY)
def test_what_only_the_library_can_show_is_left_to_it(logger, style, pattern, capsys):
    assert not is_native(logger, logging.Formatter(pattern, style=style))


@pytest.mark.parametrize("style", "%{$")
def test_defaults_of_builtin_types_are_native(logger, log, style):
    for value in (None, True, 5, -2.5, "größe"):
        formatter = logging.Formatter(PLACES[style], style=style, defaults={"user": value})
        assert is_native(logger, formatter)
        logger.handlers[0].flush()
        assert log.lines()[-1] == f"user ann {value}"


@pytest.mark.parametrize("style", "%{$")
def test_other_defaults_are_the_librarys_where_they_are_shown(logger, log, style):
    formatter = logging.Formatter(PLACES[style], style=style, defaults={"user": [1]})
    assert not is_native(logger, formatter)
    with logboom.bound(user="me"):
        assert not makes_record(lambda: logger.info("bound"))
    assert makes_record(lambda: logger.info("free"))
    logger.handlers[0].flush()
    assert log.lines()[-2:] == ["bound me", "free [1]"]


def test_fields_that_are_objects_are_formatted_by_their_class(logger, log):
    class Odd:
        def __str__(self) -> str:
            return "text"

        def __repr__(self) -> str:
            return "repr"

        def __format__(self, spec: str) -> str:
            return f"format {spec}"

    with logboom.bound(user=Odd()):
        for place, text, native in (
            ("{user}", "format ", False),
            ("{user:>9}", "format >9", False),
            ("{user!s:>9}|", "     text|", True),
            ("{user!a}", "repr", False),
        ):
            assert is_native(logger, logging.Formatter(place, style="{")) == native
            logger.handlers[0].flush()
            assert log.lines()[-1] == text
        assert not is_native(logger, logging.Formatter("%(user)a"))
        logger.handlers[0].flush()
        assert log.lines()[-1] == "repr"


def test_settings_of_an_instance_are_native(logger, log):
    formatter = logging.Formatter("{asctime} {message}", style="{")
    formatter.converter = time.gmtime
    formatter.default_time_format = "%Z"
    formatter.default_msec_format = None
    assert is_native(logger, formatter)
    logger.handlers[0].flush()
    zone = time.strftime("%Z", time.gmtime())
    assert log.lines()[-1] == f"{zone} user ann"


def test_an_equal_formatter_needs_no_record(logger, log):
    assert is_native(logger, logging.Formatter("{message}", style="{"))
    logger.handlers[0].setFormatter(logging.Formatter("{message}", style="{"))
    assert not makes_record(lambda: logger.info("equal"))
    logger.handlers[0].setFormatter(logging.Formatter("{message}!", style="{"))
    assert makes_record(lambda: logger.info("other"))
    logger.handlers[0].flush()
    assert log.lines()[-2:] == ["equal", "other!"]


def test_a_formatter_that_changes_leaves_the_others_native(logger, log, tmp_path):
    other = logging.Logger("tests.other", logging.DEBUG)
    other.addHandler(logboom.FileHandler(tmp_path / "other.log"))
    changing = logging.Formatter("%(message)s %(user)s", defaults={"user": 0})
    assert is_native(logger, logging.Formatter("%(message)s"))
    assert is_native(other, changing)
    for n in range(5):
        changing._style._defaults["user"] = n
        assert not makes_record(lambda: logger.info("unchanged"))
    other.handlers[0].close()
