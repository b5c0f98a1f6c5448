"""Our facts are those that readelf prints."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from differential.shlibdeps import system_elf_files
from venvpkg.linking.read import read_object

pytestmark = pytest.mark.skipif(shutil.which("readelf") is None, reason="needs binutils")

FILES = system_elf_files(60, seed=5)


def readelf(file: Path, *options: str) -> str:
    command = ["readelf", "--wide", *options, str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env={"LC_ALL": "C.UTF-8"}).stdout


@pytest.mark.parametrize("file", FILES, ids=str)
def test_facts_are_those_of_readelf(file: Path) -> None:
    facts = read_object(file, PurePosixPath(file))

    dynamic = readelf(file, "--dynamic")
    assert list(facts.needed) == list(dict.fromkeys(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)))
    assert facts.soname == next(iter(re.findall(r"\(SONAME\).*\[(.*)\]", dynamic)), None)
    assert ":".join(facts.runpath) == next(iter(re.findall(r"\(RUNPATH\).*\[(.*)\]", dynamic)), "")
    assert facts.has_symbol_table == bool(re.search(r"\] \S+ +SYMTAB ", readelf(file, "--section-headers")))
    needs = re.split(r"Version needs section", readelf(file, "--version-info"))[1:]
    assert {each.version for each in facts.symbol_versions} == set(re.findall(r"Name: (\S+)", "".join(needs)))


@pytest.mark.parametrize("file", FILES[:25], ids=str)
def test_undefined_symbols_are_those_of_readelf(file: Path) -> None:
    facts = read_object(file, PurePosixPath(file))

    printed = set()
    for line in readelf(file, "--dyn-syms").splitlines():
        words = line.split()
        if len(words) > 7 and words[6] == "UND":
            name, _, version = words[7].partition("@")
            printed.add((name, version.strip("@") or "Base", words[4] == "WEAK"))
    # Those we have in addition are defined by a copy relocation.
    ours = {tuple(each) for each in facts.undefined}
    assert printed <= ours
    assert len(ours - printed) <= readelf(file, "--relocs").count("_COPY ")
