"""The text of CPython's own logging tests, read from the interpreter that runs this, made a module.

1. The text is the interpreter's, whole; nothing of it is kept or copied.
2. In the mode ``handlers`` names are replaced in its syntax tree, where a user would replace them in
   a program: ``logging.FileHandler`` becomes ``logboom.FileHandler``, in code and in configurations.
   The library itself stays untouched, and line numbers stay right. Tests that open a file, or ask
   whether there is one, flush first, as a program has to that looks at its own log: a line is in the
   file, and the file rotated, within 20 ms, not at once.
3. Programs that a test starts (``assert_python_ok("-c", …)``) call ``logboom.install()`` as well, as
   soon as they have imported the library: some change the clock before.

`REPLACEABLE` names what can be replaced; what `logboom` has of it is. So a handler that is added there
is tested here from then on.
"""

from __future__ import annotations

import ast
import builtins
import functools
import importlib.util
import logging
import os
import re
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "test.test_logging"
MODES = ("plain", "install", "handlers")
INSTALL = "import logboom; logboom.install()"
# A name that no text of the suite has.
_EXISTS = "_flush_and_exists"
_IMPORT = re.compile(r"^\s*import logging$", re.MULTILINE)

# By the module of the library that has them. `basicConfig` is among them as it makes handlers.
REPLACEABLE = {
    "logging": ("StreamHandler", "FileHandler", "NullHandler", "basicConfig"),
    "logging.handlers": (
        "WatchedFileHandler",
        "RotatingFileHandler",
        "TimedRotatingFileHandler",
        "MemoryHandler",
        "SysLogHandler",
        "SocketHandler",
        "DatagramHandler",
        "HTTPHandler",
        "QueueHandler",
        "QueueListener",
    ),
}


class Missing(Exception):
    """The interpreter brings no test suite along, as those of some distributions."""


def replaced() -> dict[str, str]:
    """Give the library's names that are replaced, and by which of ours."""
    import logboom

    return {
        f"{module}.{name}": f"logboom.{name}"
        for module, names in REPLACEABLE.items()
        for name in names
        if hasattr(logboom, name)
    }


def compiled(mode: str) -> types.CodeType:
    """Give the suite of this interpreter as code, changed as the mode asks."""
    path = origin()
    tree = ast.parse(path.read_bytes(), str(path))
    if mode == "handlers":
        tree = ast.fix_missing_locations(_Replacer(replaced()).visit(tree))
    return compile(tree, str(path), "exec", dont_inherit=True)


def origin() -> Path:
    """Give the file of the suite."""
    try:
        found = importlib.util.find_spec(NAME)
    except ModuleNotFoundError:
        found = None
    if found is None or found.origin is None:
        raise Missing(f"{sys.executable} brings no {NAME} along")
    return Path(found.origin)


def made(code: types.CodeType, mode: str) -> types.ModuleType:
    """Run the suite's code as the module that it is; in its mode, before any of its tests."""
    module = types.ModuleType(NAME)
    module.__file__ = code.co_filename
    module.__spec__ = importlib.util.find_spec(NAME)
    # Configurations name classes of the suite, and find them both ways.
    sys.modules[NAME] = module
    package, _, name = NAME.rpartition(".")
    setattr(importlib.import_module(package), name, module)
    if mode != "plain":
        import logboom

        logboom.install()
        module.__dict__["logboom"] = logboom
    if mode == "handlers":
        module.__dict__["open"] = _open
        module.__dict__[_EXISTS] = _exists
    exec(code, module.__dict__)
    if mode != "plain":
        for name in {"assert_python_ok", "assert_python_failure"}.intersection(vars(module)):
            setattr(module, name, _installing(getattr(module, name)))
    return module


def _open(*arguments: object, **options: object) -> object:
    """Flush, then open: what a program has to do that reads its own log right after a call."""
    import logboom

    logboom.flush()
    return builtins.open(*arguments, **options)  # type: ignore[call-overload]


def _exists(path: object) -> bool:
    """The same for whether there is a file."""
    import logboom

    logboom.flush()
    return os.path.exists(path)  # type: ignore[arg-type]


def _installing(start: Callable[..., object]) -> Callable[..., object]:
    """Make what starts an interpreter on a program put `install` behind its import of the library."""

    def started(*arguments: str, **environment: str) -> object:
        given = list(arguments)
        if "-c" in given:
            at = given.index("-c") + 1
            given[at] = _IMPORT.sub(rf"\g<0>; {INSTALL}", given[at], count=1)
        return start(*given, **environment)

    return started


class _Replacer(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self.names = names
        longest_first = sorted(map(re.escape, names), key=len, reverse=True)
        self._dotted = re.compile(rf"(?<![\w.])({'|'.join(longest_first)})\b")
        short = [name.partition(".")[2] for name in names]
        # `logging.config.fileConfig` takes names relative to `logging`.
        self._in_file = re.compile(
            rf"^(\s*class\s*=\s*)({'|'.join(map(re.escape, short))})$", re.MULTILINE
        )

    def visit_Call(self, node: ast.Call) -> ast.AST:
        # What is asked about its class keeps the library's name: ours are subclasses, and programs ask.
        if ast.unparse(node.func) in {"isinstance", "self.assertIsInstance"}:
            node.args[0] = self.visit(node.args[0])
            return node
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if ast.unparse(node) == "os.path.exists":
            return ast.copy_location(ast.Name(_EXISTS, node.ctx), node)
        ours = self.names.get(ast.unparse(node))
        if ours is None:
            return self.generic_visit(node)
        module, _, name = ours.partition(".")
        owner = ast.copy_location(ast.Name(module, ast.Load()), node)
        return ast.copy_location(ast.Attribute(owner, name, node.ctx), node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, str):
            return node
        text = self._dotted.sub(lambda found: self.names[found[1]], node.value)
        text = self._in_file.sub(lambda found: found[1] + self.names["logging." + found[2]], text)
        return ast.copy_location(ast.Constant(text, node.kind), node)


class Census:
    """Counts the loggers and handlers that are made, by class, and the calls of native methods.

    The calls are counted by a profiler only where that is asked for, as it changes what it looks at.
    """

    def __init__(self, calls: bool) -> None:
        self.counts: dict[str, dict[str, int]] = {"loggers": {}, "handlers": {}, "calls": {}}
        self._count(logging.Logger, "loggers")
        self._count(logging.Handler, "handlers")
        if calls:
            sys.setprofile(self._profile)

    def _add(self, what: str, name: str) -> None:
        counts = self.counts[what]
        counts[name] = counts.get(name, 0) + 1

    def _count(self, kind: type, what: str) -> None:
        original = kind.__init__

        from witness import class_of

        @functools.wraps(original)
        def counted(made: object, *arguments: object, **named: object) -> None:
            self._add(what, class_of(made))
            original(made, *arguments, **named)

        kind.__init__ = counted

    def _profile(self, frame: types.FrameType, event: str, argument: object) -> None:
        if event == "c_call" and isinstance(getattr(argument, "__self__", None), logging.Logger):
            self._add("calls", argument.__name__)
