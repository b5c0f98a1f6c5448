"""ELF files of other processors, none of which runs here: 32 and 64 bits, both byte orders, real libraries of Debian.

They come as packages of other architectures in one root of this machine's own, where dpkg-shlibdeps knows of them as it
does when somebody cross-compiles; binutils-multiarch lets it read them. rpm's own generator reads any processor's.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from acceptance.cleanroot import CleanRoot, emulation_problem
from differential.elfdeps import ELFDEPS, elfdeps
from differential.samples import payload_in, shlibdeps_in
from differential.shlibdeps import is_elf, relations_of_ours, unexplained
from unit.fakes import RecordingReporter
from venvpkg.depends.derive import derive
from venvpkg.families.deb.libraries import DebLibraries
from venvpkg.families.deb.owners import read_owners
from venvpkg.families.rpm.libraries import required_by
from venvpkg.host.layers import LayeredRoot
from venvpkg.host.runner import SubprocessRunner
from venvpkg.linking.loader import resolve_needs
from venvpkg.linking.read import read_object
from venvpkg.linking.tree import scan
from venvpkg.model.elf import Abi
from venvpkg.targets.host import resolve_host
from venvpkg.targets.root import RootRunner

if TYPE_CHECKING:
    from venvpkg.model.target import Target

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(emulation_problem() is not None, reason=str(emulation_problem())),
]

RELEASE = "trixie"
# C and C++, with and without symbols files, and those whose names a change of ABI changed on 32 bits only.
LIBRARIES = (
    "libcurl4t64",
    "libgdbm6t64",
    "libicu76",
    "libpq5",
    "libreadline8t64",
    "libstdc++6",
    "libxml2",
    "libyaml-0-2",
)
# Debian's word, its multiarch tuple, and what the ELF files are: bits, little-endian, e_machine.
ARCHITECTURES = (
    ("arm64", "aarch64-linux-gnu", (64, True, 183)),
    ("armhf", "arm-linux-gnueabihf", (32, True, 40)),
    ("i386", "i386-linux-gnu", (32, True, 3)),
    ("ppc64el", "powerpc64le-linux-gnu", (64, True, 21)),
    ("riscv64", "riscv64-linux-gnu", (64, True, 243)),
    ("s390x", "s390x-linux-gnu", (64, False, 22)),
)
AT_LEAST = 30


@pytest.fixture(scope="module")
def root() -> CleanRoot:
    foreign = (f"{name}:{architecture}" for architecture, _, _ in ARCHITECTURES for name in LIBRARIES)
    return CleanRoot.of_release(RELEASE, ("dpkg-dev", "binutils-multiarch", "python3", *foreign))


def libraries_of(root: CleanRoot, multiarch: str) -> list[PurePosixPath]:
    directory = root.base / "usr/lib" / multiarch
    return [
        PurePosixPath("/") / path.relative_to(root.base) for path in sorted(directory.glob("*.so*")) if is_elf(path)
    ]


def target_of(root: CleanRoot, architecture: str, multiarch: str) -> Target:
    """Return the root as a target of another architecture; its C library stands for an interpreter that it lacks."""
    here = resolve_host(RootRunner(root.base, SubprocessRunner(os.environ), os.environ), root.base)
    libc = PurePosixPath(f"/usr/lib/{multiarch}/libc.so.6")
    return replace(
        here, architecture=architecture, multiarch=multiarch, interpreter=replace(here.interpreter, path=libc)
    )


@pytest.mark.parametrize(("architecture", "multiarch", "abi"), ARCHITECTURES)
def test_relations_are_those_of_dpkg_shlibdeps(
    root: CleanRoot, architecture: str, multiarch: str, abi: tuple[int, bool, int], tmp_path: Path
) -> None:
    target = target_of(root, architecture, multiarch)
    runner = RootRunner(root.base, SubprocessRunner(os.environ), os.environ)
    places = libraries_of(root, multiarch)

    theirs = shlibdeps_in(root, places, tmp_path, architecture)
    ours = {}
    for number, place in enumerate(places):
        payload = payload_in(tmp_path / str(number), root.base, place)
        found = scan(payload, target, RecordingReporter())
        assert [(each.abi.bits, each.abi.little_endian, each.abi.machine) for each in found.objects] == [abi]
        needs = resolve_needs(found, payload, target).needs
        owners = read_owners(
            target,
            LayeredRoot(root.base),
            [each for resolved_need in needs for each in resolved_need.paths],
            (),
            runner,
        )
        derived = derive(found, needs, DebLibraries(target, owners), {})
        ours[place] = relations_of_ours(derived)

    # Variables that a package forgot in its symbols file (krb5) are the other tests' matter: test_shlibdeps_releases.
    compared = [
        place for place in places if not theirs[place].refusal and "${" not in " ".join(theirs[place].relations)
    ]
    assert len(compared) >= AT_LEAST
    assert {place: unexplained(ours[place], set(theirs[place].relations)) for place in compared} == {
        place: [] for place in compared
    }


@pytest.mark.skipif(not ELFDEPS.exists(), reason="needs rpm's dependency generators (package rpm)")
@pytest.mark.parametrize(("architecture", "multiarch", "abi"), ARCHITECTURES)
def test_capabilities_are_those_of_rpms_generator(
    root: CleanRoot, architecture: str, multiarch: str, abi: tuple[int, bool, int]
) -> None:
    files = [root.base / each.relative_to("/") for each in libraries_of(root, multiarch)]

    ours = {file: list(required_by(read_object(file, PurePosixPath(file)))) for file in files}

    assert len(files) >= AT_LEAST, architecture
    assert ours == {file: elfdeps(file) for file in files}
    marked = {name.endswith("(64bit)") for names in ours.values() for name in names if name.startswith("libc.so.6")}
    assert marked == {abi[0] == 64}


@pytest.mark.parametrize(("architecture", "multiarch", "abi"), ARCHITECTURES)
def test_needed_sonames_and_versions_are_those_of_readelf(
    root: CleanRoot, architecture: str, multiarch: str, abi: tuple[int, bool, int]
) -> None:
    for place in libraries_of(root, multiarch):
        file = root.base / place.relative_to("/")
        facts = read_object(file, place)
        said = subprocess.run(["readelf", "-dW", file], capture_output=True, text=True, check=True).stdout

        needed = [line.partition("[")[2].rpartition("]")[0] for line in said.splitlines() if "(NEEDED)" in line]
        assert list(facts.needed) == list(dict.fromkeys(needed)), architecture
        assert facts.abi == Abi.of_header(file.read_bytes()[:64])
        assert facts.abi.bits == abi[0]
