"""`basicConfig`: which format it picks, what overrides that, rotation, and what is refused."""

from __future__ import annotations

import json
import logging
import re

import pytest
from tests.python.terminal import on_terminal

import logboom

LINE = "import logging, sys, logboom\n"


def configured(arguments: str, *, before: str = "") -> str:
    return f"{LINE}{before}\nlogboom.basicConfig({arguments})\nlogging.warning('sold %d', 3)\n"


def kind(line: str) -> str:
    """Tell by which format a line was made."""
    line = re.sub(r"\x1b\[[0-9;]*m", "", line)
    if line == "WARNING:root:sold 3":
        return "standard"
    if line.startswith("{"):
        assert json.loads(line)["message"] == "sold 3"
        return "json"
    if line.startswith("timestamp="):
        assert line.endswith('message="sold 3"')
        return "logfmt"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d [\d:.]{12} WARNING  root             sold 3", line), line
    return "console"


CASES = [
    # arguments, LOGBOOM_FORMAT, what a terminal gets, what anything else gets
    ("", "", "console", "json"),
    ("format='auto'", "", "console", "json"),
    ("stream=sys.stdout", "", "console", "json"),
    ("", "logfmt", "logfmt", "logfmt"),
    ("", "Console", "console", "console"),
    ("", "standard", "standard", "standard"),
    ("", "auto", "console", "json"),
    ("format='json'", "console", "json", "json"),
    ("format='logfmt'", "", "logfmt", "logfmt"),
    ("format='console'", "json", "console", "console"),
    ("format='standard'", "json", "standard", "standard"),
    ("datefmt='%H'", "json", "standard", "standard"),
    ("style='{'", "json", "standard", "standard"),
    ("format='%(levelname)s:%(name)s:%(message)s'", "json", "standard", "standard"),
    ("handlers=[logging.StreamHandler()]", "", "console", "json"),
    ("handlers=[logging.StreamHandler()]", "logfmt", "logfmt", "logfmt"),
]


def test_it_picks_by_where_lines_go(tmp_path, run_python):
    """All cases in two processes: the handlers are made anew for each."""
    code = LINE + "import os\n"
    for arguments, env, _, _ in CASES:
        code += (
            f"os.environ['LOGBOOM_FORMAT'] = {env!r}\n"
            f"logboom.basicConfig(force=True, {arguments})\n"
            "logging.warning('sold %d', 3); logging.shutdown()\n"
        )
    on = on_terminal(code, tmp_path).splitlines()
    outcome = run_python(code).ok()
    off = outcome.err.splitlines()
    off.insert(2, outcome.out.rstrip("\n"))
    assert len(on) == len(off) == len(CASES)
    for case, one, other in zip(CASES, on, off, strict=True):
        assert (kind(one), kind(other)) == case[2:], case
        assert ("\x1b" in one) == (case[2] == "console"), case


def test_in_the_place_of_the_librarys_it_keeps_the_librarys_default(run_python):
    before = "logging.basicConfig = logboom.basicConfig"
    assert run_python(configured("", before=before)).ok().err == "WARNING:root:sold 3\n"


def test_a_handler_of_somebody_elses_keeps_the_librarys_default(run_python):
    code = """
    import logging, logboom
    class Mine(logging.StreamHandler): pass
    class Silent(logging.Handler):
        def emit(self, record): pass
    logboom.basicConfig(handlers=[Mine(), Silent()])
    logging.warning("sold %d", 3)
    assert [type(h.formatter) for h in logging.root.handlers] == [logging.Formatter] * 2
    """
    assert run_python(code).ok().err == "WARNING:root:sold 3\n"


def test_an_environment_that_is_wrong_is_told_once_and_has_no_effect(run_python):
    outcome = run_python(configured(""), LOGBOOM_FORMAT="x\x1b[31mml").ok()
    told, line = outcome.err.splitlines()
    assert told == (
        "logboom: LOGBOOM_FORMAT has no effect: got 'x\\x1b[31mml', expected one of console, json, "
        "logfmt, standard, auto"
    )
    assert kind(line) == "json"


def test_files_rotate_by_size_and_by_time(run_python):
    run_python("""
        import logging, os, logboom
        logboom.basicConfig(filename="size.log", max_bytes=1000, level="INFO")
        for number in range(100):
            logging.info("line %d", number)
        logging.shutdown()
        assert sorted(os.listdir()) == ["size.log", *(f"size.log.{n}" for n in range(1, 6))]
        assert all(os.path.getsize(name) < 1000 for name in os.listdir())
        logboom.basicConfig(
            filename="time.log", when="S", interval=5, backup_count=2, utc=True, force=True,
            format="%(message)s",
        )
        handler, = logging.root.handlers
        assert type(handler) is logboom.TimedRotatingFileHandler
        assert (handler.when, handler.interval, handler.backupCount, handler.utc) == ("S", 5, 2, True)
        logboom.basicConfig(
            filename="shared.log", max_bytes=5000, backup_count=1, shared=True, compress="gzip",
            force=True,
        )
        handler, = logging.root.handlers
        assert type(handler) is logboom.RotatingFileHandler
        assert (handler.shared, handler.compress, handler.backupCount) == (True, "gzip", 1)
    """).ok()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"format": "jsonl"}, "invalid `format`: got 'jsonl', expected one of 'console', 'json',"),
        ({"format": "json lines", "style": "{"}, "invalid `format`: got 'json lines'"),
        ({"format": "json", "datefmt": "%H"}, "invalid `datefmt`: got '%H', expected None"),
        ({"format": "console", "datefmt": "%c"}, "invalid `datefmt`: got `%c`"),
        ({"max_bytes": 5}, "invalid `max_bytes`: got 5, expected `filename` with it"),
        ({"filename": "x", "max_bytes": 0}, "invalid `max_bytes`: got 0, expected 1 or more"),
        (
            {"filename": "x", "max_bytes": 5, "when": "D"},
            "invalid `when`: got 'D', expected either",
        ),
        (
            {"filename": "x", "backup_count": 5},
            "invalid `backup_count`: got 5, expected `max_bytes`",
        ),
        ({"filename": "x", "shared": True}, "invalid `shared`: got True, expected `max_bytes` or"),
        (
            {"filename": "x", "max_bytes": 5, "interval": 2},
            "invalid `interval`: got 2, expected `when`",
        ),
        ({"filename": "x", "when": "D", "interval": 0}, "invalid `interval`: got 0, expected 1"),
        (
            {"filename": "x", "when": "D", "filemode": "w"},
            "invalid `filemode`: got 'w', expected 'a'",
        ),
        ({"filename": "x", "when": "D", "backup_count": -1}, "invalid `backup_count`: got -1"),
        ({"filename": "x", "max_bytes": 5, "backup_count": 0}, "invalid `backup_count`: got 0"),
        ({"handlers": [], "when": "D"}, "invalid `when`: got 'D', expected `filename` with it"),
        ({"filename": "x", "max_bytes": 5, "compress": "rar"}, ""),
        ({"filename": "x", "when": "never"}, ""),
    ],
    ids=str,
)
def test_what_is_wrong_is_refused_before_anything_is_changed(wrong, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = (logging.root.handlers[:], logging.root.level, logboom.installed())
    with pytest.raises(ValueError) as raised:
        logboom.basicConfig(force=True, **wrong)
    assert str(raised.value).startswith(told), raised.value
    assert before == (logging.root.handlers, logging.root.level, logboom.installed())
    assert list(tmp_path.iterdir()) == []
