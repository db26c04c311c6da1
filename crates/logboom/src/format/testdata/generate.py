"""Writes what CPython gives for many formats, for the tests of the formatters to replay.

    python generate.py percent > percent.tsv        (any version from 3.10 on gives the same)
    python generate.py spec    > format_spec.tsv    (3.11 and newer, which know `z`)
    python generate.py styles  > pattern_styles.tsv (3.13 and newer)
    python generate.py dates   > dates.tsv          (any version; needs the GNU C library)
    python generate.py pattern > pattern_float.tsv  (3.10 to 3.12)
    python generate.py pattern > pattern_ns.tsv     (3.13 and newer)

One case a line, columns divided by tabs; backslash, tab, newline and return are escaped. A value is
a letter for its type and its text; floats are given by their bits. A result begins with `=`, or
with `!` and the name of the exception. Random cases are drawn from a fixed seed.
"""

import itertools
import logging
import os
import random
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def escape(text):
    for char, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(char, escaped)
    return text


def value(x):
    if x is None:
        return "n"
    if isinstance(x, bool):
        return f"b{x:d}"
    if isinstance(x, int):
        return f"i{x}"
    if isinstance(x, float):
        return "f" + struct.pack(">d", x).hex()
    return "s" + x


def emit(*columns):
    print("\t".join(map(escape, columns)))


def result(make):
    try:
        return "=" + make()
    except Exception as error:
        return "!" + type(error).__name__


# --- percent -------------------------------------------------------------------------------------

INTS = [0, 1, -1, 7, 42, -255, 10**6, 2**31, -(2**63), 2**63, 2**64 - 1, 2**64, -(10**30)]
FLOATS = [
    0.0,
    -0.0,
    1.0,
    -1.5,
    0.1,
    2.5,
    3.5,
    0.5,
    1e-4,
    9.9999e-5,
    1e-5,
    123456.0,
    999999.5,
    1234567.0,
    1e15,
    1e16,
    9999999999999998.0,
    123456789012345680.0,
    1e22,
    1e23,
    5e-324,
    2.2250738585072014e-308,
    1.7976931348623157e308,
    -1e100,
    0.3,
    2 / 3,
    1e-10,
    float("inf"),
    float("-inf"),
    float("nan"),
    9223372036854775807.0,
    -9.3e18,
    8.999e18,
    1e21,
    0.045,
    1.005,
    100.0,
    99999.95,
    4.35,
    -0.5,
]
TEXTS = [
    "",
    "a",
    "hello",
    "it's",
    'say "hi"',
    'it\'s "both"',
    "tab\tnew\nret\rback\\",
    "\x00\x1b\x7f",
    "größe",
    "日本語テキスト",
    "e\u0301",
    "\u200b\u2028",
    "\U0001f600!",
    "\x85\xa0",
    "100%",
    "%s",
]
FLAGS = ["", "-", "0", "+", " ", "#", "-0", "0+", "+ ", "#0", "-#+0 ", "#0 "]
SIZES = ["", "1", "3", "12", ".0", ".1", ".3", ".12", "8.3", "25.20", "12.", "."]
LETTERS = "sradiuxXoeEfFgGc"


