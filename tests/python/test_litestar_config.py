"""``logboom.litestar.LoggingConfig`` means what Litestar's means, and starts and leaks nothing."""

from __future__ import annotations

import gc
import logging
import logging.config
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from litestar import logging as litestar_logging

import logboom
from logboom.litestar import LoggingConfig

SHIPPED_FORMAT = "%(levelname)s - %(asctime)s - %(name)s - %(module)s - %(message)s"


pytestmark = pytest.mark.usefixtures("logging_as_it_was")


def to_file(path: Path, **options: Any) -> LoggingConfig:
    options.setdefault("formatters", {"standard": {"format": "%(levelname)s %(name)s %(message)s"}})
    return LoggingConfig(
        handlers={
            "queue_listener": {
                "class": "logboom.FileHandler",
                "filename": str(path),
                "formatter": "standard",
            }
        },
        **options,
    )


def lines(path: Path) -> list[str]:
    assert logboom.flush(timeout=10)
    return path.read_text().splitlines()


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def native_threads() -> int:
    return len(os.listdir("/proc/self/task"))


def test_the_fields_and_their_defaults_are_those_of_litestar():
    shipped, ours = litestar_logging.LoggingConfig(), LoggingConfig()
    for name in shipped.__dataclass_fields__:
        if name not in {"logging_module", "handlers", "exception_logging_handler"}:
            assert getattr(ours, name) == getattr(shipped, name), name
    assert ours.formatters["standard"]["format"] == SHIPPED_FORMAT
    assert set(ours.handlers) == set(shipped.handlers) == {"console", "queue_listener"}
    assert callable(ours.exception_logging_handler)


def test_the_default_handlers_are_native():
    LoggingConfig().configure()
    for logger in (logging.root, logging.getLogger("litestar")):
        assert [type(handler) for handler in logger.handlers] == [logboom.StreamHandler]


def test_queue_listener_follows_what_console_is_defined_to_be(tmp_path):
    path = tmp_path / "console.log"
    console = {"class": "logboom.FileHandler", "filename": str(path), "formatter": "standard"}
    get_logger = LoggingConfig(
        formatters={"standard": {"format": "%(message)s"}}, handlers={"console": console}
    ).configure()
    get_logger("litestar").info("through queue_listener")
    assert lines(path) == ["through queue_listener"]


def test_another_logging_module_is_refused():
    with pytest.raises(ValueError, match="invalid `logging_module`: got 'picologging'"):
        LoggingConfig(logging_module="picologging")


