"""The demo runs the main job, says what it saw, and fails when logboom does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from examples.demo import chart, lines, load, report, servers  # noqa: E402

LINE = "INFO - 2026-01-02 03:04:05,678 - request {} - line {} of 5\n"


def run_demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "examples.demo", *arguments],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=150,
    )


def test_a_small_run_finds_every_line_and_saves_the_chart(tmp_path):
    done = run_demo("--requests", "50", "--json", "--keep", "--out", str(tmp_path))
    assert done.returncode == 0, done
    found = json.loads(done.stdout)
    assert found["requests"] == 50
    for side in ("shipped", "logboom"):
        assert found[side]["requests_answered"] == 50
        assert found[side]["lines_expected"] == 250
        assert found[side]["first_failure"] is None
        assert found[side]["ending"] == "ended by SIGTERM"
    assert found["shipped"]["threads_after"] - found["shipped"]["threads_before"] == 50
    ours = found["logboom"]
    assert ours["threads_after"] - ours["threads_before"] <= 1
    assert [ours[f"lines_{what}"] for what in ("found", "lost", "repeated", "torn")] == [
        250,
        0,
        0,
        0,
    ]
    assert ours["faults"] == []
    assert Path(found["chart"]) == tmp_path / "threads.svg"
    assert ElementTree.parse(found["chart"]).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert len((tmp_path / "with_logboom.log").read_text().splitlines()) == 250


def test_the_table_is_printed_without_json(tmp_path):
    done = run_demo("--requests", "1", "--concurrency", "1", "--out", str(tmp_path))
    assert done.returncode == 0, done
    for words in ("threads after", "lines lost at SIGTERM", "requests/s", "threads.svg"):
        assert words in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["threads.svg"]


def test_help_explains_and_a_bad_number_is_refused():
    assert "exit status" in run_demo("--help").stdout
    refused = run_demo("--requests", "0")
    assert refused.returncode == 2
    assert "got '0', expected a whole number above 0" in refused.stderr


def check(tmp_path: Path, content: str) -> lines.LineCheck:
    log_file = tmp_path / "log"
    log_file.write_text(content)
    return lines.check_lines(log_file, {7, 8}, 2)


WHOLE = "".join(LINE.format(number, line) for number in (7, 8) for line in (1, 2))


@pytest.mark.parametrize(
    ("content", "found", "lost", "repeated", "torn"),
    [
        (WHOLE, 4, 0, 0, 0),
        (WHOLE + LINE.format(9, 1), 4, 0, 0, 0),  # a request that was not answered
        (WHOLE + LINE.format(7, 1), 4, 0, 1, 0),
        (WHOLE.replace(LINE.format(7, 2), ""), 3, 1, 0, 0),
        (WHOLE[:-1], 3, 1, 0, 1),
        (WHOLE.replace(" - request 8", "\n - request 8", 1), 3, 1, 0, 2),
        (WHOLE.replace("\n", "", 1), 2, 2, 0, 1),
        ("", 0, 4, 0, 0),
    ],
)
def test_the_check_counts_what_is_wrong_with_a_file(content, found, lost, repeated, torn, tmp_path):
    assert check(tmp_path, content) == lines.LineCheck(4, found, lost, repeated, torn)


def test_a_missing_file_has_lost_everything(tmp_path):
    assert lines.check_lines(tmp_path / "none", {1}, 5).lost == 5


def side(threads: int, answered: int = 10, **wrong: int) -> report.Side:
    samples = [servers.Sample(0, 2, 10, 10, 0.1), servers.Sample(10, threads, 10, 10, 0.2)]
    server: Any = None  # a side looks at what the server left behind only
    run = load.Run("title", server, 10, samples, set(range(answered)), seconds=1.0)
    counts = {"expected": 1, "found": 1, "lost": 0, "repeated": 0, "torn": 0, **wrong}
    return report.Side(run, lines.LineCheck(**counts), run)


@pytest.mark.parametrize(
    ("judged", "faults"),
    [
        (side(2), []),
        (side(3), []),
        (side(4), ["2 new threads, expected at most 1"]),
        (side(2, lost=3), ["3 lines lost"]),
        (side(2, repeated=1, torn=2), ["1 lines repeated", "2 lines torn"]),
        (side(2, answered=8), ["2 requests not answered"]),
    ],
)
def test_the_verdict_is_about_threads_lines_and_answers(judged, faults):
    assert judged.faults == faults


@pytest.mark.parametrize("requests", [1, 49, 50, 51, 2_000, 20_000])
def test_the_turns_cover_every_request_once(requests):
    turns = load.slices(requests)
    assert [number for turn in turns for number in turn] == list(range(requests))
    assert max(map(len, turns)) <= 100


@pytest.mark.parametrize("largest", [0, 1, 3, 7, 50, 2_006, 20_006, 123_456])
def test_the_ticks_are_few_and_round_and_reach_the_largest_value(largest):
    found = chart.ticks(largest)
    assert found[0] == 0
    assert found[-1] >= max(largest, 1)
    assert found[-2] < max(largest, 1)
    assert 2 <= len(found) <= 7


def test_a_title_is_escaped():
    drawn = chart.line_chart(
        "a < b", "", "x", "y", [chart.Series("<&>", "", "#000", [(0, 0), (1, 1)])]
    )
    texts = [element.text for element in ElementTree.fromstring(drawn).iter()]
    assert "a < b" in texts
    assert "<&>" in texts
