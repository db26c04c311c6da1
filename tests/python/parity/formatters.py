"""Formatters, and what can be changed about them between two calls at a warmed-up place."""

from __future__ import annotations

import logging
import threading
import time

from harness import WARM, Side

ATTRIBUTES = [
    *("name", "levelno", "levelname", "pathname", "filename", "module", "lineno", "funcName"),
    *("threadName", "processName", "message", "taskName", "exc_info", "exc_text", "stack_info"),
    *("msg", "args"),
]


def every_attribute(side: Side) -> None:
    names = [name for name in ATTRIBUTES if hasattr(logging.makeLogRecord({}), name)] + ["message"]
    logger = side.logger()
    for name in names:
        for conversion in ("s", "r", "20s", "-20s", ".3s", "a"):
            logger.handlers[0].setFormatter(logging.Formatter(f"%({name}){conversion}|"))
            for _ in range(WARM):
                logger.info("message")
                logger.info("message %s", 1)


def numbers_among_the_attributes(side: Side) -> None:
    logger = side.logger()
    for name in ("levelno", "lineno"):
        for conversion in ("d", "5d", "-5d", "05d", "x", "f", ".2f", "e", "s", "r", "+d", "c"):
            logger.handlers[0].setFormatter(logging.Formatter(f"<%({name}){conversion}>"))
            for _ in range(WARM):
                logger.info("message")


def attributes_that_are_the_same_everywhere(side: Side) -> None:
    import os

    pattern = "%(process)d %(thread)d %(created)f %(msecs)03d %(relativeCreated)d %(asctime)s"
    logger = side.logger(fmt=pattern)
    for _ in range(WARM):
        logger.info("x")
    logging.shutdown()
    for line in open("app.log"):
        process, thread, created, msecs, relative, day, clock = line.split()
        now = time.time()
        print(int(process) == os.getpid(), int(thread) == threading.get_ident())
        print(abs(now - float(created)) < 60, 0 <= int(msecs) < 1000, 0 <= int(relative) < 60_000)
        stamp = time.localtime(float(created))
        print(f"{day} {clock[:8]}" == time.strftime("%Y-%m-%d %H:%M:%S", stamp), clock[8:9])
        print(int(clock[9:]) == int(msecs))
    # What is left in the file differs from run to run.
    open("app.log", "w").close()


def wrong_patterns(side: Side) -> None:
    logger = side.logger()
    for pattern in ("%(nothing)s", "%(message)d", "%(levelname)d %(message)s", "%(message)s %s"):
        for style_checked in (True, False):
            try:
                formatter = logging.Formatter(pattern, validate=style_checked)
            except ValueError as error:
                print(pattern, error)
                continue
            logger.handlers[0].setFormatter(formatter)
            for n in range(WARM):
                logger.info("message %d", n)


def odd_patterns(side: Side) -> None:
    logger = side.logger()
    for pattern in (
        *("%(message)s%%", "%%(message)s %(message)s", "%(message)s\n%(message)s", "é %(message)s"),
        *("\t%(message)s\0", "%(message)s%%s", "%(message)+s", "%(message)#s", "%(message)ls"),
        *("%(message)5.2s|", "%(levelname)-8s|%(message)s", "%(lineno)+d", "%(lineno)s"),
    ):
        logger.handlers[0].setFormatter(logging.Formatter(pattern, validate=False))
        for n in range(WARM):
            logger.info("message %d", n)


def the_pattern_that_is_not_given(side: Side) -> None:
    logger = side.logger()
    logger.handlers[0].setFormatter(None)
    for n in range(WARM):
        logger.info("none %d", n)
    logger.handlers[0].setFormatter(logging.Formatter())
    for n in range(WARM):
        logger.info("default %d", n)
    logger.handlers[0].setFormatter(None)
    logging._defaultFormatter = logging.Formatter("replaced %(message)s")
    for n in range(WARM):
        logger.info("default %d", n)
    logging._defaultFormatter._style._fmt = "changed %(message)s"
    for n in range(WARM):
        logger.info("default %d", n)


def styles(side: Side) -> None:
    logger = side.logger()
    handler = logger.handlers[0]
    for style, pattern in (
        ("{", "{levelname:>10}|{message!r}|{lineno:05d}|{name}"),
        ("{", "{message} {{literal}}"),
        ("$", "$levelname ${message} $$ $name"),
        ("%", "%(levelname)s %(message)s"),
    ):
        handler.setFormatter(logging.Formatter(pattern, style=style))
        for n in range(WARM):
            logger.info("message %d {x} $y %%z", n)


