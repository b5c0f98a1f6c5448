"""Results of inspecting a package. Nothing in a package is trusted: every text may be hostile."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A regular file of a package and its size."""

    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PackedDistribution:
    """A Python distribution inside a package, according to its metadata directory."""

    name: str
    version: str
    path: str


@dataclass(frozen=True, slots=True)
class PackedLink:
    """A command on the administrator's PATH; ``points_to`` is empty for a regular file."""

    path: str
    points_to: str


@dataclass(frozen=True, slots=True)
class PackedElf:
    """The dynamic section of an ELF file; ``problem`` describes a damaged one."""

    path: str
    soname: str = ""
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Leak:
    """A file that contains paths or names of the build machine: the first such text, and the number of them."""

    path: str
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """The report of ``venvpkg inspect``; each group is sorted.

    Attributes:
        filename: file name of the package.
        sha256: hash of the package, hexadecimal.
        size_bytes: size of the package.
        fields: names and values of its metadata, in the package's order.
        scripts: names of maintainer scripts and triggers.
        configuration: files whose local changes are kept (deb: conffiles).
        counts: kind (files, directories, links, others) and number.
        payload_bytes: total size of the regular files.
        largest: the largest files, largest first.
        distributions: Python distributions.
        commands: commands on the PATH.
        services: units and init scripts.
        elf: ELF files.
        leaks: files that contain paths or names of the build machine.
        is_ours: whether anything in it says that venvpkg made it.
        own_documents: files that venvpkg adds to its packages; empty for a package built by another program, and for
            one of debug symbols.
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
    is_ours: bool
    own_documents: tuple[str, ...]
