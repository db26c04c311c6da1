"""Handlers that go on to another file: natively, in threads and children, whatever changes meanwhile.

That the files are those of the library is shown by ``parity/rotating.py``.
"""

from __future__ import annotations

import io
import json
import logging
import logging.handlers
import os
import sys
import threading
import time
from pathlib import Path

import pytest

import logboom

pytestmark = pytest.mark.usefixtures("logging_as_it_was")


@pytest.fixture
def logger() -> logging.Logger:
    logboom.install()
    # In no hierarchy, as pytest puts handlers of its own onto the loggers that it finds.
    return logging.Logger("tests.rotating", logging.DEBUG)


def files(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(directory.iterdir())}


def lines(directory: Path) -> list[str]:
    """Give all lines of all files."""
    return [line for text in files(directory).values() for line in text.splitlines()]


def kinds(directory: Path):
    path = directory / "app.log"
    yield logboom.RotatingFileHandler(path, maxBytes=100, backupCount=3, encoding="utf-8")
    yield logboom.RotatingFileHandler(path, encoding="utf-8")
    yield logboom.TimedRotatingFileHandler(path, "D", encoding="utf-8")
    yield logboom.WatchedFileHandler(path, encoding="utf-8")


def calls_of_python(call, *arguments) -> int:
    """Call, and count the Python functions that ran."""
    seen = []
    sys.setprofile(lambda frame, event, _: seen.append(frame) if event == "call" else None)
    try:
        call(*arguments)
    finally:
        sys.setprofile(None)
    return len(seen)


def test_records_go_natively(logger, tmp_path, closing):
    for handler in kinds(tmp_path):
        closing(handler)
        logger.handlers = [handler]
        for n in range(5):
            logger.info("warm %d", n)
            logboom.flush()
        # A rotation meanwhile is followed by one call that is not native.
        counts = [calls_of_python(logger.info, "%d", n) for n in range(3)]
        assert 0 in counts, handler
        handler.setFormatter(_Shouting())
        logger.info("python's")
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.info("native again")
        handler.close()
        assert "PYTHON'S\nnative again\n" in "".join(files(tmp_path).values()), handler


class _Shouting(logging.Formatter):
    def format(self, record):
        return super().format(record).upper()


def test_importing_logboom_imports_no_network(run_python):
    outcome = run_python(
        """
        import sys, logboom
        print("logging.handlers" in sys.modules, "socket" in sys.modules)
        print("RotatingFileHandler" in dir(logboom), hasattr(logboom, "NoSuchHandler"))
        from logboom import *
        print(RotatingFileHandler.__module__, SocketHandler.__module__)
        """
    ).ok()
    assert outcome.out.split() == [
        *("False", "False", "True", "False", "logboom._rotating", "logboom._network")
    ]


