"""Classes and functions of the user's in the place of the library's."""

from __future__ import annotations

import logging

from harness import WARM, Side, installs_itself, show


def _run(logger: logging.Logger, label: str) -> None:
    for n in range(WARM):
        logger.info(label + " %d", n)
        logger.debug(label + " debug %d", n)
        logger.log(25, label + " log %d", n)
        logger.exception(label + " exception %d", n, exc_info=False)


METHODS = [
    *("makeRecord", "callHandlers", "handle", "findCaller", "isEnabledFor", "_log", "filter"),
    *("info", "log", "debug", "exception", "error", "getEffectiveLevel"),
]


def _wrap(name: str, original: object) -> object:
    def wrapper(*args: object, **kwargs: object) -> object:
        result = original(*args, **kwargs)
        print("called", name)
        return result

    return wrapper


def methods_of_the_library_are_patched(side: Side) -> None:
    logger = side.logger(level=10)
    for name in METHODS:
        original = getattr(logging.Logger, name)
        found = name in logging.Logger.__dict__
        _run(logger, "before " + name)
        setattr(logging.Logger, name, _wrap(name, original))
        _run(logger, "patched " + name)
        setattr(logging.Logger, name, original) if found else delattr(logging.Logger, name)
        _run(logger, "restored " + name)


def methods_of_one_logger_are_patched(side: Side) -> None:
    logger = side.logger(level=10)
    parent = logging.getLogger("parent")
    parent.setLevel(10)
    parent.addHandler(side.file("parent %(message)s", "parent.log"))
    child = logging.getLogger("parent.child")
    for name in METHODS:
        for target in (logger, parent, child, logging.getLogger()):
            setattr(target, name, _wrap(f"{name} of {target.name}", getattr(target, name)))
            _run(logger, "patched " + name)
            _run(child, "patched " + name)
            delattr(target, name)
            _run(logger, "restored " + name)
            _run(child, "restored " + name)


def methods_of_our_class_are_patched(side: Side) -> None:
    logger = side.logger(level=10)
    for name in METHODS:
        cls = type(logger)
        own = cls.__dict__.get(name)
        setattr(cls, name, _wrap(name, getattr(cls, name)))
        _run(logger, "patched " + name)
        if own is None:
            delattr(cls, name)
        else:
            setattr(cls, name, own)
        _run(logger, "restored " + name)


def is_enabled_for_decides(side: Side) -> None:
    logger = side.logger(level=50)
    logger.isEnabledFor = lambda level: level == 20
    _run(logger, "instance")
    del logger.isEnabledFor
    _run(logger, "back")
    logger.getEffectiveLevel = lambda: 20
    logger.manager._clear_cache()
    _run(logger, "effective level of the instance")


def _subclass() -> type[logging.Logger]:
    base = logging.getLoggerClass()

    class Own(base):
        def __init__(self, name: str, level: int = 0) -> None:
            super().__init__(name, level)
            self.seen = 0

        def makeRecord(self, *args: object, **kwargs: object) -> logging.LogRecord:
            record = super().makeRecord(*args, **kwargs)
            self.seen += 1
            record.msg = f"own {record.msg}"
            return record

        def error(self, msg: object, *args: object, **kwargs: object) -> None:
            print("own error", msg)
            super().error(msg, *args, **kwargs)

    return Own


def subclass_of_the_class_in_use(side: Side) -> None:
    logging.setLoggerClass(_subclass())
    logger = side.logger("own", fmt="%(funcName)s %(lineno)d %(message)s")
    for level in (10, 60):
        logger.setLevel(level)
        _run(logger, "subclass")
        logger.error("error")
        logger.exception("exception")
    print(logger.seen, type(logger).__name__, repr(logger))


@installs_itself
def subclass_made_before(side: Side) -> None:
    logging.setLoggerClass(_subclass())
    logger = side.logger("own", fmt="%(funcName)s %(message)s")
    _run(logger, "before")
    side.install()
    _run(logger, "after")
    newer = side.logger("newer")
    _run(newer, "newer")
    print(logger.seen, newer.seen, type(newer).__name__)


