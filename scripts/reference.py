"""The reference of the documents' site, made from the code: a hook of MkDocs.

In ``docs/reference.md`` each ``<!-- reference: NAMES -->`` becomes the signatures and docstrings of
what these modules define for others, ``<!-- environment -->`` the environment variables that the
package reads, each with the names whose docstrings tell of it. A name without a docstring is an error.
"""

from __future__ import annotations

import importlib
import inspect
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

PAGE = "reference.md"
_MODULES = re.compile(r"<!-- reference: ([\w., ]+) -->")
_ENVIRONMENT = "<!-- environment -->"
_VARIABLE = re.compile(r"\bLOGBOOM_[A-Z]+(?:_[A-Z]+)*\b")
# A section of Google's style, in a docstring: its heading, and what is indented below it.
_SECTION = re.compile(r"^(Args|Returns|Raises|Attributes):\n((?:(?: {4}.*)?\n?)*)", re.MULTILINE)
_OPTION = re.compile(r"\n(?=``\w+``[^\n:]*: )")
_ITEM = re.compile(r"^([*\w]+): ", re.MULTILINE)


def on_page_markdown(markdown: str, *, page: object, **_: object) -> str:
    """Fill in the page of the reference; MkDocs calls it for every page."""
    if getattr(page, "file").src_uri != PAGE:  # noqa: B009 - MkDocs is imported by nothing here
        return markdown
    return filled(markdown)


def filled(markdown: str) -> str:
    """Give a text with everything in the places of its marks."""
    markdown = _MODULES.sub(lambda mark: "\n".join(_of_modules(mark[1])), markdown)
    return markdown.replace(_ENVIRONMENT, "\n".join(_environment()))


def _of_modules(names: str) -> Iterator[str]:
    for name in names.split(","):
        module = importlib.import_module(name.strip())
        for public in sorted(module.__all__, key=str.lower):
            value = getattr(module, public)
            if not public.startswith("__") and _is_ours(value):
                yield from _entry(f"{module.__name__}.{public}", value, "###")


def _is_ours(value: object) -> bool:
    return getattr(value, "__module__", "logboom").partition(".")[0] in {"logboom", "builtins"}


def _entry(name: str, value: object, heading: str) -> Iterator[str]:
    text = inspect.getdoc(value)
    if not text or (inspect.isclass(value) and not value.__doc__):
        raise ValueError(f"no docstring: {name}")
    yield from (f"{heading} `{name}`", "")
    signature = _signature(value)
    if signature:
        yield from ("```python", f"{name.rpartition('.')[2]}{signature}", "```", "")
    yield from (_as_markdown(text), "")
    if inspect.isclass(value):
        for member, method in vars(value).items():
            if not member.startswith("_") and _is_documented(method):
                yield from _entry(f"{name.rpartition('.')[2]}.{member}", method, "####")


def _as_markdown(text: str) -> str:
    """Give a docstring as Markdown: each option a paragraph, and what follows ``::`` a block of code."""

    def section(found: re.Match[str]) -> str:
        body = textwrap.dedent(found[2])
        if found[1] != "Returns":
            body = _ITEM.sub(r"\n`\1`: ", re.sub(r"^ +", "", body, flags=re.MULTILINE))
        return f"**{found[1]}**\n\n{body}\n"

    text = _OPTION.sub("\n\n", _SECTION.sub(section, f"{text}\n"))
    return re.sub(r"::$", ":", text, flags=re.MULTILINE).rstrip()


def _is_documented(method: object) -> bool:
    inner = getattr(method, "__func__", None) or getattr(method, "fget", None) or method
    return callable(inner) and bool(inspect.getdoc(inner))


def _signature(value: object) -> str:
    """Give a call's form, a parameter a line where it is long; nothing for what has none."""
    value = getattr(value, "__func__", value)
    if not callable(value) or (inspect.isclass(value) and issubclass(value, Exception)):
        return ""
    try:
        signature = inspect.signature(value)
    except ValueError:
        return ""  # made by the binding
    given = [one for one in signature.parameters.values() if one.name not in {"self", "cls"}]
    plain = signature.replace(parameters=given)
    text = _unquoted(str(plain))
    if len(text) < 80:
        return text
    lines = []
    kind = None
    for one in given:
        if one.kind is one.KEYWORD_ONLY and kind not in {one.KEYWORD_ONLY, one.VAR_POSITIONAL}:
            lines.append("    *,")
        kind = one.kind
        lines.append(f"    {_unquoted(str(one))},")
    return "\n".join(["(", *lines, ")"])


def _unquoted(annotated: str) -> str:
    """Give annotations as they were written: those of a module that postpones them are texts."""
    plain = re.sub(r"""(: |-> )(['"])(.*?)\2""", r"\1\3", annotated)
    return re.sub(r"<function (\w+) at \w+>", r"\1", plain).replace("<factory>", "...")


def _environment() -> Iterator[str]:
    import logboom

    root = Path(logboom.__file__).parent
    sources = "\n".join(path.read_text(encoding="utf-8") for path in sorted(root.rglob("*.py")))
    yield from ("| variable | see |", "|---|---|")
    for variable in sorted(set(_VARIABLE.findall(sources))):
        names = _tellers(logboom, variable)
        if not names:
            raise ValueError(f"no docstring of a public name tells of {variable}")
        yield f"| `{variable}` | {', '.join(names)} |"


def _tellers(package: ModuleType, variable: str) -> list[str]:
    told = re.compile(rf"\b{variable}\b(?!_)")
    values = ((name, getattr(package, name)) for name in package.__all__)
    return [
        f"`logboom.{name}`"
        for name, value in sorted(values, key=lambda one: one[0].lower())
        if not isinstance(value, str) and told.search(inspect.getdoc(value) or "")
    ]
