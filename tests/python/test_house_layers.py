"""Each rule of `scripts/layers.py` catches a tree that breaks it, and only that."""

from __future__ import annotations

from pathlib import Path

import pytest

import layers

RECORD = "use crate::level::Level;\npub struct Record;\n"
TREE = {
    "crates/ring/Cargo.toml": '[package]\nname = "logboom-ring"\n',
    "crates/ring/src/lib.rs": "pub fn read() { unsafe { core::hint::unreachable_unchecked() } }\n",
    "crates/logboom/Cargo.toml": (
        '[package]\nname = "logboom"\n[dependencies]\nlogboom-ring.workspace = true\n'
    ),
    "crates/logboom/src/lib.rs": (
        "pub mod engine;\nmod level;\nmod record;\nmod sink;\nmod writer;\n"
        "pub use engine::{Engine, Guard as Lock};\npub use crate::record::Record;\n"
    ),
    "crates/logboom/src/level.rs": "pub struct Level;\n",
    "crates/logboom/src/record.rs": RECORD,
    "crates/logboom/src/engine.rs": "use crate::writer::Writer;\npub struct Engine;\n",
    "crates/logboom/src/writer/mod.rs": "use crate::{record::Record, sink::{self, Sink}};\n",
    "crates/logboom/src/sink/mod.rs": "//! Knows no [`crate::record`].\nuse super::level::Level;\n",
    "crates/logboom/src/sink/file.rs": "use super::Sink;\n",
    "crates/logboom-py/Cargo.toml": (
        '[package]\nname = "logboom-py"\n'
        '[dependencies]\nlogboom = { path = "../logboom" }\npyo3 = "1"\n'
    ),
    "crates/logboom-py/src/ffi/object.rs": "pub fn raw() { unsafe { read() } }\n",
    "python/logboom/__init__.py": "import logging\nfrom logboom._engine import flush\n",
    "python/logboom/_engine.py": "from . import _logboom\n",
    "python/logboom/litestar.py": "from litestar.plugins import InitPlugin\nimport logboom\n",
}


def findings(root: Path, **changes: str) -> list[str]:
    for name, text in {**TREE, **changes}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return layers.findings(root)


def test_a_tree_that_keeps_the_rules_has_no_findings(tmp_path: Path) -> None:
    assert findings(tmp_path) == []