def percent():
    rng = random.Random(1)
    sample = [
        None,
        True,
        False,
        42,
        -7,
        2**64,
        0,
        1.5,
        -0.0,
        float("nan"),
        float("-inf"),
        "größe",
        "it's",
    ]
    # each flag and size with each letter, on a few values each
    for flags, size, letter in itertools.product(FLAGS, SIZES, LETTERS):
        for x in rng.sample(sample, 2 if letter in "sdxfg" else 1):
            case("%" + flags + size + letter, (x,))
    # each value with each letter, bare and with some decoration
    for x in [*INTS, *FLOATS, *TEXTS, None, True, False]:
        for letter in LETTERS:
            case("%" + letter, (x,))
            case("%" + rng.choice(FLAGS) + rng.choice(SIZES) + letter, (x,))
    # floats over the whole range
    for _ in range(500):
        x = struct.unpack(">d", rng.randbytes(8))[0]
        case("%s", (x,))
        case("%." + str(rng.randrange(30)) + rng.choice("efgEFG"), (x,))
    for _ in range(400):
        x = round(rng.uniform(-1e6, 1e6), rng.randrange(8))
        case("%r", (x,))
        case("%" + rng.choice(FLAGS) + rng.choice(SIZES) + rng.choice("efgd"), (x,))
    for exponent in range(-1074, 1024, 7):
        case("%s", (2.0**exponent,))
        case("%.17g", (10.0 ** (exponent / 3.5),))
    # whole templates
    for template, args in [
        ("user %s did %d things", ("ann", 3)),
        ("%d%%", (50,)),
        ("%% %s %%", ("x",)),
        ("%s", ()),
        ("no places", ("x",)),
        ("%s", ("a", "b")),
        ("%s %s", ("a",)),
        ("%", ("a",)),
        ("abc %", ("a",)),
        ("%-", ("a",)),
        ("%q", ("a",)),
        ("%5%", ("a",)),
        ("%ld %hd %Ld", (1, 2, 3)),
        ("%lld", (1,)),
        ("%(a)s", ("a",)),
        ("%*d", (5, 3)),
        ("%.*f", (1, 2.5)),
        ("%1001d", (1,)),
        ("%.1001f", (1.0,)),
        ("größe %s: %5.1f €", ("日本", 3.14159)),
        ("%s%s%s%s", (None, True, 1.0, "x")),
        ("%.", (1,)),
        ("%d", ("3",)),
        ("%x", (1.0,)),
        ("%c%c", (65, "ß")),
        ("%c", ("ab",)),
        ("%c", (-1,)),
        ("%c", (0x110000,)),
        ("%c", (0x10FFFF,)),
        ("%c", (1.0,)),
        ("%c", (None,)),
        ("%d", (None,)),
        ("%999d|", (1,)),
        ("%.999f", (0.1,)),
        ("%.1000e", (5e-324,)),
        ("%s\n", ("a\nb",)),
        ("%é", (1,)),
        ("%D", (1,)),
        ("%S", (1,)),
        ("%\n", (1,)),
        ("%0-5d|", (3,)),
        ("%--5d|", (3,)),
    ]:
        case(template, args)


def case(template, args):
    emit(template, result(lambda: template % args), *map(value, args))


# --- spec ----------------------------------------------------------------------------------------

SPEC_VALUES = [
    *(None, True, False, 0, 7, -7, 255, 1234, -1234567, 2**63, 2**64 - 1, -(10**30), 10**21),
    *(
        0.0,
        -0.0,
        1.0,
        -1.5,
        0.1,
        2.5,
        1e-5,
        1234.5678,
        -0.0004,
        1e16,
        1e15,
        123456789.0,
        1e300,
        5e-324,
    ),
    *(
        float("nan"),
        float("inf"),
        float("-inf"),
        "",
        "a",
        "größe",
        "日本語テキスト",
        "-12",
        "\U0001f600!",
    ),
]
ALIGNS = ["", "<", ">", "^", "=", "*<", "0>", "é^", "日=", "\U0001f600>", "0=", "<<", "==", " ^"]


def spec():
    rng = random.Random(4)
    fixed = [
        *(
            "",
            "<",
            "s",
            "d",
            "0",
            "5",
            "05",
            "<05",
            "x<05",
            "z",
            "z.0f",
            "-z.1f",
            "#",
            "#.0f",
            "#g",
            "#e",
        ),
        *(
            "#x",
            "#X",
            "#b",
            "#o",
            "#08x",
            "#_b",
            "_x",
            ",x",
            "_X",
            ",d",
            "_",
            ",",
            ",_",
            "_,",
            "n",
            "c",
        ),
        *(
            ".3",
            ".0",
            ".",
            ".3s",
            ".3d",
            "10.3f",
            "010.3f",
            "+.2%",
            "%",
            ",.2%",
            "=10",
            "<=10",
            "e",
            "E",
        ),
        *(
            "G",
            "F",
            "010,",
            "08,",
            "09,",
            "012,.2f",
            "015,e",
            "1001",
            ".1001f",
            "é",
            "q",
            "1 ",
            " 5",
            "--5",
        ),
        *(
            "999",
            "012_x",
            "+012,d",
            " =+9",
            "z<4",
            "+",
            "-",
            " ",
            "0^8",
            "^08",
            "#012_b",
            "#.3",
            "#.0",
            "#.1",
        ),
        *(
            "010",
            "0=10,",
            "*=10,",
            ".17g",
            ".30f",
            "020.3",
            ",.3",
            "_.1g",
            "#,",
            "z,",
            "zd",
            "\u0661",
        ),
    ]
    for text in fixed:
        for x in rng.sample(SPEC_VALUES, 6):
            spec_case(text, x)
    for x in SPEC_VALUES:
        for letter in "sdbeEfFgGoxX%":
            spec_case(letter, x) if rng.random() < 0.5 else None
    for _ in range(1200):
        text = "".join(
            [
                rng.choice(ALIGNS),
                rng.choice(["", "", "+", "-", " "]),
                rng.choice(["", "", "", "z"]),
                rng.choice(["", "", "#"]),
                rng.choice(["", "", "0"]),
                rng.choice(["", "1", "7", "8", "9", "10", "11", "12", "24"]),
                rng.choice(["", "", "", ",", "_"]),
                rng.choice(["", "", ".0", ".1", ".4", ".12"]),
                rng.choice(["", "", "s", *"dbeEfFgGoxX%"]),
            ]
        )
        # Of what is refused, a little is enough.
        values = [
            x for x in SPEC_VALUES if result(lambda x=x, text=text: format(x, text))[0] == "="
        ]
        if values:
            spec_case(text, rng.choice(values))
        elif rng.random() < 0.2:
            spec_case(text, rng.choice(SPEC_VALUES))


