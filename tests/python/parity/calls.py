"""Levels, hierarchy, filters, adapters: the calls themselves."""

from __future__ import annotations

import logging
import sys

from harness import WARM, Side, installs_itself, show

LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)


def every_level_against_every_threshold(side: Side) -> None:
    logger = side.logger()
    for threshold in (0, 1, 10, 15, 20, 30, 40, 50, 60):
        logger.setLevel(threshold)
        for _ in range(WARM):
            logger.debug("debug %d", threshold)
            logger.info("info %d", threshold)
            logger.warning("warning %d", threshold)
            logger.error("error %d", threshold)
            logger.critical("critical %d", threshold)
            logger.fatal("fatal %d", threshold)
            logger.log(25, "log %d", threshold)
            logger.log(-5, "log -5 %d", threshold)
            logger.log(0, "log 0 %d", threshold)
        print([logger.isEnabledFor(level) for level in LEVELS], logger.getEffectiveLevel())


def what_calls_return(side: Side) -> None:
    logger = side.logger()
    for level in (10, 60):
        logger.setLevel(level)
        show(logger.info, "x")
        show(logger.log, 20, "x")
        show(logger.exception, "x")
        show(logger.isEnabledFor, 20)
        show(logger.isEnabledFor, "INFO")
        show(logger.isEnabledFor, 20.0)
        show(logger.isEnabledFor, True)
        show(logger.isEnabledFor, level=20)
        show(logger.isEnabledFor)
        show(logger.isEnabledFor, 1, 2)
        show(logger.isEnabledFor, 10**30)
        show(logger.isEnabledFor, None)


def wrong_calls(side: Side) -> None:
    logger = side.logger()
    for level in (1, 60):
        logger.setLevel(level)
        show(logger.info)
        show(logger.log)
        show(logger.log, 20)
        show(logger.log, "INFO", "x")
        show(logger.log, None, "x")
        show(logger.log, 20.5, "x")
        show(logger.info, msg="by keyword")
        show(logger.log, level=20, msg="by keyword")
        show(logger.log, 20, msg="by keyword")
        show(logger.info, "x", nonsense=1)
        show(logger.info, "x", extra={"message": 1})
        show(logger.info, "x", extra={"name": 1})
        show(logger.info, "x", extra=5)
        show(logger.info, "x", stacklevel="a")
        show(logger.log, True, "as a bool")
        show(logger.log, 10**20, "huge level")
        show(logger.log, -(10**20), "huge negative level")
    logging.raiseExceptions = False
    show(logger.log, "INFO", "x")


def levels_that_are_numbers_of_other_kinds(side: Side) -> None:
    class Level(int):
        pass

    logger = side.logger(fmt="%(levelno)s %(levelname)s %(message)s")
    for level in (Level(20), Level(33), True, 2**31 - 1, 2**31, 2**40, -1):
        for _ in range(WARM):
            logger.log(level, "at %s", level)


def hierarchy_and_propagation(side: Side) -> None:
    root, a, c = logging.getLogger(), logging.getLogger("a"), logging.getLogger("a.b.c")
    root.addHandler(side.file("root %(name)s %(message)s", "root.log"))
    a.addHandler(side.file("a %(name)s %(message)s", "a.log"))
    c.addHandler(side.file("c %(name)s %(message)s", "c.log"))
    root.setLevel(20)
    for propagate in (True, False, 1, 0, None, "", "yes", [], [1], 0.0):
        a.propagate = propagate
        for _ in range(WARM):
            c.info("c with %r", propagate)
            a.info("a with %r", propagate)
    a.propagate = True
    b = logging.getLogger("a.b")  # comes in between
    b.addHandler(side.file("b %(name)s %(message)s", "b.log"))
    c.info("b is in between")
    b.setLevel(50)
    c.info("b lets nothing through")
    b.setLevel(0)
    c.parent = root
    c.info("straight to the root")
    c.parent = None
    c.info("to nobody else")
    print(c.hasHandlers(), c.getEffectiveLevel(), [x.name for x in (a, b, c)])


def the_same_handler_on_two_loggers(side: Side) -> None:
    handler = side.file()
    a, b = logging.getLogger("a"), logging.getLogger("a.b")
    a.addHandler(handler)
    b.addHandler(handler)
    b.addHandler(handler)
    for n in range(WARM):
        b.warning("twice %d", n)
        a.warning("once %d", n)
    b.handlers.append(handler)
    b.warning("three times")
    b.removeHandler(handler)
    b.warning("twice again")


