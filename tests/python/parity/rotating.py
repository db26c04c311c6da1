"""File handlers that rotate by size; what all have in common that go on to another file."""

from __future__ import annotations

import gzip
import json
import logging
import logging.config
import logging.handlers
import os
import shutil
from typing import Any

from harness import Side, show

LINE = logging.Formatter("%(levelname)s:%(name)s:%(message)s")


class Json(logging.Formatter):
    """A formatter that only Python can do."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps({"message": record.getMessage()}, ensure_ascii=False)


def _logger(*handlers: logging.Handler) -> logging.Logger:
    logger = logging.getLogger("app")
    logger.setLevel(1)
    logger.propagate = False
    logger.handlers = list(handlers)
    for handler in handlers:
        handler.setFormatter(LINE)
    return logger


def _sizes(name: str = "app.log") -> list[tuple[str, int]]:
    return [(path, os.path.getsize(path)) for path in sorted(os.listdir(".")) if name in path]


def _rotating(side: Side, **how: Any) -> Any:
    options: dict[str, Any] = {"maxBytes": 300, "backupCount": 3, "encoding": "utf-8", **how}
    return side.of("RotatingFileHandler")("app.log", **options)


def by_size(side: Side) -> None:
    handler = _rotating(side)
    logger = _logger(handler)
    for n in range(60):
        logger.info("line %d %s", n, "x" * (n % 23))
    handler.flush()
    print(_sizes())


def by_size_with_every_count(side: Side) -> None:
    for count in (0, 1, 2, 5, -1, True):
        handler = side.of("RotatingFileHandler")(
            f"{count}.log", maxBytes=200, backupCount=count, encoding="utf-8"
        )
        logger = _logger(handler)
        for n in range(40):
            logger.info("line %d", n)
        handler.close()


def by_size_with_every_limit(side: Side) -> None:
    for limit in (-1, 0, 1, 20, 25, 26, 27, 50, 100, 10**9, 10**30, 60.5, True):
        handler = side.of("RotatingFileHandler")(
            f"{limit}.log", maxBytes=limit, backupCount=4, encoding="utf-8"
        )
        logger = _logger(handler)
        for n in range(10):
            logger.info("%s", "y" * n)
        handler.close()


def by_size_with_characters_of_many_bytes(side: Side) -> None:
    handler = _rotating(side, backupCount=9)
    logger = _logger(handler)
    for n in range(60):
        logger.info("é%d %s", n, "€𝄞"[n % 2] * (n % 30))
    handler.flush()
    print(_sizes())


def by_size_with_lines_that_are_larger(side: Side) -> None:
    handler = _rotating(side, maxBytes=80, backupCount=20)
    logger = _logger(handler)
    for n in (200, 1, 300, 300, 2, 10, 100, 5, 68, 69, 70, 71, 72):
        logger.info("x" * n)
    handler.flush()
    print(_sizes())


def by_size_with_large_lines(side: Side) -> None:
    handler = _rotating(side, maxBytes=1_000_000, backupCount=9)
    logger = _logger(handler)
    for n in range(40):
        logger.info("%d %s", n, "line " * 20_000)
    for n in range(20_000):
        logger.info("%d %s", n, "line " * 10)
    handler.flush()
    print(_sizes())


def by_size_on_a_file_that_exists(side: Side) -> None:
    with open("app.log", "w") as file:
        file.write("was there\n" * 25)
    for name in ("app.log.1", "app.log.3"):
        with open(name, "w") as file:
            file.write(name)
    handler = _rotating(side)
    logger = _logger(handler)
    for n in range(12):
        logger.info("line %d", n)
    handler.close()
    handler = _rotating(side)
    logger = _logger(handler)
    for n in range(12):
        logger.info("and again %d", n)


def by_size_with_delay(side: Side) -> None:
    handler = _rotating(side, delay=True)
    print(os.listdir("."), handler.stream)
    logger = _logger(handler)
    for n in range(40):
        logger.info("line %d", n)
    handler.flush()
    print(handler.stream is not None, _sizes())


def by_size_in_modes(side: Side) -> None:
    for limit in (0, 150):
        for mode in ("w", "a"):
            name = f"{limit}{mode}.log"
            with open(name, "w") as file:
                file.write("was there\n")
            handler = side.of("RotatingFileHandler")(name, mode, limit, 2, "utf-8")
            print(handler.mode, handler.encoding, handler.errors, handler.delay)
            logger = _logger(handler)
            for n in range(20):
                logger.info("line %d", n)
            handler.close()


def by_size_in_encodings(side: Side) -> None:
    for encoding in ("latin-1", "utf-16", "UTF8", "utf_8", None):
        handler = side.of("RotatingFileHandler")(
            f"{encoding}.log", "a", 200, 3, encoding, False, "replace"
        )
        logger = _logger(handler)
        for n in range(30):
            logger.info("line é %d", n)
        handler.close()


def by_size_with_text_that_is_no_utf_8(side: Side) -> None:
    for errors in ("strict", "backslashreplace", "ignore", "surrogateescape"):
        handler = side.of("RotatingFileHandler")(
            f"{errors}.log", "a", 200, 9, "utf-8", False, errors
        )
        logger = _logger(handler)
        for n in range(30):
            logger.info("line %d %s", n, "\udce9" * (n % 3))
        handler.close()


def by_size_with_python_formatters(side: Side) -> None:
    handler = _rotating(side)
    logger = _logger(handler)
    handler.setFormatter(Json())
    for n in range(20):
        logger.info("line é %d", n)
    handler.setFormatter(LINE)
    for n in range(20):
        logger.info("native %d", n)
    handler.setFormatter(Json())
    for n in range(20):
        logger.info("line € %d", n)
    handler.flush()
    print(_sizes())


def by_size_with_errors_in_between(side: Side) -> None:
    handler = _rotating(side, backupCount=9)
    logger = _logger(handler)
    for n in range(30):
        logger.info("line %d", n)
        if n % 5 == 0:
            logger.info("wrong %d", "not a number")
    try:
        raise ValueError("é")
    except ValueError:
        logger.exception("with a traceback")
    handler.flush()


def rollover_by_hand(side: Side) -> None:
    handler = _rotating(side)
    logger = _logger(handler)
    record = logging.makeLogRecord({"msg": "x" * 100})
    for n in range(10):
        for k in range(n):
            logger.info("line %d %d", n, k)
        print(bool(handler.shouldRollover(record)), handler.stream.tell())
        handler.doRollover()
        print(_sizes())
    handler.close()
    handler.doRollover()
    print(_sizes())


def settings_that_change(side: Side) -> None:
    handler = _rotating(side)
    logger = _logger(handler)

    def burst(what: str) -> None:
        for n in range(30):
            logger.info("%s %d", what, n)
        handler.flush()
        print(what, _sizes())

    burst("first")
    handler.maxBytes = 100
    burst("smaller")
    handler.backupCount = 6
    burst("more")
    handler.maxBytes = 0
    burst("never")
    handler.maxBytes = 500
    handler.backupCount = 1
    burst("fewer")
    handler.namer = lambda name: name + ".named"
    burst("named")
    handler.namer = None
    burst("not named")
    print(handler.maxBytes, handler.backupCount, handler.namer, handler.rotator)
    handler.mode = "w"
    handler.backupCount = 0
    burst("emptied")
    handler.mode = "a"
    handler.baseFilename = os.path.abspath("other.app.log")
    burst("elsewhere")
    handler.terminator = "\r\n"
    burst("terminated")


def namer_and_rotator(side: Side) -> None:
    """The recipe of the cookbook."""

    def namer(name: str) -> str:
        return name + ".gz"

    def rotator(source: str, dest: str) -> None:
        with open(source, "rb") as before, open(dest, "wb") as after:
            packed = gzip.GzipFile("", "wb", fileobj=after, mtime=0)
            shutil.copyfileobj(before, packed)
            packed.close()
        os.remove(source)

    handler = _rotating(side)
    handler.namer = namer
    handler.rotator = rotator
    logger = _logger(handler)
    for n in range(60):
        logger.info("line %d", n)
    handler.flush()
    print([name for name, _ in _sizes()])


def _subclasses(base: Any) -> dict[str, Any]:
    class Should(base):
        def shouldRollover(self, record: logging.LogRecord) -> bool:
            return "now" in record.getMessage()

    class Does(base):
        def doRollover(self) -> None:
            print("rolls over")
            super().doRollover()

    class Names(base):
        def rotation_filename(self, default_name: str) -> str:
            return default_name + ".old"

    class Rotates(base):
        def rotate(self, source: str, dest: str) -> None:
            print("rotates", os.path.basename(source), os.path.basename(dest))
            super().rotate(source, dest)

    class Namer(base):
        def namer(self, name: str) -> str:
            return name + ".x"

    class Opens(base):
        def _open(self) -> Any:
            stream = super()._open()
            stream.write("# opened\n")
            return stream

    class Emits(base):
        def emit(self, record: logging.LogRecord) -> None:
            record.msg = f"emitted {record.msg}"
            super().emit(record)

    class Formats(base):
        def format(self, record: logging.LogRecord) -> str:
            return "formatted " + super().format(record)

    class Flushes(base):
        flushes = 0

        def flush(self) -> None:
            self.flushes += 1
            super().flush()

    class Plain(base):
        pass

    class Fixed(base):
        maxBytes = property(lambda self: 120, lambda self, value: None)

    return {name: cls for name, cls in locals().items() if isinstance(cls, type) and name != "base"}


def subclasses(side: Side) -> None:
    for name, cls in _subclasses(side.of("RotatingFileHandler")).items():
        handler = cls(f"{name}.log", maxBytes=300, backupCount=3, encoding="utf-8")
        logger = _logger(handler)
        for n in range(30):
            logger.info("line %d%s", n, " now" if n % 10 == 9 else "")
        handler.flush()
        print(name, _sizes(f"{name}.log"), getattr(handler, "flushes", 0) > 30)
        handler.close()


def what_is_set_on_a_handler_itself(side: Side) -> None:
    handler = _rotating(side)
    logger = _logger(handler)

    def burst() -> None:
        for n in range(20):
            logger.info("line %d", n)
        handler.flush()
        print(_sizes())

    burst()
    handler.mark = "anything"
    burst()
    handler.shouldRollover = lambda record: False
    burst()
    del handler.shouldRollover
    burst()
    handler.rotation_filename = lambda name: name + ".self"
    burst()
    print(vars(handler).keys() >= {"mark", "rotation_filename"})


def the_library_patched(side: Side) -> None:
    handler = _rotating(side)
    logger = _logger(handler)

    def burst() -> None:
        for n in range(20):
            logger.info("line %d", n)
        handler.flush()
        print(_sizes())

    burst()
    library = logging.handlers.RotatingFileHandler
    should = library.shouldRollover
    library.shouldRollover = lambda self, record: False
    burst()
    library.shouldRollover = should
    burst()
    logging.handlers.BaseRotatingHandler.namer = lambda self, name: name + ".patched"
    burst()
    logging.handlers.BaseRotatingHandler.namer = None
    burst()


def the_attributes_of_handlers(side: Side) -> None:
    rotating = _rotating(side)
    timed = side.of("TimedRotatingFileHandler")("timed.app.log", utc=True)
    watched = side.of("WatchedFileHandler")("watched.app.log")
    for handler in (rotating, timed, watched):
        print(repr(handler), isinstance(handler, logging.FileHandler), type(handler).__name__)
        print(handler.baseFilename, handler.mode, handler.stream.name, handler.delay)
        print(handler.name, handler.level, handler.filters, handler.terminator)
        handler.name = f"named {type(handler).__name__}"
        print(handler.get_name())
        show(handler.acquire)
        show(handler.release)
    print(rotating.namer, rotating.rotator, rotating.maxBytes, rotating.backupCount)
    print(timed.when, timed.interval, timed.backupCount, timed.utc, timed.atTime, timed.suffix)
    print(timed.extMatch.pattern, timed.namer, timed.rotator, type(timed.rolloverAt).__name__)
    print(watched.dev == os.stat("watched.app.log").st_dev, watched.ino > 0)
    show(lambda: side.of("RotatingFileHandler")("missing/app.log"))
    show(lambda: side.of("RotatingFileHandler")("app.log", maxBytes="x"))
    show(lambda: side.of("TimedRotatingFileHandler")("app.log", when="X"))
    show(lambda: side.of("TimedRotatingFileHandler")("app.log", when="W9"))
    show(lambda: side.of("TimedRotatingFileHandler")("missing/app.log"))
    show(lambda: side.of("WatchedFileHandler")("missing/app.log"))
    show(lambda: side.of("WatchedFileHandler")())


def the_stream_of_a_handler(side: Side) -> None:
    handler = _rotating(side)
    logger = _logger(handler)
    for n in range(40):
        logger.info("line %d", n)
        if n % 7 == 0:
            handler.stream.write("by hand\n")
            handler.stream.flush()
            print(handler.stream.tell(), os.fstat(handler.stream.fileno()).st_size)
    other = open("other.app.log", "w", encoding="utf-8")
    old = handler.setStream(other)
    print(old.name == handler.baseFilename, old.closed)
    for n in range(40):
        logger.info("other %d", n)
    handler.flush()
    print(_sizes())


def several_handlers_on_one_file(side: Side) -> None:
    # Each small enough never to rotate: that of the others is not the library's to say.
    first, second = _rotating(side, maxBytes=100_000), _rotating(side, maxBytes=100_000)
    logger = _logger(first, second)
    for n in range(200):
        logger.info("line %d", n)


def configurations(side: Side) -> None:
    prefix = "logboom" if side.name == "logboom" else "logging.handlers"
    config = {
        "version": 1,
        "formatters": {"plain": {"format": "%(name)s %(message)s"}},
        "handlers": {
            "size": {
                "class": f"{prefix}.RotatingFileHandler",
                "filename": "size.app.log",
                "maxBytes": 120,
                "backupCount": 2,
                "formatter": "plain",
                "encoding": "utf-8",
            },
            "time": {
                "()": f"{prefix}.TimedRotatingFileHandler",
                "filename": "time.app.log",
                "when": "midnight",
                "formatter": "plain",
            },
            "watched": {
                "class": f"{prefix}.WatchedFileHandler",
                "filename": "watched.app.log",
                "formatter": "plain",
                "level": "WARNING",
            },
        },
        "root": {"level": "INFO", "handlers": ["size", "time", "watched"]},
    }
    for _ in range(2):
        logging.config.dictConfig(config)
        for n in range(20):
            logging.getLogger("a.b").info("line %d", n)
            logging.warning("root %d", n)
    with open("logging.ini", "w") as file:
        file.write(
            "[loggers]\nkeys=root\n[handlers]\nkeys=size\n[formatters]\nkeys=plain\n"
            "[logger_root]\nlevel=INFO\nhandlers=size\n"
            f"[handler_size]\nclass={prefix}.RotatingFileHandler\nformatter=plain\n"
            "args=('ini.app.log', 'a', 120, 3)\n[formatter_plain]\nformat=%(name)s %(message)s\n"
        )
    _import_for_file_config(prefix)
    logging.config.fileConfig("logging.ini")
    for n in range(20):
        logging.getLogger("late").info("line %d", n)
    logging.shutdown()
    os.remove("logging.ini")


def _import_for_file_config(prefix: str) -> None:
    # `fileConfig` looks the class up in `logging`'s own names first, then imports it.
    __import__(prefix)
