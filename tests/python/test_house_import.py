"""`import logboom` takes nothing but the standard library and itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Runner


def test_importing_logboom_imports_no_third_party(run_python: Runner) -> None:
    outcome = run_python(
        """
        import sys
        before = set(sys.modules)
        import logboom
        new = {name.partition(".")[0] for name in set(sys.modules) - before}
        print(*sorted(new - sys.stdlib_module_names - {"logboom"}))
        """
    ).ok()
    assert outcome.out.split() == []


def test_importing_logboom_starts_no_thread_and_prints_nothing(run_python: Runner) -> None:
    outcome = run_python(
        """
        import os, sys, threading
        import logboom
        tasks = "/proc/self/task"
        native = len(os.listdir(tasks)) if os.path.isdir(tasks) else 1
        sys.exit(0 if (native, threading.active_count()) == (1, 1) else f"{native} threads")
        """
    ).ok()
    assert (outcome.out, outcome.err) == ("", "")
