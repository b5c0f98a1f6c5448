"""Our order of versions equals rpm's own, and the spelling of Python's versions keeps Python's."""

from __future__ import annotations

import itertools
import shutil
import subprocess

import pytest
from packaging.version import Version

from venvpkg.families.rpm.versions import to_rpm, version_key
from versions import VERSIONS

pytestmark = pytest.mark.skipif(shutil.which("rpm") is None, reason="needs rpm")

PYTHON = (
    "1.0.dev1", "1.0.dev1+l", "1.0a1.dev2", "1.0a1", "1.0a1+local", "1.0a2", "1.0a1.post1", "1.0b1", "1.0rc1.dev3",
    "1.0rc1", "1.0rc1.post2.dev1", "1.0rc2", "1.0", "1.0+local", "1.0+local.1", "1.0+1", "1.0.post1.dev1", "1.0.post1",
    "1.0.post1+x", "1.0.post2", "1.0.1.dev1", "1.0.1a1", "1.0.1", "1.0.10", "1.1.dev0", "1.1", "2024.1", "0.1",
    "0.0.1", "10.0",
)  # fmt: skip
ODD = (
    "1", "1.0", "1.0~", "1.0^", "1.0~^", "1.0^~1", "1.0^a", "1.0a", "1.0.a", "1..0", "01.0", "1.00", "1.a.0", "a", "b",
    "ab", "1a1", "~", "^", "1.0+1", "1.0_1", ".1", "0", "00", "1~~", "1~1", "1.0^20200101", "1.0~rc1^git1",
)  # fmt: skip


def by_rpm(versions: tuple[str, ...]) -> list[int]:
    """Return how rpm compares each with each: -1, 0 or 1."""
    table = ", ".join(f'"{each}"' for each in versions)
    loops = "for _, a in ipairs(v) do for _, b in ipairs(v) do print(rpm.vercmp(a, b) .. '\\n') end end"
    argv = ["rpm", "--eval", f"%{{lua:local v = {{{table}}} {loops}}}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return [int(line) for line in done.stdout.split()]


def ours(versions: tuple[str, ...]) -> list[int]:
    keys = [version_key(each) for each in versions]
    return [(a > b) - (a < b) for a, b in itertools.product(keys, keys)]


def test_the_order_is_rpms_for_versions_of_every_kind() -> None:
    assert ours(ODD) == by_rpm(ODD)


def test_spelled_versions_keep_the_order_of_python() -> None:
    spelled = tuple(map(to_rpm, PYTHON))
    parsed = [Version(each) for each in PYTHON]

    assert by_rpm(spelled) == [(a > b) - (a < b) for a, b in itertools.product(parsed, parsed)]
    assert ours(spelled) == by_rpm(spelled)


def test_zeros_that_pep_440_does_not_count_change_no_order() -> None:
    parsed = [Version(each) for each in VERSIONS]

    answers = by_rpm(tuple(map(to_rpm, VERSIONS)))

    wrong = [
        (str(a), str(b), answer)
        for (a, b), answer in zip(itertools.product(parsed, parsed), answers, strict=True)
        if a != b and answer != (a > b) - (a < b)
    ]
    assert wrong == []
