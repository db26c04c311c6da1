"""`scripts/words.py` finds each kind of thing that it looks for, and `make lint` runs it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

import words

if TYPE_CHECKING:
    from pathlib import Path

FOUND = {
    "a type": ("crates/a.rs", "pub struct FileAppender;\n", "say sink, not appender"),
    "a function": ("crates/a.rs", "// x\nfn enqueue_it() {}\n", "a.rs:2: `enqueue_it`: say submit"),
    "a parameter": ("python/a.py", "def f(*, worker=1): ...\n", "`worker`: say writer"),
    "a variable": ("python/a.py", "the_backend = 1\n", "`the_backend`: say writer"),
    "a stub": ("python/a.pyi", "class Exporter: ...\n", "`Exporter`: say sink"),
    "an intention": ("Makefile", "# TO" + "DO: this\n", "Makefile:1: what is to be done"),
    "a path": ("README.md", "see `/ho" + "me/me/log`\n", "README.md:1: an absolute path"),
}
INNOCENT = {
    "a use": ("crates/a.rs", "fn f(event: tracing_appender::Worker) { map.enqueue() }\n"),
    "a comment": ("crates/a.rs", '// fn worker\nconst A: &str = "fn worker";\n'),
    "an excuse": ("crates/a.rs", "fn backend() {} // words: the trait of `x` calls it so\n"),
    "a part of a word": ("python/a.py", "walk = networker = 1\n"),
    "an intention with its issue": ("Makefile", "# TO" + "DO: this, see #12\n"),
    "a path of every machine": ("README.md", "see /var/log/app.log and a/ho" + "me/b\n"),
    "an imported name": ("python/a.py", "from x import worker\n"),
}


@pytest.mark.parametrize("case", FOUND)
def test_what_is_not_to_be_said_is_found(case: str) -> None:
    path, source, expected = FOUND[case]
    found = list(words.findings_in(path, source))
    assert len(found) == 1, found
    assert expected in found[0]


@pytest.mark.parametrize("case", INNOCENT)
def test_what_is_not_ours_to_name_is_left_alone(case: str) -> None:
    assert list(words.findings_in(*INNOCENT[case])) == []


def test_new_files_are_looked_at_and_ignored_ones_are_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text("build/\n")
    (tmp_path / "build").mkdir()
    (tmp_path / "build/a.md").write_text("TO" + "DO\n")
    assert words.main([str(tmp_path)]) == 0
    (tmp_path / "a.md").write_text("TO" + "DO\n")
    assert words.main([str(tmp_path)]) == 1
    assert "a.md:1:" in capsys.readouterr().out


def test_a_long_file_is_told_and_is_no_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / "long.py").write_text("\n" * (words.LONG + 1))
    assert words.main([str(tmp_path)]) == 0
    assert f"long.py has {words.LONG + 1} lines" in capsys.readouterr().out
