"""What a build runs on a target with dpkg, and which packages bring it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.targets.traits import Program, Purpose

if TYPE_CHECKING:
    from venvpkg.model.target import Interpreter, Release


def programs() -> tuple[Program, ...]:
    """Return what a build runs; see ``Traits``."""
    return (
        Program("dpkg-deb", "dpkg", Purpose.ALWAYS),
        Program("dpkg-query", "dpkg", Purpose.ALWAYS),
        Program("gcc", "gcc", Purpose.COMPILE),
        Program("g++", "g++", Purpose.COMPILE),
        Program("make", "make", Purpose.COMPILE),
        Program("strip", "binutils", Purpose.COMPILE),
        Program("dpkg-buildflags", "dpkg-dev", Purpose.COMPILE),
    )


def headers_package(interpreter: Interpreter, release: Release) -> str | None:
    """Return ``python3.11-dev`` or ``pypy3-dev``; see ``Traits``."""
    del release
    if not interpreter.path.is_relative_to("/usr/bin"):
        return None
    return "pypy3-dev" if interpreter.is_pypy else f"python{interpreter.minor}-dev"


def interpreter_packages(wanted: str, release: Release) -> tuple[str, ...]:
    """Return ``python3.12`` and ``python3.12-dev``, or ``pypy3`` and ``pypy3-dev``; see ``Traits``.

    There is one pypy3 in each release, whichever Python it is.
    """
    del release
    if wanted.startswith("/"):
        return ()
    name = "pypy3" if wanted.startswith("pypy") else f"python{wanted.removeprefix('python')}"
    return (name, f"{name}-dev")


def install_command(release: Release) -> str:
    """Return apt-get's."""
    del release
    return "apt-get install --no-install-recommends"
