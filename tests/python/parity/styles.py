"""Styles of formatters, their templates and their defaults, and what can be changed about them."""

from __future__ import annotations

import logging
import time

from harness import WARM, Side

PATTERNS = {
    "%": "%(levelname)s %(message)s %(user)s|",
    "{": "{levelname} {message} {user}|",
    "$": "$levelname $message $user|",
}


def places_in_braces(side: Side) -> None:
    logger = side.logger()
    specs = (
        *("", ":", ":s", ":>30", ":<30", ":^31|", ":*^30.4", ":日>30", ":😀<9", ":.3", ":030"),
        *(
            "!s",
            "!s:>30",
            "!a",
            "!a:*<30",
            "!r",
            "!r:.5",
            ":=30",
            ":+",
            ":#",
            ":,",
            ":d",
            ":q",
            ":z",
        ),
        *(
            ":5d",
            ":05",
            ":<05",
            ":+d",
            ": d",
            ":,",
            ":_",
            ":08,",
            ":09,.2f",
            ":#x",
            ":#010b",
            ":_b",
        ),
        *(
            ":,b",
            ":e",
            ":.3g",
            ":.2%",
            ":z.0f",
            ":.2d",
            ":n",
            ":c",
            ":1001",
            ":.",
            ":é",
            "!x",
            ":{lineno}",
        ),
        *(".real", "[0]", ".__class__.__name__", ":%Y", ": ", ":١", ":0=9", ":-^9"),  # noqa: RUF001
    )
    for name in ("message", "levelno", "lineno", "taskName", "funcName", "nothing"):
        for spec in specs:
            try:
                formatter = logging.Formatter(f"<{{{name}{spec}}}>", style="{", validate=False)
            except ValueError as error:
                print(name, spec, error)
                continue
            logger.handlers[0].setFormatter(formatter)
            for _ in range(2):
                logger.info("größe")


def braces_and_dollars_of_any_kind(side: Side) -> None:
    logger = side.logger()
    for style, patterns in (
        (
            "{",
            [
                *(
                    "",
                    "{message",
                    "message}",
                    "{",
                    "}",
                    "{{",
                    "}}",
                    "{{{message}}}",
                    "{{message}}",
                    "{}",
                ),
                *(
                    "{0}",
                    "{:>5}",
                    "{message:{{}}}",
                    "{message:}}",
                    "{message!}",
                    "{message!s",
                    "a\0{name}",
                ),
                *(
                    "{ message}",
                    "{message }",
                    "{Message}",
                    "{größe}",
                    "%(message)s",
                    "$message {message}",
                ),
                *(
                    "{message[{]}",
                    "{message}\n{message}",
                    "{msg}",
                    "{args}",
                    "{exc_info}",
                    "{getMessage}",
                ),
                *("{__class__}", "{levelname!s:>8}{message:.0}|", "{message:s>10}"),
            ],
        ),
        (
            "$",
            [
                *(
                    "",
                    "$",
                    "$$",
                    "$message",
                    "${message}",
                    "$messages",
                    "${ message}",
                    "${message",
                    "$1",
                ),
                *(
                    "$message$",
                    "$$message",
                    "$$$message",
                    "$Message",
                    "$_",
                    "$größe",
                    "${größe}",
                    "$m\u0131",
                ),
                *(
                    "%(message)s $name",
                    "{message} $name",
                    "$name.x",
                    "${name}x",
                    "a\0$name",
                    "$\u017fx",
                ),
                *(
                    "$msg $args",
                    "$exc_info",
                    "$stack_info",
                    "$message\n",
                    "$taskName",
                    "$levelno$lineno",
                ),
            ],
        ),
        (
            "%",
            [
                "",
                "%%",
                "%",
                "%(message)s%",
                "%(message)s%(",
                "%%(message)s",
                "nothing",
                "%(getMessage)s",
            ],
        ),
    ):
        for pattern in patterns:
            for validate in (True, False):
                try:
                    formatter = logging.Formatter(pattern, style=style, validate=validate)
                except ValueError as error:
                    print(repr(pattern), error)
                    continue
                logger.handlers[0].setFormatter(formatter)
                for n in range(2):
                    logger.info("message %d", n)


