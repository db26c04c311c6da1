"""Levels from the environment and at run time: who wins, for how long, and what is left behind."""

from __future__ import annotations

import io
import logging
import logging.config
import signal
import threading
import time

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

import logboom
from logboom import _level_words
from logboom._lane import lane

PLAIN = (logging.Logger.setLevel, logging.Manager.getLogger)


@pytest.fixture(autouse=True)
def as_it_was(logging_as_it_was):
    yield
    assert (logging.Logger.setLevel, logging.Manager.getLogger) == PLAIN


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("", {}),
        ("info", {"root": 20}),
        (" Info , app.db = DEBUG ,uvicorn=warning,", {"root": 20, "app.db": 10, "uvicorn": 30}),
        ("warn,app=fatal,root=error", {"root": 40, "app": 50}),
        ("app=15,5", {"app": 15, "root": 5}),
        ("app,app.db=", {"app": 1, "app.db": 1}),
        ("trace,a=off,b=all,c=notset", {"root": 5, "a": 2**31 - 1, "b": 1, "c": 0}),
        ("info # all\napp=debug\r\n# nothing\n", {"root": 20, "app": 10}),
    ],
)
def test_directives_are_read_as_rust_log_has_them(text, levels):
    assert _level_words.parse(text) == (levels, "")


@pytest.mark.parametrize(
    ("text", "levels", "told"),
    [
        (
            "inof,app=debug",
            {"app": 10},
            "`inof`: no level, and too close to `info` to be a logger; `inof=all` is one",
        ),
        ("app=loud,info", {"root": 20}, "`app=loud`: expected a level's name or number behind `=`"),
        ("a=b=debug", {}, "`a=b=debug`: expected a level's name or number behind `=`"),
        ("=debug", {}, "`=debug`: expected a logger's name before `=`"),
        ("two words=debug", {}, "`two words=debug`: expected a logger's name before `=`"),
        ("a\x1b[2J=5", {}, "`a\\x1b[2J=5`: expected a logger's name before `=`"),
        ("99999999999", {}, "`99999999999`: expected a level of 0 to 2147483647"),
        ("-5=-5", {}, "`-5=-5`: expected a level's name or number behind `=`"),
    ],
)
def test_what_is_wrong_is_told_and_the_rest_is_good(text, levels, told):
    assert _level_words.parse(text) == (levels, told)


@settings(max_examples=300, deadline=None)
@given(st.text() | st.text("a=,#.1\n"))
def test_no_text_raises_or_is_shown_raw(text):
    levels, wrong = _level_words.parse(text)
    assert all(0 <= level <= 2**31 - 1 for level in levels.values())
    assert wrong.isprintable()
    assert len(wrong) < 2000


def test_names_of_ones_own_are_levels():
    logging.addLevelName(25, "Notice")
    try:
        assert _level_words.parse("notice") == ({"root": 25}, "")
        with logboom.levels({"own.levels": "NOTICE"}):
            assert logging.getLogger("own.levels").level == 25
            assert logboom.levels()["own.levels"] == "Notice"
    finally:
        del logging._levelToName[25], logging._nameToLevel["Notice"]


def test_levels_tells_all_effective_levels():
    logging.getLogger("reads.levels").setLevel("ERROR")
    logging.getLogger("reads.levels.below")
    found = logboom.levels()
    assert next(iter(found)) == "root"
    assert found["reads.levels"] == found["reads.levels.below"] == "ERROR"
    assert "reads" not in found


def test_what_is_held_counts_more_than_what_the_program_sets():
    logger = logging.getLogger("held.one")
    logger.setLevel("ERROR")
    hold = logboom.levels({"held.one": "DEBUG"})
    assert logger.level == 10
    assert logger.isEnabledFor(10)
    logger.setLevel(30)
    logging.config.dictConfig(
        {"version": 1, "incremental": True, "loggers": {"held.one": {"level": "CRITICAL"}}}
    )
    assert logger.level == 10
    with pytest.raises(ValueError, match="Unknown level"):
        logger.setLevel("NONSENSE")
    told = str(logboom.explain("held.one", file=io.StringIO()))
    assert told.startswith("logger 'held.one': level DEBUG (held on 'held.one')\n")
    assert hold.active
    assert hold.levels == {"held.one": "DEBUG"}
    hold.restore()
    hold.restore()
    assert logger.level == 50
    assert not hold.active


def test_the_later_of_two_counts_and_either_may_end_first():
    logger = logging.getLogger("held.twice")
    first = logboom.levels("held.twice=debug")
    second = logboom.levels("held.twice=error,held.other=info")
    assert logger.level == 40
    first.restore()
    assert logger.level == 40
    third = logboom.levels("held.twice=5")
    second.restore()
    assert logger.level == 5
    third.restore()
    assert logger.level == 0


