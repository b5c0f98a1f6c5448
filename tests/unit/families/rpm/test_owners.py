"""Which installed package ships a path of the target: rpm is asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from unit.families.rpm.rpm import GLIBC, Rpm
from unit.samples import debian_12
from venvpkg.families.rpm.owners import packages_shipping, read_owners
from venvpkg.model.depends import NativePackage

if TYPE_CHECKING:
    from venvpkg.host.command import Command, Completed

LIBC, OWN = PurePosixPath("/lib64/libc.so.6"), PurePosixPath("/usr/local/lib64/libown.so.1")


def test_a_path_has_the_package_that_ships_it_and_one_that_none_ships_has_none() -> None:
    rpm = Rpm(GLIBC, {str(LIBC): "glibc"}, versions={"glibc": "2:2.34-100.el9"})

    found = packages_shipping([LIBC, OWN], debian_12(), rpm)

    assert found == {LIBC: NativePackage("glibc", "2:2.34-100.el9", "x86_64")}


@dataclass
class WarningRpm:
    """A runner of an rpm that warns of its database, and answers."""

    rpm: Rpm

    def run(self, command: Command) -> Completed:
        warning = b"warning: Found sqlite rpmdb.sqlite database while attempting ndb backend: using sqlite backend.\n"
        return replace(self.rpm.run(command), stderr=warning)


def test_a_warning_of_the_database_comes_with_a_whole_answer() -> None:
    rpm = WarningRpm(Rpm(GLIBC, {str(LIBC): "glibc"}))

    assert read_owners(rpm).of("libm.so.6()(64bit)") == NativePackage("glibc", "1.0-1.el9", "x86_64")
    assert packages_shipping([LIBC], debian_12(), rpm).keys() == {LIBC}