def patterns_emptied(side: Side) -> None:
    logger = side.logger()
    for style, pattern in PATTERNS.items():
        formatter = logging.Formatter(pattern.replace("user", "name"), style=style)
        logger.handlers[0].setFormatter(formatter)
        logger.info("as made")
        formatter._style._fmt = ""
        if style == "$":
            formatter._style._tpl.template = ""
        for n in range(WARM):
            logger.info("%d", n)


def settings_of_the_class_are_gone(side: Side) -> None:
    logger = side.logger()
    for name in ("converter", "default_time_format", "default_msec_format"):
        found = getattr(logging.Formatter, name)
        for datefmt in ("%Y", None):
            logger.handlers[0].setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt))
            delattr(logging.Formatter, name)
            for n in range(WARM if datefmt else 1):
                logger.info("without %s %d", name, n)
            setattr(logging.Formatter, name, found)
            logger.handlers[0].setFormatter(logging.Formatter("%(message)s"))
            for n in range(WARM):
                logger.info("with %s %d", name, n)


def times_of_every_style(side: Side) -> None:
    logger = side.logger()
    for style, pattern in (
        ("{", "{asctime:>20}|{asctime!a}|{message}"),
        ("$", "$asctime ${asctime} $message"),
        ("$", "$$asctime $message"),
        ("{", "{{asctime}} {message}"),
        ("%", "%%(asctime)s %(message)s"),
    ):
        for datefmt in ("%Y-%m", "%Z", "%Q", "%", "\0", "\ud800", "é"):
            logger.handlers[0].setFormatter(logging.Formatter(pattern, datefmt, style))
            for n in range(2):
                logger.info("%d", n)


def _values() -> tuple[object, ...]:
    class Odd:
        def __str__(self) -> str:
            return "odd"

        def __format__(self, spec: str) -> str:
            return f"odd as {spec}"

        __repr__ = __str__

    class Text(str):  # noqa: SLOT000 - as users write them
        def __str__(self) -> str:
            return "own text"

    class Hostile:
        def __str__(self) -> str:
            raise ValueError("no text")

        def __repr__(self) -> str:
            return "hostile"

    return (
        *(
            None,
            True,
            5,
            -5,
            2**63,
            10**30,
            1.5,
            float("nan"),
            -0.0,
            "x",
            "é",
            "\ud800",
            b"b",
            [1],
            (1,),
        ),
        *({}, Odd(), Text("t"), Hostile(), 1j),
    )


def defaults_of_any_type(side: Side) -> None:
    logger = side.logger()
    values = _values()
    for style, pattern in PATTERNS.items():
        for value in values:
            defaults = {"user": value, "levelname": "hidden", "message": "hidden"}
            formatter = logging.Formatter(pattern, style=style, defaults=defaults)
            logger.handlers[0].setFormatter(formatter)
            for n in range(2):
                logger.info("%d", n)
            logger.info("with", extra={"user": "me"})
    for place in ("%(user)d", "%(user)5.1f", "%(user)x", "%(user)r", "%(user)-9s|", "%(user)c"):
        for value in values:
            formatter = logging.Formatter(f"<{place}>", defaults={"user": value})
            logger.handlers[0].setFormatter(formatter)
            for n in range(2):
                logger.info("%d", n)
    for place in ("{user:d}", "{user:>9}", "{user:,.1f}", "{user!s:>9}", "{user!a}", "{user!r:.3}"):
        for value in values:
            formatter = logging.Formatter(f"<{place}>", style="{", defaults={"user": value})
            logger.handlers[0].setFormatter(formatter)
            for n in range(2):
                logger.info("%d", n)


