"""CPython's own logging tests pass under logboom, and their runner sees it when one does not."""

from __future__ import annotations

import ast
import logging
import logging.handlers
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import logboom

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Runner

STDLIB = Path(__file__).resolve().parents[1] / "stdlib"


@pytest.fixture(autouse=True)
def runner_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(STDLIB.parent))
    monkeypatch.syspath_prepend(str(STDLIB))


def test_cpythons_own_logging_tests_pass_with_install_and_with_our_handlers() -> None:
    done = subprocess.run(
        [sys.executable, str(STDLIB / "run.py")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode == 3:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout


# The suite of the runner's own tests: one test for each thing that may become of one.
FATES = """
import logging, os, signal, threading, unittest

class Fate(unittest.TestCase):
    def test_a_passes(self):
        pass
    def test_b_fails(self):
        self.fail("as it should")
    def test_c_fails_in_part(self):
        with self.subTest(part=1):
            self.fail("this part")
    def test_d_is_skipped(self):
        self.skipTest("no reason")
    def test_e_crashes(self):
        os.kill(os.getpid(), signal.SIGKILL)
    def test_f_passes_and_leaves_a_process(self):
        left = os.fork()
        if left == 0:
            threading.Event().wait()
        with open("left", "w") as file:
            file.write(str(left))
    def test_g_hangs(self):
        threading.Event().wait()
    def test_h_passes_after_the_hang(self):
        if MODE == "install":
            import logboom
            logboom.uninstall()
    def test_i_has_install_in_effect_again(self):
        if MODE == "install":
            self.assertEqual(type(vars(logging.Logger)["info"]).__name__, "method_descriptor")
"""

RUN = """
import json, pathlib, sys
sys.path.insert(0, sys.argv[1])
import inside, suite
mode, layout, text = sys.argv[2:]
code = compile(f"MODE = {mode!r}" + text, "fates.py", "exec")
base = pathlib.Path("base"); base.mkdir()
known = inside.names(compile("MODE = ''" + text, "fates.py", "exec"), base / "names")
groups = [known] if layout == "together" else [[name] for name in known]
run = inside.Run(code, mode, 5.0, base, False)
run.go(groups, 3)
print(json.dumps({name.rpartition(".")[2]: one["outcome"] for name, one in run.tests.items()}))
"""


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in {"Z", "X"}


@pytest.mark.parametrize("mode", ["plain", "install"])
@pytest.mark.parametrize("layout", ["together", "apart"])
def test_every_test_has_its_outcome_whatever_became_of_the_one_before(
    run_python: Runner, wait_for: Callable[..., None], mode: str, layout: str
) -> None:
    import suite

    try:
        suite.origin()
    except suite.Missing as missing:
        pytest.skip(str(missing))
    outcomes = ast.literal_eval(run_python(RUN, str(STDLIB), mode, layout, FATES).ok().out)
    assert outcomes == {
        "test_a_passes": "passed",
        "test_b_fails": "failed",
        "test_c_fails_in_part": "failed",
        "test_d_is_skipped": "skipped",
        "test_e_crashes": "crashed",
        "test_f_passes_and_leaves_a_process": "passed",
        "test_g_hangs": "hung",
        "test_h_passes_after_the_hang": "passed",
        "test_i_has_install_in_effect_again": "passed",
    }
    (left,) = run_python.directory.glob("base/*/left")
    wait_for(lambda: not runs(int(left.read_text())), "the end of what a test left behind")


def outcomes(**given: str) -> dict[str, dict[str, str]]:
    return {
        f"test.test_logging.Some.test_{name}": {"outcome": outcome, "detail": ""}
        for name, outcome in given.items()
    }


def test_what_passes_without_us_only_is_a_regression() -> None:
    import compare

    without = outcomes(a="passed", b="passed", c="failed", d="skipped", e="passed", f="passed")
    ours = outcomes(a="passed", b="failed", c="failed", d="passed", e="skipped")
    found = compare.regressions(without, ours, "install", "apart", "3.13", [])
    assert [(one.test, one.outcome, one.reason) for one in found] == [
        ("Some.test_b", "failed", None),
        ("Some.test_e", "skipped", None),
        ("Some.test_f", "missing", None),
    ]


def test_an_expected_regression_is_expected_in_its_modes_and_versions_only() -> None:
    import compare

    entry = {"test": "Some.test_a", "modes": ["handlers"], "pythons": ["3.12"], "reason": "private"}
    expected = compare.read_expected({"expected": [entry]})

    def reasons(mode: str, python: str) -> list[Any]:
        sides = (outcomes(a="passed"), outcomes(a="failed"))
        found = compare.regressions(*sides, mode, "apart", python, expected)
        return [one.reason for one in found]

    assert reasons("handlers", "3.12") == ["private"]
    assert reasons("install", "3.12") == [None]
    assert reasons("handlers", "3.13") == [None]
    assert compare.stale(expected, [], "handlers", "3.12") == ["Some.test_a"]
    assert compare.stale(expected, [], "handlers", "3.13") == []


def test_an_expectation_without_a_reason_is_refused() -> None:
    import compare

    with pytest.raises(ValueError, match=r"^invalid entry: got .*expected `test`, `modes` and"):
        compare.read_expected({"expected": [{"test": "Some.test_a", "modes": ["install"]}]})


def test_names_are_replaced_in_code_and_configurations_but_not_in_questions() -> None:
    import suite

    text = """
class Mine(logging.StreamHandler): pass
old = "class=FileHandler\\nclass=logging.NullHandler\\nother=FileHandler"
config = {"class": "logging.handlers.StreamHandler", "formatter": "logging.Formatter"}
self.assertIsInstance(logging.FileHandler("x"), logging.FileHandler)
"""
    names = {
        f"logging.{name}": f"logboom.{name}"
        for name in ("StreamHandler", "FileHandler", "NullHandler")
    }
    changed = ast.unparse(suite._Replacer(names).visit(ast.parse(text))).splitlines()
    assert changed == [
        "class Mine(logboom.StreamHandler):",
        "    pass",
        "old = 'class=logboom.FileHandler\\nclass=logboom.NullHandler\\nother=FileHandler'",
        "config = {'class': 'logging.handlers.StreamHandler', 'formatter': 'logging.Formatter'}",
        "self.assertIsInstance(logboom.FileHandler('x'), logging.FileHandler)",
    ]


def test_every_handler_of_ours_that_the_library_has_is_replaced() -> None:
    import suite

    ours = {name for name in logboom.__all__ if name.endswith(("Handler", "Listener"))}
    ours = {name for name in ours if hasattr(logging, name) or hasattr(logging.handlers, name)}
    assert len(ours) > 10
    assert {name.removeprefix("logboom.") for name in suite.replaced().values()} >= ours
