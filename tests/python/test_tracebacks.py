"""The text of an exception is the library's to the byte, from the first time and from what is kept.

Programs that raise run in an interpreter of their own (`Raiser`), as pytest patches `traceback` on
CPython 3.10. Each exception is formatted three times by both sides, so that what is kept is compared as
well as what was just made, and logged three times through a handler of ours and one of the library's.

A case says whether it has to be native, so that no test compares the library with itself.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from drawn_programs import program_texts
from hypothesis import HealthCheck, given, settings
from raising import Raiser, compare
from raising_programs import PROGRAMS, Program


@pytest.fixture(scope="module")
def raiser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raiser]:
    raiser = Raiser(tmp_path_factory.mktemp("raiser"))
    yield raiser
    assert raiser.end() == 0


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_text_is_the_librarys(raiser: Raiser, name: str) -> None:
    program: Program = PROGRAMS[name]
    if sys.version_info < program.since:
        pytest.skip("needs a newer Python")
    answer = raiser.ask(textwrap.dedent(program.source))
    compare(answer, program.is_native())
    if not program.is_native():
        assert answer["ours"] == [None] * 3, "native after all: say so in the program"


@settings(
    max_examples=300,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(source=program_texts())
def test_programs_drawn_at_random_have_the_librarys_text(raiser: Raiser, source: str) -> None:
    compare(raiser.ask(source, logged=False), native=True)


# --- programs of their own ------------------------------------------------------------------------

HEAD = """
import gc, itertools, linecache, logging, os, sys, time, traceback, types
from logboom._logboom import format_exception
library = logging.Formatter().formatException

def caught(function, *arguments):
    try:
        function(*arguments)
    except BaseException as error:
        return error

def triple(error):
    return type(error), error, error.__traceback__

def check(error, native=True):
    for _ in range(3):
        ours, theirs = format_exception(error), library(triple(error))
        assert ours == theirs or ours is None, f"{ours}\\n---\\n{theirs}"
        assert (ours is not None) == native, f"native: {not native}"
    return theirs

def module(path, text, globals=None):
    with open(path, "w") as file:
        file.write(text)
    names = {"__name__": "written"} if globals is None else globals
    exec(compile(text, path, "exec"), names)
    return names

