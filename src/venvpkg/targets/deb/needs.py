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


def headers_package(interpreter: Interpreter) -> str:
    """Return ``python3.11-dev``."""
    return f"python{interpreter.minor}-dev"


def install_command(release: Release) -> str:
    """Return apt-get's."""
    del release
    return "apt-get install --no-install-recommends"
