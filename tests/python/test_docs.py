"""The documents tell the truth, as far as a program can find out.

Every ``python`` block is run as a program of its own, in an empty directory; where a ``text`` block
follows it, that is what the program prints (standard output, then standard error), times aside. A
block that makes an ``app`` is served one request, and skipped where its framework is not installed.
Every ``rust`` block of the README is a doctest of the crate ``logboom``. Every ``make`` target, file
and test that a document names exists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Runner

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|#)(?P<target>[^)#\s]+)[^)]*\)")
MAKE = re.compile(r"\bmake(?: -j\d*)?(?P<targets>(?: [a-z][a-z-]*)+)")
NAMED = re.compile(
    r"`(?P<path>(?:bench|crates|docs|examples|fuzz|python|scripts|tests)/[\w/.-]+)(?:::(?P<name>\w+))?`"
)
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}")

RUN = """
import runpy
runpy.run_path("app.py", run_name="__main__")
"""
FRAMEWORKS = {
    "Litestar": "litestar",
    "FastAPI": "fastapi",
    "LoggingMiddleware": "",
    "Flask": "flask",
}
MAKES_AN_APP = re.compile(rf"^app = (?P<class>{'|'.join(FRAMEWORKS)})\(", re.MULTILINE)
SERVE_LITESTAR = """
from app import app
from litestar.testing import TestClient

with TestClient(app) as client:
    response = client.get("/")
    assert response.status_code == 200, response.text
    assert response.headers["x-request-id"]
"""
SERVE_ASGI = """
import asyncio, httpx
from app import app

async def serve():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        response = await client.get("/")
    assert response.status_code == 200, response.text
    assert response.headers["x-request-id"]

asyncio.run(serve())
"""
SERVE_WSGI = """
from app import app

response = app.test_client().get("/")
assert response.status_code == 200, response.text
"""
SERVE = {"Litestar": SERVE_LITESTAR, "Flask": SERVE_WSGI}


@dataclass(frozen=True)
class Block:
    """A fenced block, and the text block right behind it, if there is one."""

    document: Path
    line: int
    language: str
    text: str
    printed: str | None

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def blocks(language: str) -> list[Block]:
    found = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        fences = list(FENCE.finditer(text))
        for fence, following in zip(fences, [*fences[1:], None], strict=False):
            if fence["language"] != language:
                continue
            printed = None
            if following and following["language"] == "text":
                between = text[fence.end() : following.start()]
                printed = following["text"] if not between.strip() else None
            line = text.count("\n", 0, fence.start()) + 1
            found.append(Block(document, line, language, fence["text"], printed))
    return found


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_a_python_block_runs_and_prints_what_is_said(block: Block, run_python: Runner) -> None:
    (run_python.directory / "app.py").write_text(block.text, encoding="utf-8")
    makes = MAKES_AN_APP.search(block.text)
    if makes and FRAMEWORKS[makes["class"]]:
        pytest.importorskip(FRAMEWORKS[makes["class"]])
    outcome = run_python(SERVE.get(makes["class"], SERVE_ASGI) if makes else RUN).ok()
    if block.printed is not None:
        assert TIME.sub("TIME", outcome.out + outcome.err) == TIME.sub("TIME", block.printed)


def test_the_rust_blocks_of_the_readme_are_doctests() -> None:
    assert [str(block) for block in blocks("rust") if block.document.name != "README.md"] == []
    root = (ROOT / "crates/logboom/src/lib.rs").read_text(encoding="utf-8")
    assert '#[cfg(doctest)]\n#[doc = include_str!("../../../README.md")]' in root


def test_every_block_names_its_language() -> None:
    # rustdoc takes a block without one for Rust.
    assert [str(block) for block in blocks("")] == []


def targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    code = [found["text"] for found in FENCE.finditer(text) if found["language"] == "sh"]
    code += re.findall(r"`(make[^`\n]*)`", text)
    named = {name for part in code for found in MAKE.findall(part) for name in found.split()}
    assert named - targets() == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    dead = [link for link in LINK.findall(text) if not (document.parent / link).exists()]
    assert dead == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_and_test_that_is_named_exists(document: Path) -> None:
    missing = []
    for found in NAMED.finditer(document.read_text(encoding="utf-8")):
        path = ROOT / found["path"]
        if not path.exists() or (found["name"] and not defines(path, found["name"])):
            missing.append(found.group())
    assert missing == []


def defines(file: Path, name: str) -> bool:
    return re.search(rf"\b(?:fn|def) {name}\b", file.read_text(encoding="utf-8")) is not None


def test_the_readme_and_the_ci_script_run_the_same_test_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert re.search(r"^make test$", readme, re.MULTILINE)
    assert re.search(r"^step make test$", script, re.MULTILINE)