def test_a_logger_that_is_not_there_yet_is_not_made():
    class Mine(logging.Logger):
        pass

    with logboom.levels({"held.later": "DEBUG", "held.later.below": "ERROR"}):
        assert "held.later" not in logging.root.manager.loggerDict
        logging.config.dictConfig({"version": 1, "loggers": {}})
        logging.setLoggerClass(Mine)
        try:
            logger = logging.getLogger("held.later")
        finally:
            logging.setLoggerClass(logging.Logger)
        assert type(logger) is Mine
        assert (logger.level, logger.disabled) == (10, False)
        assert logger.getChild("below").level == 40
        assert logging.Manager(logging.root).getLogger("held.later.below").level == 0
    assert (logger.level, logging.getLogger("held.later.below").level) == (0, 0)


def test_loggers_below_one_that_is_not_there_inherit():
    early = logging.getLogger("held.above.early")
    with logboom.levels({"held.above": 35}):
        late = logging.getLogger("held.above.too.late")
        assert early.getEffectiveLevel() == late.getEffectiveLevel() == 35
        logging.config.dictConfig({"version": 1, "loggers": {"held.above.early": {"level": 50}}})
        assert (early.getEffectiveLevel(), late.disabled) == (50, True)
        above = logging.getLogger("held.above")
        assert (above.level, above.disabled) == (35, False)
        above.disabled = True
        assert logging.getLogger("held.above").disabled
    assert (above.level, late.getEffectiveLevel()) == (0, logging.root.level)


def test_what_others_put_in_front_stays_and_works(monkeypatch):
    asked = []
    hold = logboom.levels("held.patched=debug")
    behind = logging.Logger.setLevel

    def patched(self, level):
        asked.append(level)
        behind(self, level)

    monkeypatch.setattr(logging.Logger, "setLevel", patched)
    hold.restore()
    logger = logging.getLogger("held.patched")
    logger.setLevel(30)
    assert (logger.level, asked) == (30, [30])
    with logboom.levels("held.patched=debug"):
        logger.setLevel(40)
        assert logger.level == 10
    assert (logger.level, asked) == (40, [30, 40])
    monkeypatch.undo()
    logboom.levels("held.patched=debug").restore()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (({"a": "LOUD"},), "invalid `changes`: got 'LOUD', expected a level's name or number"),
        (({"a": 1.5},), "invalid `changes`: got 1.5"),
        (({"a": -1},), "invalid `changes`: got -1"),
        (({"a": True},), "invalid `changes`: got True"),
        (({5: "INFO"},), "invalid `changes`: got 5, expected a logger's name"),
        ((["a"],), "invalid `changes`: got ['a'], expected levels by loggers' names"),
        (("a=loud",), "invalid `changes`: got `a=loud`: expected a level's name"),
        (
            ({"a": 5}, 0),
            "invalid `for_seconds`: got 0, expected more than 0 up to 31536000 seconds",
        ),
        (({"a": 5}, float("nan")), "invalid `for_seconds`: got nan"),
        (({"a": 5}, "5"), "invalid `for_seconds`: got '5'"),
        ((None, 5), "invalid `for_seconds`: got 5, expected `changes` with it"),
    ],
    ids=str,
)
def test_what_is_wrong_changes_nothing(wrong, told):
    changes, *seconds = wrong
    with pytest.raises(logboom.ConfigError) as raised:
        logboom.levels(changes, for_seconds=seconds[0] if seconds else None)
    assert str(raised.value).startswith(told)


def test_after_its_time_it_is_over_and_so_is_the_thread(wait_for):
    logger = logging.getLogger("held.briefly")
    begun = time.monotonic()
    hold = logboom.levels({"held.briefly": "DEBUG"}, for_seconds=0.05)
    longer = logboom.levels({"held.longer": "DEBUG"}, for_seconds=3600)
    assert logger.level == 10
    # Nobody logs, and nobody asks.
    wait_for(lambda: logger.level == 0, "the end of the hold")
    assert time.monotonic() - begun >= 0.05
    assert not hold.active
    assert longer.active
    longer.restore()
    short = logboom.levels({"held.longer": "DEBUG"}, for_seconds=0.01)
    wait_for(lambda: not short.active, "the end of the other")


def test_a_thread_that_is_refused_is_told_and_nothing_is_held(monkeypatch):
    def refused(call, at):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(lane, "call_at", refused)
    with pytest.raises(RuntimeError):
        logboom.levels({"held.not": "DEBUG"}, for_seconds=5)
    assert logging.getLogger("held.not").level == 0