@pytest.mark.parametrize("shared", [False, True])
def test_threads_lose_and_tear_nothing(logger, tmp_path, closing, shared):
    count, per_thread = 4, 2000
    options = {"maxBytes": 20_000, "backupCount": 1000, "encoding": "utf-8"}
    handlers = [
        closing(logboom.RotatingFileHandler(tmp_path / "app.log", **options))
        for _ in range(2 if shared else 1)
    ]
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(message)s"))
    start = threading.Barrier(count)

    def run(thread: int) -> None:
        mine = logging.Logger(f"tests.{thread}", logging.DEBUG)
        mine.addHandler(handlers[thread % len(handlers)])
        start.wait()
        for n in range(per_thread):
            mine.info("%d %d %s", thread, n, "é" * (n % 50))

    threads = [threading.Thread(target=run, args=(thread,)) for thread in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for handler in handlers:
        handler.close()
    found = files(tmp_path)
    order = sorted(found, key=lambda name: -int(name.rpartition("log")[2].strip(".") or 0))
    assert len(order) > 10
    seen: dict[str, list[int]] = {}
    for name in order:
        assert os.path.getsize(tmp_path / name) < options["maxBytes"] + 100
        for line in found[name].splitlines():
            thread, n, _, *_ = f"{line} ".split(" ")
            seen.setdefault(thread, []).append(int(n))
    assert seen == {str(thread): list(range(per_thread)) for thread in range(count)}


@pytest.mark.parametrize(
    "change",
    [
        lambda handler: setattr(handler, "maxBytes", 5_000),
        lambda handler: handler.close(),
        lambda handler: handler.setStream(io.StringIO()),
    ],
    ids=["setting", "close", "setStream"],
)
def test_a_route_ends_behind_what_others_log(logger, tmp_path, closing, change):
    """What is on its way when the route ends is written: the handler's lock is waited for."""
    handler = closing(
        logboom.RotatingFileHandler(tmp_path / "app.log", maxBytes=10_000, backupCount=2)
    )
    asked = threading.Event()

    class Lock:
        def __init__(self) -> None:
            self.lock = threading.RLock()

        def acquire(self):
            if not self.lock.acquire(blocking=False):
                asked.set()
                self.lock.acquire()

        def release(self):
            self.lock.release()

        def __enter__(self):
            self.acquire()

        def __exit__(self, *error):
            self.release()

    class Slow(logging.Formatter):
        inside = threading.Event()

        def format(self, record):
            if record.msg == "slow":
                self.inside.set()
                asked.wait(60)
            return super().format(record)

    def end() -> None:
        Slow.inside.wait(60)
        change(handler)
        # Without waiting for the lock it comes here at once.
        asked.set()

    handler.lock = Lock()
    handler.setFormatter(Slow("%(message)s"))
    logger.addHandler(handler)
    logger.info("first")
    changing = threading.Thread(target=end)
    changing.start()
    logger.info("slow")
    changing.join()
    handler.flush()
    assert lines(tmp_path) == ["first", "slow"]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_files_that_are_gone_give_their_room_back(logger, tmp_path, closing, open_files):
    rotating = logboom.RotatingFileHandler(
        tmp_path / "rotating.log", maxBytes=100, backupCount=1, encoding="utf-8"
    )
    watched = logboom.WatchedFileHandler(tmp_path / "watched.log", encoding="utf-8")
    before = open_files()
    logger.handlers = [closing(rotating), closing(watched)]
    for n in range(50):
        logger.info("line %d", n)
        logboom.flush()
        os.remove(tmp_path / "watched.log")
    logger.info("the last but one")
    logboom.flush()
    logger.info("the last")
    logboom.flush()
    deleted = [
        name for name in open_files() if name.startswith(str(tmp_path)) and "(deleted)" in name
    ]
    assert deleted == []
    rotating.close()
    watched.close()
    assert open_files() == [name for name in before if not name.startswith(str(tmp_path))]


@pytest.mark.parametrize("make", ["rotating", "watched", "timed"])
def test_construction_that_fails_leaves_nothing(tmp_path, make):
    before = set(map(id, (entry() for entry in logging._handlerList)))
    missing = tmp_path / "missing" / "app.log"
    wrong = {
        "rotating": lambda: logboom.RotatingFileHandler(missing, maxBytes=5),
        "watched": lambda: logboom.WatchedFileHandler(missing),
        "timed": lambda: logboom.TimedRotatingFileHandler(missing),
    }
    with pytest.raises(FileNotFoundError):
        wrong[make]()
    assert {id(entry()) for entry in logging._handlerList if entry() is not None} <= before


def test_a_rotation_that_fails_loses_no_line_and_is_told(run_python, tmp_path):
    outcome = run_python(
        """
        import logging, os, logboom
        logboom.install()
        os.makedirs("app.log.1/inside")
        handler = logboom.RotatingFileHandler("app.log", maxBytes=50, backupCount=1)
        logging.root.addHandler(handler)
        for n in range(1000):
            logging.warning("line %d", n)
        handler.flush()
        os.rename("app.log.1", "directory")
        logging.warning("now it can be done")
        stats = logboom.stats()
        assert stats.failed == 0, stats.as_dict()
        """
    ).ok()
    told = outcome.err.splitlines()
    assert 1 <= len(told) <= 3 and all("could not rotate" in line for line in told), told
    assert (tmp_path / "app.log").read_text() == "now it can be done\n"
    kept = (tmp_path / "app.log.1").read_text().splitlines()
    assert kept == [f"line {n}" for n in range(1000)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_goes_on_with_the_file_of_now(run_python, tmp_path):
    run_python(
        """
        import logging, os, logboom
        logboom.install()
        rotating = logboom.RotatingFileHandler("rotating.log", maxBytes=2000, backupCount=99)
        watched = logboom.WatchedFileHandler("watched.log")
        timed = logboom.TimedRotatingFileHandler("timed.log", "D")
        logging.root.handlers = [rotating, watched, timed]
        logging.root.setLevel(logging.INFO)
        for n in range(300):
            logging.info("parent %d", n)
        logboom.flush()
        os.rename("watched.log", "watched.log.1")
        logging.info("parent 300")
        logboom.flush()
        child = os.fork()
        if child == 0:
            for n in range(300):
                logging.info("child %d", n)
            timed.rolloverAt = 1_700_000_000
            logging.info("child 300")
            logging.shutdown()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        for n in range(301, 400):
            logging.info("parent %d", n)
        """
    ).ok()
    expected = sorted(
        [f"parent {n}" for n in range(400)] + [f"child {n}" for n in range(301)],
    )
    for name in ("rotating", "watched", "timed"):
        found = []
        for path in tmp_path.glob(f"{name}.log*"):
            found += path.read_text().splitlines()
        assert sorted(found) == expected, name
    assert (tmp_path / "watched.log.1").read_text().splitlines()[-1] == "parent 299"
    for path in tmp_path.glob("rotating.log*"):
        assert path.stat().st_size < 2000


def test_a_file_that_is_moved_under_load_loses_nothing(logger, tmp_path, closing):
    handler = closing(logboom.WatchedFileHandler(tmp_path / "app.log", encoding="utf-8"))
    logger.addHandler(handler)
    done = threading.Event()
    moved = 0

    def move() -> None:
        nonlocal moved
        while not done.is_set():
            try:
                os.rename(tmp_path / "app.log", tmp_path / f"app.log.{moved}")
                moved += 1
            except FileNotFoundError:
                continue

    mover = threading.Thread(target=move)
    mover.start()
    deadline = time.monotonic() + 60
    logged = 0
    # A file is there to be moved once more only after the writer saw that it was gone.
    while (logged < 20_000 or moved < 3) and time.monotonic() < deadline:
        logger.info("line %d", logged)
        logged += 1
    handler.flush()
    done.set()
    mover.join()
    assert moved >= 3
    assert sorted(lines(tmp_path)) == sorted(f"line {n}" for n in range(logged))


def test_handlers_on_one_rotating_file_rotate_it_as_one(logger, tmp_path, closing):
    both = [
        closing(
            logboom.RotatingFileHandler(
                tmp_path / "app.log", maxBytes=100, backupCount=50, encoding="utf-8"
            )
        )
        for _ in range(2)
    ]
    for mark, handler in zip("ab", both, strict=True):
        handler.setFormatter(logging.Formatter(f"{mark} %(message)s"))
    logger.handlers = both
    for n in range(100):
        logger.info("%d", n)
    for handler in both:
        handler.flush()
    found = files(tmp_path)
    order = sorted(found, key=lambda name: -int(name.rpartition("log")[2].strip(".") or 0))
    assert all(len(text) < 100 for text in found.values())
    text = "".join(found[name] for name in order)
    assert text == "".join(f"a {n}\nb {n}\n" for n in range(100))


def test_a_native_record_sees_that_the_time_has_come(logger, tmp_path, closing):
    """Nothing ends the route meanwhile: the native call itself looks."""
    handler = closing(logboom.TimedRotatingFileHandler(tmp_path / "app.log", "D", utc=True))
    logger.addHandler(handler)
    at = handler.rolloverAt = int(time.time()) + 1
    logged = 0
    until = time.monotonic() + 60
    while handler.rolloverAt == at and time.monotonic() < until:
        logger.info("%d", logged)
        logged += 1
    assert handler.rolloverAt > at
    assert time.time() >= at
    logger.info("and natively again")
    assert handler._route.native
    handler.close()
    found = files(tmp_path)
    assert found.pop("app.log") == f"{logged - 1}\nand natively again\n"
    assert list(found.values()) == ["".join(f"{n}\n" for n in range(logged - 1))]


def test_a_name_that_is_no_text(logger, tmp_path, closing):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.log")
    for cls in (logboom.RotatingFileHandler, logboom.WatchedFileHandler, logboom.FileHandler):
        handler = closing(cls(name, encoding="utf-8"))
        logger.handlers = [handler]
        for n in range(3):
            logger.info("%d", n)
        handler.close()
    with open(name) as file:
        assert file.read() == "0\n1\n2\n" * 3


def test_rotation_is_kept_up_by_python_formatters(logger, tmp_path, closing):
    class Json(logging.Formatter):
        def format(self, record):
            return json.dumps([record.getMessage()])

    handler = closing(
        logboom.RotatingFileHandler(tmp_path / "app.log", maxBytes=60, backupCount=100)
    )
    handler.setFormatter(Json())
    logger.addHandler(handler)
    for n in range(100):
        logger.info("%d", n)
    assert handler._route is not None
    assert not handler._route.native
    handler.close()
    assert sorted(json.loads(line)[0] for line in lines(tmp_path)) == sorted(map(str, range(100)))
    assert all(len(text) < 60 for text in files(tmp_path).values())


def test_the_library_is_asked_about_empty_files():
    from logboom import _rotating

    should = logging.handlers.RotatingFileHandler.shouldRollover
    asked = _rotating._rotates_empty(should)
    handler = logging.handlers.RotatingFileHandler(os.devnull, maxBytes=1, delay=True)
    handler.baseFilename = ""
    handler.stream = __import__("io").StringIO()
    assert bool(should(handler, logging.makeLogRecord({"msg": "x"}))) is asked
    handler.stream = None
    handler.close()
