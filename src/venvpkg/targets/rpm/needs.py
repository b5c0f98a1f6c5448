"""What a build runs on a target with rpm, and which packages bring it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.targets.traits import Program, Purpose

if TYPE_CHECKING:
    from venvpkg.model.target import Interpreter, Release


def programs() -> tuple[Program, ...]:
    """Return what a build runs; see ``Traits``.

    Where the release keeps its compiler flags in a package of their own (redhat-rpm-config), rpm-build brings it.
    """
    return (
        Program("rpm", "rpm", Purpose.ALWAYS),
        Program("rpmbuild", "rpm-build", Purpose.ALWAYS),
        Program("gcc", "gcc", Purpose.COMPILE),
        Program("g++", "gcc-c++", Purpose.COMPILE),
        Program("make", "make", Purpose.COMPILE),
        Program("strip", "binutils", Purpose.COMPILE),
    )


def headers_package(interpreter: Interpreter) -> str:
    """Return ``python3-devel``, that of the release's default interpreter, which every family member names so."""
    del interpreter
    return "python3-devel"


def install_command(release: Release) -> str:
    """Return dnf's, or zypper's where the release is SUSE's."""
    is_suse = any(name.startswith(("opensuse", "suse", "sle")) for name in (release.id, *release.like))
    return "zypper install --no-recommends" if is_suse else "dnf install --setopt=install_weak_deps=False"
