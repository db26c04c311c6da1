"""What programs do to the library as a whole: configure, test, debug, copy and take apart."""

from __future__ import annotations

import copy
import logging
import logging.config
import logging.handlers
import os
import pickle
import sys
import threading
import unittest
import unittest.mock
import weakref

from harness import WARM, Side, show


def _class(side: Side, name: str) -> str:
    return f"{'logboom' if side.name == 'logboom' else 'logging'}.{name}"


def configured_by_a_file(side: Side) -> None:
    text = f"""
[loggers]
keys=root,shop
[handlers]
keys=plain,loud
[formatters]
keys=plain,braces
[logger_root]
level=WARNING
handlers=plain
[logger_shop]
level=DEBUG
handlers=loud
propagate=1
qualname=shop
[handler_plain]
class={_class(side, "FileHandler")}
args=("plain.log",)
formatter=plain
[handler_loud]
class={_class(side, "StreamHandler")}
level=ERROR
args=(sys.stderr,)
formatter=braces
[formatter_plain]
format=%(name)s %(levelname)s %(message)s
[formatter_braces]
format={{levelname}} {{message}}
style={{
"""
    with open("log.ini", "w") as file:
        file.write(text)
    before = logging.getLogger("before")
    for disable in (False, True):
        logging.config.fileConfig("log.ini", disable_existing_loggers=disable)
        for logger in (logging.getLogger(), logging.getLogger("shop"), before):
            for n in range(WARM):
                logger.info("info %d", n)
                logger.error("error %d", n)
        print(before.disabled, [type(one).__name__ for one in logging.getLogger("shop").handlers])
    os.remove("log.ini")  # it names the classes of its side


def configured_step_by_step(side: Side) -> None:
    config = {
        "version": 1,
        "formatters": {"plain": {"format": "%(name)s %(levelname)s %(message)s"}},
        "filters": {"shop": {"name": "shop"}},
        "handlers": {
            "file": {
                "class": _class(side, "FileHandler"),
                "filename": "a.log",
                "formatter": "plain",
            },
            "some": {
                "()": _class(side, "FileHandler"),
                "filename": "b.log",
                "formatter": "plain",
                "filters": ["shop"],
                ".": {"terminator": "|\n"},
            },
        },
        "root": {"level": "INFO", "handlers": ["file", "some"]},
        "disable_existing_loggers": False,
    }
    logger, other = logging.getLogger("shop.till"), logging.getLogger("else")

    def log(step: str) -> None:
        for n in range(WARM):
            for one in (logger, other):
                one.info("%s %d", step, n)
                one.debug("%s %d", step, n)

    logging.config.dictConfig(config)
    log("whole")
    steps = [
        {"handlers": {"file": {"level": "ERROR"}}},
        {"loggers": {"else": {"level": "DEBUG", "propagate": True}}},
        {"handlers": {"file": {"level": "DEBUG"}}, "root": {"level": "DEBUG"}},
        {"loggers": {"shop.till": {"level": "CRITICAL"}}},
    ]
    for number, step in enumerate(steps):
        logging.config.dictConfig({"version": 1, "incremental": True, **step})
        log(f"step {number}")
    config["handlers"]["file"]["filename"] = "c.log"  # type: ignore[index]
    logging.config.dictConfig(config)
    log("again")
    for wrong in ({"version": 2}, {"version": 1, "handlers": {"x": {"class": "no.such"}}}):
        show(logging.config.dictConfig, wrong)
    log("after what was wrong")


def configured_over_a_socket(side: Side) -> None:
    import json
    import socket
    import struct

    server = logging.config.listen(0)
    server.start()
    server.ready.wait()
    config = {
        "version": 1,
        "handlers": {"file": {"class": _class(side, "FileHandler"), "filename": "a.log"}},
        "root": {"level": "INFO", "handlers": ["file"]},
        "disable_existing_loggers": False,
    }
    logger = logging.getLogger("shop")
    text = json.dumps(config).encode()
    with socket.create_connection(("localhost", server.port)) as connection:
        connection.sendall(struct.pack(">L", len(text)) + text)
    deadline = threading.Event()
    for _ in range(2000):
        if logging.root.handlers:
            break
        deadline.wait(0.005)
    for n in range(WARM):
        logger.info("configured %d", n)
    logging.config.stopListening()
    server.join()
    print(len(logging.root.handlers))


