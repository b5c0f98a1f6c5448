"""dpkg-shlibdeps on a payload, and what both tools are tried on."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from venvpkg.families.deb.relations import implies, parse_relation
from venvpkg.model.depends import Source

if TYPE_CHECKING:
    from venvpkg.model.depends import Dependency, DependencySet

CONTROL = """\
Source: app
Maintainer: A Tester <tester@example.com>

Package: app
Architecture: any
Description: tried
"""

# Nothing here is linked against by anything else.
PROGRAMS_AND_MODULES = ("/usr/bin", "/usr/sbin", "/usr/lib/python3", "/usr/lib/python3.11")
PLACES = (*PROGRAMS_AND_MODULES, "/usr/lib/x86_64-linux-gnu")
LARGEST = 20_000_000


def system_elf_files(count: int, seed: int = 2, places: tuple[str, ...] = PLACES) -> list[Path]:
    """Return some of this machine's ELF files, always the same ones on the same machine."""
    files = []
    for place in places:
        for directory, _, names in os.walk(place):
            files += [Path(directory, name) for name in names]
    files.sort()
    random.Random(seed).shuffle(files)  # noqa: S311
    return list(itertools.islice(filter(is_elf, files), count))


def is_elf(file: Path) -> bool:
    if file.is_symlink() or not file.is_file() or file.stat().st_size > LARGEST:
        return False
    with file.open("rb") as opened:
        return opened.read(4) == b"\x7fELF"


def payload_of(files: list[Path], work: Path) -> Path:
    """Return a destdir with the files at their own places, inside what dpkg-shlibdeps takes for a source package."""
    destdir = work / "debian/app"
    (destdir / "DEBIAN").mkdir(parents=True)
    (work / "debian/control").write_text(CONTROL)
    for file in files:
        copy = destdir / file.relative_to("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    return destdir


def shlibdeps(work: Path) -> set[str] | None:
    """Return the relations that dpkg-shlibdeps computes; None when it gives up."""
    files = [
        str(Path(directory, name).relative_to(work))
        for directory, _, names in os.walk(work / "debian/app")
        for name in names
    ]
    command = ["dpkg-shlibdeps", "-O", "--ignore-missing-info", *files]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    depends = done.stdout.strip().removeprefix("shlibs:Depends=")
    return set(depends.split(", ")) - {""}


def relations_of_ours(dependencies: DependencySet) -> list[Dependency]:
    """Return those that dpkg-shlibdeps knows reasons for."""
    return [
        each
        for each in dependencies.dependencies
        if any(evidence.source in {Source.SYMBOLS, Source.SHLIBS} for evidence in each.evidence)
    ]


def is_of_a_bare_version(dependency: Dependency) -> bool:
    """Whether a version that no symbol is bound to set the floor."""
    symbol = dependency.evidence[0].symbol
    return symbol is not None and symbol.partition("@")[0] == symbol.partition("@")[2]


def is_of_a_private_library(dependency: Dependency) -> bool:
    """Whether a library of which its package says nothing set the floor: the version that is installed."""
    return dependency.evidence[0].source is Source.OWNER


def unexplained(ours: list[Dependency], theirs: set[str]) -> list[str]:
    """Return in words each difference, but for those that are known."""
    mine = {each.relation for each in ours}
    parsed = [relation for each in ours if (relation := parse_relation(each.relation))]
    weaker = [
        f"not implied: {text}"
        for text in theirs - mine
        if not any(implies(each, relation) for each in parsed if (relation := parse_relation(text)))
    ]
    return weaker + [
        f"ours: {each.relation}"
        for each in ours
        if each.relation not in theirs and not is_of_a_bare_version(each) and not is_of_a_private_library(each)
    ]