def subclass_that_changes_attributes_to_properties(side: Side) -> None:
    class Own(logging.getLoggerClass()):
        @property
        def disabled(self) -> bool:
            return getattr(self, "off", False)

        @disabled.setter
        def disabled(self, value: bool) -> None:
            self.off = value

    logging.setLoggerClass(Own)
    logger = side.logger("own")
    _run(logger, "on")
    logger.off = True
    _run(logger, "off")
    logger.disabled = False
    _run(logger, "on again")


def plain_subclass(side: Side) -> None:
    class Own(logging.getLoggerClass()):
        def notice(self, msg: object, *args: object) -> None:
            self.log(25, msg, *args)

        def quick(self, msg: object, *args: object) -> None:
            if self.isEnabledFor(25):
                self._log(25, msg, args)

    logging.setLoggerClass(Own)
    logger = side.logger("own", fmt="%(funcName)s %(lineno)d %(message)s")
    for n in range(WARM):
        logger.notice("notice %d", n)
        logger.quick("quick %d", n)
        logger.info("info %d", n)
    Own.info = lambda self, msg, *args: print("late", msg % args)
    logger.info("late %d", 1)
    Own.isEnabledFor = lambda self, level: False
    logger.warning("nobody hears")


def a_logger_that_is_in_no_hierarchy(side: Side) -> None:
    logger = logging.Logger("free")
    logger.addHandler(side.file("%(name)s %(message)s"))
    for n in range(WARM):
        logger.info("free %d", n)
    kind = logging.getLoggerClass()
    other = kind("other", 20)
    other.addHandler(logger.handlers[0])
    for n in range(WARM):
        other.info("other %d", n)
        other.debug("no")


def record_factories(side: Side) -> None:
    logger = side.logger(fmt="%(message)s %(levelname)s")
    original = logging.getLogRecordFactory()

    def factory(*args: object, **kwargs: object) -> logging.LogRecord:
        record = original(*args, **kwargs)
        record.msg = f"made {record.msg}"
        return record

    class Record(logging.LogRecord):
        def getMessage(self) -> str:
            return "class " + super().getMessage()

    def broken(*args: object, **kwargs: object) -> logging.LogRecord:
        raise ValueError("no record today")

    _run(logger, "as found")
    for maker in (factory, Record, original):
        logging.setLogRecordFactory(maker)
        _run(logger, "factory")
    logging.setLogRecordFactory(broken)
    show(logger.info, "broken")
    logging.setLogRecordFactory(original)
    _run(logger, "back")


def the_record_class_is_patched(side: Side) -> None:
    logger = side.logger(fmt="%(message)s %(levelname)s")
    real, message = logging.LogRecord.__init__, logging.LogRecord.getMessage

    def init(self: logging.LogRecord, *args: object, **kwargs: object) -> None:
        real(self, *args, **kwargs)
        self.levelname = "patched"

    _run(logger, "as found")
    logging.LogRecord.__init__ = init
    _run(logger, "patched constructor")
    logging.LogRecord.__init__ = real
    _run(logger, "restored")
    logging.LogRecord.getMessage = lambda self: "patched: " + message(self)
    _run(logger, "patched getMessage")
    logging.LogRecord.getMessage = message
    _run(logger, "restored")


def handlers_that_override(side: Side) -> None:
    class Emits(side.FileHandler):
        def emit(self, record: logging.LogRecord) -> None:
            record.msg = f"emitted {record.msg}"
            super().emit(record)

    class Formats(side.FileHandler):
        def format(self, record: logging.LogRecord) -> str:
            return "formatted " + super().format(record)

    class Handles(side.FileHandler):
        def handle(self, record: logging.LogRecord) -> bool:
            print("handle", record.getMessage())
            return super().handle(record)

    class Filters(side.FileHandler):
        def filter(self, record: logging.LogRecord) -> bool:
            return "2" in record.getMessage()

    class Flushes(side.FileHandler):
        def flush(self) -> None:
            self.flushed = getattr(self, "flushed", 0) + 1
            super().flush()

    class Terminates(side.FileHandler):
        terminator = "<end>\n"

    class Plain(side.FileHandler):
        pass

    class Levels(side.FileHandler):
        @property
        def level(self) -> int:
            return 25

        @level.setter
        def level(self, value: int) -> None:
            pass

    class Reports(side.FileHandler):
        def handleError(self, record: logging.LogRecord) -> None:
            print("reported", record.msg)

    class Locks(side.FileHandler):
        def acquire(self) -> None:
            self.held = True
            super().acquire()

        def format(self, record: logging.LogRecord) -> str:
            print("acquired:", self.held)
            self.held = False
            return super().format(record)

    kinds = (Emits, Formats, Handles, Filters, Flushes, Terminates, Plain, Levels, Reports, Locks)
    for kind in kinds:
        logger = logging.getLogger(kind.__name__)
        logger.setLevel(10)
        logger.propagate = False
        handler = kind(kind.__name__ + ".log")
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        logger.addHandler(handler)
        _run(logger, "handler")
        logger.info("wrong %d", "x") if kind is Reports else None
        print(getattr(handler, "flushed", None))


