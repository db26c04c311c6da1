"""No secret reaches a sink: by name in fields, by pattern in every text and format."""

import itertools
import json
import logging
import logging.config
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings, strategies as st

import logboom
from logboom import _logboom

SECRET = "hunter2-Zq9"
# The test runner puts a handler of its own on loggers that it knows from an earlier test.
_NUMBERS = itertools.count()


@pytest.fixture
def redact():
    yield logboom.configure
    logboom.configure(redact=True)


@pytest.fixture
def log(tmp_path):
    """Gives a function that logs by another one and returns what is in the file."""
    logboom.install()
    made = []

    def written(formatter, call):
        path = tmp_path / f"{len(made)}.log"
        handler = logboom.FileHandler(path, encoding="utf-8")
        handler.setFormatter(formatter)
        logger = logging.getLogger(f"redaction.{next(_NUMBERS)}")
        logger.propagate = False
        logger.setLevel(1)
        logger.addHandler(handler)
        made.append((logger, handler))
        # Once more: the first record opens the route, and goes the library's way.
        call(logger)
        call(logger)
        handler.flush()
        return path.read_text(encoding="utf-8")

    yield written
    for logger, handler in made:
        logger.removeHandler(handler)
        handler.close()
    logboom.uninstall()


FORMATTERS = [
    logboom.JsonFormatter(),
    logboom.LogfmtFormatter(),
    logging.Formatter("%(levelname)s %(message)s"),
]


def fields(logger):
    with logboom.bound(password=SECRET, user={"name": "ann", "access-token": [SECRET]}, token=None):
        logger.info("signed in")
        logger.info("signed in", extra={"api_key": SECRET, "n": 1})


def test_fields_with_secret_names_are_redacted_by_default(log):
    for formatter in FORMATTERS[:2]:
        text = log(formatter, fields)
        assert SECRET not in text
        assert text.count("[redacted]") == 2 * (2 + 3)
        assert "ann" in text
    lines = [json.loads(line) for line in log(FORMATTERS[0], fields).splitlines()]
    for line in lines:
        assert line["password"] == "[redacted]"
        assert line["user"] == {"name": "ann", "access-token": "[redacted]"}
        assert line["token"] is None


def test_a_format_of_the_librarys_shows_what_it_is_told_unless_there_are_patterns(log, redact):
    formatter = logging.Formatter("%(message)s %(password)s")

    def call(logger):
        logger.info("url redis://u:%s@h", SECRET, extra={"password": SECRET})
        with logboom.bound(password=SECRET):
            logger.info("url redis://u:%s@h", SECRET)

    assert log(formatter, call).count(SECRET) == 8
    redact(redact=logboom.Redaction(patterns=["url_password"]))
    text = log(formatter, call)
    assert text.count("redis://u:[redacted]@h") == 4


def test_redaction_can_be_switched_off(log, redact):
    redact(redact=False)
    assert _logboom.options()["redact"] is False
    assert log(FORMATTERS[0], fields).count(SECRET) == 2 * (2 + 3)
    redact(redact=True)
    assert _logboom.options()["redact"] is True


def everywhere(logger):
    logger.info("login password=%s", SECRET)
    logger.info("headers %s", {"Authorization": f"Bearer {SECRET}", "x": 1})
    logger.info("at %s", f"postgres://ann:{SECRET}@db/x")
    with logboom.bound(url=f"amqp://a:{SECRET}@h", deep={"list": [f"token: {SECRET}"]}):
        logger.info("bound")
    try:
        raise ValueError(f"secret={SECRET}")
    except ValueError:
        logger.exception("failed with\n%s", f'"password": "{SECRET}"')