def spec_case(text, x):
    emit(text, result(lambda: format(x, text)), value(x))


# --- dates ---------------------------------------------------------------------------------------

ZONES = [
    "UTC0",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "EST5EDT,M3.2.0,M11.1.0",
    "<+0545>-5:45",
    "<-03>3",
    "NZST-12NZDT,M9.5.0,M4.1.0/3",
    "IST-1GMT0,M10.5.0,M3.5.0/1",
    "<-0330>3:30<-0230>,M3.2.0,M11.1.0",
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Casablanca",
]
DATE_FORMATS = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S%z",
    "%a %A %b %B %h %d %e %j %p %I %y %C %Z",
    "%D %F %R %T %n%t%%",
    "%u %w %U %W %V %G %g",
    "ü%dé %M%%S",
]


def dates():
    os.environ["TZ"] = "UTC0"
    time.tzset()
    os.environ["TZDIR"] = os.path.join(HERE, "zoneinfo")
    rng = random.Random(2)
    random_moments = [rng.randrange(0, 2**32) for _ in range(12)]
    year_ends = [  # around New Year of years that begin on each day of the week
        int(time.mktime((year, 1, day, 0, 30, 0, 0, 0, 0)))
        for year in (1970, 1999, 2000, 2001, 2004, 2005, 2010, 2016, 2024, 2026, 2100)
        for day in (0, 1, 2, 4)
    ]
    leap_days = [951_782_400, 1_709_164_800, 1_709_251_199, 4_107_456_000, 4_107_542_400]
    for zone in ZONES:
        os.environ["TZ"] = zone
        time.tzset()
        moments = [0, 1, 86_399, 2**31 - 1, 2**31, *random_moments, *leap_days, *edges()]
        if zone in ("UTC0", "Europe/Berlin"):
            moments += year_ends
        for second in moments:
            for format in rng.sample(DATE_FORMATS, 2):
                emit(zone, str(second), format, "=" + time.strftime(format, time.localtime(second)))
    for second in random_moments + year_ends + [-1, -86_400, -5_000_000_000, 9_000_000_000]:
        for format in DATE_FORMATS:
            emit("-", str(second), format, "=" + time.strftime(format, time.gmtime(second)))


def edges():
    """The seconds around the changes of the offset, in some years, and within the hours they affect."""
    for year in (1995, 2018, 2024, 2050):
        start = int(time.mktime((year, 1, 1, 0, 0, 0, 0, 0, 0)))
        offset = time.localtime(start).tm_gmtoff
        for hour in range(start, start + 366 * 86_400, 1800):
            now = time.localtime(hour).tm_gmtoff
            if now != offset:
                offset = now
                low, high = hour - 1800, hour
                while low + 1 < high:
                    middle = (low + high) // 2
                    low, high = (
                        (middle, high) if time.localtime(middle).tm_gmtoff != now else (low, middle)
                    )
                yield from (high - 3601, high - 1, high, high + 1, high + 3599, high + 3600)


# --- pattern -------------------------------------------------------------------------------------