def defaults(side: Side) -> None:
    logger = side.logger()
    formatter = logging.Formatter("%(message)s %(user)s", defaults={"user": "nobody"})
    logger.handlers[0].setFormatter(formatter)
    for n in range(WARM):
        logger.info("without %d", n)
        logger.info("with %d", n, extra={"user": "me"})
    formatter._style._defaults = {"user": "changed"}
    logger.info("changed")
    formatter._style._defaults = {}
    logger.info("gone")
    formatter._style._defaults = None
    logger.info("gone", extra={"user": "x"})


def dates(side: Side) -> None:
    logger = side.logger()
    handler = logger.handlers[0]
    for datefmt in (
        *(None, "", "%Y", "%Y-%m-%d", "%A %B %j %U %W %w %y %Z %z", "%%", "%d.%m.%Y no time", "é"),
        *("%G-%V", "%e|%k|%l", "%C %D %F", "%h %n %t", "%E", "%Q", "%", "%-d", "%x"),
    ):
        handler.setFormatter(logging.Formatter("%(asctime)s|%(message)s", datefmt))
        for n in range(WARM):
            logger.info("%d", n)
        if not datefmt:
            # Holds the time of day, which no two runs have in common.
            handler.close()
            open("app.log", "w").close()


def the_zone_changes(side: Side) -> None:
    import os

    logger = side.logger()
    logger.handlers[0].setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Z %z"))
    for zone in ("UTC", "Asia/Kolkata", "America/New_York", "XYZ-3", "Europe/Berlin"):
        os.environ["TZ"] = zone
        time.tzset()
        for _ in range(WARM):
            logger.info("in %s", zone)


def the_clock_is_frozen(side: Side) -> None:
    logger = side.logger(fmt="%(asctime)s %(created)f %(msecs)d %(message)s")
    real, real_ns = time.time, time.time_ns

    def freeze(moment: float) -> None:
        time.time = lambda: moment
        time.time_ns = lambda: int(moment * 1e9)

    for n, moment in enumerate((0.0, 1.5, 1_000_000_000.25, 1_719_792_000.0, 4_102_444_800.125)):
        freeze(moment)
        for _ in range(WARM):
            logger.info("frozen %d", n)
        time.time, time.time_ns = real, real_ns
    logger.handlers[0].setFormatter(logging.Formatter("%(message)s"))
    logger.info("running again")


def strftime_is_replaced(side: Side) -> None:
    logger = side.logger(fmt="%(asctime)s %(message)s")
    logger.handlers[0].setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y"))
    real = time.strftime
    for _ in range(3):
        for n in range(WARM):
            logger.info("real %d", n)
        time.strftime = lambda fmt, when=None: f"replaced {fmt}"
        for n in range(WARM):
            logger.info("replaced %d", n)
        time.strftime = real


def one_formatter_changed_in_place(side: Side) -> None:
    logger = side.logger()
    handler = logger.handlers[0]
    formatter = logging.Formatter("%(asctime)s %(message)s", "%Z")
    handler.setFormatter(formatter)

    def steps() -> object:
        yield "as made"
        formatter.datefmt = "%z"
        yield "datefmt"
        formatter.converter = time.gmtime
        yield "converter of the instance"
        formatter.converter = lambda seconds: time.gmtime(0)
        yield "a function of the user's"
        formatter.datefmt = "%Y"
        yield "and its year"
        del formatter.converter
        formatter.datefmt = "%Z"
        yield "back"
        logging.Formatter.converter = time.gmtime
        yield "converter of the class"
        logging.Formatter.converter = time.localtime
        yield "converter of the class, back"
        formatter._style._fmt = "style %(message)s"
        yield "pattern of the style"
        formatter._fmt = "nothing %(message)s"
        yield "pattern that nobody reads"
        formatter._style = logging.StrFormatStyle("brace {message}")
        yield "style"
        formatter._style = logging.PercentStyle("percent %(message)s %(asctime)s")
        yield "style back"
        formatter.datefmt = None
        formatter.default_time_format = "own time"
        formatter.default_msec_format = None
        yield "formats of the instance"
        formatter.default_msec_format = "%s"
        del formatter.default_time_format, formatter.default_msec_format
        logging.Formatter.default_time_format = "class"
        logging.Formatter.default_msec_format = None
        yield "formats of the class"
        logging.Formatter.default_time_format = "%Y-%m-%d %H:%M:%S"
        logging.Formatter.default_msec_format = "%s,%03d"
        formatter.datefmt = "%Z"
        formatter.format = lambda record: "patched " + record.getMessage()
        yield "format of the instance"
        del formatter.format
        formatter.formatTime = lambda record, datefmt=None: "my time"
        yield "formatTime of the instance"
        del formatter.formatTime
        formatter.formatMessage = lambda record: "my message"
        yield "formatMessage of the instance"
        del formatter.formatMessage
        formatter.usesTime = lambda: False
        formatter._style._fmt = "no time %(message)s"
        yield "usesTime of the instance"
        del formatter.usesTime
        formatter.something = "unrelated"
        yield "an attribute that means nothing"
        formatter.__class__ = type(
            "Sub", (logging.Formatter,), {"formatMessage": lambda s, r: "sub"}
        )
        yield "class of the instance"
        formatter.__class__ = logging.Formatter
        yield "class back"

    for label in steps():
        for n in range(WARM):
            logger.info(label + " %d", n)