def methods_of_one_handler_are_patched(side: Side) -> None:
    logger = side.logger(level=10)
    handler = logger.handlers[0]
    for name in ("handle", "emit", "format", "filter", "flush"):
        setattr(handler, name, _wrap(name, getattr(handler, name)))
        _run(logger, "patched " + name)
        delattr(handler, name)
        _run(logger, "restored " + name)


def methods_of_the_handler_classes_are_patched(side: Side) -> None:
    logger = side.logger(level=10)
    targets = (logging.Handler, logging.StreamHandler, logging.FileHandler)
    for cls in targets:
        for name in ("handle", "emit", "format", "filter"):
            original = cls.__dict__.get(name)
            if original is None or (cls is not logging.Handler and name == "emit"):
                continue
            setattr(cls, name, _wrap(name, original))
            _run(logger, f"patched {cls.__name__}.{name}")
            setattr(cls, name, original)
            _run(logger, "restored")


def the_emit_of_the_librarys_handlers_is_patched(side: Side) -> None:
    logger = side.logger(level=10)
    original = logging.StreamHandler.emit

    def emit(self: logging.StreamHandler, record: logging.LogRecord) -> None:
        record.msg = "patched " + record.msg
        original(self, record)

    _run(logger, "before")
    logging.StreamHandler.emit = emit
    _run(logger, "while")
    logging.StreamHandler.emit = original
    _run(logger, "after")


def filterer_is_patched(side: Side) -> None:
    logger = side.logger(level=10)
    original = logging.Filterer.filter
    _run(logger, "before")
    logging.Filterer.filter = lambda self, record: record.levelno == 20
    _run(logger, "while")
    logging.Filterer.filter = original
    _run(logger, "after")


def terminators(side: Side) -> None:
    logger = side.logger()
    handler = logger.handlers[0]
    original = logging.StreamHandler.terminator
    _run(logger, "before")
    handler.terminator = "|\n"
    _run(logger, "of the instance")
    del handler.terminator
    _run(logger, "back")
    logging.StreamHandler.terminator = "!\n"
    _run(logger, "of the class")
    logging.StreamHandler.terminator = ""
    _run(logger, "none")
    logging.StreamHandler.terminator = original
    _run(logger, "back")


def foreign_handlers_beside_ours(side: Side) -> None:
    logger = side.logger()
    ours = logger.handlers[0]
    order: list[str] = []

    class Collects(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            order.append(record.getMessage())
            record.msg += " (seen)"

    for handlers in ([Collects(), ours], [ours, Collects()], [ours]):
        logger.handlers = handlers
        _run(logger, "beside")
    print(order)


def a_handler_that_logs(side: Side) -> None:
    logger = side.logger()
    other = logging.getLogger("other")
    other.propagate = False
    other.addHandler(side.file("other %(message)s", "other.log"))

    class Logs(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            other.warning("from a handler: %s", record.getMessage())

    logger.addHandler(Logs())
    _run(logger, "logs")


def memory_and_queue_handlers_of_the_library_in_front(side: Side) -> None:
    import logging.handlers
    import queue

    logger = logging.getLogger("queued")
    logger.setLevel(10)
    target = side.file("%(threadName)s %(funcName)s %(message)s")
    logger.addHandler(logging.handlers.MemoryHandler(3, target=target, flushLevel=100))
    _run(logger, "memory")
    logger.handlers[0].close()
    waiting: queue.Queue = queue.Queue()
    listener = logging.handlers.QueueListener(waiting, target)
    logger.handlers = [logging.handlers.QueueHandler(waiting)]
    listener.start()
    _run(logger, "queue")
    listener.stop()
