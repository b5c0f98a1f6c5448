"""The names that rpm has for what an ELF file requires."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from venvpkg.families.rpm.libraries import capability, is_library, required_by, required_of_system
from venvpkg.model.elf import Abi, ElfKind, ElfObject, Found, Need, ResolvedNeed, SymbolVersion

X86_64 = Abi(64, little_endian=True, machine=62, flags=0)
I386 = Abi(32, little_endian=True, machine=3, flags=0)
MODULE = ElfObject(
    PurePosixPath("/opt/venvs/app/lib/_foo.so"),
    X86_64,
    ElfKind.SHARED,
    needed=("libfoo.so.1", "libc.so.6", "plugin.so"),
    symbol_versions=(SymbolVersion("libc.so.6", "GLIBC_2.34"), SymbolVersion("libfoo.so.1", "FOO_1")),
)


@pytest.mark.parametrize(
    ("soname", "version", "abi", "expected"),
    [
        ("libpq.so.5", "", X86_64, "libpq.so.5()(64bit)"),
        ("libc.so.6", "GLIBC_2.34", X86_64, "libc.so.6(GLIBC_2.34)(64bit)"),
        ("libc.so.6", "", I386, "libc.so.6"),
        ("libc.so.6", "GLIBC_2.34", I386, "libc.so.6(GLIBC_2.34)"),
        ("libc.so.6.1", "", Abi(64, little_endian=True, machine=0x9026, flags=0), "libc.so.6.1"),
    ],
)
def test_a_capability_is_spelled_as_rpm_spells_it(soname: str, version: str, abi: Abi, expected: str) -> None:
    assert capability(soname, version, abi) == expected


def test_only_names_of_libraries_and_loaders_have_capabilities() -> None:
    names = ("libfoo.so.1", "ld-linux-x86-64.so.2", "ld64.so.2", "ld.so.1", "plugin.so", "libfoo.dylib", "_ssl.so")

    assert [each for each in names if is_library(each)] == [
        "libfoo.so.1",
        "ld-linux-x86-64.so.2",
        "ld64.so.2",
        "ld.so.1",
    ]


def test_an_object_requires_each_library_and_each_version_once() -> None:
    assert required_by(MODULE) == (
        "libc.so.6()(64bit)",
        "libc.so.6(GLIBC_2.34)(64bit)",
        "libfoo.so.1()(64bit)",
        "libfoo.so.1(FOO_1)(64bit)",
    )


def test_an_object_with_gnu_hashes_alone_requires_a_loader_that_knows_them() -> None:
    assert "rtld(GNU_HASH)" in required_by(replace(MODULE, needs_gnu_hash=True))


def test_what_the_payload_brings_is_not_required_with_its_versions() -> None:
    needs = [
        ResolvedNeed(Need("libfoo.so.1", MODULE.path), Found.SELF, (PurePosixPath("/opt/venvs/app/lib/libfoo.so.1"),)),
        ResolvedNeed(Need("libc.so.6", MODULE.path), Found.TARGET, (PurePosixPath("/lib64/libc.so.6"),)),
    ]

    required = required_of_system([MODULE], needs)

    assert list(required) == ["libc.so.6()(64bit)", "libc.so.6(GLIBC_2.34)(64bit)"]


def test_one_soname_may_be_private_for_one_object_and_the_systems_for_another() -> None:
    other = replace(MODULE, path=PurePosixPath("/opt/venvs/app/lib/_bar.so"))
    needs = [
        ResolvedNeed(Need("libfoo.so.1", MODULE.path), Found.PRELOAD, (MODULE.path,)),
        ResolvedNeed(Need("libfoo.so.1", other.path), Found.MISSING),
    ]

    required = required_of_system([MODULE, other], needs)

    assert required == {"libfoo.so.1()(64bit)": (other,), "libfoo.so.1(FOO_1)(64bit)": (other,)}
