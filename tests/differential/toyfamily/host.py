"""What a build needs to know of a target with toys: next to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.families.base import Identity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvpkg.families.base import Packages, Program
    from venvpkg.host.command import Runner
    from venvpkg.model.target import Interpreter, Release, Target


def read_identity(release: Release, multiarch: str, runner: Runner, kernel: str = "") -> Identity:
    del release, runner, kernel
    return Identity("toy64", multiarch, (("colour", "red"),))


def read_flags(runner: Runner) -> dict[str, str]:
    del runner
    return {"CFLAGS": "-O2"}


def build_packages(target: Target, runner: Runner) -> Packages:
    del target, runner
    return (("toycc", "1"),)


def all_packages(target: Target, runner: Runner) -> Packages:
    return build_packages(target, runner)


def not_installed(wanted: Iterable[str], runner: Runner) -> tuple[str, ...]:
    del runner
    return tuple(each for each in wanted if each != "toycc")


def programs() -> tuple[Program, ...]:
    return ()


def headers_package(interpreter: Interpreter, release: Release) -> str | None:
    del interpreter, release
    return None


def interpreter_packages(wanted: str, release: Release) -> tuple[str, ...]:
    del wanted, release
    return ()


def install_command(release: Release) -> str:
    del release
    return "toy add"