@pytest.mark.parametrize("formatter", FORMATTERS, ids=["json", "logfmt", "format"])
def test_patterns_find_secrets_in_messages_arguments_fields_and_tracebacks(log, redact, formatter):
    redact(redact=logboom.Redaction(patterns=True))
    text = log(formatter, everywhere)
    assert SECRET not in text
    assert text.count("[redacted]") >= 10
    if isinstance(formatter, logboom.JsonFormatter):
        lines = [json.loads(line) for line in text.splitlines()]
        assert len(lines) == 10
        assert "ValueError: secret=[redacted]" in lines[4]["exception"]


def test_a_line_that_python_formatted_is_gone_through(log, redact):
    class Own(logging.Formatter):
        def format(self, record):
            return json.dumps({"m": record.getMessage(), "in": {"password": "plain", "n": [1]}})

    redact(redact={"patterns": ["pairs", "card"]})
    text = log(Own(), lambda logger: logger.info('said "token": "%s", 4111111111111111', SECRET))
    for line in text.splitlines():
        assert json.loads(line) == {
            "m": 'said "token": "[redacted]", [redacted]',
            "in": {"password": "[redacted]", "n": [1]},
        }


_TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


@settings(max_examples=60, deadline=None)
@given(before=_TEXTS, after=_TEXTS, key=st.sampled_from(["password", "X-Api-Key", "user.token"]))
def test_no_secret_survives_whatever_stands_around_it(before, after, key):
    core = logboom.JsonFormatter()
    logboom.configure(redact=logboom.Redaction(patterns=True))
    try:
        record = logging.makeLogRecord(
            {"msg": f"{before} {key}={SECRET} {after}", key: before + SECRET, "n": {key: SECRET}}
        )
        line = core.format(record)
    finally:
        logboom.configure(redact=True)
    assert SECRET not in line
    assert "\n" not in line
    json.loads(line)


def test_dict_config_takes_it(redact):
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "engine": {
                    "()": "logboom.configure",
                    "redact": {"keys": ["iban"], "exceptions": ["token"], "replacement": "***"},
                }
            },
        }
    )
    assert _logboom.is_secret("customer.IBAN")
    assert not _logboom.is_secret("token")
    assert _logboom.redact_value("iban", "x") == "***"
    assert _logboom.redact_value("n", "iban=1") == "iban=1"


def test_expressions_of_the_users(redact):
    redact(redact=logboom.Redaction(patterns=[r"ticket (\d+)", re.compile("ANN", re.IGNORECASE)]))
    assert _logboom.redact_text("ticket 12 of ann") == "ticket [redacted] of [redacted]"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"redact": 3}, "invalid `redact`: got 3, expected True, False, a Redaction or a mapping"),
        ({"redact": {"key": []}}, "invalid `redact`: got 'key', expected options of Redaction"),
        ({"redact": {"keys": "x"}}, "invalid `keys`: got 'x', expected a sequence of names"),
        ({"redact": {"patterns": ["cards"]}}, 'invalid `patterns`: got "cards", expected one of'),
        (
            {"redact": {"patterns": ["(?=x)"]}},
            'invalid `patterns`: got "(?=x)", expected a regular',
        ),
        ({"redact": {"replacement": "a b"}}, 'invalid `replacement`: got "a b", expected'),
    ],
)
def test_what_is_refused_and_that_nothing_changed(options, words):
    before = _logboom.options()
    with pytest.raises(logboom.ConfigError) as caught:
        logboom.configure(**options)
    assert str(caught.value).startswith(words)
    assert _logboom.options() == before


def test_a_fork_and_another_configuration_keep_it():
    program = """
import logging, os, sys, logboom
logboom.configure(redact={"patterns": ["pairs"]})
logboom.basicConfig(stream=sys.stdout, format="%(message)s", level=20)
logging.info("password=x1")
logboom.configure(capacity_bytes=131072)
logging.info("password=x2")
logboom.flush()
if hasattr(os, "fork") and os.fork() == 0:
    logging.info("password=x3")
    logboom.shutdown()
    os._exit(0)
os.wait()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "password=[redacted]\n" * 3, done.stderr
