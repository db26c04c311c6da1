"""`configure` and `basicConfig`: what is refused, with which words, and that nothing changed then."""

from __future__ import annotations

import logging
import os

import pytest

import logboom
from logboom import _logboom

pytestmark = pytest.mark.usefixtures("logging_as_it_was")

POLICIES = "expected `block`, `drop_newest`, `drop_oldest` or `sample`"

REFUSED = [
    ({"capacity_bytes": 0}, "invalid `capacity_bytes`: got 0, expected 65536 to 17179869184"),
    (
        {"capacity_bytes": 65535},
        "invalid `capacity_bytes`: got 65535, expected 65536 to 17179869184",
    ),
    (
        {"capacity_bytes": 17179869185},
        "invalid `capacity_bytes`: got 17179869185, expected 65536 to 17179869184",
    ),
    ({"capacity_bytes": -1}, "invalid `capacity_bytes`: got -1, expected a whole number of bytes"),
    (
        {"capacity_bytes": 1.5},
        "invalid `capacity_bytes`: got 1.5, expected a whole number of bytes",
    ),
    (
        {"capacity_bytes": "1"},
        "invalid `capacity_bytes`: got '1', expected a whole number of bytes",
    ),
    (
        {"capacity_bytes": None},
        "invalid `capacity_bytes`: got None, expected a whole number of bytes",
    ),
    (
        {"capacity_bytes": 10**30},
        f"invalid `capacity_bytes`: got {10**30}, expected a whole number of bytes",
    ),
    ({"table_bytes": 0}, "invalid `table_bytes`: got 0, expected 4096 to 1073741824"),
    ({"table_bytes": 2**31}, f"invalid `table_bytes`: got {2**31}, expected 4096 to 1073741824"),
    ({"overflow": "lossy"}, f'invalid `overflow`: got "lossy", {POLICIES}'),
    ({"overflow": 1}, f"invalid `overflow`: got 1, {POLICIES}"),
    ({"overflow": None}, f"invalid `overflow`: got None, {POLICIES}"),
    (
        {"block_timeout": -1},
        "invalid `block_timeout`: got -1, expected a number of seconds, 0 or more",
    ),
    (
        {"block_timeout": float("nan")},
        "invalid `block_timeout`: got nan, expected a number of seconds, 0 or more",
    ),
    (
        {"shutdown_timeout": -0.5},
        "invalid `shutdown_timeout`: got -0.5, expected a number of seconds, 0 or more",
    ),
    (
        {"shutdown_timeout": "soon"},
        "invalid `shutdown_timeout`: got 'soon', expected a number of seconds, 0 or more",
    ),
    (
        {"shutdown_timeout": None},
        "invalid `shutdown_timeout`: got None, expected a number of seconds, 0 or more",
    ),
    (
        {"notice_interval": float("inf")},
        "invalid `notice_interval`: got inf, expected a number of seconds, 0 or more",
    ),
    (
        {"nonsense": 1},
        (
            "unknown option: got `nonsense`, expected one of `capacity_bytes`, `table_bytes`, "
            "`overflow`, `block_timeout`, `block_on_event_loop`, `shutdown_timeout`, "
            "`notice_interval`, `durable`, `sync_every`, `sync_level`, `redact`"
        ),
    ),
]


@pytest.mark.parametrize(("options", "message"), REFUSED, ids=[m for _, m in REFUSED])
def test_what_is_refused_and_that_nothing_changed(options, message):
    before = _logboom.options()
    with pytest.raises(logboom.ConfigError) as caught:
        logboom.configure(
            shutdown_timeout=7.0, **options
        ) if "shutdown_timeout" not in options else (logboom.configure(**options))
    assert str(caught.value) == message
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, logboom.LogboomError)
    assert _logboom.options() == before


def test_the_options_that_are_not_given_stay():
    before = _logboom.options()
    try:
        logboom.configure(capacity_bytes=131072, block_timeout=1)
        assert _logboom.options() == {**before, "capacity_bytes": 131072, "block_timeout": 1.0}
        logboom.configure(overflow="drop_newest", block_timeout=None, notice_interval=0.5)
        assert _logboom.options() == {
            **before,
            "capacity_bytes": 131072,
            "overflow": "drop_newest",
            "block_timeout": None,
            "notice_interval": 0.5,
        }
        logboom.configure()
        assert _logboom.options()["capacity_bytes"] == 131072
        assert logboom.stats().as_dict()["ring"]["capacity_bytes"] == 131072
    finally:
        logboom.configure(**before)
    assert _logboom.options() == before


