"""The runner of other projects' tests sees it when one passes without logboom only. All offline."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

OTHERS = Path(__file__).resolve().parents[1] / "others"
EXPECTED = {
    "test": "shop: test_a",
    "modes": ["install"],
    "reason": "a private matter",
}


@pytest.fixture(autouse=True)
def runner_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(OTHERS.parent))
    monkeypatch.syspath_prepend(str(OTHERS))
    # The runner of CPython's tests has a module of that name too.
    monkeypatch.delitem(sys.modules, "run", raising=False)


def project(**given: Any) -> Any:
    import table

    return table.Project(**{"name": "shop", "version": "1.0", "tests": ("tests",), **given})


def read(tmp_path: Path, text: str) -> Any:
    import table

    path = tmp_path / "projects.toml"
    path.write_text(text)
    return table.read(path)


# The table.


def test_the_table_that_is_shipped_can_be_read() -> None:
    import compare
    import table

    projects = table.read(OTHERS / "projects.toml")
    named = {
        *("litestar", "structlog", "sentry-sdk", "pytest", "opentelemetry-sdk", "uvicorn"),
        *("python-json-logger", "asgi-correlation-id"),
    }
    assert named.issubset(projects)
    expected = compare.read_expected(table.tomllib.loads((OTHERS / "expected.toml").read_text()))
    assert all(one.test.partition(": ")[0] in projects for one in expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[a]\nversion = "1"', "invalid entry `a`: expected `version` and `tests`"),
        ('[a]\nversion = "1"\ntests = ["t"]\ntest = 1', "invalid entry `a`: got .* expected keys"),
        (
            '[a]\nversion = "1"\ntests = ["t"]\nneeds = ["b"]',
            r"invalid `needs` of `a`: got \['b'\]",
        ),
        ('[a]\nversion = "1"\ntests = ["t"]\nneeds = ["b>=1"]', r"`needs` of `a`: got \['b>=1'\]"),
    ],
)
def test_an_entry_that_is_wrong_is_refused(tmp_path: Path, text: str, said: str) -> None:
    import table

    with pytest.raises(table.Invalid, match=said):
        read(tmp_path, text)


def test_projects_are_chosen_by_name_and_unknown_ones_refused(tmp_path: Path) -> None:
    import table

    text = '[a]\nversion = "1"\ntests = ["t"]\n[b]\nversion = "2"\ntests = ["t"]\ntests_of = "1"'
    projects = read(tmp_path, text)
    assert [one.name for one in table.chosen(projects, [])] == ["a", "b"]
    assert [one.source for one in table.chosen(projects, ["b"])] == ["b==1"]
    with pytest.raises(table.Invalid, match=r"^unknown project: got c, expected some of a, b$"):
        table.chosen(projects, ["c", "a"])


# The tests that are laid.


def archive(directory: Path, *names: str) -> Path:
    for name in names:
        path = directory / "shop-1.0" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    path = directory / "shop-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        packed.add(directory / "shop-1.0", "shop-1.0")
    return path


def laid(directory: Path) -> list[str]:
    return sorted(
        str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()
    )


def test_only_what_the_tests_need_is_unpacked_and_nothing_stays_from_before(tmp_path: Path) -> None:
    import prepare

    names = ("tests/test_a.py", "pyproject.toml", "shop/__init__.py", "tests_of_old/test_b.py")
    packed = archive(tmp_path, *names)
    place = tmp_path / "plain"
    for origin in (packed, tmp_path / "shop-1.0"):
        place.mkdir(exist_ok=True)
        (place / "left").write_text("")
        assert prepare.tests(project(), origin, place) == place
        assert laid(place) == ["pyproject.toml", "pytest.ini", "tests/test_a.py"]


@pytest.mark.parametrize("told", ["[tool.pytest]", "[tool.pytest.ini_options]"])
def test_a_configuration_of_the_projects_own_stays_the_one(tmp_path: Path, told: str) -> None:
    import prepare

    origin = tmp_path / "checkout"
    (origin / "tests").mkdir(parents=True)
    (origin / "pyproject.toml").write_text(told)
    (origin / "tests/test_a.py").write_text("")
    prepare.tests(project(), origin, tmp_path / "plain")
    assert laid(tmp_path / "plain") == ["pyproject.toml", "tests/test_a.py"]


def test_a_source_distribution_without_the_tests_is_told(tmp_path: Path) -> None:
    import prepare

    packed = archive(tmp_path, "shop/__init__.py")
    with pytest.raises(prepare.Unusable, match=r"shop-1\.0\.tar\.gz has no \./tests$"):
        prepare.tests(project(), packed, tmp_path / "plain")


def test_an_environment_without_pytest_is_refused(tmp_path: Path) -> None:
    import prepare

    with pytest.raises(prepare.Unusable, match=r"expected a `pytest==\.\.\.`"):
        prepare.environment(project(), tmp_path / "environment", tmp_path / "wheel")


def test_what_pip_says_is_told() -> None:
    import prepare

    with pytest.raises(prepare.Unusable, match=r"pip install .*: exit code 1(.|\n)*no-such-file"):
        prepare.pip("install", "--no-index", "./no-such-file.whl")


# The watching, in a run of this environment's own pytest.

FATES = """
import logging, os, subprocess, sys
import pytest

