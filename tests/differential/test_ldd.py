"""The undefined symbols of real files, against what ``ldd -r`` reports."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from venvpkg.linking.loader import resolve_needs
from venvpkg.linking.read import read_abi, read_object
from venvpkg.linking.scope import find_undefined_symbols
from venvpkg.model.elf import ElfReport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.model.target import Target

pytestmark = pytest.mark.skipif(shutil.which("ldd") is None, reason="needs ldd")

# A few of each kind: modules of the standard library and of packages (whose Py… symbols ldd -r reports), plug-ins,
# libraries, programs. Symbol, then its version, if it has one.
DIRECTORIES = ("/usr/lib/python3*/lib-dynload", "/usr/lib/python3/dist-packages", "/usr/lib/*-linux-gnu", "/usr/bin")
REPORTED = re.compile(r"^undefined symbol: ([^\s,]+)(?:, version (\S+))?\s+\(", re.MULTILINE)
OF_EACH = 25


def real_files(target: Target) -> Iterator[Path]:
    abi = read_abi(Path(target.interpreter.path))
    for pattern in DIRECTORIES:
        found = [
            file
            for directory in sorted(Path("/").glob(pattern[1:]))
            for file in sorted(directory.rglob("*"))
            if file.is_file() and not file.is_symlink() and read_abi(file) == abi
        ]
        yield from found[:: max(1, len(found) // OF_EACH)]


def ours(file: Path, target: Target, nothing: Path) -> set[str]:
    """Return what the file alone does not find, without an interpreter that could give it something."""
    elf = ElfReport((read_object(file, PurePosixPath(file)),))
    needs = resolve_needs(elf, nothing, target).needs
    return {each.name for each in find_undefined_symbols(elf, needs, Path("/"), target)}


def test_the_same_symbols_are_undefined_as_for_ldd(target: Target, tmp_path: Path) -> None:
    # ldd -r knows no interpreter; this program exports nothing.
    alone = replace(target, interpreter=replace(target.interpreter, path=PurePosixPath("/usr/bin/true")))
    compared, different = 0, []
    for file in real_files(target):
        answer = subprocess.run(["ldd", "-r", str(file)], capture_output=True, text=True, check=False)
        said = answer.stdout + answer.stderr
        if answer.returncode or "not found" in said or "not a dynamic" in said or "statically linked" in said:
            continue
        theirs = {name + (f"@{version}" if version else "") for name, version in REPORTED.findall(said)}
        compared += 1
        if ours(file, alone, tmp_path) != theirs:
            different.append(file)

    assert not different
    assert compared > OF_EACH
