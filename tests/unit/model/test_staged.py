"""What a payload says of the bytecode in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from unit.samples import a_staged
from venvpkg.model.staged import PathKind, Payload, PayloadPath

SITE = PurePosixPath("/opt/venvs/app/lib/python3.11/site-packages")


def with_files(*names: str) -> Payload:
    return Payload(tuple(PayloadPath(SITE / each, PathKind.FILE, 0o644) for each in names))


def test_the_pattern_of_bytecode_is_that_of_most_files_and_not_of_a_stray_one() -> None:
    names = ("__pycache__/a.cpython-311.pyc", "__pycache__/b.v2.cpython-311.pyc", "__pycache__/c.strange.pyc", "a.py")
    staged = replace(a_staged(Path("/nowhere")), payload=with_files(*names))

    assert staged.bytecode_pattern == "*.cpython-311.pyc"


def test_without_bytecode_no_name_matches_the_pattern() -> None:
    assert replace(a_staged(Path("/nowhere")), payload=with_files("a.py")).bytecode_pattern == ""
