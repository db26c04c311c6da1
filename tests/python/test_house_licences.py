"""`scripts/licences.py` reads licence expressions as SPDX means them."""

from __future__ import annotations

import pytest

import licences

ALLOWED = frozenset({"MIT", "Apache-2.0", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"})


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("GPL-3.0-only OR MIT", True),
        ("MIT/Apache-2.0", True),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT OR GPL-3.0-only) AND Unicode-3.0", True),
        ("(MIT OR Apache-2.0) AND GPL-3.0-only", False),
        ("MIT AND GPL-3.0-only OR Apache-2.0", True),
        ("Apache-2.0 OR MIT AND GPL-3.0-only", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-3.0-only WITH Classpath-exception-2.0", False),
        ("MIT WITH LLVM-exception", False),
    ],
)
def test_an_expression_is_met_by_the_list_or_not(expression: str, expected: bool) -> None:
    assert licences.accepted(expression, ALLOWED) is expected


@pytest.mark.parametrize("expression", ["", "MIT OR", "(MIT", "MIT)", "MIT Apache-2.0", "AND MIT"])
def test_an_expression_that_is_none_is_an_error(expression: str) -> None:
    with pytest.raises(ValueError, match="invalid licence expression"):
        licences.accepted(expression, ALLOWED)


def test_each_kind_of_finding_is_told() -> None:
    registry = "registry+index"
    packages = [
        {"name": "good", "version": "1", "license": "MIT", "source": registry},
        {"name": "ours", "version": "1", "license": "MIT OR Apache-2.0", "source": None},
        {"name": "viral", "version": "1", "license": "GPL-3.0-only", "source": registry},
        {"name": "silent", "version": "1", "license": None, "source": registry},
        {"name": "garbled", "version": "1", "license": "MIT OR", "source": registry},
        {"name": "stray", "version": "1", "license": "MIT", "source": "git+somewhere"},
    ]
    told = licences.findings(packages, ALLOWED)
    assert [line.split()[0] for line in told] == ["viral", "silent", "garbled", "stray"]