def test_a_picologging_that_is_installed_is_not_picked_up(tmp_path, monkeypatch):
    (tmp_path / "picologging.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    LoggingConfig().configure()
    assert type(logging.root.handlers[0]) is logboom.StreamHandler


def test_a_standard_handler_stays_the_standard_one(tmp_path):
    LoggingConfig(
        handlers={"plain": {"class": "logging.FileHandler", "filename": str(tmp_path / "plain")}},
        loggers={"mine": {"handlers": ["plain"]}},
    ).configure()
    (handler,) = logging.getLogger("mine").handlers
    assert type(handler) is logging.FileHandler
    handler.close()


def queue_as_litestar_ships_it(**options: Any) -> list[dict[str, Any]]:
    return [
        {"class": "litestar.logging.standard.QueueListenerHandler", **options},
        {
            "class": "logging.handlers.QueueHandler",
            "queue": {"()": "queue.Queue", "maxsize": -1},
            "listener": "litestar.logging.standard.LoggingQueueListener",
            **options,
        },
    ]


@pytest.mark.parametrize("queue", queue_as_litestar_ships_it(handlers=["file"], level="WARNING"))
def test_a_queue_of_litestars_is_replaced_by_the_handler_behind_it(queue, tmp_path):
    path = tmp_path / "file.log"
    config = LoggingConfig(
        formatters={"standard": {"format": "%(levelname)s %(message)s"}},
        handlers={
            "file": {
                "class": "logboom.FileHandler",
                "filename": str(path),
                "level": "DEBUG",
                "formatter": "standard",
            },
            "queue_listener": queue,
        },
        loggers={"mine": {"handlers": ["queue_listener"], "level": "DEBUG", "propagate": False}},
    )
    logger = config.configure()("mine")
    logger.info("below the queue's level")
    logger.warning("at it")
    assert lines(path) == ["WARNING at it"]
    assert config.handlers["queue_listener"] is queue  # the caller's configuration is not changed
    logging.config.dictConfig(
        {"version": 1, "incremental": True, "handlers": {"queue_listener": {"level": "ERROR"}}}
    )
    logger.warning("no longer")
    assert lines(path) == ["WARNING at it"]


@pytest.mark.parametrize(
    "queue", queue_as_litestar_ships_it(handlers=["one", "cfg://handlers.two"])
)
def test_a_queue_before_two_handlers_delivers_to_both(queue, tmp_path):
    files = {name: tmp_path / name for name in ("one", "two")}
    LoggingConfig(
        formatters={"standard": {"format": "%(message)s"}},
        handlers={
            **{
                name: {
                    "class": "logboom.FileHandler",
                    "filename": str(path),
                    "formatter": "standard",
                }
                for name, path in files.items()
            },
            "queue_listener": queue,
        },
    ).configure()
    logging.getLogger("litestar").info("once")
    logging.getLogger("elsewhere").warning("root")
    assert {name: lines(path) for name, path in files.items()} == {
        "one": ["once", "root"],
        "two": ["once", "root"],
    }


@pytest.mark.parametrize("queue", queue_as_litestar_ships_it(level="ERROR", formatter="standard"))
def test_a_queue_before_nothing_is_a_stream_handler(queue):
    LoggingConfig(handlers={"queue_listener": queue}).configure()
    (handler,) = logging.root.handlers
    assert type(handler) is logboom.StreamHandler
    assert handler.level == logging.ERROR


@pytest.mark.parametrize("queue", queue_as_litestar_ships_it(handlers=["nowhere"]))
def test_a_queue_before_an_unknown_handler_is_refused_before_anything_changes(queue):
    before = list(logging.root.handlers)
    with pytest.raises(ValueError, match="invalid handler 'queue_listener': it names 'nowhere'"):
        LoggingConfig(handlers={"queue_listener": queue}).configure()
    assert logging.root.handlers == before


def test_the_root_logger_is_left_alone_when_told_to():
    before = list(logging.root.handlers)
    LoggingConfig(configure_root_logger=False).configure()
    assert logging.root.handlers == before
    assert len(logging.getLogger("litestar").handlers) == 1


def test_an_unknown_handler_of_a_logger_is_reported_as_dictconfig_reports_it():
    with pytest.raises(ValueError, match="Unable to configure logger 'mine'"):
        LoggingConfig(loggers={"mine": {"handlers": ["nowhere"]}}).configure()


def test_configuring_2000_times_starts_no_thread_and_keeps_no_file_open(tmp_path):
    path = tmp_path / "app.log"
    to_file(path).configure()("litestar").info("first")
    assert logboom.flush(timeout=10)
    threads, files = native_threads(), open_files()
    for number in range(2_000):
        to_file(path).configure()("litestar").info("line %d", number)
    assert logboom.flush(timeout=30)
    assert native_threads() <= threads
    assert open_files() <= files
    assert lines(path) == [
        "INFO litestar first",
        *(f"INFO litestar line {number}" for number in range(2_000)),
    ]


def test_configuring_from_many_threads_at_once_leaks_nothing(tmp_path):
    path = tmp_path / "app.log"
    to_file(path).configure()("litestar").info("first")
    assert logboom.flush(timeout=10)
    threads, files = native_threads(), open_files()

    def configure(thread: int) -> None:
        for number in range(100):
            to_file(path).configure()("litestar").info("%d %d", thread, number)

    workers = [threading.Thread(target=configure, args=(thread,)) for thread in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert logboom.flush(timeout=30)
    gc.collect()
    assert native_threads() <= threads
    assert open_files() <= files
    found = [line.removeprefix("INFO litestar ") for line in lines(path)]
    assert sorted(found) == sorted(
        ["first", *(f"{thread} {number}" for thread in range(4) for number in range(100))]
    )


def test_lines_that_other_threads_log_during_reconfigurations_are_all_there(tmp_path):
    path = tmp_path / "app.log"
    config = to_file(path, loggers={"mine": {"level": "INFO", "handlers": ["queue_listener"]}})
    config.root = {"level": "INFO", "handlers": []}
    config.configure()
    start, done, logged = threading.Barrier(4), threading.Event(), [0, 0, 0]

    def log(thread: int) -> None:
        logger = logging.getLogger("mine")
        start.wait(30)
        while not done.is_set():
            logger.info("%d %d", thread, logged[thread])
            logged[thread] += 1

    threads = [threading.Thread(target=log, args=(thread,)) for thread in range(3)]
    for thread in threads:
        thread.start()
    start.wait(30)
    for _ in range(200):
        config.configure()
    done.set()
    for thread in threads:
        thread.join(60)
    found = sorted(line.removeprefix("INFO mine ") for line in lines(path))
    assert found == sorted(
        f"{thread} {number}" for thread in range(3) for number in range(logged[thread])
    )


class LogsWhenLookedUp(str):
    """A handler's name that logs in the very middle of the configuration that uses it."""

    __slots__ = ()

    def __hash__(self) -> int:
        logging.getLogger("mine").info("in between")
        return super().__hash__()


def test_a_line_in_the_middle_of_a_reconfiguration_finds_a_handler(tmp_path):
    path = tmp_path / "app.log"
    logger = {"level": "INFO", "handlers": ["queue_listener"], "propagate": False}
    to_file(path, loggers={"mine": logger}).configure()
    logger["handlers"] = [LogsWhenLookedUp("queue_listener")]
    to_file(path, loggers={"mine": logger}).configure()
    assert set(lines(path)) == {"INFO mine in between"}


def test_a_filter_and_a_level_of_a_logger_are_configured(tmp_path):
    path = tmp_path / "app.log"
    get_logger = to_file(
        path,
        filters={"inner": {"name": "mine.inner"}},
        loggers={
            "mine.inner": {"level": "DEBUG", "handlers": ["queue_listener"], "propagate": False},
            "mine": {"handlers": ["queue_listener"], "filters": ["inner"], "propagate": False},
        },
    ).configure()
    get_logger("mine.inner").debug("passes")
    get_logger("mine").critical("is filtered")
    assert lines(path) == ["DEBUG mine.inner passes"]
