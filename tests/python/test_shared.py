"""Files that are shared between processes, as one process sees them: arguments, names, what stays.

What several processes do to one file at a time is in ``test_shared_processes.py``.
"""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import logging
import logging.config
import logging.handlers
import os
import random
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import logboom

pytestmark = pytest.mark.usefixtures("logging_as_it_was")

SIZE = {"maxBytes": 200, "backupCount": 3}


@pytest.fixture
def logger() -> logging.Logger:
    logboom.install()
    return logging.Logger("tests.shared", logging.DEBUG)


def files(directory: Path) -> dict[str, bytes]:
    """Give all files but the lock."""
    found = {}
    for path in sorted(directory.iterdir()):
        if path.suffix not in {".lock", ".compressing"}:
            # It may get another name while we look.
            with contextlib.suppress(FileNotFoundError):
                found[path.name] = path.read_bytes()
    return found


def text_of(path: Path) -> str:
    """Give the text of a file that may be compressed."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes()).decode()
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("cls", "arguments", "error", "said"),
    [
        ("RotatingFileHandler", {"shared": 1}, TypeError, "`shared`"),
        ("RotatingFileHandler", {"shared": True, "mode": "w"}, ValueError, "`mode`"),
        ("RotatingFileHandler", {"shared": True, "maxBytes": -1}, ValueError, "`maxBytes`"),
        ("RotatingFileHandler", {"shared": True, "maxBytes": 1.5}, TypeError, "`maxBytes`"),
        ("RotatingFileHandler", {"shared": True, "backupCount": -1}, ValueError, "`backupCount`"),
        (
            "RotatingFileHandler",
            {"shared": True, "backupCount": 2**31},
            ValueError,
            "`backupCount`",
        ),
        ("RotatingFileHandler", {"shared": True, "encoding": "latin-1"}, ValueError, "`encoding`"),
        ("RotatingFileHandler", {**SIZE, "compress": "lzma"}, ValueError, "`compress`"),
        ("RotatingFileHandler", {**SIZE, "compress": 6}, TypeError, "`compress`"),
        ("RotatingFileHandler", {**SIZE, "max_age": 0}, ValueError, "`max_age`"),
        ("RotatingFileHandler", {**SIZE, "max_age": float("nan")}, ValueError, "`max_age`"),
        ("RotatingFileHandler", {**SIZE, "max_age": "1 day"}, TypeError, "`max_age`"),
        ("RotatingFileHandler", {**SIZE, "max_total_bytes": 0}, ValueError, "`max_total_bytes`"),
        ("RotatingFileHandler", {**SIZE, "max_total_bytes": 200}, ValueError, "`maxBytes`, 200"),
        ("RotatingFileHandler", {**SIZE, "max_total_bytes": True}, TypeError, "`max_total_bytes`"),
        ("RotatingFileHandler", {"compress": "gzip"}, ValueError, "no file is rotated"),
        ("RotatingFileHandler", {"maxBytes": 1, "max_age": 5}, ValueError, "no file is rotated"),
        ("TimedRotatingFileHandler", {"shared": None}, TypeError, "`shared`"),
        (
            "TimedRotatingFileHandler",
            {"shared": True, "backupCount": -1},
            ValueError,
            "backupCount",
        ),
        ("TimedRotatingFileHandler", {"compress": "zip"}, ValueError, "`compress`"),
        ("TimedRotatingFileHandler", {"max_age": -1}, ValueError, "`max_age`"),
    ],
)
def test_what_cannot_be_is_refused_before_a_file_is_there(tmp_path, cls, arguments, error, said):
    before = len(logging._handlerList)
    with pytest.raises(error, match=said):
        getattr(logboom, cls)(tmp_path / "app.log", **{"encoding": "utf-8", **arguments})
    assert list(tmp_path.iterdir()) == []
    assert len(logging._handlerList) <= before


@pytest.mark.parametrize("cls", ["RotatingFileHandler", "TimedRotatingFileHandler"])
def test_names_and_ways_of_the_programs_own_are_refused(tmp_path, closing, cls):
    base = getattr(logboom, cls)
    bodies: list[dict[str, Any]] = [
        {"namer": staticmethod(lambda name: name)},
        {"rotator": staticmethod(os.rename)},
        {"doRollover": lambda self: None},
        {"shouldRollover": lambda self, record: False},
        {"rotate": lambda self, source, dest: None},
        {"rotation_filename": lambda self, name: name},
    ]
    if cls.startswith("Timed"):
        bodies.append({"getFilesToDelete": lambda self: []})
    for body in bodies:
        own = type("Own", (base,), body)
        with pytest.raises(ValueError, match="Own"):
            own(tmp_path / "app.log", encoding="utf-8", shared=True)
    assert list(tmp_path.iterdir()) == []
    closing(type("Plain", (base,), {})(tmp_path / "app.log", encoding="utf-8", shared=True))
    handler = closing(base(tmp_path / "app.log", encoding="utf-8", shared=True))
    for name in ("namer", "rotator"):
        with pytest.raises(ValueError, match=name):
            setattr(handler, name, os.rename)
        setattr(handler, name, None)
    with pytest.raises(ValueError, match="mode"):
        handler.mode = "w"


def test_a_configuration_in_a_dictionary_has_the_new_keys(tmp_path, wait_for):
    logboom.install()
    rotating = {
        **{"class": "logboom.RotatingFileHandler", "filename": str(tmp_path / "app.log")},
        **{"maxBytes": 100, "backupCount": 5, "encoding": "utf-8", "shared": True},
        **{"compress": "gzip", "max_total_bytes": 10_000, "max_age": 3600},
    }
    timed = {
        **{"class": "logboom.TimedRotatingFileHandler", "filename": str(tmp_path / "timed.log")},
        **{"when": "D", "encoding": "utf-8", "shared": True, "compress": "zstd"},
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"rotating": rotating, "timed": timed},
            "loggers": {"tests.dict": {"handlers": ["rotating", "timed"], "level": "INFO"}},
        }
    )
    log = logging.getLogger("tests.dict")
    handler = log.handlers[0]
    assert (handler.shared, handler.compress) == (True, "gzip")
    assert (handler.max_total_bytes, handler.max_age) == (10_000, 3600)
    for n in range(20):
        log.info("line %d", n)
    for handler in log.handlers:
        handler.flush()
    wait_for(lambda: "app.log.1.gz" in files(tmp_path), "the compressed file")
    assert len(files(tmp_path)["timed.log"].splitlines()) == 20
    for handler in log.handlers[:]:
        log.removeHandler(handler)
        handler.close()
    assert not logboom.RotatingFileHandler(tmp_path / "app.log", delay=True).shared


@pytest.mark.parametrize("seed", range(8))
def test_the_files_are_those_of_the_library(logger, tmp_path, closing, seed):
    chance = random.Random(seed)
    options = {
        "maxBytes": chance.choice((0, 40, 150, 999)),
        "backupCount": chance.choice((0, 1, 3, 12)),
    }
    lines = ["xé€𝄞"[n % 4] * chance.choice((0, 3, 30, 60)) + f" {n}" for n in range(200)]
    found = []
    for side in (logging.handlers, logboom):
        directory = tmp_path / side.__name__
        directory.mkdir()
        shared = {"shared": True} if side is logboom else {}
        handlers = [
            closing(
                side.RotatingFileHandler(
                    directory / "app.log", encoding="utf-8", **options, **shared
                )
            )
            for _ in range(2 if side is logboom else 1)
        ]
        for n, line in enumerate(lines):
            # With ours by turns, as from two processes.
            logger.handlers = [handlers[n % len(handlers)]]
            if n % 37 == 36:
                logboom.flush()
            if n == 100:
                logboom.flush()
                logger.handlers[0].doRollover()
            logger.info("%s", line)
            if n > 100:
                # As the other one may be behind by a file.
                logger.handlers[0].flush()
        for handler in handlers:
            handler.close()
        found.append(files(directory))
    assert found[1] == found[0], options


@pytest.mark.parametrize("when", ["S", "M", "H", "D", "midnight", "W3"])
@pytest.mark.parametrize("utc", [False, True])
def test_dates_and_times_are_those_of_the_library(
    logger, tmp_path, closing, monkeypatch, when, utc
):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        # Some of them lie on the other side of a change of the clocks.
        for turn, at in enumerate((1_600_000_000, 1_604_188_800, 1_615_600_000, 1_736_000_123)):
            found: list[Any] = []
            while not found or found[0][1] != found[1][1]:
                found = []
                for side in (logging.handlers, logboom):
                    directory = tmp_path / f"{side.__name__}.{turn}.{time.monotonic_ns()}"
                    directory.mkdir()
                    shared = {"shared": True} if side is logboom else {}
                    handler = closing(
                        side.TimedRotatingFileHandler(
                            directory / "app.log", when, utc=utc, encoding="utf-8", **shared
                        )
                    )
                    logger.handlers = [handler]
                    logger.info("before")
                    handler.flush()
                    if side is logboom:
                        with logboom._rotating.Turn(handler.baseFilename) as lock:
                            lock.note(logboom._shared.identity(handler.baseFilename), at)
                    handler.rolloverAt = at
                    second = int(time.time())
                    logger.info("behind")
                    handler.flush()
                    found.append((files(directory), second, handler.rolloverAt))
                    handler.close()
            assert found[1] == found[0]
            assert sorted(found[1][0].values()) == [b"before\n", b"behind\n"]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_an_old_file_of_the_same_date_is_never_replaced(logger, tmp_path, closing):
    handler = closing(
        logboom.TimedRotatingFileHandler(
            tmp_path / "app.log", "D", utc=True, encoding="utf-8", shared=True
        )
    )
    logger.addHandler(handler)
    (tmp_path / "app.log.2020-09-12").write_text("there before\n")
    (tmp_path / "app.log.2020-09-13.gz").write_bytes(gzip.compress(b"there too\n"))
    for day in range(2):
        logger.info("day %d", day)
        handler.flush()
        at = 1_600_000_000 + day * 86_400
        with logboom._rotating.Turn(handler.baseFilename) as turn:
            turn.note(logboom._shared.identity(handler.baseFilename), at)
        handler.rolloverAt = at
    logger.info("goes on")
    handler.flush()
    assert handler.rolloverAt > time.time()
    assert files(tmp_path)["app.log"] == b"day 0\nday 1\ngoes on\n"
    assert files(tmp_path)["app.log.2020-09-12"] == b"there before\n"


def test_records_that_only_the_library_can_write_take_their_turn(logger, tmp_path, closing):
    both = [
        closing(
            logboom.RotatingFileHandler(tmp_path / "app.log", encoding="utf-8", shared=True, **SIZE)
        )
        for _ in range(2)
    ]
    both[0].maxBytes = both[1].maxBytes = 100
    both[0].backupCount = both[1].backupCount = 100
    # Something of the program's decides: the library's own code runs for each record.
    both[0].shouldRollover = both[0].shouldRollover
    for n in range(100):
        logger.handlers = [both[n % 2]]
        logger.info("%d", n)
        if n % 2:
            both[1].flush()
    assert both[0]._route is None
    for handler in both:
        handler.close()
    found = files(tmp_path)
    order = sorted(found, key=lambda name: -int(name.rpartition("log")[2].strip(".") or 0))
    assert b"".join(found[name] for name in order) == b"".join(b"%d\n" % n for n in range(100))
    assert len(order) == 3
    assert all(len(text) < 100 for text in found.values())


def test_a_line_with_what_is_no_unicode_is_written_as_errors_says(logger, tmp_path, closing):
    handler = closing(
        logboom.RotatingFileHandler(
            tmp_path / "app.log", encoding="utf-8", errors="backslashreplace", shared=True
        )
    )
    logger.addHandler(handler)
    logger.info("%s", "a \ud800 b")
    handler.flush()
    assert handler._route is not None
    assert files(tmp_path) == {"app.log": b"a \\ud800 b\n"}


@pytest.mark.parametrize("compress", ["gzip", "zstd"])
def test_old_files_are_compressed_beside_the_writing(
    logger, tmp_path, closing, wait_for, thread_names, compress
):
    ending = {"gzip": ".gz", "zstd": ".zst"}[compress]
    (tmp_path / "app.log.2").write_text("left by somebody\n")
    os.utime(tmp_path / "app.log.2", ns=(10**18, 10**18 + 7))
    (tmp_path / "app.log.2").chmod(0o640)
    # What another left unfinished is written over.
    (tmp_path / "app.log.compressing").write_text("half of it")
    handler = closing(
        logboom.RotatingFileHandler(
            tmp_path / "app.log", encoding="utf-8", maxBytes=100, backupCount=50, compress=compress
        )
    )
    logger.addHandler(handler)
    for n in range(100):
        logger.info("line %d", n)
    handler.flush()

    def is_done() -> bool:
        # Whoever is at it, is asked again with the next batch.
        handler.flush()
        names = set(files(tmp_path)) - {"app.log"}
        return bool(names) and all(name.endswith(ending) for name in names)

    wait_for(is_done, "all files to be compressed")
    wait_for(lambda: "logboom-shipper" not in thread_names(os.getpid()), "the thread to end")
    handler.close()
    paths = [path for path in tmp_path.iterdir() if path.suffix == ending]
    order = sorted(paths, key=lambda path: -int(path.suffixes[1][1:]))
    left = order[0].stat()
    assert (left.st_mtime_ns, left.st_mode & 0o777) == (10**18 + 7, 0o640)
    if compress == "zstd":
        if shutil.which("zstd") is None:
            assert all(path.read_bytes().startswith(b"\x28\xb5\x2f\xfd") for path in order)
            return
        texts = [
            subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout.decode()
            for path in order
        ]
    else:
        texts = [text_of(path) for path in order]
    texts.append(text_of(tmp_path / "app.log"))
    lines = "".join(texts).splitlines()
    assert lines == ["left by somebody", *(f"line {n}" for n in range(100))]


def test_dated_files_are_compressed_and_counted_by_their_date(logger, tmp_path, closing, wait_for):
    for day in range(1, 8):
        (tmp_path / f"app.log.2020-01-0{day}").write_text(f"day {day}\n")
    (tmp_path / "app.log.2020-01-08.bak").write_text("not ours\n")
    handler = closing(
        logboom.TimedRotatingFileHandler(
            *(tmp_path / "app.log", "D"),
            utc=True,
            backupCount=3,
            encoding="utf-8",
            compress="gzip",
        )
    )
    logger.addHandler(handler)
    logger.info("day 8")
    handler.flush()
    wait_for(lambda: "app.log.2020-01-07.gz" in files(tmp_path), "the files of before")
    assert sum(name.endswith(".gz") for name in files(tmp_path)) == 7
    with logboom._rotating.Turn(handler.baseFilename) as turn:
        turn.note(logboom._shared.identity(handler.baseFilename), 1_578_528_000)
    handler.rolloverAt = 1_578_528_000
    logger.info("today")
    handler.flush()
    wait_for(lambda: "app.log.2020-01-08.gz" in files(tmp_path), "the compressed file")
    assert sorted(files(tmp_path)) == [
        *("app.log", "app.log.2020-01-06.gz", "app.log.2020-01-07.gz"),
        *("app.log.2020-01-08.bak", "app.log.2020-01-08.gz"),
    ]
    assert files(tmp_path)["app.log"] == b"today\n"


@pytest.mark.parametrize("timed", [False, True])
def test_what_is_too_much_or_too_old_goes_the_oldest_first(logger, tmp_path, closing, timed):
    names = [f"2020-01-0{n}" for n in range(1, 9)] if timed else [str(n) for n in range(8, 0, -1)]
    for age, name in enumerate(reversed(names)):
        path = tmp_path / f"app.log.{name}"
        path.write_bytes(b"x" * 1000)
        then = time.time() - age * 1000
        os.utime(path, (then, then))
    options: dict[str, Any] = {"max_age": 5500.0, "max_total_bytes": 4500, "encoding": "utf-8"}
    if timed:
        handler = closing(
            logboom.TimedRotatingFileHandler(tmp_path / "app.log", "D", utc=True, **options)
        )
    else:
        handler = closing(
            logboom.RotatingFileHandler(
                tmp_path / "app.log", maxBytes=1000, backupCount=1000, **options
            )
        )
    logger.addHandler(handler)
    logger.info("x" * (999 if timed else 998))
    handler.doRollover()
    sizes = {name: len(data) for name, data in files(tmp_path).items()}
    # Old ones take 4,500 at the most; by size, the new one has room for its 1,000.
    assert sum(sizes.values()) <= (4500 if timed else 3500)
    assert sorted(sizes.values()) == [0, *([1000] * 4 if timed else [999, 1000, 1000])]
    if not timed:
        assert set(sizes) == {"app.log", "app.log.1", "app.log.2", "app.log.3"}


def test_age_alone(logger, tmp_path, closing):
    for number in range(1, 5):
        path = tmp_path / f"app.log.{number}"
        path.write_text(f"{number}\n")
        os.utime(path, (then := time.time() - number * 1000, then))
    handler = closing(
        logboom.RotatingFileHandler(
            tmp_path / "app.log", maxBytes=10, backupCount=100, max_age=2500, encoding="utf-8"
        )
    )
    logger.addHandler(handler)
    logger.info("1234567")
    logger.info("7")
    handler.flush()
    assert files(tmp_path) == {
        "app.log": b"7\n",
        "app.log.1": b"1234567\n",
        "app.log.2": b"1\n",
        "app.log.3": b"2\n",
    }


def test_a_lock_that_somebody_holds_is_waited_for(logger, tmp_path, closing):
    handler = closing(
        logboom.RotatingFileHandler(tmp_path / "app.log", encoding="utf-8", shared=True)
    )
    logger.addHandler(handler)
    logger.info("first")
    handler.flush()
    descriptor = os.open(tmp_path / "app.log.lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    logger.info("second")
    flushed = threading.Thread(target=handler.flush)
    flushed.start()
    assert not logboom.flush(timeout=0.05)
    assert files(tmp_path) == {"app.log": b"first\n"}
    os.close(descriptor)
    flushed.join()
    assert files(tmp_path) == {"app.log": b"first\nsecond\n"}


def test_a_lock_that_is_never_given_back_keeps_no_line(logger, tmp_path, closing, capfd):
    """As by a process that was stopped: nothing is rotated, and nobody waits a second time."""
    handler = closing(
        logboom.RotatingFileHandler(tmp_path / "app.log", encoding="utf-8", shared=True, **SIZE)
    )
    logger.addHandler(handler)
    with (tmp_path / "app.log.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for n in range(100):
            logger.info("line %d", n)
            handler.flush()
        assert set(files(tmp_path)) == {"app.log"}
        assert handler._route is not None
    logger.info("and then")
    handler.flush()
    assert files(tmp_path) == {
        "app.log": b"and then\n",
        "app.log.1": b"".join(b"line %d\n" % n for n in range(100)),
    }
    assert "could not lock, wrote all the same" in capfd.readouterr().err


def test_a_child_that_is_forked_in_its_parents_turn_has_no_turn(logger, tmp_path, closing):
    handler = closing(
        logboom.RotatingFileHandler(tmp_path / "app.log", encoding="utf-8", shared=True, **SIZE)
    )
    with handler._in_turn():
        child = os.fork()
        if child == 0:
            try:
                with handler._in_turn():
                    os._exit(1)
            except TimeoutError:
                os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_who_is_killed_behind_a_rotation_by_time_leaves_the_new_file(logger, tmp_path, closing):
    """The file was moved and not noted: the others, whose time has come, do not move the new one."""
    path = tmp_path / "app.log"
    one, other = (
        closing(
            logboom.TimedRotatingFileHandler(path, "D", utc=True, encoding="utf-8", shared=True)
        )
        for _ in range(2)
    )
    for handler in (one, other):
        logger.handlers = [handler]
        logger.info("before")
        handler.flush()
    os.rename(path, tmp_path / "app.log.2020-01-01")
    for handler in (one, other):
        logger.handlers = [handler]
        handler.rolloverAt = 1_577_923_200
        logger.info("behind")
        handler.flush()
        assert handler.rolloverAt > time.time()
    assert files(tmp_path) == {
        "app.log": b"behind\n" * 2,
        "app.log.2020-01-01": b"before\n" * 2,
    }


def test_delayed_and_closed_handlers_begin_anew(logger, tmp_path, closing):
    handler = closing(
        logboom.RotatingFileHandler(
            tmp_path / "app.log", encoding="utf-8", delay=True, shared=True, **SIZE
        )
    )
    logger.addHandler(handler)
    assert list(tmp_path.iterdir()) == []
    logger.info("first")
    handler.close()
    logger.info("second")
    handler.close()
    assert files(tmp_path) == {"app.log": b"first\nsecond\n"}