def test_passes():
    logging.getLogger("shop").warning("seen")
def test_fails():
    assert not "as it should"
def test_is_skipped():
    pytest.skip("no reason")
@pytest.mark.xfail(reason="known", strict=False)
def test_fails_as_expected():
    assert False
@pytest.mark.xfail(reason="known", strict=False)
def test_passes_all_the_same():
    pass
@pytest.fixture
def broken_end():
    yield
    raise LookupError("at its end")
def test_fails_at_its_end(broken_end):
    pass
def test_undoes():
    if IS_OURS:
        import logboom
        logboom.uninstall()
def test_is_watched_after_that():
    assert IS_OURS == (type(logging.Logger.info).__name__ == "method_descriptor")
def test_gives_a_class_of_its_own():
    class Mine(logging.getLoggerClass()):
        pass
    logging.setLoggerClass(Mine)
def test_starts_with_the_class_there_was():
    assert type(logging.getLogger("newer")).__name__ == "Logger"
def test_forks():
    pid = os.fork()
    if pid == 0:
        pytest.fail("in the child")
    _, status = os.waitpid(pid, 0)
def test_crashes():
    os.kill(os.getpid(), 9)
def test_never_runs():
    pass
"""

OUTCOMES = {
    "test_passes": "passed",
    "test_fails": "failed",
    "test_is_skipped": "skipped",
    "test_fails_as_expected": "xfailed",
    "test_passes_all_the_same": "xpassed",
    "test_fails_at_its_end": "failed",
    "test_undoes": "passed",
    "test_is_watched_after_that": "passed",
    "test_gives_a_class_of_its_own": "passed",
    "test_starts_with_the_class_there_was": "passed",
}


def watched(directory: Path, mode: str, text: str) -> tuple[int, Path]:
    path = directory / "test_fates.py"
    path.write_text(f"IS_OURS = {mode == 'install'}\n" + text)
    told = directory / "told"
    order = {"mode": mode, "told": str(told), "tests": str(OTHERS.parent)}
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "logboom_watch", "-p", "no:cacheprovider"),
            *("-q", "--rootdir", str(directory), str(path)),
        ],
        cwd=directory,
        env={
            **kept,
            "PYTHONPATH": str(OTHERS / "inside"),
            "LOGBOOM_OTHERS": json.dumps(order),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    return done.returncode, told


@pytest.mark.parametrize("mode", ["plain", "install"])
def test_every_test_has_its_outcome_and_install_is_in_effect_for_each(
    tmp_path: Path, mode: str
) -> None:
    import run

    text = FATES[: FATES.index("def test_forks")]
    code, told = watched(tmp_path, mode, text)
    result = run.events(told)
    outcomes = {name.partition("::")[2]: one["outcome"] for name, one in result["tests"].items()}
    assert (code, outcomes) == (1, OUTCOMES)
    assert bool(run.ours(result["loggers"])) == (mode == "install")
    # At the start, as there is no `.pth` file here, and after the test that undid it.
    assert result["installed_again"] == (2 if mode == "install" else 0)
    assert not result["interrupted"]


def test_a_test_that_takes_the_process_along_is_told(tmp_path: Path) -> None:
    import run

    text = "import os, pytest\n" + FATES[FATES.index("def test_forks") :]
    code, told = watched(tmp_path, "plain", text)
    result = run.events(told)
    outcomes = {name.partition("::")[2]: one["outcome"] for name, one in result["tests"].items()}
    # The forked child ran into its failure, and told nothing of it.
    assert outcomes == {"test_forks": "passed", "test_crashes": "crashed"}
    assert result["interrupted"] and code == -9


def test_a_test_that_cannot_have_install_in_effect_does_not_pass(tmp_path: Path) -> None:
    import run

    text = """
