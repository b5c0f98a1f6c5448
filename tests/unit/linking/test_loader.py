"""Needs are resolved as the loader of the target does it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from unit.linking.builder import EM_AARCH64, Elf
from unit.places import SYSTEM, Dirs
from unit.work import at_most
from venvpkg.linking.loader import Resolution, resolve_needs
from venvpkg.model.elf import Found, ResolvedNeed

LIB = "/opt/venvs/app/lib"


@pytest.fixture
def places(tmp_path: Path) -> Dirs:
    return Dirs.below(tmp_path)


def resolution_of(places: Dirs) -> Resolution:
    return resolve_needs(places.scan(), places.destdir, places.target())


def resolved_need(places: Dirs, soname: str, needed_by: str) -> ResolvedNeed:
    (found,) = [
        each
        for each in resolution_of(places).needs
        if each.need.soname == soname and each.need.needed_by.name == needed_by
    ]
    return found


def test_a_library_of_the_target_is_found_under_every_directory_that_leads_to_it(places: Dirs) -> None:
    places.payload(f"{LIB}/_x.so", Elf(needed=("libc.so.6",)))

    found = resolved_need(places, "libc.so.6", "_x.so")

    assert found.found is Found.TARGET
    assert found.paths[0] == PurePosixPath("/lib/x86_64-linux-gnu/libc.so.6")


@pytest.mark.parametrize(
    "runpath", ["$ORIGIN/../x.libs", "${ORIGIN}/../x.libs", "/opt/venvs/app/x.libs", "/no:$ORIGIN/../x.libs"]
)
def test_runpath_leads_to_a_library_of_the_payload(places: Dirs, runpath: str) -> None:
    places.payload("/opt/venvs/app/x.libs/libq-1a2b.so.1", Elf())
    places.payload(f"{LIB}/_x.so", Elf(needed=("libq-1a2b.so.1",), runpath=runpath))

    found = resolved_need(places, "libq-1a2b.so.1", "_x.so")

    assert (found.found, found.paths) == (Found.SELF, (PurePosixPath("/opt/venvs/app/x.libs/libq-1a2b.so.1"),))


def test_a_private_library_of_the_same_name_does_not_hide_the_systems(places: Dirs) -> None:
    places.library("libgomp.so.1")
    places.payload(f"{LIB}/torch/lib/libgomp.so.1", Elf(soname="libgomp.so.1"))
    places.payload(f"{LIB}/torch/lib/libtorch_cpu.so", Elf(needed=("libgomp.so.1",), rpath="$ORIGIN"))
    places.payload(f"{LIB}/fast/_omp.so", Elf(needed=("libgomp.so.1",)))

    assert resolved_need(places, "libgomp.so.1", "libtorch_cpu.so").found is Found.SELF
    assert resolved_need(places, "libgomp.so.1", "_omp.so").found is Found.TARGET


def test_rpath_is_inherited_by_what_an_object_loads(places: Dirs) -> None:
    places.payload(f"{LIB}/scipy/_fblas.so", Elf(needed=("libgfortran.so.5",), rpath="$ORIGIN/../scipy.libs"))
    places.payload(f"{LIB}/scipy.libs/libgfortran.so.5", Elf(needed=("libquadmath.so.0",)))
    places.payload(f"{LIB}/scipy.libs/libquadmath.so.0", Elf())
    places.library("libquadmath.so.0")

    assert resolved_need(places, "libquadmath.so.0", "libgfortran.so.5").found is Found.SELF


def test_runpath_is_not_inherited(places: Dirs) -> None:
    places.payload(f"{LIB}/_fblas.so", Elf(needed=("libgfortran.so.5",), runpath="$ORIGIN/libs"))
    places.payload(f"{LIB}/libs/libgfortran.so.5", Elf(needed=("libquadmath.so.0",)))
    places.payload(f"{LIB}/libs/libquadmath.so.0", Elf())
    places.library("libquadmath.so.0")

    assert resolved_need(places, "libquadmath.so.0", "libgfortran.so.5").found is Found.TARGET


def test_an_object_with_runpath_does_not_look_where_its_loader_does_but_passes_it_on(places: Dirs) -> None:
    places.payload(f"{LIB}/_a.so", Elf(needed=("libb.so",), rpath="$ORIGIN/libs:$ORIGIN/deep"))
    places.payload(f"{LIB}/libs/libb.so", Elf(needed=("libc2.so", "libd.so"), runpath="$ORIGIN"))
    places.payload(f"{LIB}/libs/libc2.so", Elf(needed=("libd.so",)))
    places.payload(f"{LIB}/deep/libd.so", Elf())
    places.library("libd.so")

    assert resolved_need(places, "libd.so", "libb.so").found is Found.TARGET
    assert resolved_need(places, "libd.so", "libc2.so").found is Found.SELF


def test_where_only_one_of_two_loaders_knows_the_directory_the_systems_library_counts(places: Dirs) -> None:
    places.payload(f"{LIB}/_knows.so", Elf(needed=("libmid.so",), rpath="$ORIGIN/a:$ORIGIN/b"))
    places.payload(f"{LIB}/_not.so", Elf(needed=("libmid.so",), rpath="$ORIGIN/a"))
    places.payload(f"{LIB}/a/libmid.so", Elf(needed=("libz.so.1",)))
    places.payload(f"{LIB}/b/libz.so.1", Elf())
    assert resolved_need(places, "libz.so.1", "libmid.so").found is Found.SELF

    places.library("libz.so.1")

    assert resolved_need(places, "libz.so.1", "libmid.so").found is Found.TARGET


def test_libraries_that_need_each_other_are_resolved(places: Dirs) -> None:
    places.payload(f"{LIB}/libs/liba.so", Elf(needed=("libb.so",), rpath="$ORIGIN"))
    places.payload(f"{LIB}/libs/libb.so", Elf(needed=("liba.so",), rpath="$ORIGIN"))

    assert {each.found for each in resolution_of(places).needs} == {Found.SELF}


def test_a_knot_of_libraries_with_a_path_of_its_own_each_takes_little_work(places: Dirs) -> None:
    names = [f"lib{number}.so" for number in range(40)]
    for number, name in enumerate(names):
        places.payload(f"{LIB}/libs/{name}", Elf(needed=tuple(names), rpath=f"$ORIGIN:$ORIGIN/{number}"))
        (places.destdir / f"{LIB[1:]}/libs/{number}").mkdir()

    with at_most(1_000_000):
        result = resolution_of(places)

    assert {each.found for each in result.needs} == {Found.SELF}


def test_a_library_on_no_path_is_taken_as_loaded_before_and_told(places: Dirs) -> None:
    places.payload(f"{LIB}/nvidia/libcudart.so.12", Elf(soname="libcudart.so.12"))
    places.payload(f"{LIB}/_cuda.so", Elf(needed=("libcudart.so.12",)))

    result = resolution_of(places)

    assert [each.found for each in result.needs] == [Found.PRELOAD]
    assert len(result.warnings) == 1
    assert "/opt/venvs/app/lib/_cuda.so needs libcudart.so.12" in result.warnings[0]


def test_what_is_nowhere_is_missing(places: Dirs) -> None:
    places.payload(f"{LIB}/_x.so", Elf(needed=("libnowhere.so.1",)))

    assert resolved_need(places, "libnowhere.so.1", "_x.so") == ResolvedNeed(
        resolved_need(places, "libnowhere.so.1", "_x.so").need, Found.MISSING
    )


def test_a_library_of_another_machine_is_passed_over(places: Dirs) -> None:
    places.system("/usr/lib/libz.so.1", Elf(machine=EM_AARCH64))
    places.library("libz.so.1")
    places.payload(f"{LIB}/_x.so", Elf(needed=("libz.so.1",)))

    found = resolved_need(places, "libz.so.1", "_x.so")

    assert not any(str(place) == "/usr/lib/libz.so.1" for place in found.paths)
    assert found.found is Found.TARGET


def test_a_link_of_the_payload_leads_to_the_library_it_names(places: Dirs) -> None:
    places.payload(f"{LIB}/libs/libq.so.1.2", Elf())
    (places.destdir / f"{LIB[1:]}/libs/libq.so.1").symlink_to("libq.so.1.2")
    places.payload(f"{LIB}/_x.so", Elf(needed=("libq.so.1",), runpath="$ORIGIN/libs"))

    assert resolved_need(places, "libq.so.1", "_x.so").paths == (PurePosixPath(f"{LIB}/libs/libq.so.1.2"),)


def test_a_link_of_the_payload_into_the_target_is_the_targets_library(places: Dirs) -> None:
    places.library("libq.so.1")
    (places.destdir / f"{LIB[1:]}/libs").mkdir(parents=True)
    (places.destdir / f"{LIB[1:]}/libs/libq.so.1").symlink_to(f"{SYSTEM}/libq.so.1")
    places.payload(f"{LIB}/_x.so", Elf(needed=("libq.so.1",), runpath="$ORIGIN/libs"))

    assert resolved_need(places, "libq.so.1", "_x.so").found is Found.TARGET


@pytest.mark.parametrize("runpath", ["/opt/other/$LIB", "/opt/other/${LIB}", "/opt/other/lib/$PLATFORM"])
def test_lib_and_platform_are_replaced(places: Dirs, runpath: str) -> None:
    for directory in ("lib/x86_64-linux-gnu", "lib/x86_64"):
        places.system(f"/opt/other/{directory}/libq.so.1", Elf())
    places.payload(f"{LIB}/_x.so", Elf(needed=("libq.so.1",), runpath=runpath))

    assert resolved_need(places, "libq.so.1", "_x.so").found is Found.TARGET


def test_a_needed_path_is_not_searched(places: Dirs) -> None:
    places.payload(f"{LIB}/libs/libq.so", Elf())
    places.payload(f"{LIB}/_x.so", Elf(needed=("$ORIGIN/libs/libq.so", "libs/libq.so"), runpath="$ORIGIN"))

    assert [each.found for each in resolution_of(places).needs] == [Found.SELF, Found.MISSING]


def test_a_search_path_that_leads_nowhere_is_told_once(places: Dirs) -> None:
    for name in ("_x.so", "_y.so"):
        places.payload(f"{LIB}/{name}", Elf(needed=("libc.so.6",), runpath=f"/build/tmp/lib:$ORIGIN/libs:{SYSTEM}"))

    (warning,) = resolution_of(places).warnings

    assert "/opt/venvs/app/lib/_x.so and 1 more names /build/tmp/lib" in warning


def test_directories_of_ld_so_conf_are_searched_with_all_it_includes(places: Dirs) -> None:
    places.text("/etc/ld.so.conf", "# first\ninclude ld.so.conf.d/*.conf\n/opt/cuda/lib # last\n")
    places.text("/etc/ld.so.conf.d/a.conf", "/opt/a\ninclude /etc/ld.so.conf\n")
    places.text("/etc/ld.so.conf.d/ignored.txt", "/opt/ignored\n")
    for directory in ("/opt/a", "/opt/cuda/lib", "/opt/ignored"):
        places.system(f"{directory}/libq.so.1", Elf())
    places.payload(f"{LIB}/_x.so", Elf(needed=("libq.so.1",)))

    assert list(map(str, resolved_need(places, "libq.so.1", "_x.so").paths)) == [
        "/opt/a/libq.so.1",
        "/opt/cuda/lib/libq.so.1",
    ]