PATTERNS = [
    "%(levelname)s - %(asctime)s - %(name)s - %(module)s - %(message)s",
    "%(levelname)-8s - %(asctime)s - %(name)s - %(module)s:%(lineno)5d [%(threadName)s] %(message)s",
    "%(levelname)s:%(name)s:%(message)s",
    "%(message)s",
    "",
    "100%% %(message)s",
    "%(asctime)s",
    "%(asctime)30s|%(asctime)-30s|%(asctime).10s|%(asctime)a",
    "%(name)-20.20s|%(name)20s|%(name).3s",
    "%(message)25s|%(message)-25s|%(message).4s|%(message)8.2s|%(message)a",
    "%(levelno)03d %(levelno)s",
    "%(msecs)03d %(msecs)s %(msecs)f %(msecs)d %(msecs).1f %(msecs)e",
    "%(created)f %(created)s %(created)d",
    "%(created).3f %(created)r %(created)g",
    "%(relativeCreated)d %(relativeCreated)f %(relativeCreated)s",
    "%(pathname)s %(filename)s %(funcName)s %(lineno)d %(lineno)x %(lineno)#o %(lineno)f",
    "%(thread)d %(thread)s %(thread)x %(process)d %(process)06d %(processName)s %(threadName)12s|",
    "%(user)s %(user)a %(count)d %(count)05.1f %(ratio)s %(ratio).3f %(nothing)s %(größe)s",
    "%(user)r|",
    "%(absent)s",
    "%(user)d",
    "%(nothing)d",
    "%(levelname)ls",
    "%(count)+d %(count)#x",
    "%(threadName)a",
    # what is left to Python, or refused by it
    "nothing",
    "%s",
    "%(message)",
    "%(a b)s",
    "{message}",
    "%(message)z",
    "%(message)s %",
    "%(message)s %s",
    "%(message)s %(args)s",
    "%(msg)s",
    "%(exc_info)s",
    "%(message)r",
    "%(message)d",
    "%(message)c",
    "%(lineno)c",
    "%(lineno)*d",
    "%(message)D",
    "%(message)s %(name",
    "%(created)x",
    "%(message)%",
    "%(message)2000s",
    "%(f(x))s %(name)s",
    "%(name)ls",
    "%(lineno)hd%(name)s",
]
STYLES = [
    ("{", "{levelname:>10}|{message!s:*^30}|{lineno:05d}|{name}|{asctime:<30}|{asctime!a}"),
    (
        "{",
        "{created:.3f} {msecs:03.0f} {msecs} {relativeCreated:,.1f} {created!s:.5} {created:_.0f}",
    ),
    ("{", "{levelno:+d} {levelno:#06x} {lineno:é^7} {lineno:e} {process:,} {thread:_x} {thread:_}"),
    (
        "{",
        "{pathname:.8} {filename!s:>14} {module:_<9} {funcName:^10}| {threadName} {processName:8}",
    ),
    ("{", "{{{message}}} }}{{ {name!a:>20}"),
    ("{", "{user} {user:>10} {user!r} {count:03d} {ratio:.1%} {nothing} {nothing!s:>6} {größe}"),
    (
        "{",
        "{extra} {extra:>9} {number:05.1f} {none} {none!r:6}| {flag:d} {flag} {flag!s:>6} {level}",
    ),
    ("{", "{taskName} {taskName!s:>6}"),
    ("{", ""),
    ("{", "{message"),
    ("{", "message}"),
    ("{", "message"),
    ("{", "{}"),
    ("{", "{0} {message}"),
    ("{", "{message:{lineno}}"),
    ("{", "{message.real}"),
    ("{", "{message[0]}"),
    ("{", "{message!x}"),
    ("{", "{message!}"),
    ("{", "{message!ss}"),
    ("{", "{message!r}"),
    ("{", "{message:d}"),
    ("{", "{message:=10}"),
    ("{", "{lineno:s}"),
    ("{", "{lineno:.3}"),
    ("{", "{lineno:n}"),
    ("{", "{lineno:c}"),
    ("{", "{nothing:>5}"),
    ("{", "{taskName:>5}"),
    ("{", "{none:>5}"),
    ("{", "{absent}"),
    ("{", "{message:1001}"),
    ("{", "{message:}<10}"),
    ("{", "{ message}"),
    ("{", "{message:}"),
    ("{", "{message!s:}"),
    ("{", "{a-b}"),
    ("{", "{msg}"),
    ("{", "{message[{]}"),
    ("{", "{"),
    ("{", "{{"),
    ("{", "{message}{"),
    ("{", "%(message)s {message} $message"),
    ("{", "{message:zs}"),
    ("{", "{created:z.0f}"),
    ("{", "{message:q}"),
    ("$", "$levelname ${message} $$ $name$$ ${asctime}x $lineno$created $msecs"),
    (
        "$",
        "$levelno|$pathname|$filename|$module|$funcName|$threadName|$processName|$thread|$process",
    ),
    ("$", "$user ${count} $ratio $nothing $extra $number $none $flag $level $taskName"),
    ("$", "$messages"),
    ("$", "$message s %(message)s {message}"),
    ("$", "$Message"),
    ("$", "$größe"),
    ("$", "${größe}"),
    ("$", "$gr"),
    ("$", ""),
    ("$", "message"),
    ("$", "$"),
    ("$", "$$"),
    ("$", "$ message"),
    ("$", "${message"),
    ("$", "${ message}"),
    ("$", "${message }"),
    ("$", "$1 $message"),
    ("$", "$_ $message"),
    ("$", "$args"),
    ("$", "$$asctime $message"),
    (
        "%",
        "%(extra)s %(number)05.1f %(none)s %(flag)d %(level)s %(extra)5.2s| %(user)s %(taskName)s",
    ),
    ("%", "%(none)d %(message)s"),
    ("%", "%(absent)s %(message)s"),
]
DEFAULTS = {
    "user": "hidden",
    "message": "hidden",
    "name": "hidden",
    "extra": "größe",
    "number": -7,
    "none": None,
    "flag": True,
    "level": 2.5,
}
MOMENTS = [
    1_700_000_000_000_000_000,
    1_700_000_000_001_000_000,
    1_677_903_920_999_998_503,
    1_677_903_920_999_999_900,
    1_720_000_001_999_000_000,
    1_699_999_999_123_456_789,
    0,
    999_999_999,
]