def test_threads_that_hold_and_restore_leave_nothing_behind():
    names = [f"held.by.thread.{number}" for number in range(3)]
    loggers = [logging.getLogger(name) for name in names]
    start = threading.Barrier(4)

    def work(mine: int) -> None:
        start.wait()
        for turn in range(200):
            with logboom.levels({names[(mine + turn) % 3]: 10 + mine}):
                logging.getLogger(f"held.by.thread.new.{mine}.{turn}")
            loggers[mine % 3].setLevel(20)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [logger.level for logger in loggers] == [20, 20, 20]


ENVIRONMENT = """
    import logging, logging.config, sys, logboom
    logging.getLogger("early").setLevel(40)
    logboom.basicConfig(level="WARNING", format="%(name)s %(message)s", stream=sys.stdout)
    log = logging.getLogger("app.db")
    log.debug("one")
    logging.info("two")
    logging.getLogger("uvicorn.error").info("three")
    logging.getLogger("early").info("four")
    logging.config.dictConfig({
        "version": 1,
        "handlers": {"h": {"class": "logboom.StreamHandler", "stream": "ext://sys.stdout"}},
        "loggers": {"app": {"level": "ERROR"}, "uvicorn": {"level": "INFO"}},
        "root": {"level": "CRITICAL", "handlers": ["h"]},
    })
    logging.getLogger("app.db").debug("five")
    logging.getLogger("app.web").error("six")
    logging.getLogger("uvicorn").info("seven")
    logging.getLogger("fresh").info("eight")
    logboom.uninstall()
    logging.getLogger("uvicorn").info("nine")
    logging.getLogger("fresh").error("ten")
    assert (logging.root.level, logging.getLogger("app.db").level) == (50, 0)
"""


def test_the_environment_counts_more_than_the_program(run_python):
    given = "info,app.db=debug,uvicorn=warning,early=info,app.web=loud"
    outcome = run_python(ENVIRONMENT, LOGBOOM_LEVEL=given).ok()
    said = ["app.db one", "root two", "early four", "five", "six", "eight", "nine"]
    # "three" and "seven": below the level of "uvicorn"; "ten": below the program's own, again.
    assert outcome.out.splitlines() == said
    assert outcome.err == (
        "logboom: LOGBOOM_LEVEL: `app.web=loud`: expected a level's name or number behind `=`; "
        "the rest is in effect\n"
    )


def test_install_takes_it_and_a_closed_stderr_does_no_harm(run_python):
    run_python(
        """
        import logging, sys
        sys.stderr.close()
        import logboom
        logboom.install(); logboom.install()
        assert logboom.levels()["root"] == "DEBUG"
        """,
        LOGBOOM_LEVEL="debug,=5",
    ).ok()


def test_a_signal_holds_and_the_next_one_restores():
    logger = logging.getLogger("held.by.signal")
    logger.setLevel(20)
    try:
        logboom.levels_on_signal(signal.SIGUSR1, {"held.by.signal": "DEBUG"})
        logboom.levels_on_signal(signal.SIGUSR1, "held.by.signal=5")
        with logging._lock:  # interrupts whoever configures
            signal.raise_signal(signal.SIGUSR1)
        assert logger.level == 5
        signal.raise_signal(signal.SIGUSR1)
        assert logger.level == 20
        signal.raise_signal(signal.SIGUSR1)
        logboom.levels_on_signal(signal.SIGUSR1)
        assert logger.level == 20
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)


def test_a_signal_in_the_middle_of_a_change_is_not_lost(monkeypatch):
    logger = logging.getLogger("held.in.the.middle")
    behind = logging.Logger.setLevel
    signals = []

    def interrupted(self, level):
        behind(self, level)
        if not signals:
            signals.append(level)
            signal.raise_signal(signal.SIGUSR1)

    try:
        logboom.levels_on_signal(signal.SIGUSR1, {"held.in.the.middle": 5})
        monkeypatch.setattr(logging.Logger, "setLevel", interrupted)
        hold = logboom.levels({"held.in.the.middle": 10})
        assert (logger.level, signals) == (5, [10])
        signal.raise_signal(signal.SIGUSR1)
        assert logger.level == 10
        hold.restore()
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    assert logger.level == 0


def test_signals_of_the_programs_own_are_left_alone():
    with pytest.raises(logboom.ConfigError, match="which the program handles already"):
        logboom.levels_on_signal(signal.SIGINT)
    for wrong in (signal.SIGKILL, 999, "SIGUSR1"):
        with pytest.raises(logboom.ConfigError, match="expected one that a program can handle"):
            logboom.levels_on_signal(wrong)
    with pytest.raises(logboom.ConfigError, match="invalid `changes`"):
        logboom.levels_on_signal(signal.SIGUSR1, "debug=loud")
    raised = []

    def elsewhere():
        try:
            logboom.levels_on_signal(signal.SIGUSR1)
        except ValueError as error:
            raised.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert raised[0].startswith("invalid thread: got ")
