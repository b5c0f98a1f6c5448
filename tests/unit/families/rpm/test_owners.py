"""Which installed package ships a path of the target: rpm is asked."""

from __future__ import annotations

from pathlib import PurePosixPath

from unit.families.rpm.rpm import GLIBC, Rpm
from unit.samples import debian_12
from venvpkg.families.rpm.owners import packages_shipping
from venvpkg.model.depends import NativePackage

LIBC, OWN = PurePosixPath("/lib64/libc.so.6"), PurePosixPath("/usr/local/lib64/libown.so.1")


def test_a_path_has_the_package_that_ships_it_and_one_that_none_ships_has_none() -> None:
    rpm = Rpm(GLIBC, {str(LIBC): "glibc"}, versions={"glibc": "2:2.34-100.el9"})

    found = packages_shipping([LIBC, OWN], debian_12(), rpm)

    assert found == {LIBC: NativePackage("glibc", "2:2.34-100.el9", "x86_64")}
