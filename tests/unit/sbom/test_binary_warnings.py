"""Who uses a publisher's binary wheel is told which libraries came with it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from unit.samples import SITE, a_staged
from unit.wheelhouse.makers import remote
from venvpkg.model.elf import Abi, ElfKind, ElfObject, ElfReport
from venvpkg.model.staged import InstalledDistribution
from venvpkg.model.wheels import Action, PlannedWheel, WheelPlan
from venvpkg.sbom.bundled import Bundled, binary_warnings

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = "psycopg2-binary"
BINARY = PlannedWheel(NAME, "2.9", Action.BINARY, "policy binary", remote("x.whl"))
PURE = PlannedWheel("flask", "3.0", Action.PURE, "pure Python", remote("y.whl"))
MODULE = "psycopg2/_psycopg.cpython-311-x86_64-linux-gnu.so"


def warned(files: Iterable[str] = (), bundled: Iterable[Bundled] = ()) -> list[str]:
    paths = tuple(SITE / file for file in files)
    staged = dataclasses.replace(
        a_staged(Path("/d")), distributions=(InstalledDistribution(NAME, "2.9", "0" * 64, paths),)
    )
    abi = Abi(64, little_endian=True, machine=62, flags=0)
    elf = ElfReport(tuple(ElfObject(path, abi, ElfKind.SHARED) for path in paths))
    return list(binary_warnings(WheelPlan((PURE, BINARY)), staged, elf, bundled))


def test_the_grafted_libraries_are_named_without_the_hash_in_their_names() -> None:
    files = [MODULE, "psycopg2_binary.libs/libssl-81ffa89e.so.3", "psycopg2_binary.libs/libpq-9b38f5e3.so.5.17"]

    assert warned(files) == ["psycopg2-binary 2.9: policy binary; it bundles libpq.so.5.17, libssl.so.3"]


def test_an_sbom_that_names_fewer_than_there_are_does_not_hide_the_others() -> None:
    (text,) = warned(["psycopg2_binary.libs/libssl-81ffa89e.so.3"], [Bundled(NAME, "krb5-libs", "1.15")])

    assert "libssl.so.3" in text


def test_what_is_linked_into_the_modules_is_told_by_the_sbom_but_not_the_wheel_itself() -> None:
    libraries = (Bundled(NAME, "psycopg2_binary", "2.9"), Bundled(NAME, "openssl", "3.0.7"), Bundled("flask", "other"))

    assert warned([MODULE], libraries) == ["psycopg2-binary 2.9: policy binary; it bundles openssl 3.0.7"]


def test_a_long_list_is_cut() -> None:
    (text,) = warned((), (Bundled(NAME, f"lib{number:02}") for number in range(23)))

    assert text.endswith("lib19 and 3 more")


def test_a_binary_wheel_that_names_no_library_is_not_said_to_have_none() -> None:
    (text,) = warned([MODULE])

    assert "may have some linked into its modules" in text
