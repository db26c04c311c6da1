"""Programs drawn at random: loggers, handlers, formatters and settings changed in any order.

Each seed is one program. What differs on the two sides is found without anybody having thought of it.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

from harness import Side, show

NAMES = ("", "a", "a.b", "a.b.c", "x", "x.y")
LEVELS = (0, 5, 10, 15, 20, 25, 30, 40, 50, 60)
FORMATS = (
    ("%(levelname)s:%(name)s:%(message)s", "%"),
    ("%(message)s", "%"),
    ("%(levelno)05d|%(funcName)-8s|%(lineno)d %(message).20s", "%"),
    ("%(threadName)s %(processName)s %(module)s %(message)r", "%"),
    ("%(user)s %(message)s", "%"),
    ("{levelname:>10} {name!r} {message}", "{"),
    ("{levelno:+d} {message:.10}", "{"),
    ("$levelname ${name} $message", "$"),
)


class Own(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"own {super().format(record)}"


class Odd:
    def __init__(self, what: str) -> None:
        self.what = what

    def __str__(self) -> str:
        if self.what == "raises":
            raise ValueError("no text")
        return f"odd {self.what}"

    def __repr__(self) -> str:
        return f"<{self.what}>"


def _drawn_arguments(draw: random.Random) -> tuple[object, ...]:
    message: tuple[object, ...] = draw.choice(
        (
            ("plain",),
            ("%d of %s", 3, "three"),
            ("%5.2f|%-6s|%x", 2.5, "ab", 255),
            ("%s %s", None, True),
            ("%(a)s and %(b)d", {"a": 1, "b": 2}),
            ("%s", {"a": 1}),
            ("too few %s %s", 1),
            ("too many", 1),
            ("%d", "no number"),
            ("100%",),
            ("%% %s", 5),
            (Odd("message"),),
            ("%s %r", Odd("a"), Odd("b")),
            ("%s", Odd("raises")),
            ("%s", [1, {"k": (2,)}]),
            (12345,),
            ("é %s \U0001f600", "ü"),
            ("line\nbreak\t%s", "x\ny"),
        )
    )
    return message


def _drawn_keywords(draw: random.Random) -> dict[str, object]:
    keywords: dict[str, object] = draw.choice(
        (
            *({} for _ in range(8)),
            {"extra": {"user": "ann"}},
            {"extra": {"user": draw.randrange(9), "other": None}},
            {"exc_info": True},
            {"exc_info": ValueError("given")},
            {"stack_info": True},
            {"stacklevel": draw.choice((1, 2, 3, 9))},
        )
    )
    return keywords


class Program:
    """One program; each method that `step` may choose changes something."""

    def __init__(self, side: Side, seed: int) -> None:
        self.side, self.seed = side, seed
        self.draw = random.Random(seed)
        self.loggers = [logging.getLogger(name) for name in NAMES[:3]]
        self.handlers: list[logging.Handler] = []
        self.undo: list[Callable[[], object]] = []
        self.files = 0
        self.add_handler()

    def logger(self) -> logging.Logger:
        return self.draw.choice(self.loggers)

    def handler(self) -> logging.Handler:
        return self.draw.choice(self.handlers)

    def add_handler(self) -> None:
        if len(self.handlers) < 6:
            self.files += 1
            name = f"{self.seed}-{self.files}.log"
            self.handlers.append(self.side.file(None, name, delay=self.draw.random() < 0.2))
        self.logger().addHandler(self.handler())

    def remove_handler(self) -> None:
        self.logger().removeHandler(self.handler())

    def close_handler(self) -> None:
        self.handler().close()

    def get_logger(self) -> None:
        self.loggers.append(logging.getLogger(self.draw.choice(NAMES)))

    def set_level(self) -> None:
        self.logger().setLevel(self.draw.choice(LEVELS))

    def set_level_of_handler(self) -> None:
        self.handler().setLevel(self.draw.choice(LEVELS))

    def toggle(self) -> None:
        usual = self.draw.random() < 0.7
        if self.draw.random() < 0.5:
            self.logger().propagate = usual
        else:
            self.logger().disabled = not usual

    def format(self) -> None:
        pattern, style = self.draw.choice(FORMATS)
        kind = self.draw.choice((logging.Formatter, logging.Formatter, Own))
        defaults = self.draw.choice((None, {"user": "nobody"}))
        self.handler().setFormatter(kind(pattern, None, style, defaults=defaults))

    def filter(self) -> None:
        where = self.draw.choice((self.logger(), self.handler()))
        if where.filters and self.draw.random() < 0.6:
            where.filters.clear()
        else:
            least = self.draw.choice(LEVELS)
            by_level = lambda record: record.levelno >= least  # noqa: E731
            where.addFilter(self.draw.choice((logging.Filter("a"), by_level)))

    def disable(self) -> None:
        logging.disable(self.draw.choice((0, 0, 10, 30)))

    def name_level(self) -> None:
        logging.addLevelName(
            self.draw.choice((15, 25, 20)), self.draw.choice(("NEW", "INFO", "X Y"))
        )

    def patch(self) -> None:
        logger, seen = self.logger(), self
        name = self.draw.choice(("handle", "makeRecord", "isEnabledFor", "_log"))
        if name in vars(logger):
            delattr(logger, name)
            return
        original = getattr(logger, name)

        def patched(*args: object, **kwargs: object) -> object:
            seen.patched += 1
            return original(*args, **kwargs)

        setattr(logger, name, patched)
        self.undo.append(lambda: vars(logger).pop(name, None))

    patched = 0

    def factory(self) -> None:
        def make(*args: object, **kwargs: object) -> logging.LogRecord:
            record = logging.LogRecord(*args, **kwargs)  # type: ignore[arg-type]
            record.user = "made"
            return record

        logging.setLogRecordFactory(self.draw.choice((logging.LogRecord, logging.LogRecord, make)))

    def log(self) -> None:
        logger = self.logger()
        name = self.draw.choice(
            ("debug", "info", "warning", "error", "critical", "exception", "log")
        )
        arguments, keywords = _drawn_arguments(self.draw), _drawn_keywords(self.draw)
        if name == "log":
            arguments = (self.draw.choice(LEVELS), *arguments)
        target: object = logger
        if self.draw.random() < 0.1:
            target = logging.LoggerAdapter(logger, {"user": "adapted"})
        inside = self.draw.random() < 0.2
        for _ in range(self.draw.choice((1, 1, 3))):
            try:
                if inside:
                    raise IndexError("around")
                getattr(target, name)(*arguments, **keywords)
            except IndexError:
                show(getattr(target, name), *arguments, **keywords)
            except Exception as error:
                print(f"{type(error).__name__}: {error}")

    def run(self) -> None:
        others = [
            *(self.add_handler, self.remove_handler, self.get_logger, self.set_level, self.toggle),
            *(self.set_level_of_handler, self.format, self.filter, self.disable, self.name_level),
            *(self.patch, self.factory, self.close_handler),
        ]
        for _ in range(120):
            step = self.log if self.draw.random() < 0.7 else self.draw.choice(others)
            step()
        print(self.seed, self.patched, [str(logger) for logger in self.loggers])
        self.end()

    def end(self) -> None:
        for undo in self.undo:
            undo()
        logging.setLogRecordFactory(logging.LogRecord)
        logging.disable(0)
        for level, name in ((20, "INFO"), (15, "Level 15"), (25, "Level 25")):
            logging.addLevelName(level, name)
        for name in NAMES:
            logger = logging.getLogger(name)
            logger.filters.clear()
            logger.handlers.clear()
            logger.setLevel(30 if not name else 0)
            logger.disabled, logger.propagate = False, True
        for handler in self.handlers:
            handler.close()


def _programs(side: Side, seeds: range) -> None:
    for seed in seeds:
        Program(side, seed).run()


def forty_programs(side: Side) -> None:
    _programs(side, range(40))


def forty_others(side: Side) -> None:
    _programs(side, range(1000, 1040))
