"""Programs that hypothesis draws: functions that call each other in many forms, and raise in the end."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

# How a function calls the next one; `CALL` stands for the call.
CALLS = [
    "return CALL",
    "value = CALL",
    "CALL",
    "\treturn\tCALL",
    "return 1 + CALL",
    "return CALL * 2 ** 3",
    "return (1\n        + CALL)",
    "return (CALL\n        +\n        # a comment\n        1)",
    "return [CALL][0]",
    "return {'k': CALL}['k']",
    "return {\n    'k':\n        CALL,\n}[\n    'k'\n]",
    "return max(\n    1,\n    CALL,\n    key=str,\n)",
    "return [CALL for _ in (1,)]",
    "return sum(CALL for _ in (1,))",
    "return (lambda: CALL)()",
    "return eval('CALL')",
    "exec('a = 1\\nCALL')",
    "return 'é🐍 全角' and CALL",
    "x = '全角'; return CALL  # 全角",
    "if CALL: pass",
    "while CALL:\n    break",
    "for _ in [CALL]: pass",
    "with open(__file__) as file:\n    return CALL",
    "assert CALL",
    "return f'{CALL}'",
    "return not CALL",
    "return CALL if CALL else CALL",
    "del {}[CALL]",
    "(value, other) = (1, CALL)",
    "return (yield_ := CALL)",
    "return 1 < CALL < 3",
    "return CALL.attribute[0](1)",
    "import contextlib\nwith contextlib.ExitStack() as stack:\n    stack.callback(lambda: CALL)",
    "import functools\nreturn functools.partial(lambda x: CALL, 1)()",
]
# How one is wrapped that fails below.
WRAPS = [
    "try:\n    CALL\nfinally:\n    pass",
    "try:\n    CALL\nexcept Exception:\n    raise",
    "try:\n    CALL\nexcept Exception as error:\n    raise KeyError('wrapped') from error",
    "try:\n    CALL\nexcept Exception:\n    raise OSError(2, 'wrapped')",
    "try:\n    CALL\nexcept Exception:\n    raise LookupError from None",
    "try:\n    CALL\nexcept Exception as error:\n    raise error.with_traceback(None)",
    "try:\n    CALL\nexcept Exception as error:\n    return [\n        error.nothing\n    ]",
]
ENDS = [
    "raise ValueError(TEXT)",
    "raise RuntimeError(TEXT, 1)",
    "raise Own(TEXT)",
    "raise Own.Inner(TEXT) from Own(1)",
    "return 1 / 0",
    "return {}[TEXT]",
    "return TEXT + 1",
    "return int(TEXT + 'x')",
    "return undefined_name",
    "return TEXT.splt()",
    "import nothing_of_this_name",
    "exec('1 +')",
    "assert not TEXT, TEXT",
    "return open('/nowhere/' + 'x')",
    "return b'\\xff'.decode()",
    "return next(iter(()))",
    "return (\n    1\n    /\n    0\n)",
]
HEAD = """
class Own(Exception):
    class Inner(Exception):
        def __str__(self):
            return 'inner ' + repr(self.args)
"""

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(str)


@st.composite
def program_texts(draw: st.DrawFn) -> str:
    """Draw the source of a program whose `run` raises."""
    count = draw(st.integers(0, 6))
    parts = [HEAD, _function("f0", draw(st.sampled_from(ENDS)), repr(draw(TEXTS)))]
    for number in range(1, count + 1):
        recursive = draw(st.sampled_from([0, 0, 0, 2, 3, 4, 9]))
        call = f"f{number - 1}()" if not recursive else f"again{number}({recursive})"
        body = draw(st.sampled_from(CALLS + WRAPS)).replace("CALL", call)
        if recursive:
            again = f"return again{number}(n - 1) if n else f{number - 1}()"
            parts.append(_function(f"again{number}", again, "", "n"))
        parts.append(_function(f"f{number}", body, ""))
    parts.append(_function("run", f"f{count}()\nraise ValueError('nothing raised')", ""))
    return "\n".join(parts)


def _function(name: str, body: str, text: str, *arguments: Any) -> str:
    lines = body.replace("TEXT", text).split("\n")
    # A tab that begins a body stands for an indentation by tabs.
    margin = "" if body.startswith("\t") else "    "
    indented = "\n".join(margin + line for line in lines)
    return f"def {name}({', '.join(arguments)}):\n{indented}\n"