def defaults_that_are_no_plain_dict(side: Side) -> None:
    from collections import ChainMap, OrderedDict, UserDict

    logger = side.logger()
    for style, pattern in PATTERNS.items():
        for defaults in (
            *(
                OrderedDict(user=1),
                ChainMap({"user": 1}),
                UserDict(user=1),
                [("user", 1)],
                "user",
                0,
                (),
            ),
            *({"user": 1, 5: 6}, {b"user": 1, "user": 2}, {"user": 1, "\ud800": 2}, {None: 1}),
        ):
            formatter = logging.Formatter(pattern, style=style, defaults=defaults)
            logger.handlers[0].setFormatter(formatter)
            for n in range(2):
                logger.info("%d", n)


def defaults_that_change(side: Side) -> None:
    logger = side.logger()
    for style, pattern in PATTERNS.items():
        kept = {"user": 0.0}
        formatter = logging.Formatter(pattern, style=style, defaults=kept)
        logger.handlers[0].setFormatter(formatter)

        def steps(kept: dict[str, object], formatter: logging.Formatter) -> object:
            yield "as made"
            kept["user"] = -0.0
            yield "a sign"
            kept["user"] = 0
            yield "an integer"
            kept["user"] = False
            yield "a truth"
            kept["other"] = "unrelated"
            yield "one more"
            del kept["user"]
            yield "gone"
            kept.update(user="back")
            yield "back"
            kept["user"] = held = ["list"]
            yield "a list"
            held.append("longer")
            yield "a list that changed"
            kept.clear()
            yield "none left"
            formatter._style._defaults = {"user": "another dictionary"}
            kept["user"] = "nobody looks here"
            yield "another dictionary"
            formatter._style._defaults = None
            yield "none at all"
            del formatter._style._defaults
            yield "no attribute"

        for label in steps(kept, formatter):
            for n in range(WARM):
                logger.info(label + " %d", n)


def templates_changed_in_place(side: Side) -> None:
    import string

    logger = side.logger()
    formatter = logging.Formatter("$levelname $message", style="$")
    logger.handlers[0].setFormatter(formatter)
    style = formatter._style
    substitute, pattern = string.Template.substitute, string.Template.pattern

    def steps() -> object:
        import re

        yield "as made"
        style._fmt = "nobody reads $message"
        yield "the style's text"
        style._fmt = "$levelname $message"
        yield "back"
        style._tpl.template = "template $message"
        yield "the template's text"
        style._tpl = string.Template("another $message")
        yield "another template"
        style._fmt = style._tpl.template
        yield "and its text"
        style._tpl = type("Mine", (string.Template,), {"delimiter": "%"})("mine %message")
        yield "a template of the user's"
        style._tpl = string.Template("another $message")
        yield "another template again"
        style._tpl.substitute = lambda **values: "patched"
        yield "a method of the template"
        del style._tpl.substitute
        yield "without"
        string.Template.substitute = lambda self, **values: "patched " + substitute(self, **values)
        yield "a method of the class"
        string.Template.substitute = substitute
        yield "back"
        string.Template.pattern = re.compile(
            pattern.pattern.replace("$", "#"), re.VERBOSE | re.IGNORECASE
        )
        yield "the pattern of the class"
        string.Template.pattern = pattern
        yield "back"
        string.Template.pattern = re.compile(
            pattern.pattern.replace("[_a-z]", "[a-l]"), re.VERBOSE | re.IGNORECASE
        )
        yield "names of some letters"
        string.Template.pattern = pattern
        yield "back"
        string.Template.delimiter = "!"
        yield "a delimiter that nobody reads"
        string.Template.delimiter = "$"
        yield "back"

    for label in steps():
        for n in range(WARM):
            logger.info(label + " %d $$ $message", n)