@pytest.mark.parametrize("function", ["flush", "sync", "shutdown"])
@pytest.mark.parametrize("timeout", [-1, float("nan"), "1", []])
def test_time_outs_that_are_none(function, timeout):
    with pytest.raises(logboom.ConfigError, match=r"^invalid `timeout`: got "):
        getattr(logboom, function)(timeout=timeout)


def test_a_limit_is_allowed(run_python):
    run_python("""
        import logboom
        logboom.configure(capacity_bytes=17179869184)
        logboom.configure(capacity_bytes=65536, table_bytes=4096)
        assert logboom.stats().as_dict()["ring"]["capacity_bytes"] == 65536
    """).ok()


def test_configure_while_threads_log(run_python):
    run_python("""
        import logging, threading, logboom
        logboom.install()
        logger = logging.getLogger("app")
        logger.setLevel(10)
        handler = logboom.FileHandler("app.log")
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
        barrier, stop, counts = threading.Barrier(5), threading.Event(), {}
        def work(name):
            barrier.wait()
            n = 0
            while not stop.is_set():
                logger.info("%s %d %s", name, n, "x" * 50)
                n += 1
            counts[name] = n
        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads: thread.start()
        barrier.wait()
        for n in range(50):
            logboom.configure(capacity_bytes=65536 * (1 + n % 5), overflow="block")
        stop.set()
        for thread in threads: thread.join()
        assert logboom.flush()
        total = sum(counts.values())
        stats = logboom.stats()
        assert (stats.submitted, stats.written, stats.pending) == (total, total, 0), (stats, total)
        lines = open("app.log").read().splitlines()
        assert len(lines) == total
        for name, count in counts.items():
            own = [line for line in lines if line[0] == name]
            assert own == [f"{name} {n} {'x' * 50}" for n in range(count)], name
    """).ok()


def test_configure_keeps_what_was_logged_and_counted(run_python, log):
    run_python("""
        import logging, logboom
        logboom.install()
        handler = logboom.FileHandler("app.log")
        logging.root.addHandler(handler)
        for n in range(100): logging.getLogger("a").warning("before %d", n)
        logboom.configure(capacity_bytes=65536)
        for n in range(100): logging.getLogger("a").warning("after %d", n)
        assert logboom.flush()
        stats = logboom.stats()
        assert (stats.submitted, stats.written) == (200, 200), stats
        assert [route["submitted"] for route in stats.routes] == [200]
    """).ok()
    assert log.lines() == [f"before {n}" for n in range(100)] + [f"after {n}" for n in range(100)]


def test_configure_after_shutdown_starts_nothing_by_itself(run_python):
    run_python("""
        import os, logging, logboom
        logboom.install()
        handler = logboom.FileHandler("app.log")
        logging.root.addHandler(handler)
        logging.warning("before")
        logboom.shutdown()
        try:
            logboom.configure(capacity_bytes=65536)
        except logboom.LogboomError as error:
            print(error)
        assert len(os.listdir("/proc/self/task")) == 1
        logging.warning("after")
        logboom.flush(10)
        stats = logboom.stats()
        assert stats.submitted == 2 == stats.written + stats.rejected, stats
    """).ok()


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"filename": "/no/where/x.log"}, FileNotFoundError),
        ({"filename": ".", "level": "INFO"}, IsADirectoryError),
        ({"level": "NONSENSE"}, ValueError),
        ({"level": 1.5}, TypeError),
        ({"style": "?"}, ValueError),
        ({"format": "%(nothing"}, ValueError),
        ({"filename": "x.log", "filemode": "q"}, ValueError),
        ({"filename": "x.log", "stream": None, "nonsense": 1}, ValueError),
    ],
    ids=str,
)
def test_basic_config_that_is_refused_changes_nothing(wrong, error, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = (logging.root.handlers[:], logging.root.level, logboom.installed())
    known, open_files = list(logging._handlerList), len(os.listdir("/proc/self/fd"))
    with pytest.raises(error):
        logboom.basicConfig(force=True, **wrong)
    assert before == (logging.root.handlers, logging.root.level, logboom.installed())
    assert logging._handlerList == known
    assert len(os.listdir("/proc/self/fd")) == open_files
    assert os.listdir() == []


def test_basic_config_installs_and_is_native(run_python):
    outcome = run_python("""
        import logging, logboom
        logboom.basicConfig(level="INFO", format="standard")
        assert logboom.installed()
        assert type(logging.root.handlers[0]) is logboom.StreamHandler
        logging.getLogger("app").info("hello %s", "world")
        logboom.basicConfig(level="ERROR")      # nothing happens any more
        logging.getLogger("app").info("again")
        assert logboom.stats().submitted == 2
    """).ok()
    assert outcome.err == "INFO:app:hello world\nINFO:app:again\n"
