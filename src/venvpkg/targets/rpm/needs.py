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


def headers_package(interpreter: Interpreter, release: Release) -> str | None:
    """Return ``python3-devel``, as every family member names that of its default interpreter; see ``Traits``."""
    if interpreter.is_default:
        return "python3-devel"
    if not interpreter.path.is_relative_to("/usr/bin"):
        return None
    return interpreter_packages(interpreter.name, release)[1]


def interpreter_packages(wanted: str, release: Release) -> tuple[str, ...]:
    """Return ``python3.12`` and ``python3.12-devel``; of SUSE ``python312-base`` and ``python312-devel``.

    Source:
        The spec files python3.12 of Fedora and of EL 9, whose free-threaded builds are in python3.13-freethreading,
        and python312 of openSUSE.
    """
    if wanted.startswith("/"):
        return ()
    name = wanted if wanted[0].isalpha() else f"python{wanted}"
    if _is_suse(release):
        plain = name.replace(".", "")
        return (f"{plain}-base" if plain != "python3" and plain.startswith("python") else plain, f"{plain}-devel")
    if name.endswith("t"):
        return (f"{name[:-1]}-freethreading", f"{name[:-1]}-freethreading-devel")
    return (name, f"{name}-devel")


def install_command(release: Release) -> str:
    """Return dnf's, or zypper's where the release is SUSE's."""
    return "zypper install --no-recommends" if _is_suse(release) else "dnf install --setopt=install_weak_deps=False"


def _is_suse(release: Release) -> bool:
    return any(name.startswith(("opensuse", "suse", "sle")) for name in (release.id, *release.like))
