"""What tests/README.md says of the tests is so."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
FILES = sorted(path for path in TESTS.rglob("*.py") if not path.is_relative_to(TESTS / "data"))


def lines_with(pattern: str, *, below: str = "") -> list[str]:
    """Return the lines of tests that match, each with its file."""
    return [
        f"{path.relative_to(TESTS)}: {line}"
        for path in FILES
        if path.is_relative_to(TESTS / below) and path != Path(__file__)
        for line in path.read_text().splitlines()
        if re.search(pattern, line)
    ]


def test_every_file_that_the_guide_names_is_there() -> None:
    named = re.findall(
        r"`((?:unit|differential|packaging|acceptance|bench|rpmworld)/[^`\s]+)`", (TESTS / "README.md").read_text()
    )

    assert len(named) > 20
    assert [each for each in named if not (TESTS / each).exists()] == []


def test_no_test_module_imports_another() -> None:
    assert lines_with(r"^\s*(from|import) \S*\btest_") == []


def test_no_unit_test_reads_a_clock_or_starts_a_program() -> None:
    assert lines_with(r"^\s*import (subprocess|socket)|^from (subprocess|http\.server)\b", below="unit") == []
    assert lines_with(r"\b(monotonic|perf_counter)\(", below="unit") == []
