"""What differs between package families on the way to a wheel: one protocol, a package of modules for each family."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvpkg.host.runner import Runner
    from venvpkg.model.target import Interpreter, Release, Target

# Each package that is installed: its name with its architecture, its whole version. Sorted, each name once.
Packages = tuple[tuple[str, str], ...]


class Purpose(StrEnum):
    """What something is needed for."""

    ALWAYS = "every build"
    COMPILE = "compiling wheels"
    PROJECT = "this project's wheels"


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the target that a build runs.

    Attributes:
        name: looked for where the system's programs are.
        package: that ships it.
        purpose: what needs it.
    """

    name: str
    package: str
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Identity:
    """What only the family's own tools know of a target; see the attributes of ``Target``."""

    architecture: str
    multiarch: str = ""
    dist: str = ""
    isa: str = ""


class Traits(Protocol):
    """A package with these functions describes a family. ``runner`` always runs programs on the target."""

    def read_identity(self, release: Release, multiarch: str, runner: Runner) -> Identity:
        """Return how the family's tools name the architecture.

        Raises:
            MissingToolError: the tools are not there.
        """

    def read_flags(self, runner: Runner) -> dict[str, str]:
        """Return the compiler's flags with which the release builds its own packages: variable → flags.

        Raises:
            MissingToolError: they cannot be had.
        """

    def build_packages(self, target: Target, runner: Runner) -> Packages:
        """Return every installed package that can change what a compiler makes.

        Raises:
            PackageDatabaseError: the package database is missing or damaged.
        """

    def all_packages(self, target: Target, runner: Runner) -> Packages:
        """Return every installed package.

        Raises:
            PackageDatabaseError: the package database is missing or damaged.
        """

    def not_installed(self, wanted: Iterable[str], runner: Runner) -> tuple[str, ...]:
        """Return those of ``wanted``, names of packages or of what packages provide, that are not there; in order.

        Raises:
            PackageDatabaseError: the package database is missing or damaged.
        """

    def programs(self) -> tuple[Program, ...]:
        """Return what a build runs."""

    def headers_package(self, interpreter: Interpreter, release: Release) -> str | None:
        """Return the package with the interpreter's C headers; None when none is known."""

    def interpreter_packages(self, wanted: str, release: Release) -> tuple[str, ...]:
        """Return the package of an interpreter, named as in the configuration, and that of its C headers.

        Nothing for one that is named by its path: whose it is only shows when it is there.
        """

    def install_command(self, release: Release) -> str:
        """Return the beginning of the command that installs packages."""