def classes_are_patched(side: Side) -> None:
    logger = side.logger()
    handler = logger.handlers[0]
    original = {name: getattr(logging.Formatter, name) for name in ("format", "formatTime")}
    style = logging.PercentStyle._format

    def run(label: str) -> None:
        for n in range(WARM):
            logger.info(label + " %d", n)

    run("as found")
    logging.Formatter.format = lambda self, record: "patched: " + original["format"](self, record)
    run("Formatter.format")
    logging.Formatter.format = original["format"]
    run("back")
    logging.PercentStyle._format = lambda self, record: "patched: " + style(self, record)
    run("PercentStyle._format")
    logging.PercentStyle._format = style
    run("back")
    handler.format = lambda record: "handler's own " + record.getMessage()
    run("handler.format")
    del handler.format
    run("back")
    logging.Handler.format = lambda self, record: "every handler's " + record.getMessage()
    run("Handler.format")


def formatters_of_the_user(side: Side) -> None:
    logger = side.logger()
    handler = logger.handlers[0]

    class Upper(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return super().format(record).upper()

    class Plain(logging.Formatter):
        pass

    class Duck:
        def format(self, record: logging.LogRecord) -> str:
            return "duck " + record.getMessage()

    class Raises(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            raise ValueError("no format")

    class NoText(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return 5  # type: ignore[return-value]

    class Traces(logging.Formatter):
        def formatException(self, exc_info: object) -> str:
            return "an exception"

    for kind in (Upper, Plain, Raises, NoText, Traces):
        handler.setFormatter(kind("%(levelname)s %(message)s"))
        for n in range(WARM):
            logger.info("message %d", n)
        logger.error("with", exc_info=ValueError("x"))
    handler.setFormatter(Duck())
    logger.info("message")
    handler.formatter = logging.Formatter("set directly %(message)s")
    for n in range(WARM):
        logger.info("message %d", n)


def formatters_by_turns(side: Side) -> None:
    logger = side.logger()
    handler = logger.handlers[0]
    formatters = [logging.Formatter(f"{n} %(message)s") for n in range(3)]
    for n in range(60):
        handler.setFormatter(formatters[n % 3])
        logger.info("turn %d", n)


def flags_of_the_library(side: Side) -> None:
    logger = side.logger(fmt="%(threadName)s %(thread)r %(processName)s %(process)r %(message)s")
    flags = ["logThreads", "logProcesses", "logMultiprocessing", "logAsyncioTasks"]
    found = [flag for flag in flags if hasattr(logging, flag)]
    for flag in found:
        setattr(logging, flag, False)
    for n in range(WARM):
        logger.info("all off %d", n)
    for flag in found:
        setattr(logging, flag, True)
    for flag in found:
        setattr(logging, flag, False)
        logger.handlers[0].setFormatter(logging.Formatter("%(threadName)s %(processName)s"))
        for n in range(WARM):
            logger.info("%s off %d", flag, n)
        setattr(logging, flag, True)
    for n in range(WARM):
        logger.info("on again %d", n)


def names_of_threads(side: Side) -> None:
    logger = side.logger(fmt="%(threadName)s %(message)s")

    def work() -> None:
        for n in range(WARM):
            logger.info("working %d", n)
        threading.current_thread().name = "renamed é"
        logger.info("renamed")

    for name in ("first", "second one", "\n"):
        thread = threading.Thread(target=work, name=name)
        thread.start()
        thread.join()
    work()


def names_of_processes(side: Side) -> None:
    logger = side.logger(fmt="%(processName)s %(message)s")
    logger.info("before multiprocessing is there")
    import multiprocessing

    logger.info("after")
    multiprocessing.current_process().name = "Renamed"
    for n in range(WARM):
        logger.info("renamed %d", n)


def names_of_tasks(side: Side) -> None:
    import asyncio

    pattern = "%(taskName)s" if hasattr(logging.makeLogRecord({}), "taskName") else "%(name)s"
    logger = side.logger(fmt=pattern + " %(message)s")
    logger.info("no loop")

    async def work(n: int) -> None:
        for _ in range(WARM):
            logger.info("in task %d", n)
            await asyncio.sleep(0)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(logger.info, "in a callback")
        await asyncio.gather(*(asyncio.create_task(work(n), name=f"task {n}") for n in range(3)))
        asyncio.current_task().set_name(5)
        logger.info("a number for a name")

    asyncio.run(main())
    logger.info("no loop again")