def children_and_placeholders(side: Side) -> None:
    deep = logging.getLogger("a.b.c.d")
    print(deep.parent, type(logging.root.manager.loggerDict["a.b"]).__name__)
    middle = logging.getLogger("a.b")
    print(deep.parent, middle.parent, middle.getChild("c.d") is deep, middle.getChild("x").name)
    print(logging.root.getChild("a.b") is middle, logging.root.getChild("new").name)
    if hasattr(middle, "getChildren"):
        print(sorted(str(one) for one in logging.root.getChildren()))
        print(sorted(str(one) for one in middle.getChildren()), deep.getChildren())
    kept = weakref.ref(deep)
    print(kept() is deep, deep in {deep}, deep == middle, hash(deep) == hash(deep))
    logger = side.logger("a")
    for n in range(WARM):
        deep.warning("deep %d", n)
        middle.parent = None
        middle.warning("alone %d", n)
        middle.parent = logger
        middle.warning("again %d", n)


def copies_of_handlers(side: Side) -> None:
    logger = side.logger()
    first = logger.handlers[0]
    logger.info("before")
    second = copy.copy(first)
    second.setFormatter(logging.Formatter("copy %(message)s"))
    logger.addHandler(second)
    for n in range(WARM):
        logger.info("both %d", n)
    logger.removeHandler(second)
    for n in range(WARM):
        logger.info("one %d", n)
    for how in (copy.deepcopy, pickle.dumps):
        try:
            how(first)
        except TypeError:
            print("refused")
    print(isinstance(second, type(first)), second.level, second.baseFilename == first.baseFilename)


def pickled_loggers(side: Side) -> None:
    logger = side.logger("a.b")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        print(pickle.loads(pickle.dumps(logger, protocol)) is logger)
        print(pickle.loads(pickle.dumps(logging.root, protocol)) is logging.root)
    print(copy.copy({"log": logger})["log"] is logger, copy.deepcopy([logger])[0] is logger)
    stray = type(logger)("stray")
    show(lambda: pickle.dumps(stray) and None)


def unittests_that_look_at_logs(side: Side) -> None:
    logger = side.logger("shop")

    class Test(unittest.TestCase):
        def test_found(self) -> None:
            for n in range(WARM):
                with self.assertLogs("shop", "INFO") as caught:
                    logger.info("caught %d", n)
                    logger.debug("too low %d", n)
                    logging.getLogger("shop.till").error("child %d", n)
                print(caught.output, [(r.args, r.funcName) for r in caught.records])

        def test_root(self) -> None:
            with self.assertLogs() as caught:
                logging.getLogger("other").warning("to the root")
            print(caught.output)

        def test_missing(self) -> None:
            with self.assertLogs("shop", "ERROR"):
                logger.info("not enough")

        @unittest.skipUnless(hasattr(unittest.TestCase, "assertNoLogs"), "3.10 and newer")
        def test_none(self) -> None:
            with self.assertNoLogs("shop", "ERROR"):
                logger.info("fine")

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Test).run(result)
    for _, text in result.failures + result.errors:
        print(text.splitlines()[-1])
    for n in range(WARM):
        logger.info("afterwards %d", n)


def mocks(side: Side) -> None:
    logger = side.logger()
    for name in ("info", "handle", "callHandlers", "isEnabledFor", "_log"):
        with unittest.mock.patch.object(logger, name) as mock:
            for n in range(WARM):
                logger.info("mocked %d", n)
            print(name, mock.call_count)
        for n in range(WARM):
            logger.info("back from %s %d", name, n)
    with unittest.mock.patch.object(type(logger), "warning") as mock:
        logger.warning("a class's %d", 1)
        logger.info("untouched")
        print(mock.call_args)
    logger.warning("back")
    double = unittest.mock.create_autospec(logger)
    double.info("x %d", 1)
    print(double.info.call_args)
    with unittest.mock.patch("logging.Logger.info") as mock:
        plain = logging.Logger("plain")
        plain.info("plain")
        print(mock.call_count)