def more_handlers_than_are_native(side: Side) -> None:
    logger = side.logger()
    for n in range(12):
        logger.addHandler(side.file(f"{n} %(message)s", f"{n}.log"))
        for _ in range(WARM):
            logger.info("with %d", n)


def a_deep_hierarchy(side: Side) -> None:
    logging.getLogger().addHandler(side.file())
    deep = logging.getLogger(".".join("abcdefghij" * 10))
    for n in range(WARM):
        deep.warning("deep %d", n)


def nobody_handles_it(side: Side) -> None:
    logger = logging.getLogger("nobody")
    for n in range(WARM):
        logger.warning("last resort %d", n)
        logger.info("not even that")
    logging.lastResort = None
    logger.warning("complaint")
    logger.warning("no second complaint")
    logging.raiseExceptions = False
    logger.warning("nothing")


def null_handlers(side: Side) -> None:
    logger = logging.getLogger("library")
    logger.addHandler(logging.NullHandler())
    logger.warning("nowhere")
    logger.addHandler(side.file())
    for n in range(WARM):
        logger.warning("somewhere %d", n)
    logger.handlers[0].handle = lambda record: print("patched", record.getMessage())
    logger.warning("patched null handler")


def levels_of_handlers(side: Side) -> None:
    logger = side.logger()
    handler = logger.handlers[0]
    for level in (0, 20, 21, "INFO", logging.ERROR, 10**30):
        show(handler.setLevel, level)
        for n in range(WARM):
            logger.info("at handler level %s %d", level, n)
    handler.level = 30
    logger.info("set directly: no")
    handler.level = 20
    logger.info("set directly: yes")
    handler.level = True
    logger.info("a bool")
    handler.level = "INFO"
    show(logger.info, "a text is no level")