def pattern():
    rng = random.Random(3)
    moments = MOMENTS + [
        rng.randrange(1_500_000_000_000_000_000, 1_900_000_000_000_000_000) for _ in range(12)
    ]
    for text, ns in itertools.product(PATTERNS, moments[:3]):
        format_case(text, "", ns, "", "")
    for ns in moments + [
        base // 10**9 * 10**9 + ms * 10**6 for base in moments[8:11] for ms in range(0, 1000, 37)
    ]:
        format_case("%(asctime)s %(msecs)s %(created)s %(relativeCreated)s", "", ns, "", "")
        format_case("%(asctime)s %(message)s", "%H:%M:%S %j", ns, "", "")
    for text, exception, stack in itertools.product(
        ["%(message)s", "%(message)s\n", "%(name).0s"],
        ["", "Traceback:\n  é", "ends\n"],
        ["", "Stack (most…)"],
    ):
        format_case(text, "", MOMENTS[0], exception, stack)


def styles():
    for style, text in STYLES:
        for validate in (True, False):
            for defaults in (None, DEFAULTS):
                how = {"style": style, "validate": validate, "defaults": defaults}
                expected = formatted(text, None, MOMENTS[2], "", "", **how)
                emit(style, str(int(validate)), str(int(bool(defaults))), text, expected)


def format_case(text, datefmt, ns, exception, stack):
    expected = formatted(text, datefmt or None, ns, exception, stack)
    emit(str(ns), text, datefmt, exception, stack, expected)


def formatted(text, datefmt, ns, exception, stack, **how):
    whole = ns % 10**9 == 0  # as _PyTime_AsSecondsDouble
    real = time.time, time.time_ns
    time.time, time.time_ns = (lambda: float(ns // 10**9) if whole else ns / 1e9), (lambda: ns)
    record = logging.LogRecord(
        "app.größe",
        30,
        "/srv/app/main.v2.py",
        42,
        "user %s did %d things",
        ("ann", 3),
        None,
        "handle",
        stack or None,
    )
    time.time, time.time_ns = real
    record.__dict__.update(
        thread=140_000_000_000_001,
        threadName="MainThread",
        processName="MainProcess",
        process=4242,
        user="it's ann",
        count=3,
        ratio=0.1,
        nothing=None,
        größe="groß",
        exc_text=exception or None,
    )
    try:
        formatter = logging.Formatter(text, datefmt, **how)
    except ValueError:
        return "!invalid"
    formatter.converter = time.gmtime
    return result(lambda: formatter.format(record))


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    logging._startTime = (
        1_699_999_999_500_000_001 if sys.version_info >= (3, 13) else 1_699_999_999.5
    )
    tables = {
        "percent": percent,
        "spec": spec,
        "dates": dates,
        "pattern": pattern,
        "styles": styles,
    }
    tables[sys.argv[1]]()