def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.005)
"""

CASES = {
    "what exc_info may be": """
        error = caught(int, "x")
        for nothing in (None, False, 0, ()):
            assert format_exception(nothing) == ""
        assert format_exception(True) == library((None, None, None)) == "NoneType: None"
        assert format_exception((None, None, None)) == "NoneType: None"
        try:
            raise error
        except ValueError as again:
            assert format_exception(True) == library(sys.exc_info())
            assert format_exception(1) == library(sys.exc_info())
            # Of two tracebacks the one of the triple is shown.
            inner = again.__traceback__.tb_next or again.__traceback__
            assert format_exception((KeyError, again, inner)) == library((KeyError, again, inner))
            assert format_exception((None, again, None)) == library((None, again, None))
        for odd in ("yes", [], [1], 1.5, object(), (1,), (1, 2), (1, 2, 3), (None, None, 1),
                    (ValueError, error, 1), (ValueError, error, None, None), 10**30):
            assert format_exception(odd) is None, odd
    """,
    "tracebacklimit in all forms": """
        def down(n):
            if n:
                down(n - 1)
            raise ValueError(n)
        error = caught(down, 2)
        for limit in (None, 0, 1, 2, 3, 100, -1, -100, sys.maxsize):
            sys.tracebacklimit = limit
            check(error)
        for limit in (True, False):
            sys.tracebacklimit = limit
            check(error, native=False)
        sys.tracebacklimit = "many"
        assert format_exception(error) is None
        del sys.tracebacklimit
        assert "line" in check(error)
    """,
    "a source that is edited is seen": """
        names = module("edited.py", "def run():\\n    first = 1 / 0\\n")
        error = caught(names["run"])
        assert "first" in check(error)
        with open("edited.py", "w") as file:
            file.write("def run():\\n    another = 1 / 0\\n")
        until(lambda: "another" in format_exception(error))
        check(error)
        os.remove("edited.py")
        until(lambda: "another" not in format_exception(error))
        check(error)
        with open("edited.py", "w") as file:
            file.write("def run():\\n    third = 1 / 0\\n")
        until(lambda: "third" in format_exception(error))
        check(error)
    """,
    "the disk is asked at most once a second a file": """
        error = caught(module("asked.py", "def run():\\n    1 / 0\\n")["run"])
        format_exception(error)
        stat, asked = os.stat, []
        os.stat = lambda path, *rest, **more: asked.append(path) or stat(path, *rest, **more)
        began = time.monotonic()
        for _ in range(20_000):
            format_exception(error)
        passed = time.monotonic() - began
        os.stat = stat
        assert asked.count("asked.py") <= passed + 1, (asked, passed)
    """,
    "linecache cleared, replaced and filled by a program": """
        text = "def run():\\n    shown = 1 / 0\\n"
        error = caught(module("games.py", text)["run"])
        assert "shown" in check(error)
        linecache.clearcache()
        check(error)
        linecache.cache["games.py"] = (len(text), None, ["\\n", "    put here = 2\\n"], "games.py")
        assert "put here" in check(error)
        linecache.cache["games.py"] = (len(text), None, ["\\n", "    put again = 3\\n"], "games.py")
        assert "put again" in check(error)
        del linecache.cache["games.py"]
        assert "shown" in check(error)
        linecache.cache = {"games.py": (1, None, ["\\n", "    a new one\\n"], "games.py")}
        assert "a new one" in check(error)
        linecache.cache.clear()
        assert "shown" in check(error)
        # Not of the form that the library gives it, but it makes do.
        linecache.cache["games.py"] = [1, None, ["\\n", "    a list\\n"], "games.py"]
        assert "a list" in check(error)
        linecache.cache["games.py"] = (1, None, ("\\n", "    a tuple\\n"), "games.py")
        assert "a tuple" in check(error)
        lines = ["\\n", "    a line\\n"]
        linecache.cache["games.py"] = (1, None, lines, "games.py")
        assert "a line" in check(error)
    """,
    "code without a file, with and without an entry": """
        names = {}
        exec(compile("def run():\\n    1 / 0\\n", "<made up>", "exec"), names)
        error = caught(names["run"])
        assert "1 / 0" not in check(error)
        linecache.cache["<made up>"] = (1, None, ["def run():\\n", "    1 / 0\\n"], "<made up>")
        assert "1 / 0" in check(error)
        del linecache.cache["<made up>"]
        assert "1 / 0" not in check(error)
        exec(compile("def run():\\n    1 / 0\\n", "", "exec"), names)
        check(caught(names["run"]))
    """,
    "a loader that knows the source": """
        class Loader:
            asked = 0
            def get_source(self, name):
                Loader.asked += 1
                return text
        text = "def run():\\n    from the loader\\n"
        code = compile("def run():\\n    1 / 0\\n", "loaded.py", "exec")
        plain = {"__name__": "plain"}
        exec(code, plain)
        error = caught(plain["run"])
        assert "from the loader" not in check(error)
        loaded = {"__name__": "loaded", "__loader__": Loader()}
        exec(code, loaded)
        loaded_error = caught(types.FunctionType(plain["run"].__code__, loaded))
        assert "from the loader" in check(loaded_error)
        assert "from the loader" in check(error)
        linecache.clearcache()
        assert "from the loader" not in check(error)
        text = None
        asked = Loader.asked
        assert "loader" not in check(loaded_error).split("loaded.py")[1]
        assert Loader.asked > asked
    """,
    "a file in a zip": """
        import zipfile
        with zipfile.ZipFile("packed.zip", "w") as file:
            file.writestr("packed.py", "def run():\\n    return [1][int('7')]\\n")
        sys.path.insert(0, "packed.zip")
        import packed
        assert "[1][int" in check(caught(packed.run))
        linecache.clearcache()
        assert "[1][int" in check(caught(packed.run))
    """,
    "a relative file after a change of directory": """
        os.mkdir("sub")
        error = caught(module("here.py", "def run():\\n    1 / 0\\n")["run"])
        assert "1 / 0" in check(error)
        os.chdir("sub")
        until(lambda: format_exception(error) == library(triple(error)))
        sys.path.insert(0, os.path.abspath(".."))
        until(lambda: "1 / 0" in format_exception(error))
        check(error)
    """,
    "a patched traceback and its restoration": """
        error = caught(int, "x")
        check(error)
        def patches():
            for owner, names in (
                (traceback, ("print_exception", "extract_tb", "walk_tb", "_format_final_exc_line")),
                (traceback.TracebackException, ("__init__", "format", "format_exception_only")),
                (traceback.StackSummary, ("format", "extract")),
                (traceback.FrameSummary, ("__init__", "line")),
                (linecache, ("getline", "getlines", "checkcache", "updatecache", "lazycache")),
            ):
                for name in names:
                    yield owner, name
        for owner, name in patches():
            kept = vars(owner)[name]
            setattr(owner, name, property() if isinstance(kept, property) else lambda *a, **k: None)
            assert format_exception(error) is None, name
            setattr(owner, name, kept)
            check(error)
        kept = traceback._cause_message
        traceback._cause_message = "because of\\n"
        error.__cause__ = KeyError(1)
        assert "because of" in check(error)
        traceback._cause_message = kept
        check(error)
    """,
    "classes that bring what the library looks at": """
        class Own:
            pass
        def kinds():
            def member(name, value):
                return type("Own", (ValueError,), {name: value})
            yield member("__bool__", lambda self: False)
            yield member("__len__", lambda self: 0)
            yield member("__cause__", property(lambda self: KeyError(1)))
            yield member("__context__", property(lambda self: KeyError(2)))
            yield member("__suppress_context__", True)
            yield member("__traceback__", None)
            yield member("__notes__", ["a note of the class"])
            yield member("__class__", property(lambda self: KeyError))
            yield member("__getattribute__", lambda self, name: object.__getattribute__(self, name))
            yield member("__getattr__", lambda self, name: ["every name"])
        for kind in kinds():
            error = kind("text")
            error.__cause__ if kind.__dict__.get("__cause__") else None
            ours = format_exception((kind, error, None))
            assert ours is None, kind.__dict__
            assert format_exception(error) is None
            outer = ValueError("outer")
            outer.__context__ = error
            assert format_exception(outer) is None
        # A class that is changed later.
        class Later(Exception):
            pass
        error = Later("text")
        check(error)
        Later.__str__ = lambda self: "another text"
        assert "another text" in check(error)
        Later.__qualname__ = "Renamed.Twice"
        assert "Renamed.Twice" in check(error)
        Later.__module__ = "elsewhere"
        assert "elsewhere.Renamed.Twice: another text" == check(error)
        Later.__module__ = "builtins"
        assert "Renamed.Twice: another text" == check(error)
        Later.__module__ = None
        check(error, native=False)
        Later.__module__ = "elsewhere"
        Later.__bool__ = lambda self: False
        assert format_exception(error) is None
        class Meta(type):
            def __getattribute__(cls, name):
                return "told by the metaclass"
        check(Meta("Told", (Exception,), {})("text"), native=False)
    """,
    "a str that logs, that raises, that changes the chain": """
        import logboom
        logboom.install()
        logger = logging.Logger("nested")
        logger.addHandler(logboom.FileHandler("nested.log"))
        class Logs(Exception):
            def __str__(self):
                try:
                    1 / 0
                except ZeroDivisionError:
                    logger.exception("inside")
                    assert format_exception(True) == library(sys.exc_info())
                return "logged"
        def run():
            raise Logs
        check(caught(run))
        class Changes(Exception):
            def __str__(self):
                self.__cause__ = KeyError("put there")
                return "changed"
        error = Changes()
        assert format_exception(error) is None
        class Clears(Exception):
            def __str__(self):
                linecache.clearcache()
                gc.collect()
                return "cleared"
        text = "def run(*a):\\n    raise a[0] from a[1]\\n"
        error = caught(module("clears.py", text)["run"], Clears(), caught(int, "x"))
        linecache.clearcache()
        check(error)
        class Exits(Exception):
            def __str__(self):
                raise SystemExit(3)
        check(Exits())
        class Interrupted(Exception):
            def __str__(self):
                raise KeyboardInterrupt
        check(Interrupted())
    """,
    "what ends a program goes on its way": """
        error = caught(module("ends.py", "def run():\\n    1 / 0\\n")["run"])
        class Ends(dict):
            def get(self, *a):
                raise KeyboardInterrupt
        class Loader:
            @property
            def get_source(self):
                raise KeyboardInterrupt
        names = {"__name__": "ends", "__loader__": Loader()}
        code = compile("def run():\\n    1 / 0\\n", "ending.py", "exec")
        exec(code, names)
        error = caught(names["run"])
        for function, argument in ((format_exception, error), (library, triple(error))):
            try:
                function(argument)
            except KeyboardInterrupt:
                continue
            raise AssertionError("swallowed")
    """,
    "deep and long": """
        sys.setrecursionlimit(5000)
        def forever(n):
            return forever(n + 1)
        def ping(n):
            return pong(n)
        def pong(n):
            return ping(n)
        for function in (forever, ping):
            error = caught(function, 0)
            assert type(error) is RecursionError
            check(error)
        def chained(n):
            error = None
            for number in range(n):
                new = ValueError(number)
                new.__cause__, error = error, new
            return error
        check(chained(32))
        check(chained(33), native=False)
    """,
    "code objects without end do not stay": """
        import weakref
        first = []
        def one(number):
            names = {}
            exec(compile(f"def run():\\n    1 / {0 * number}\\n", f"<number {number}>", "exec"), names)
            return names["run"]
        for number in range(5000):
            run = one(number)
            first.append(weakref.ref(run.__code__))
            format_exception(caught(run))
        del run
        gc.collect()
        alive = sum(ref() is not None for ref in first)
        assert 0 < alive <= 1024, alive
    """,
    "no frame and no exception stays": """
        import weakref
        class Own(Exception):
            pass
        class Local:
            pass
        def run():
            local = Local()
            kept.append(weakref.ref(local))
            raise Own
        kept = []
        for _ in range(3):
            error = caught(run)
            kept.append(weakref.ref(error))
            format_exception(error)
        del error
        gc.collect()
        assert [ref() for ref in kept] == [None] * 6
    """,
    "threads at once": """
        import threading
        sys.setswitchinterval(1e-6)
        def down(n):
            return down(n - 1) if n else {}[n]
        errors = [caught(down, n) for n in range(5)]
        linecache.clearcache()  # what `-c` put there does not come again
        wanted = [library(triple(error)) for error in errors]
        wrong = []
        def work():
            for number in range(2000):
                at = number % 5
                if format_exception(errors[at]) not in (None, wanted[at]):
                    wrong.append(at)
                if number % 50 == 0:
                    linecache.clearcache()
        threads = [threading.Thread(target=work) for _ in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert not wrong
    """,
}


@pytest.mark.parametrize("name", CASES)
def test_in_a_program_of_its_own(run_python, name: str) -> None:
    run_python(HEAD + textwrap.dedent(CASES[name])).ok()


@pytest.mark.parametrize("kind", ["frames", "long lines", "big sources"])
def test_memory_stays_within_its_bound(run_python, kind: str) -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("needs /proc")
    run_python(HEAD + textwrap.dedent(GROWTH), kind, deadline=300).ok()


GROWTH = """
    kind = sys.argv[1]
    rounds = {"frames": 1_000_000, "long lines": 400, "big sources": 3_000}[kind]

    def resident():
        gc.collect()  # the library leaves cycles with the long texts in them
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def run():
        1 / 0

    def one(number):
        # A new code object each time, which is what an `exec` comes to.
        name = f"<{kind} {number}>"
        if kind == "long lines":
            # Many places of one source, each shown with the whole of its line.
            name = "<long line>"
        if kind == "big sources":
            line = "1 / 0 # " + "x" * 100 + "\\n"
            lines = [line[:50] + line[50:] for _ in range(1000)]  # each a text of its own
            linecache.cache[name] = (1, None, lines, name)
        code = run.__code__.replace(co_filename=name, co_name=f"run{number}")
        error = caught(types.FunctionType(code, globals()))
        text = format_exception(error)
        if kind != "long lines":
            linecache.cache.pop(name, None)
        assert text is not None
        assert (len(text) > 200_000) == (kind == "long lines")

    lines = ["\\n"] * run.__code__.co_firstlineno + ["1 / 0 # " + "x" * 200_000 + "\\n"] * 9
    linecache.cache["<long line>"] = (1, None, lines, "<long line>")
    numbers = itertools.count()
    for _ in range(rounds // 10):
        one(next(numbers))
    before = resident()
    for _ in range(rounds):
        one(next(numbers))
    grown = resident() - before
    # What is kept was kept before; a source is 100 kB, and 16 Mi characters of them may be.
    assert grown < 24 << 20, f"grown by {grown >> 20} MiB"
"""
