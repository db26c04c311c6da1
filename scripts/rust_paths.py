"""Which paths a Rust source file names: enough of Rust's grammar for the layer check, no more.

1. Comments, strings and characters are blanked first, line ends kept, so that a doc link or a
   message is never taken for a use, and line numbers stay true.
2. Items under ``#[cfg(test)]`` are blanked too: a unit test may look at whatever it needs.
3. A path counts when it starts with ``crate``, ``self``, ``super`` or the name of another crate, in
   a ``use`` tree or anywhere in the code. ``self`` and ``super`` are resolved, so that every path
   that is given starts with a crate.

What it does not see: a name made by a macro, and paths of which a macro's argument is a part only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SKIPPED = re.compile(
    r"""
      (?P<line>//[^\n]*)
    | (?P<block>/\*)
    | (?P<raw>\b(?:br|cr|r)(?P<hashes>\#*)".*?"(?P=hashes))
    | (?P<string>"(?:\\.|[^"\\])*")
    | (?P<char>'(?:\\.[^'\n]*|[^\\'\n])')
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK_EDGE = re.compile(r"/\*|\*/")
_TOKEN = re.compile(r"(?:r#)?[A-Za-z_]\w*|::|[^\s\w]|\d\w*")
_TEST_ONLY = re.compile(r"#\s*\[\s*cfg\s*\((?:test\b|all\s*\(\s*test\b)")


@dataclass(frozen=True)
class Named:
    """A path that a file names: ``("crate", "sink", "Sink")``, its line, and what it names it."""

    path: tuple[str, ...]
    line: int
    alias: str


class _Token(NamedTuple):
    text: str
    line: int


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def code_of(source: str) -> str:
    """Give the source with comments, strings and characters blanked."""
    out = []
    at = 0
    while found := _SKIPPED.search(source, at):
        end = found.end()
        if found["block"]:
            end = _end_of_block(source, end)
        out += [source[at : found.start()], _blank(source[found.start() : end])]
        at = end
    return "".join([*out, source[at:]])


def _end_of_block(source: str, at: int) -> int:
    depth = 1
    while depth and (edge := _BLOCK_EDGE.search(source, at)):
        depth += 1 if edge.group() == "/*" else -1
        at = edge.end()
    return at if depth == 0 else len(source)


def without_tests(code: str) -> str:
    """Give blanked code without the items that only a test build has."""
    while found := _TEST_ONLY.search(code):
        end = _end_of_item(code, found.start())
        code = code[: found.start()] + _blank(code[found.start() : end]) + code[end:]
    return code


def _end_of_item(code: str, at: int) -> int:
    depth = 0
    while at < len(code):
        char = code[at]
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth == 0 and char == "}":
                return at + 1
        elif char == ";" and depth == 0:
            return at + 1
        at += 1
    return at


def module_of(file: Path, src: Path) -> tuple[str, ...]:
    """Give the module that a file of a crate is: ``src/sink/mod.rs`` is ``("sink",)``."""
    parts = file.relative_to(src).with_suffix("").parts
    if parts[-1] in {"mod", "lib", "main"}:
        parts = parts[:-1]
    return parts


def named(source: str, module: tuple[str, ...], crates: frozenset[str]) -> list[Named]:
    """Give every path that the code of a module names, of its own crate and of ``crates``."""
    tokens = _tokens(without_tests(code_of(source)))
    reader = _Reader(tokens, module, crates)
    return sorted(set(reader.read()), key=lambda one: (one.line, one.path))


def _tokens(code: str) -> list[_Token]:
    tokens = []
    for number, line in enumerate(code.split("\n"), 1):
        tokens += [_Token(text.removeprefix("r#"), number) for text in _TOKEN.findall(line)]
    return tokens


class _Reader:
    """Walks the tokens once, and keeps the inline module that it is in."""

    def __init__(
        self, tokens: list[_Token], module: tuple[str, ...], crates: frozenset[str]
    ) -> None:
        self.tokens = [*tokens, _Token("", 0), _Token("", 0)]
        self.at = 0
        self.module = list(module)
        self.crates = crates
        # For each open brace, whether it is an inline module's.
        self.open: list[bool] = []

    def read(self) -> Iterator[Named]:
        while self.at < len(self.tokens) - 2:
            text = self.tokens[self.at].text
            after = self.tokens[self.at + 1].text
            if text == "use" and after != "<":
                self.at += 1
                yield from self.tree(())
            elif text == "mod" and self.tokens[self.at + 2].text == "{":
                self.module.append(after)
                self.open.append(True)
                self.at += 3
            elif text == "{":
                self.open.append(False)
                self.at += 1
            elif text == "}":
                if self.open and self.open.pop():
                    self.module.pop()
                self.at += 1
            elif after == "::" and self.starts_here():
                yield from self.resolved(*self.path())
            else:
                self.at += 1

    def starts_here(self) -> bool:
        """Whether the token is the first of a path, and not in the middle of one."""
        before = self.tokens[self.at - 1].text if self.at else ""
        text = self.tokens[self.at].text
        return before != "::" and (text in {"crate", "self", "super"} or text in self.crates)

    def path(self) -> tuple[tuple[str, ...], int]:
        line = self.tokens[self.at].line
        parts = [self.tokens[self.at].text]
        self.at += 1
        while self.tokens[self.at].text == "::" and self.tokens[self.at + 1].text.isidentifier():
            parts.append(self.tokens[self.at + 1].text)
            self.at += 2
        return tuple(parts), line

    def tree(self, prefix: tuple[str, ...]) -> Iterator[Named]:
        """Read a use tree up to what ends it."""
        path, line, alias = list(prefix), self.tokens[self.at].line, ""
        while (text := self.tokens[self.at].text) not in {";", ",", "}", ""}:
            if text == "{":
                yield from self.branches(tuple(path))
                return
            if text == "as":
                alias = self.tokens[self.at + 1].text
                self.at += 2
                continue
            if text == "self" and path:
                pass  # `a::{self}` is `a`
            elif text != "::":
                path.append(text)
                line = self.tokens[self.at].line
            self.at += 1
        yield from self.resolved(tuple(path), line, alias)

    def branches(self, prefix: tuple[str, ...]) -> Iterator[Named]:
        self.at += 1
        while self.tokens[self.at].text not in {"}", ""}:
            yield from self.tree(prefix)
            if self.tokens[self.at].text == ",":
                self.at += 1
        self.at += 1

    def resolved(self, path: tuple[str, ...], line: int, alias: str = "") -> Iterator[Named]:
        if path and path[0] in {"self", "super"}:
            base = list(self.module)
            rest = list(path)
            while rest and rest[0] in {"self", "super"}:
                if rest.pop(0) == "super" and base:
                    base.pop()
            path = ("crate", *base, *rest)
        if path and (path[0] == "crate" or path[0] in self.crates):
            yield Named(path, line, alias or path[-1])
