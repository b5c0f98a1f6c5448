"""What a look into any package of a family finds. Nothing in it is trusted: every text may be hostile."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A regular file of a package and its size."""

    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PackedDistribution:
    """A Python distribution inside a package: what its metadata directory says."""

    name: str
    version: str
    path: str


@dataclass(frozen=True, slots=True)
class PackedLink:
    """A program on the administrator's PATH; ``points_to`` is empty for a file."""

    path: str
    points_to: str


@dataclass(frozen=True, slots=True)
class PackedElf:
    """An ELF file: what it needs, and where it looks first; ``problem`` when it is damaged."""

    path: str
    soname: str = ""
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Leak:
    """A file that tells of the machine it was built on: the first text in it that does, and how many there are."""

    path: str
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything that ``inspect`` tells, each group sorted.

    Attributes:
        filename: of the package.
        sha256: of the package, hexadecimal.
        size_bytes: of the package.
        fields: of its metadata, name and value, in the package's order.
        scripts: maintainer scripts and triggers, by name.
        configuration: files that keep the administrator's changes (deb: conffiles).
        counts: kind (files, directories, links, others) and number.
        payload_bytes: sum of the regular files.
        largest: the largest files, largest first.
        distributions: Python distributions.
        commands: programs on the PATH.
        services: units and init scripts.
        elf: ELF files.
        leaks: files that tell of the machine they were built on.
        own_documents: venvpkg's own files in it; empty when it is of another making.
    """

    filename: str
    sha256: str
    size_bytes: int
    fields: tuple[tuple[str, str], ...]
    scripts: tuple[str, ...]
    configuration: tuple[str, ...]
    counts: tuple[tuple[str, int], ...]
    payload_bytes: int
    largest: tuple[PackedFile, ...]
    distributions: tuple[PackedDistribution, ...]
    commands: tuple[PackedLink, ...]
    services: tuple[str, ...]
    elf: tuple[PackedElf, ...]
    leaks: tuple[Leak, ...]
    own_documents: tuple[str, ...]
