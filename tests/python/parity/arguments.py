"""Messages and arguments of every kind."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import uuid

from harness import WARM, Side


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "my str"

    def __mod__(self, other: object) -> str:
        return f"my mod {other!r}"


class Number(int):
    def __str__(self) -> str:
        return "my int"

    __repr__ = __str__


class Real(float):
    def __repr__(self) -> str:
        return "my float"


class Colour(enum.IntEnum):
    RED = 1


VALUES = [
    *(0, 1, -1, 7, 255, -(2**63), 2**63 - 1, 2**63, -(2**63) - 1, 10**40, True, False, None),
    *(0.0, -0.0, 0.1, 1.5, -2.5, 1e16, 1e-7, 123456789.123456789, 1e300, 5e-324),
    *(float("inf"), float("-inf"), float("nan")),
    *("", "text", "naïve €", "日本語", "🎉", "a\nb", "tab\t", "nul\0", "\x1b[31m", "%s", "'\"\\"),
    *(Text("t"), Number(5), Real(1.5), Colour.RED, b"bytes", bytearray(b"ba"), 1j),
    *([1, "a"], (), (1,), (1, 2), {}, {"k": "v"}, {1: 2}, {1}, range(3), ..., int),
    *(decimal.Decimal("1.10"), fractions.Fraction(1, 3), uuid.UUID(int=5)),
    *(datetime.datetime(2026, 1, 2, 3, 4, 5, 6), datetime.timedelta(1)),
]
CONVERSIONS = [
    *(
        "%s",
        "%r",
        "%a",
        "%d",
        "%i",
        "%u",
        "%o",
        "%x",
        "%X",
        "%e",
        "%E",
        "%f",
        "%F",
        "%g",
        "%G",
        "%c",
    ),
    *("%5s", "%-5s|", "%.2s", "%5.1s|", "%05d", "%+d", "% d", "%-8d|", "%.3d", "%8.3f", "%+.0f"),
    *("%#x", "%#o", "%#.0f", "%ld", "%hd", "%Ld", "%10r|", "%.1r", "%0+8.2f", "%%", "%", "%y"),
    *("%(k)s", "%(missing)s", "%()s", "%.20f", "%.0e", "%#g", "%5c|", "%5%", "%s and", "%.*f"),
]


def every_value_under_every_conversion(side: Side) -> None:
    import logging

    logging.raiseExceptions = False
    logger = side.logger(fmt="%(message)s")
    for conversion in CONVERSIONS:
        message = "<" + conversion + ">"
        for value in VALUES:
            logger.info(message, value)
            logger.info(message, value)


def wrong_arguments_are_reported(side: Side) -> None:
    logger = side.logger()
    for _ in range(WARM):
        logger.info("too few %s %s", 1)
        logger.info("too many %s", 1, 2)
        logger.info("none wanted", 1)
        logger.info("wrong type %d", "x")
        logger.info("%(a)s", 1)
        logger.info("%(a)s", {"b": 1})
        logger.info("half %", 1)
        logger.info("unknown %y", 1)
        logger.info(b"bytes %s", 1)
        logger.info("fine %s", 1)


def percent_without_arguments(side: Side) -> None:
    logger = side.logger(fmt="%(message)s")
    for _ in range(WARM):
        logger.info("100% of %s and %%")
        logger.info("with one: %s and %%", 1)
        logger.info("%(named)s")
        logger.info("empty tuple %s", ())
        logger.info("empty dict %s", {})
        logger.info("dict %s", {"a": 1})
        logger.info("two dicts %s %s", {"a": 1}, {"b": 2})


def mappings_as_the_only_argument(side: Side) -> None:
    from collections import ChainMap, OrderedDict, UserDict, defaultdict
    from types import MappingProxyType

    logger = side.logger(fmt="%(message)s")
    kinds = (dict, OrderedDict, UserDict, ChainMap, MappingProxyType, lambda d: defaultdict(int, d))
    for kind in kinds:
        for _ in range(WARM):
            logger.info("%(a)s and %(b)05d", kind({"a": "x", "b": 7}))
            logger.info("%s", kind({}))
            logger.info("literally")


def messages_that_are_no_text(side: Side) -> None:
    logger = side.logger(fmt="%(message)s")

    class Message:
        def __init__(self) -> None:
            self.count = 0

        def __str__(self) -> str:
            self.count += 1
            return f"message number {self.count} with %s"

    message = Message()
    for value in (1, None, 1.5, b"b", [1], {"a": 1}, ("t",), ValueError("error"), Text("own")):
        for _ in range(WARM):
            logger.info(value)
    logger.info(message)
    logger.info(message, "argument")
    logger.info(Text("own %s"), 1)
    logger.info(5, 1)


def str_that_raises(side: Side) -> None:
    logger = side.logger()

    class Bad:
        def __str__(self) -> str:
            raise ValueError("no text here")

        __repr__ = __str__

    class Wrong:
        def __str__(self) -> int:  # type: ignore[override]
            return 5

    for _ in range(WARM):
        logger.info("bad %s", Wrong())
        logger.info("after")
    logger.info("as text: %s", Bad.__name__)
    import contextlib
    import io

    # The report itself cannot show such an argument, and says so.
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        logger.info("bad %s", Bad())
        logger.info(Bad())
    print("no text here" in said.getvalue(), said.getvalue().count("Logging error"))


def str_that_raises_what_is_no_exception(side: Side) -> None:
    logger = side.logger()

    class Stop(BaseException):
        pass

    class Bad:
        def __init__(self, error: type[BaseException]) -> None:
            self.error = error

        def __str__(self) -> str:
            raise self.error("through")

    for error in (Stop, KeyboardInterrupt, SystemExit, RecursionError, GeneratorExit):
        for _ in range(WARM):
            try:
                logger.info("x %s", Bad(error))
            except BaseException as caught:
                print(type(caught).__name__, caught)
    logger.info("still there")


def str_that_logs(side: Side) -> None:
    logger = side.logger()

    class Chatty:
        def __init__(self, depth: int) -> None:
            self.depth = depth

        def __str__(self) -> str:
            if self.depth:
                logger.info("inside %s", Chatty(self.depth - 1))
            return f"chatty {self.depth}"

    for n in range(WARM):
        logger.info("outer %s %d", Chatty(3), n)


def str_that_changes_where_it_goes(side: Side) -> None:
    logger = side.logger()
    other = side.file("other %(message)s", "other.log")

    class Removes:
        def __str__(self) -> str:
            logger.disabled = True
            return "removes"

    for n in range(WARM):
        logger.info("disabled while it was said: %s %d", Removes(), n)
        logger.info("not heard")
        logger.disabled = False
    logger.addHandler(other)
    logger.info("both")


def arguments_that_change_later(side: Side) -> None:
    logger = side.logger(fmt="%(message)s")
    items, mapping = [], {"n": 0}
    for n in range(20):
        items.append(n)
        mapping["n"] = n
        logger.info("%s %s", items, "x")
        logger.info("%(n)d", mapping)
        logger.info("%r", mapping)
        logger.info(items)


def many_arguments(side: Side) -> None:
    logger = side.logger(fmt="%(message)s")
    for count in (1, 2, 7, 14, 15, 16, 17, 20, 100):
        for n in range(WARM):
            logger.info(" ".join(["%s"] * count), *range(n, n + count))


def long_messages(side: Side) -> None:
    logger = side.logger(fmt="%(message)s")
    for size in (1000, 65_535, 65_536, 100_000, 250_000):
        for _ in range(WARM):
            logger.info("x" * size)
            logger.info("%s|%s", "y" * size, "ü" * size)
            logger.info("z" * size + "%d", size)


def messages_of_several_megabytes(side: Side) -> None:
    logger = side.logger(fmt="%(message)s")
    for size in (1_000_000, 1_100_000, 5_000_000):
        logger.info("x" * size)
        logger.info("after %d", size)


def control_and_other_characters(side: Side) -> None:
    logger = side.logger(fmt="%(message)s|%(name)s")
    odd = logging_name = "näme\n\0%s"
    import logging

    named = logging.getLogger(logging_name)
    named.setLevel(1)
    named.addHandler(side.file("%(name)s %(message)s", "named.log"))
    for text in (
        "a\nb",
        "a\r\nb",
        "nul\0",
        "\x1b[0m",
        "\u2028",
        "\ufeff",
        "é",
        "🎉",
        "\x7f\x85",
        odd,
    ):
        for _ in range(WARM):
            logger.info(text)
            logger.info("%s", text)
            logger.info("%r %a", text, text)
            named.info(text)


def lone_surrogates(side: Side) -> None:
    logger = side.logger(fmt="%(message)s")
    replacing = side.file("%(message)s", "replaced.log", errors="backslashreplace")
    for _ in range(WARM):
        logger.info("\udc80 alone")
        logger.info("%s", "\udc80 alone")
        logger.info("after")
    logger.addHandler(replacing)
    for _ in range(WARM):
        logger.info("\udc80 %s", "\udcff")
        logger.info("after")
    logger.removeHandler(logger.handlers[0])
    for _ in range(WARM):
        logger.info("\udc80 %s é", "\udcff")


def templates_made_at_run_time(side: Side) -> None:
    logger = side.logger(fmt="%(message)s")
    for n in range(3000):
        logger.info("template " + str(n % 1500) + " %d", n)
        logger.info(f"plain {n}")


def texts_that_log_beside_lone_surrogates(side: Side) -> None:
    logger = side.logger(fmt="%(levelname)s")
    inner = side.logger("inner", fmt="%(message)s")
    inner.handlers[0].close()
    inner.handlers[:] = [side.file("%(message)s", "inner.log")]

    class Logs:
        def __str__(self) -> str:
            inner.info("from within")
            return "logged"

    for _ in range(WARM):
        logger.info("%s \ud800", Logs())
        logger.info("%s %s", Logs(), "\udfff")
        logger.info("%s", Logs())