def filters_that_change_the_record(side: Side) -> None:
    class Put(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            record.ip = "127.0.0.1"
            record.msg = f"<{record.msg}>"
            return True

    def secret(record: logging.LogRecord) -> bool:
        return "secret" not in record.getMessage()

    class Filterer:
        def filter(self, record: logging.LogRecord) -> bool:
            return record.levelno != logging.ERROR

    logger = side.logger(fmt="%(ip)s %(message)s")
    put = Put()
    for where in (logger, logger.handlers[0]):
        where.addFilter(put)
        where.addFilter(secret)
        where.addFilter(Filterer())
        for n in range(WARM):
            logger.info("open %d", n)
            logger.info("secret %d", n)
            logger.error("error %d", n)
        where.filters.clear()
    logger.handlers[0].setFormatter(None)
    for n in range(WARM):
        logger.info("plain %d", n)
    logger.filters.append(secret)
    logger.info("secret")
    logger.filters = []
    logger.info("secret now")


def a_record_that_is_handled_twice(side: Side) -> None:
    logger = side.logger()
    second = side.file("%(message)s %(exc_text)s", "b.log")
    logger.addHandler(second)
    record = logger.makeRecord("other", 30, "/x/y.py", 7, "made %d", (1,), None, "func", {"k": 1})
    for _ in range(WARM):
        logger.handle(record)
        logger.handlers[0].handle(record)
    try:
        raise ValueError("kept")
    except ValueError:
        record = logging.makeLogRecord(
            {"msg": "from a dict", "levelno": 20, "exc_info": sys.exc_info()}
        )
        logger.callHandlers(record)
        logger.callHandlers(record)
    print(record.exc_text is not None, record.getMessage())


def the_end_before_the_end(side: Side) -> None:
    logger = side.logger()
    for n in range(WARM):
        logger.info("before %d", n)
    logging.shutdown()
    print(open("app.log").read())
    for n in range(WARM):
        logger.info("after %d", n)
    logging.shutdown()
    logger.handlers[0].close()
    logger.info("after close")


def handlers_by_their_names(side: Side) -> None:
    handler = side.file()
    handler.name = "first"
    handler.set_name("second")
    print(handler.name, handler.get_name())
    if hasattr(logging, "getHandlerNames"):
        print(sorted(logging.getHandlerNames()), logging.getHandlerByName("second") is handler)
    print("first" in logging._handlers, "second" in logging._handlers)
    handler.close()
    print("second" in logging._handlers)


def classes_by_turns(side: Side) -> None:
    class Own(logging.getLoggerClass()):  # type: ignore[misc]
        def notice(self, msg: str, *args: object) -> None:
            if self.isEnabledFor(25):
                self._log(25, msg, args)

    before = logging.getLoggerClass()
    logging.setLoggerClass(Own)
    own = logging.getLogger("own")
    logging.setLoggerClass(before)
    logging.addLevelName(25, "NOTICE")
    own.addHandler(side.file("%(levelname)s %(funcName)s %(message)s"))
    own.setLevel(25)
    for n in range(WARM):
        own.notice("notice %d", n)
        own.info("no")
        own.warning("warning %d", n)
    own.manager.setLoggerClass(Own)
    print(type(logging.getLogger("own.child")).__name__)
    own.manager.loggerClass = None
    show(logging.setLoggerClass, int)
    logging.getLogger("own.child").notice("from a child")


def values_that_change_later(side: Side) -> None:
    logger = side.logger()
    things = [1], {"a": 1}, {1}, bytearray(b"x")
    for n in range(WARM):
        for thing in things:
            logger.info("%s %r", thing, thing)
            copy.copy(thing)
        things[0].append(n)
        things[1]["a"] = n
        things[2].add(n)
        things[3].extend(b"y")
    mapping = {"a": 1, "b": "two"}
    for n in range(WARM):
        logger.info("%(a)d %(b)s", mapping)
        mapping["a"] = n
        mapping["b"] += "!"  # type: ignore[operator]


def names_that_change(side: Side) -> None:
    logger = side.logger(fmt="%(name)s %(threadName)s %(message)s")
    thread = threading.current_thread()
    for n in range(WARM):
        logger.name = f"name {n}"
        thread.name = f"thread {n}"
        logger.info("changed %d", n)
    logger.name = 5  # type: ignore[assignment]
    logger.info("a number")
    thread.name = "MainThread"


def levels_set_to_odd_values(side: Side) -> None:
    logger = side.logger()
    for level in (True, 10.5, "INFO", "nothing", None, -5, 2**70):
        show(logger.setLevel, level)
        print(logger.level)
        logger.info("at %r", level)
    logger.level = 20
    logger.manager._clear_cache()
    logger.debug("hidden")
    logger.info("shown")
    logger.level = "10"  # type: ignore[assignment]
    logger.manager._clear_cache()
    show(logger.info, "compared to a text")
    logger.setLevel(10)
    handler = logger.handlers[0]
    for level in (15, 25, "ERROR"):
        handler.setLevel(level)
        logger.info("handler at %r", level)
        logger.error("handler at %r", level)
    handler.level = 15.5  # type: ignore[assignment]
    logger.info("between")
