"""What differs between other people's tests without us and with us, and which of it may.

A *regression* is a test that passes without us and does not with us, in the same layout: whether it
fails, is skipped, hangs, crashes or is missing. ``expected.toml`` lists those that may be, each with its
reason. An entry that nothing needs any more is *stale*. Used by ``stdlib/run.py`` and ``others/run.py``;
the layout is there how the tests were run, here whose they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    # By the name of the test: its outcome, and what it said.
    Tests = dict[str, dict[str, str]]

PREFIX = "test.test_logging."
_KEYS = {"test", "modes", "pythons", "reason"}


class Expected(NamedTuple):
    """An entry of ``expected.toml``."""

    test: str
    modes: tuple[str, ...]
    pythons: tuple[str, ...]
    reason: str

    def covers(self, test: str, mode: str, python: str) -> bool:
        """Whether it is about this test in this mode, on this version (``3.13``)."""
        in_version = not self.pythons or python in self.pythons
        return self.test == test and mode in self.modes and in_version


class Regression(NamedTuple):
    """A test that passes without us only, and the reason if that is expected."""

    test: str
    mode: str
    layout: str
    outcome: str
    detail: str
    reason: str | None


def read_expected(document: dict[str, Any]) -> list[Expected]:
    """Read ``expected.toml``, which has to be complete: an entry without its reason is an error."""
    entries = []
    for entry in document.get("expected", []):
        if not _KEYS.issuperset(entry) or not entry.get("reason") or not entry.get("modes"):
            raise ValueError(f"invalid entry: got {entry}, expected `test`, `modes` and `reason`")
        pythons = tuple(entry.get("pythons", ()))
        entries.append(Expected(entry["test"], tuple(entry["modes"]), pythons, entry["reason"]))
    return entries


def short(test: str) -> str:
    """Give a test's name without the module, as in ``expected.toml``."""
    return test.removeprefix(PREFIX)


def regressions(
    without: Tests,
    with_us: Tests,
    mode: str,
    layout: str,
    python: str,
    expected: Iterable[Expected],
) -> list[Regression]:
    """Give the tests that pass without us only."""
    known = list(expected)
    found = []
    for test, result in without.items():
        ours = with_us.get(test, {"outcome": "missing", "detail": "the test was not run"})
        if result["outcome"] != "passed" or ours["outcome"] == "passed":
            continue
        name = short(test)
        reason = next((one.reason for one in known if one.covers(name, mode, python)), None)
        found.append(Regression(name, mode, layout, ours["outcome"], ours["detail"], reason))
    return found


def stale(
    expected: Iterable[Expected], found: Iterable[Regression], mode: str, python: str
) -> list[str]:
    """Give the tests that ``expected.toml`` lists for this mode and version, and that pass."""
    failing = {one.test for one in found if one.mode == mode}
    listed = (one for one in expected if one.covers(one.test, mode, python))
    return [one.test for one in listed if one.test not in failing]
