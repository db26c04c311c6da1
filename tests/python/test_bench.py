"""The benchmark counts, divides, compares and quotes as it says. It measures nothing here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from bench import (  # noqa: E402
    __main__ as driver,
    charts,
    compare,
    documents,
    goals,
    instructions,
    lines,
    load,
    report,
    results,
    subject,
    workloads,
)
from bench.peers import PEERS  # noqa: E402
from bench.peers.base import STANDARD  # noqa: E402

LINE = "INFO - 2026-01-02 03:04:05,678 - shop - bench_subject - user alice did {} things\n"


def written(*numbers: int) -> bytes:
    return "".join(LINE.format(number) for number in numbers).encode()


def result(call: list[float], head: str = "a") -> dict[str, Any]:
    table = results.Table()
    for number, value in enumerate(call):
        table.add("text-2", "logboom", number, {"metrics": {"to_disabled": value}})
        more = {"drained_per_s": 1e9 / value, "drained_ns": value * 10}
        table.add("text-2", "stdlib-queue", number, {"metrics": more})
    header = dict.fromkeys(("date", "python", "machine", "binding", "commit", "rounds"), head)
    rows = goals.rows(table)
    return {"format": 1, "header": header, "results": table.summary(), "goals": rows}


# Lines.


def test_every_line_of_every_pass_is_expected() -> None:
    assert lines.check(written(0, 1, 2, 0, 1), "two", [3, 2]).faults() == []


def test_lost_repeated_and_wrong_lines_are_told_apart() -> None:
    torn = b"INFO - 2026-01-02 03:04:05,678 - shop\n"
    found = lines.check(written(0, 1, 1) + torn, "two", [3])
    assert (found.expected, found.lost, found.repeated, found.wrong) == (3, 1, 1, 1)


def test_a_line_with_another_module_is_wrong_and_not_lost() -> None:
    found = lines.check(written(0).replace(b"bench_subject", b"measure"), "two", [1])
    assert (found.lost, found.wrong) == (0, 1)


def test_fields_of_a_line_of_json_are_found_at_any_depth_and_with_their_types() -> None:
    right = b'{"order": 3, "extra": {"user": "alice", "price": 9.5, "paid": true}}'
    assert lines.json_number(right) == (3, True)
    assert lines.json_number(right.replace(b"3", b'"3"')) == (3, False)
    assert lines.json_number(b'{"message": "order placed"}') == (None, None)
    assert lines.json_number(b"{") == (None, False)


def test_a_traceback_that_is_another_is_a_wrong_line() -> None:
    head = b"ERROR - 2026-01-02 03:04:05,678 - shop - bench_subject - request 0 failed\n"
    text = "Traceback (most recent call last):\nValueError: no\n"
    assert lines.check(head + text.encode(), "exception", [1], text).faults() == []
    assert lines.check(head + b"Traceback: no\n", "exception", [1], text).wrong == 1


# The subject.


@pytest.mark.parametrize("kind", sorted(STANDARD))
@pytest.mark.parametrize("apart", [False, True])
def test_the_subject_makes_each_call_once_and_numbers_it(
    tmp_path: Path, kind: str, apart: bool
) -> None:
    made: list[tuple[Any, ...]] = []

    class Log:
        def info(self, *arguments: Any, **_: Any) -> None:
            made.append(arguments)

        debug = error = info

    module = subject.made(tmp_path, f"subject_{kind}", STANDARD[kind], kind, apart=apart)
    module.burst(Log(), 3)
    times = [-1, -1]
    module.timed(Log(), 2, times)
    assert len(made) == 5
    assert min(times) >= 0
    if kind == "two":
        assert [arguments[-1] for arguments in made] == [0, 1, 2, 0, 1]


# The tables and the schedule.


def test_every_peer_of_a_workload_is_in_the_table_and_every_call_is_known() -> None:
    for workload in workloads.WORKLOADS:
        assert set(workload.peers) <= PEERS.keys()
        assert workload.call in STANDARD


def test_a_pattern_takes_workloads_and_peers() -> None:
    assert len(workloads.chosen("")) == sum(len(one.peers) for one in workloads.WORKLOADS)
    assert {peer for _, peer in workloads.chosen("loguru")} == {"loguru", "loguru-enqueue"}
    assert [(one.name, peer) for one, peer in workloads.chosen("early,idle:logboom")] == [
        ("early", "logboom"),
        ("idle", "logboom"),
    ]
    assert workloads.chosen("nobody") == []


def test_each_round_has_every_pair_once_in_an_order_of_its_own() -> None:
    pairs = workloads.chosen("text-2:")
    runs = driver.schedule(pairs, 3)
    rounds = [[pair[1:] for pair in runs if pair[0] == number] for number in (1, 2, 3)]
    assert rounds[0] != rounds[1] != rounds[2]
    assert all(set(one) == set(pairs) and len(one) == len(pairs) for one in rounds)
    assert driver.schedule(pairs, 3) == runs
    assert len(driver.schedule(workloads.chosen("reconfigure"), 3)) == 4


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("print('{\"metrics\": {}}')", {"metrics": {}}),
        ("import sys; sys.exit('no room')", {"faults": ["ended with status 1: no room"]}),
        ("import os; os.abort()", {"faults": ["died of SIGABRT"]}),
        ("print('hello')", {"faults": ["printed no result"]}),
    ],
)
def test_what_goes_wrong_with_a_run_is_a_fault(program: str, said: dict[str, Any]) -> None:
    assert driver.outcome_of([sys.executable, "-c", program], 60) == said


def test_a_run_that_hangs_is_ended_and_is_a_fault() -> None:
    program = "import threading; threading.Event().wait()"
    outcome = driver.outcome_of([sys.executable, "-c", program], 0.5)
    assert outcome == {"faults": ["did not end within 0.5 s"]}


# Results.


def test_a_ratio_is_made_within_a_round() -> None:
    table = results.Table()
    for number, (theirs, ours) in enumerate([(100.0, 1.0), (400.0, 2.0), (300.0, 1.0)]):
        table.add("text-2", "stdlib-queue", number, {"metrics": {"drained_ns": theirs}})
        table.add("text-2", "logboom", number, {"metrics": {"drained_ns": ours}})
    table.add("text-2", "stdlib-queue", 3, {"faults": ["died of SIGSEGV"]})
    queue = table.summary()["text-2"]["stdlib-queue"]
    assert queue["to_ours"]["drained"] == [200, 100, 300]
    assert queue["faults"] == ["round 3: died of SIGSEGV"]
    row = next(row for row in goals.rows(table) if row["name"] == "drained")
    assert (row["value"], row["met"]) == ([200, 100, 300], True)


def test_a_goal_that_was_not_measured_is_neither_met_nor_missed() -> None:
    row = next(row for row in goals.rows(results.Table()) if row["name"] == "json")
    assert (row["value"], row["met"]) == (None, None)


def test_a_result_is_read_as_it_was_saved(tmp_path: Path) -> None:
    saved = result([1.5, 2.0])
    results.save(tmp_path / "one.json", saved)
    assert results.load(tmp_path / "one.json") == saved
    assert "[1.75, 1.5, 2.0]" in (tmp_path / "one.json").read_text()
    results.save(tmp_path / "one.json", {**saved, "format": 0})
    with pytest.raises(ValueError, match="got format 0, expected 1"):
        results.load(tmp_path / "one.json")


def test_only_what_is_beyond_the_spread_has_changed() -> None:
    old = result([1.0, 2.0])
    assert list(compare.changes(old, result([1.5, 2.5]))) == []
    found = list(compare.changes(old, result([3.0, 4.0])))
    assert any("to disabled: 1.5 (1 to 2) → 3.5 (3 to 4), 2.33 times" in one for one in found)


def test_the_report_names_what_a_peer_did_wrong() -> None:
    table = results.Table()
    table.add("text-2", "loguru", 1, {"metrics": {"call_ns": 5.0}, "faults": ["3 lines lost"]})
    table.add("text-2", "logxide", 1, {"unsupported": "not installed: no wheel"})
    head = {"python": "3"}
    shown = list(
        report.lines({"header": head, "results": table.summary(), "goals": goals.rows(table)})
    )
    assert any("fault, round 1: 3 lines lost" in line for line in shown)
    assert any("LogXide" in line and "not installed: no wheel" in line for line in shown)


# Documents.


def test_a_table_stands_between_its_markers() -> None:
    text = "a\n<!-- t: begin -->\nold\n<!-- t: end -->\nb\n"
    new = documents.filled(text, "t", "new")
    assert new == "a\n<!-- t: begin -->\n\nnew\n\n<!-- t: end -->\nb\n"
    assert documents.filled(new, "t", "new") == new
    assert documents.filled("nothing", "t", "new") == "nothing"
    with pytest.raises(ValueError, match="is missing"):
        documents.filled("<!-- t: begin -->", "t", "new")


def test_a_document_that_differs_from_the_result_is_told(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("<!-- bench-short: begin --><!-- bench-short: end -->\n")
    one = result([1.0])
    assert documents.stale(one, tmp_path, write=True) == ["README.md", documents.CHART]
    assert documents.stale(one, tmp_path, write=False) == []
    assert documents.stale(result([2.0]), tmp_path, write=False) == ["README.md", documents.CHART]


def test_the_documents_agree_with_the_saved_result() -> None:
    if documents.quoted().exists():
        assert documents.stale(results.load(documents.quoted()), write=False) == []


def test_the_chart_is_svg_with_a_bar_for_each() -> None:
    drawn = charts.bars("a <b>", "c", [("one", 10.0, True), ("two", 5.0, False)])
    tree = ElementTree.fromstring(drawn)
    bars = [one for one in tree.iter() if one.tag.endswith("rect") and one.get("height") == "20"]
    assert [float(one.get("width", "")) for one in bars] == [460, 230]


# Instructions, and the client.


def test_threads_are_told_apart_and_growth_is_judged(tmp_path: Path) -> None:
    for number, total in ((1, 1000), (2, 70), (3, 30)):
        text = f"thread: {number}\nevents: Ir\ntotals: {total}\n"
        (tmp_path / f"out.7-0{number}").write_text(text)
    assert instructions.threads_of(tmp_path) == (1000, 100)
    stored = {"a": {"call": 100.0}, "b": {"call": 100.0}}
    now = {"a": {"call": 103.0}, "b": {"call": 103.5}, "new": {"call": 9.0}}
    assert instructions.judge(now, stored) == ["b: 104 instructions a call, stored 100"]


def test_a_response_is_complete_when_its_body_is() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    assert [load.complete(head[:9]), load.complete(head + b"a"), load.complete(head + b"ab")] == [
        False,
        False,
        True,
    ]
    with pytest.raises(ConnectionError, match=r"got HTTP/1\.1 500"):
        load.complete(head.replace(b"200 OK", b"500 No"))