BROKEN = {
    "the ring knows the engine": (
        "crates/ring/Cargo.toml",
        '[package]\nname = "logboom-ring"\n[dev-dependencies]\nlogboom = { path = "../logboom" }\n',
        "`logboom-ring` must not know `logboom`",
    ),
    "the engine knows python, under another name and for one target": (
        "crates/logboom/Cargo.toml",
        "[package]\nname = 'logboom'\n[target.'cfg(unix)'.dependencies.snake]\npackage = 'pyo3'\n",
        "the engine must not know `pyo3`",
    ),
    "a crate without a place": (
        "crates/logboom-py/Cargo.toml",
        '[package]\nname = "logboom-snake"\n',
        "crate `logboom-snake` has no place",
    ),
    "a leaf knows the record": (
        "crates/logboom/src/level.rs",
        "use crate::record::Record;\n",
        "level.rs:1: `level` must not know `record`",
    ),
    "a sink knows the record, in a grouped use": (
        "crates/logboom/src/sink/file.rs",
        "use crate::{\n    level::Level,\n    record::{self, Record as R},\n};\n",
        "file.rs:3: `sink` must not know `record`",
    ),
    "a sink knows the record, through super": (
        "crates/logboom/src/sink/file.rs",
        "fn write(record: &super::super::record::Record) {}\n",
        "file.rs:1: `sink` must not know `record`",
    ),
    "a sink knows the record, through what the root exports": (
        "crates/logboom/src/sink/file.rs",
        "fn write(record: &crate::Record) {}\n",
        "file.rs:1: `sink` must not know `record`",
    ),
    "a sink knows the record, from an inline module": (
        "crates/logboom/src/sink/file.rs",
        "mod inner {\n    use super::super::super::record::Record;\n}\n",
        "file.rs:2: `sink` must not know `record`",
    ),
    "a sink takes everything": (
        "crates/logboom/src/sink/file.rs",
        "use crate::*;\n",
        "file.rs:1: `sink` must not take the whole crate",
    ),
    "the record knows the engine, by an alias of the root": (
        "crates/logboom/src/record.rs",
        "type Held = crate::Lock;\n",
        "record.rs:1: `record` must not know `engine`",
    ),
    "the writer knows the engine": (
        "crates/logboom/src/writer/mod.rs",
        "pub(crate) fn run(engine: crate::engine::Engine) {}\n",
        "mod.rs:1: `writer` must not know `engine`",
    ),
    "a module without a place": (
        "crates/logboom/src/stuff.rs",
        "pub struct Stuff;\n",
        "module `stuff` has no place",
    ),
    "unsafe in the engine": (
        "crates/logboom/src/record.rs",
        "pub fn read() {\n    unsafe { core() }\n}\n",
        "record.rs:2: `unsafe` belongs into",
    ),
    "unsafe in the binding, outside of its wall": (
        "crates/logboom-py/src/logger.rs",
        "unsafe impl Send for Logger {}\n",
        "logger.rs:1: `unsafe` belongs into",
    ),
    "a module that is called nothing, in Rust": (
        "crates/ring/src/utils/mod.rs",
        "",
        "`utils` says nothing",
    ),
    "a module that is called nothing, in Python": (
        "python/logboom/_helpers.py",
        "",
        "`_helpers` says nothing",
    ),
    "the package imports a third party": (
        "python/logboom/_engine.py",
        "def f():\n    import structlog.stdlib\n",
        "_engine.py:2: only an integration named after it may import `structlog`",
    ),
    "an integration imports another third party": (
        "python/logboom/litestar.py",
        "import httpx\n",
        "litestar.py:1: only an integration named after it may import `httpx`",
    ),
    "the package imports an integration": (
        "python/logboom/__init__.py",
        "from logboom.litestar import LogboomPlugin\n",
        "__init__.py:1: nothing imports the integration `litestar`",
    ),
    "the package imports an integration, relatively": (
        "python/logboom/_engine.py",
        "from . import litestar\n",
        "_engine.py:1: nothing imports the integration `litestar`",
    ),
    "a stub imports an integration": (
        "python/logboom/_logboom.pyi",
        "from .litestar import LogboomPlugin\n",
        "_logboom.pyi:1: nothing imports the integration `litestar`",
    ),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_found_and_nothing_else(tmp_path: Path, rule: str) -> None:
    file, text, expected = BROKEN[rule]
    found = findings(tmp_path, **{file: text})
    assert len(found) == 1, found
    assert expected in found[0]


INNOCENT = {
    "comments": "// crate::record\n/* /* */ unsafe crate::writer */\n/// [`crate::record`]\n",
    "strings": 'const A: &str = "crate::record \\" unsafe";\nconst B: &str = r#"unsafe " {"#;\n',
    "characters and lifetimes": "fn f<'a>(x: &'a str) -> bool { x.find(['\"', '\\'', '{']) }\n",
    "unit tests": "#[cfg(test)]\nmod tests {\n    use crate::record::Record;\n    fn f() {}\n}\n",
    "tests of a feature": '#[cfg(all(test, feature = "x"))]\nuse crate::record::Record;\n',
    "its own": "use self::file::FileSink;\nuse crate::sink::Sink;\nuse super::level::Level;\n",
    "others' modules of the same name": "use std::record::Record;\nuse other::crate_::record;\n",
}


@pytest.mark.parametrize("case", INNOCENT)
def test_what_only_looks_like_a_breach_is_none(tmp_path: Path, case: str) -> None:
    assert findings(tmp_path, **{"crates/logboom/src/sink/mod.rs": INNOCENT[case]}) == []


def test_code_after_a_blanked_item_is_still_looked_at(tmp_path: Path) -> None:
    text = INNOCENT["unit tests"] + "use crate::record::Record;\n"
    found = findings(tmp_path, **{"crates/logboom/src/sink/mod.rs": text})
    assert found == ["crates/logboom/src/sink/mod.rs:6: `sink` must not know `record`"]


def test_the_command_prints_and_exits_by_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    findings(tmp_path)
    assert layers.main([str(tmp_path)]) == 0
    findings(tmp_path, **{"python/logboom/prelude.py": ""})
    assert layers.main([str(tmp_path)]) == 1
    assert "python/logboom/prelude.py" in capsys.readouterr().out
