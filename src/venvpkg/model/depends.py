"""Native dependencies, each with the evidence that justifies it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import PurePosixPath


class Source(StrEnum):
    """What says that a package is needed.

    ``owner`` is the fallback: a package owns the library and says nothing about its ABI, so the installed version is
    the lowest one that is known to work. ``capability`` is rpm's way: the library and each of its symbol versions are
    names that a package provides. ``unit`` is a file that a program of systemd's reads when the package is installed.
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
        source: what says so.
        soname: the library that is needed; None for everything else.
        needed_by: the file that needs it, on the target; None for what the user declared, and for distributions.
        distribution: the Python distribution that this file belongs to, or that requires one of the system's; None when
            it belongs to none.
        floor: lowest version that this file needs; None when every version serves.
        symbol: the ``symbol@version`` that set this floor, or the requirement (PEP 508) on a distribution of the
            system; None when the library as a whole did.
        library: where the loader finds the library, on the target; metadata of a distribution.
        owner: the installed package that ships it.
        module: what is imported, for a part of the standard library; None for everything else.
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
    """A relation in the family's spelling, ``libc6 (>= 2.34)``, and its evidence, highest floor first; never empty."""

    relation: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, order=True)
class NativePackage:
    """An installed package of the target: name without architecture, whole version, architecture."""

    name: str
    version: str
    architecture: str


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Something that was found to be needed, and that the user wants left out.

    Attributes:
        what: a relation, or a soname.
        reason: the user's; names the key that says so.
        evidence: why it was found to be needed; never empty.
    """

    what: str
    reason: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class DependencySet:
    """What the payload needs of the target.

    Attributes:
        dependencies: sorted by relation; none implies another.
        warnings: what the user should know, one sentence each, sorted.
        exclusions: what is not among the dependencies because the user says so, sorted.
        owners: the packages that the evidence names as owners, as they were installed; by the evidence's spelling.
        recommends: what only a part of the application needs, which all but unusual installations have; sorted.
    """

    dependencies: tuple[Dependency, ...] = ()
    warnings: tuple[str, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    owners: tuple[tuple[str, NativePackage], ...] = ()
    recommends: tuple[Dependency, ...] = ()

    def relations(self) -> tuple[str, ...]:
        """Return the relations alone."""
        return tuple(each.relation for each in self.dependencies)
