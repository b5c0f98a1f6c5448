"""Native dependencies with the evidence that justifies each of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import PurePosixPath


class Source(StrEnum):
    """Source of the evidence that a package is needed.

    ``owner`` is the fallback: a package owns the library but declares nothing about its ABI, so the installed version
    is the lowest one known to work. ``capability`` is specific to rpm: a library and each of its symbol versions are
    capabilities that a package provides. ``unit`` is a file that a systemd program reads when the package is installed.
    """

    SYMBOLS = "symbols"
    SHLIBS = "shlibs"
    CAPABILITY = "capability"
    OWNER = "owner"
    INTERPRETER = "interpreter"
    IMPORT = "import"
    SYSTEM = "system"
    UNIT = "unit"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a dependency.

    Attributes:
        source: where the evidence comes from.
        soname: the needed library; None for anything else.
        needed_by: the file that needs it, on the target; None for distributions and the user's declarations.
        distribution: the Python distribution that contains this file, or that requires a system distribution; None if
            there is none.
        floor: lowest version that satisfies this file; None if every version does.
        symbol: the ``symbol@version`` that determines the floor, or the requirement (PEP 508) on a system
            distribution; None if the library as a whole determines it.
        library: where the loader finds the library on the target; for a distribution, its metadata.
        owner: the installed package that ships the library.
        module: the imported module, for a part of the standard library; None for anything else.
    """

    source: Source
    soname: str | None = None
    needed_by: PurePosixPath | None = None
    distribution: str | None = None
    floor: str | None = None
    symbol: str | None = None
    library: PurePosixPath | None = None
    owner: str | None = None
    module: str | None = None


@dataclass(frozen=True, slots=True)
class Dependency:
    """A relation in the family's syntax, ``libc6 (>= 2.34)``, and its evidence: at least one, highest floor first."""

    relation: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, order=True)
class NativePackage:
    """An installed package of the target: name without architecture, full version, architecture."""

    name: str
    version: str
    architecture: str


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A dependency that was derived and that the user left out.

    Attributes:
        what: a relation or a soname.
        reason: the user's reason, with the configuration key.
        evidence: why it is needed; at least one.
    """

    what: str
    reason: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class DependencySet:
    """The native dependencies of a payload.

    Attributes:
        dependencies: sorted by relation; none implies another.
        warnings: warnings for the user, one sentence each, sorted.
        exclusions: dependencies that the user left out, sorted.
        owners: owner as spelled in the evidence → that package as installed.
        recommends: dependencies of only a part of the application, sorted.
    """

    dependencies: tuple[Dependency, ...] = ()
    warnings: tuple[str, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    owners: tuple[tuple[str, NativePackage], ...] = ()
    recommends: tuple[Dependency, ...] = ()

    def relations(self) -> tuple[str, ...]:
        """Return the relations without their evidence."""
        return tuple(each.relation for each in self.dependencies)
