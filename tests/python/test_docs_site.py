"""The documents' site builds without a warning, and its reference has every public name."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import logboom
import reference

pytest.importorskip("mkdocs", reason="mkdocs is not installed")

ROOT = Path(__file__).resolve().parents[2]


def build(site: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", site]
    return subprocess.run(
        [*command, *more],
        cwd=ROOT,
        env={**os.environ, "LOGBOOM_LEVEL": "", "LOGBOOM_FORMAT": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    outcome = build(tmp_path / "site")
    assert outcome.returncode == 0, outcome.stderr
    page = (tmp_path / "site/reference.html").read_text(encoding="utf-8")
    # Each ends with the sign of a link to itself.
    headings = {
        html.unescape(re.sub("<[^>]*>", "", found)).strip("\n \u00b6")
        for found in re.findall(r"<h3[^>]*>(.*?)</h3>", page, re.DOTALL)
    }
    names = {f"logboom.{name}" for name in logboom.__all__ if not name.startswith("__")}
    names |= {"logboom.structlog.configure", "logboom.loguru.forward"}
    assert names - headings == set()
    assert "LOGBOOM_DURABLE" in page
    assert "<!-- reference" not in page


def test_a_dead_link_fails_the_build(tmp_path: Path) -> None:
    pages = tmp_path / "docs"
    pages.mkdir()
    (pages / "index.md").write_text("[nowhere](nowhere.md)\n")
    config = tmp_path / "mkdocs.yml"
    config.write_text("site_name: x\ndocs_dir: docs\nplugins: []\n")
    outcome = build(tmp_path / "site", "--config-file", str(config))
    assert outcome.returncode == 1
    assert "nowhere.md" in outcome.stdout + outcome.stderr


def test_a_name_without_a_docstring_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "### `logboom.flush`" in reference.filled("<!-- reference: logboom -->")
    monkeypatch.setattr(logboom.flush, "__doc__", None)
    with pytest.raises(ValueError, match=r"no docstring: logboom\.flush"):
        reference.filled("<!-- reference: logboom -->")


def test_a_variable_that_nobody_tells_of_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "| `LOGBOOM_DURABLE` | `logboom.configure` |" in reference.filled("<!-- environment -->")
    monkeypatch.setattr(logboom.configure, "__doc__", "Change options.")
    with pytest.raises(ValueError, match="no docstring of a public name tells of LOGBOOM_DURABLE"):
        reference.filled("<!-- environment -->")