import logging
def test_breaks():
    import logboom
    logboom.install = lambda: None
    logboom.uninstall()
def test_is_not_in_effect():
    pass
"""
    _, told = watched(tmp_path, "install", text)
    tests = run.events(told)["tests"]
    assert tests["test_fates.py::test_breaks"]["outcome"] == "passed"
    after = tests["test_fates.py::test_is_not_in_effect"]
    assert (after["outcome"], after["detail"]) == ("failed", "not installed")


# The verdict.


def a_run(loggers: dict[str, int] | None = None, **outcomes: str) -> dict[str, Any]:
    tests = {name: {"outcome": outcome, "detail": ""} for name, outcome in outcomes.items()}
    return {"tests": tests, "loggers": loggers or {}, "installed_again": 0, "seconds": 0.0}


OURS = {"logboom._loggers.Logger": 3, "logging.Logger": 1}


def verdict(entries: list[dict[str, Any]], **runs: dict[str, Any]) -> dict[str, Any]:
    import compare
    import run

    expected = compare.read_expected({"expected": entries})
    return run.judge_project("shop", runs, expected)


def test_what_passes_twice_without_us_and_not_with_us_is_a_regression() -> None:
    found = verdict(
        [],
        plain=a_run(test_a="passed", test_b="passed", test_c="failed", test_d="passed"),
        again=a_run(test_a="passed", test_b="passed", test_c="failed", test_d="failed"),
        install=a_run(OURS, test_a="failed", test_c="failed", test_d="failed"),
    )
    regressions = [(one["test"], one["outcome"]) for one in found["regressions"]]
    assert regressions == [("shop: test_a", "failed"), ("shop: test_b", "missing")]
    assert found["unsteady"] == ["shop: test_d"]
    assert found["passing"] == 2
    assert found["unproved"] == []


def test_a_test_that_one_plain_run_does_not_have_is_unsteady() -> None:
    found = verdict(
        [],
        plain=a_run(test_a="passed"),
        again=a_run(test_a="passed", test_b="passed"),
        install=a_run(OURS, test_a="passed"),
    )
    assert (found["unsteady"], found["regressions"]) == (["shop: test_b"], [])


def test_an_expected_regression_is_named_with_its_reason_and_a_stale_one_told() -> None:
    runs = {name: a_run(test_a="passed") for name in ("plain", "again")}
    failing = verdict([EXPECTED], **runs, install=a_run(OURS, test_a="failed"))
    assert [one["reason"] for one in failing["expected"]] == ["a private matter"]
    assert (failing["regressions"], failing["stale"]) == ([], [])
    passing = verdict([EXPECTED], **runs, install=a_run(OURS, test_a="passed"))
    assert (passing["expected"], passing["stale"]) == ([], ["shop: test_a"])


def test_a_run_without_loggers_of_ours_or_passing_tests_proves_nothing() -> None:
    import run

    runs = {name: a_run(test_a="failed") for name in ("plain", "again")}
    found = verdict([], **runs, install=a_run({"logging.Logger": 4}, test_a="failed"))
    assert found["unproved"] == ["shop: no logger of ours", "shop: no test passes without us"]
    assert run.status({"projects": {"shop": {"verdict": found}}}) == 1


def test_the_exit_status_tells_regressions_from_projects_that_could_not_be_run() -> None:
    import run

    fine = {"verdict": {"regressions": [], "unproved": []}}
    worse = {"verdict": {"regressions": [{}], "unproved": []}}
    assert run.status({"projects": {"a": fine, "b": {"not_run": "why"}}}) == 0
    assert run.status({"projects": {"a": fine, "b": worse}}) == 1
    assert run.status({"projects": {"a": worse, "b": {"unusable": "why"}}}) == 2


def test_a_project_that_cannot_be_run_is_told_and_does_not_end_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import prepare
    import run

    def no_network(*arguments: str) -> None:
        raise prepare.Unusable("pip download: no network")

    monkeypatch.setattr(prepare, "pip", no_network)
    monkeypatch.setattr(run, "BUILD", tmp_path)
    options = argparse.Namespace(tag="here", checkouts={}, wheel=tmp_path, only="")
    assert run.run_project(project(), options) == {"unusable": "pip download: no network"}
    left_out = project(undistributed="no tests in 1.0")
    assert run.run_project(left_out, options) == {"not_run": "no tests in 1.0"}
    other = project(pythons=("2.7",))
    assert run.run_project(other, options) == {"not_run": "needs one of 2.7"}
    assert "shop 1.0: pip download: no network" in capsys.readouterr().err
