"""dpkg is asked once which package ships what."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from unit.fakes import ScriptedRunner, expect
from unit.families.deb.dpkg import Dpkg, database
from unit.linking.builder import Elf
from unit.places import SYSTEM, Dirs
from venvpkg.errors import MissingToolError, PackageDatabaseError
from venvpkg.families.deb.owners import Owners, packages_shipping, read_owners
from venvpkg.host.command import Completed
from venvpkg.host.layers import LayeredRoot
from venvpkg.model.depends import NativePackage


@pytest.fixture
def places(tmp_path: Path) -> Dirs:
    made = Dirs.below(tmp_path)
    database(made)
    return made


def owners(places: Dirs, dpkg: Dpkg, *paths: str) -> Owners:
    asked = [PurePosixPath(path) for path in paths]
    return read_owners(places.target(), LayeredRoot(places.root), asked, (), dpkg)


@pytest.mark.parametrize("found", ["/lib/x86_64-linux-gnu/libc.so.6", f"{SYSTEM}/libc.so.6"])
@pytest.mark.parametrize("listed", ["/lib/x86_64-linux-gnu/libc.so.6", f"{SYSTEM}/libc.so.6"])
def test_either_spelling_of_merged_usr_finds_the_package(places: Dirs, found: str, listed: str) -> None:
    dpkg = Dpkg({listed: "libc6:amd64"}, {"libc6:amd64": "2.36-9+deb12u14"})

    result = owners(places, dpkg, found)

    assert result.of(PurePosixPath(found)) == ("libc6:amd64",)
    assert result.versions == {"libc6:amd64": "2.36-9+deb12u14", "libc6": "2.36-9+deb12u14"}
    assert len(dpkg.searches) == 1


def test_of_several_packages_the_first_one_ships_a_path_and_one_that_none_ships_has_none(places: Dirs) -> None:
    both, nobody = PurePosixPath(f"{SYSTEM}/libc.so.6"), PurePosixPath("/usr/local/lib/libown.so.1")
    dpkg = Dpkg({str(both): "libc6:amd64, libc6-i386"}, {"libc6:amd64": "2.36-9", "libc6-i386": "2.36-9"})

    found = packages_shipping([both, nobody], places.target(), dpkg)

    assert found == {both: NativePackage("libc6", "2.36-9", "amd64")}


def test_without_merged_usr_the_two_are_not_one(places: Dirs) -> None:
    (places.root / "lib").unlink()
    places.system("/lib/libz.so.1", Elf())
    places.system("/usr/lib/libz.so.1", Elf())

    result = owners(places, Dpkg({"/usr/lib/libz.so.1": "zlib1g:amd64"}), "/lib/libz.so.1")

    assert result.of(PurePosixPath("/lib/libz.so.1")) == ()


def test_a_link_of_update_alternatives_belongs_to_the_owner_of_the_file(places: Dirs) -> None:
    real = f"{SYSTEM}/openblas-pthread/libblas.so.3"
    places.system(real, Elf())
    (places.root / "etc/alternatives").mkdir(parents=True)
    (places.root / "etc/alternatives/libblas.so.3").symlink_to(real)
    (places.root / SYSTEM[1:] / "libblas.so.3").symlink_to("/etc/alternatives/libblas.so.3")

    result = owners(places, Dpkg({real: "libopenblas0-pthread:amd64"}), f"{SYSTEM}/libblas.so.3")

    assert result.of(PurePosixPath(f"{SYSTEM}/libblas.so.3")) == ("libopenblas0-pthread:amd64",)


def test_a_diverted_path_belongs_to_who_diverted_it_and_the_other_place_to_the_others(places: Dirs) -> None:
    path, moved = f"{SYSTEM}/libGL.so.1", f"{SYSTEM}/mesa-diverted/libGL.so.1"
    places.library("libGL.so.1")
    places.system(moved, Elf())
    dpkg = Dpkg({path: "glx-diversions, libgl1:amd64"}, diversions={path: ("glx-diversions", moved)})

    assert owners(places, dpkg, path).of(PurePosixPath(path)) == ("glx-diversions",)
    assert owners(places, dpkg, moved).of(PurePosixPath(moved)) == ("libgl1:amd64",)


def test_a_locally_diverted_path_belongs_to_nobody(places: Dirs) -> None:
    path, moved = f"{SYSTEM}/libz.so.1", f"{SYSTEM}/libz.so.1.real"
    places.library("libz.so.1", "libz.so.1.real")
    dpkg = Dpkg({path: "zlib1g:amd64"}, diversions={path: ("", moved)})

    result = owners(places, dpkg, path, moved)

    assert result.of(PurePosixPath(path)) == ()
    assert result.of(PurePosixPath(moved)) == ("zlib1g:amd64",)


def test_a_name_with_wildcards_is_searched_literally(places: Dirs) -> None:
    places.library("lib[x]*?\\.so")
    dpkg = Dpkg({})

    owners(places, dpkg, f"{SYSTEM}/lib[x]*?\\.so")

    assert f"{SYSTEM}/lib\\[x]\\*\\?\\\\.so" in dpkg.searches[0]


def test_a_name_with_control_characters_is_not_asked_for(places: Dirs) -> None:
    dpkg = Dpkg({})

    assert owners(places, dpkg, f"{SYSTEM}/lib\n.so").of(PurePosixPath(f"{SYSTEM}/lib\n.so")) == ()
    assert dpkg.searches == []


def test_an_unreadable_database_is_told_in_dpkgs_words(places: Dirs) -> None:
    broken = Completed(2, b"", b"dpkg-query: error: parsing file '/var/lib/dpkg/status' near line 7\n")

    with pytest.raises(PackageDatabaseError, match="status' near line 7"):
        read_owners(
            places.target(),
            LayeredRoot(places.root),
            [PurePosixPath(f"{SYSTEM}/libc.so.6")],
            (),
            ScriptedRunner({expect("dpkg-query", ...): broken}),
        )


def test_a_root_without_database_is_an_error(places: Dirs) -> None:
    (places.root / "var/lib/dpkg/status").unlink()

    with pytest.raises(PackageDatabaseError, match="debian-12-amd64 has no package database"):
        owners(places, Dpkg({}), f"{SYSTEM}/libc.so.6")


def test_a_machine_without_dpkg_query_is_told(places: Dirs) -> None:
    with pytest.raises(MissingToolError, match="dpkg-query"):
        read_owners(
            places.target(),
            LayeredRoot(places.root),
            [PurePosixPath(f"{SYSTEM}/libc.so.6")],
            (),
            ScriptedRunner({expect("dpkg-query", ...): Completed(127)}),
        )