def filters_of_loggers(side: Side) -> None:
    logger = side.logger()

    class Odd(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            return record.args[0] % 2 == 1

    def shout(record: logging.LogRecord) -> bool:
        record.msg = record.msg.upper()
        return True

    def step(label: str) -> None:
        for n in range(WARM):
            logger.info(label + " %d", n)
        show(logger.filter, logging.makeLogRecord({"args": (1,), "msg": "m"}))

    step("none")
    logger.addFilter(odd := Odd())
    step("odd")
    logger.addFilter(shout)
    step("odd and loud")
    logger.removeFilter(odd)
    step("loud")
    logger.filters.clear()
    step("none again")
    logger.filters = [odd]
    step("replaced")
    logger.filters = (odd,)
    step("a tuple")
    logger.filters = []
    logger.filter = lambda record: False
    step("patched")
    del logger.filter
    logging.getLogger().addFilter(lambda record: False)
    step("filters of parents do not count")


def filters_of_handlers(side: Side) -> None:
    logger = side.logger()
    handler = logger.handlers[0]

    def add(record: logging.LogRecord) -> bool:
        record.msg = "added: " + record.msg
        return True

    def step(label: str) -> None:
        for n in range(WARM):
            logger.info(label + " %d", n)

    step("none")
    handler.addFilter(add)
    step("one")
    handler.addFilter(logging.Filter("other"))
    step("not for us")
    handler.filters[:] = [logging.Filter("app")]
    step("for us")
    handler.filters = []
    step("none")
    if sys.version_info >= (3, 12):

        def other(record: logging.LogRecord) -> logging.LogRecord:
            return logging.makeLogRecord({"msg": "another", "name": "n", "levelno": 30})

        handler.addFilter(other)
        step("another record")
        handler.filters = []
        logger.addFilter(other)
        step("another record from the logger's")


def state_changed_between_calls(side: Side) -> None:
    logger = side.logger()
    first = logger.handlers[0]
    second = side.file("second %(message)s", "second.log")

    def steps() -> None:
        yield "as made"
        logger.handlers = [second]
        yield "replaced"
        logger.handlers = [first, second]
        yield "both"
        logger.handlers.reverse()
        yield "reversed"
        logger.handlers = (first,)
        yield "a tuple"
        logger.handlers = [first]
        logger.disabled = True
        yield "disabled"
        logger.disabled = 1
        yield "disabled by a number"
        logger.disabled = 0
        yield "enabled by a number"
        logger.disabled = False
        logger.level = 50
        logger.manager._clear_cache()
        yield "level set directly"
        logger.level = 10
        yield "level set directly, cache not cleared"
        logger.manager._clear_cache()
        yield "cache cleared"
        logging.disable(20)
        yield "all disabled"
        logging.disable(logging.NOTSET)
        yield "all enabled"
        logger.manager.disable = 50
        yield "manager's disable set directly"
        logger.manager._clear_cache()
        yield "and cleared"
        logging.disable(0)
        logger.name = "renamed"
        yield "renamed"
        logger.name = 5
        yield "a number for a name"

    generator = steps()
    for label in generator:
        for n in range(WARM):
            logger.info(label + " %d", n)
        print(label, logger.isEnabledFor(20), logger.getEffectiveLevel())


def disable_everything(side: Side) -> None:
    logger = side.logger()
    for level in (10, 20, "WARNING", 50, 0):
        logging.disable(level)
        for _ in range(WARM):
            logger.info("info with %s disabled", level)
            logger.error("error with %s disabled", level)
            logger.exception("exception with %s disabled", level)
    logging.disable()
    logger.critical("no")


def levels_with_names(side: Side) -> None:
    logger = side.logger(fmt="%(levelname)s %(levelno)d %(message)s")

    def step(label: str) -> None:
        for n in range(WARM):
            logger.info(label + " %d", n)
            logger.log(25, label + " %d", n)
            logger.warning(label + " %d", n)

    step("as found")
    logging.addLevelName(25, "NOTICE")
    step("25 has a name")
    logging.addLevelName(20, "information")
    step("20 has another name")
    logging.addLevelName(20, "INFO")
    step("20 has its name again")
    logging._levelToName[25] = "DIRECT"
    step("changed directly")
    logging.addLevelName(25, "\x1b[31mred\x1b[0m")
    step("with control characters")
    logging._levelToName = dict(logging._levelToName)
    logging._levelToName[30] = "LOUD"
    step("another dict")
    del logging._levelToName[30]
    step("without a name")


def extra(side: Side) -> None:
    logger = side.logger(fmt="%(message)s %(user)s")
    for n in range(WARM):
        logger.info("with", extra={"user": n, "other": 1})
        logger.info("without")
    logger.info("with %s", "argument", extra={"user": None})
    show(logger.info, "clash", extra={"msg": "x"})
    show(logger.info, "clash", extra={"asctime": "x"})


def adapters(side: Side) -> None:
    logger = side.logger(fmt="%(funcName)s %(levelname)s %(message)s")
    adapter = logging.LoggerAdapter(logger, {"a": 1})

    class Prefix(logging.LoggerAdapter):
        def process(self, msg: object, kwargs: dict) -> tuple[object, dict]:
            return f"[{self.extra['a']}] {msg}", kwargs

    for n in range(WARM):
        adapter.info("adapter %d", n)
        Prefix(logger, {"a": n}).warning("prefix %d", n)
        Prefix(adapter, {"a": n}).warning("nested %d", n)
        try:
            raise ValueError(n)
        except ValueError:
            adapter.exception("with traceback")
    adapter.setLevel(30)
    adapter.info("no")
    print(
        adapter.isEnabledFor(20), adapter.getEffectiveLevel(), adapter.hasHandlers(), adapter.name
    )


def exceptions(side: Side) -> None:
    logger = side.logger()

    def fail(depth: int) -> None:
        if depth:
            fail(depth - 1)
        raise ValueError("deep\nand two lines")

    for _ in range(WARM):
        logger.error("nothing to tell", exc_info=True)
        logger.exception("nothing either")
        try:
            fail(3)
        except ValueError as error:
            logger.exception("exception %d", 1)
            logger.exception("off", exc_info=False)
            logger.error("true", exc_info=True)
            logger.error("one", exc_info=1)
            logger.error("instance", exc_info=error)
            logger.error("tuple", exc_info=sys.exc_info())
            logger.error("none", exc_info=None)
            logger.error("empty", exc_info=())
            logger.error("no frames", exc_info=ValueError("fresh"))
            logger.debug("debug too", exc_info=True)
            try:
                raise KeyError("other") from error
            except KeyError:
                logger.exception("chained")


def stack_info(side: Side) -> None:
    logger = side.logger()

    def outer() -> None:
        inner()

    def inner() -> None:
        for _ in range(WARM):
            logger.info("with the stack", stack_info=True)
            logger.info("and the level", stack_info=True, stacklevel=2)
            logger.info("false", stack_info=False)

    outer()


def module_functions(side: Side) -> None:
    root = logging.getLogger()
    root.addHandler(side.file("%(filename)s %(funcName)s %(name)s %(message)s"))
    root.setLevel(10)
    for n in range(WARM):
        logging.debug("debug %d", n)
        logging.info("info %d", n)
        logging.warning("warning %d", n)
        logging.error("error %d", n)
        logging.critical("critical %d", n)
        logging.log(25, "log %d", n)
        try:
            raise ValueError(n)
        except ValueError:
            logging.exception("exception")


def warnings_are_captured(side: Side) -> None:
    import warnings

    logging.getLogger().addHandler(side.file("%(name)s %(levelname)s"))
    logging.captureWarnings(True)
    for _ in range(WARM):
        warnings.warn("careful", stacklevel=1)
    logging.captureWarnings(False)


def what_loggers_look_like(side: Side) -> None:
    import copy
    import pickle

    new = logging.getLogger("new.child")
    for logger in (logging.getLogger(), logging.getLogger("app"), new):
        print(repr(logger), str(logger))
        print(
            isinstance(logger, logging.Logger), type(logger).__name__, logger.__class__.__qualname__
        )
        print(pickle.loads(pickle.dumps(logger)) is logger, copy.copy(logger) is logger)
        print(copy.deepcopy(logger) is logger)
        print(logger.root.name, logger.manager is logging.Logger.manager)
    print(logging.getLogger("new.child") is new, logging.getLogger("new").getChild("child") is new)
    print(isinstance(logging.root, logging.RootLogger), logging.getLogger() is logging.root)
    print(logging.getLogger("root") is logging.root)
    show(logging.getLogger, 5)


@installs_itself
def loggers_that_existed_before(side: Side) -> None:
    class Own(logging.Logger):
        def info(self, msg: object, *args: object, **kwargs: object) -> None:
            super().info(f"own {msg}", *args, **kwargs)

    root, plain = logging.getLogger(), logging.getLogger("plain.deep")
    root.addHandler(side.file("%(name)s %(funcName)s %(message)s"))
    root.setLevel(20)
    logging.setLoggerClass(Own)
    own = logging.getLogger("own")
    plain.colour = "red"
    for logger in (root, plain, own):
        logger.info("before")
    side.install()
    for n in range(WARM):
        for logger in (root, plain, own, logging.getLogger("new"), logging.getLogger("plain")):
            logger.info("after %d", n)
    print(
        plain.colour, type(logging.getLogger("newer")).__name__, logging.getLoggerClass().__name__
    )


def configured_by_a_dict(side: Side) -> None:
    import logging.config

    before = logging.getLogger("before")
    name = "logboom" if side.name == "logboom" else "logging"
    config = {
        "version": 1,
        "formatters": {"f": {"format": "%(levelname)s %(name)s %(message)s"}},
        "filters": {"only": {"()": "logging.Filter", "name": "app"}},
        "handlers": {
            "file": {"class": f"{name}.FileHandler", "filename": "app.log", "formatter": "f"},
            "out": {
                "class": f"{name}.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "f",
                "filters": ["only"],
                "level": "WARNING",
            },
            "err": {"class": f"{name}.StreamHandler"},
        },
        "loggers": {"app": {"level": "DEBUG", "handlers": ["file", "out"], "propagate": False}},
        "root": {"level": "ERROR", "handlers": ["err"]},
    }
    for disable in (True, False):
        logging.config.dictConfig({**config, "disable_existing_loggers": disable})
        for n in range(WARM):
            logging.getLogger("app").debug("debug %d", n)
            logging.getLogger("app").error("error %d", n)
            logging.getLogger("app.child").error("child %d", n)
            before.error("disabled: %s", disable)
        print(before.disabled, [type(h).__name__ for h in logging.getLogger("app").handlers])
    logging.config.dictConfig({"version": 1, "incremental": True, "root": {"level": "DEBUG"}})
    logging.getLogger("x").debug("incremental")
    bad = {
        **config,
        "handlers": {"file": {"class": f"{name}.FileHandler", "filename": "/no/where"}},
    }
    try:
        logging.config.dictConfig(bad)
    except ValueError as error:
        print(error, "/", repr(error.__cause__))