def styles_are_patched(side: Side) -> None:
    logger = side.logger()
    classes = {
        "%": logging.PercentStyle,
        "{": logging.StrFormatStyle,
        "$": logging.StringTemplateStyle,
    }
    for style, cls in classes.items():
        pattern = PATTERNS[style].replace("user", "asctime")
        formatter = logging.Formatter(pattern, "%Y", style)
        logger.handlers[0].setFormatter(formatter)

        def run(label: str) -> None:
            for n in range(WARM):
                logger.info(label + " %d", n)

        run("as found")
        for name in ("_format", "format", "usesTime"):
            own, found = name in vars(cls), getattr(cls, name)
            replacement = {
                "_format": lambda self, record: "patched " + record.getMessage(),
                "format": lambda self, record: "patched " + record.getMessage(),
                "usesTime": lambda self: False,
            }[name]
            setattr(cls, name, replacement)
            run(f"patched {name}")
            if own:
                setattr(cls, name, found)
            else:
                delattr(cls, name)
            run(f"{name} back")
        own, found = "asctime_search" in vars(cls), cls.asctime_search
        cls.asctime_search = "no such text"
        run("asctime_search")
        if own:
            cls.asctime_search = found
        else:
            del cls.asctime_search
        run("asctime_search back")
        formatter._style.asctime_search = "no such text"
        run("asctime_search of the instance")
    logging.StrFormatStyle._format, kept = (
        logging.PercentStyle._format,
        logging.StrFormatStyle._format,
    )
    logger.handlers[0].setFormatter(logging.Formatter("{message} %(message)s", style="{"))
    run("the method of another style")
    logging.StrFormatStyle._format = kept
    run("back")


def times_of_one_formatter(side: Side) -> None:
    logger = side.logger()
    for style, pattern in PATTERNS.items():
        formatter = logging.Formatter(pattern.replace("user", "asctime"), style=style)
        logger.handlers[0].setFormatter(formatter)

        def steps(formatter: logging.Formatter) -> object:
            formatter.default_time_format = "%Y"
            formatter.default_msec_format = None
            yield "formats of its own"
            formatter.default_time_format = "%Z"
            formatter.converter = time.gmtime
            yield "a converter of its own"
            formatter.default_msec_format = ""
            yield "no milliseconds"
            formatter.default_msec_format = "%s%.0s"
            yield "a format without them"
            formatter.default_msec_format = "%d"
            yield "a format that fails"
            formatter.default_msec_format = 5
            yield "no text"
            formatter.default_msec_format = None
            formatter.default_time_format = None
            yield "nothing at all"
            formatter.datefmt = "%z"
            yield "a format of dates"
            formatter.converter = time.localtime
            yield "local again"
            formatter.converter = None
            yield "a converter that fails"
            formatter.converter = lambda seconds: (2000, 1, 1, 0, 0, 0, 5, 1, 0)
            formatter.datefmt = "%Y"
            yield "a converter of the user's"
            del formatter.converter
            yield "back"
            del formatter.datefmt
            yield "no attribute"

        for label in steps(formatter):
            for n in range(WARM):
                logger.info(label + " %d", n)


def formatters_that_end_while_a_message_is_made(side: Side) -> None:
    logger = side.logger(fmt="%(message)s")
    other = side.logger("other", fmt="%(message)s")
    other.handlers[0].close()
    other.handlers[:] = [side.file("%(message)s", "other.log")]
    old = []
    for n in range(WARM):
        old.append(logging.Formatter(f"{n} %(message)s"))
        other.handlers[0].setFormatter(old[-1])
        other.info("x")
    other.handlers[0].setFormatter(logging.Formatter("%(message)s"))
    other.info("x")

    class Ends:
        def __str__(self) -> str:
            other.info("from within")
            del old[-1:]
            logging.getLogger("new").propagate = False
            return "ended"

    for _ in range(WARM):
        logger.info("warm")
        logger.info("%s", Ends())
