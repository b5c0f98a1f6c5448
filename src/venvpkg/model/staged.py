"""The payload as it lies in the destdir."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path, PurePosixPath

    from venvpkg.model.wheels import SystemDistribution


class PathKind(StrEnum):
    """What a payload path is; nothing else can be packed."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class PayloadPath:
    """One path of the payload.

    Attributes:
        path: on the target, absolute.
        kind: what it is.
        mode: permission bits as packed.
        size_bytes: of a file; length of what a link points to; 0 for a directory.
        md5: hexadecimal, of a file's content; empty otherwise.
        is_elf: whether a file begins as an ELF file does.
        shebang: what the first line of a script says after ``#!``, at most as much as the kernel reads; empty for
            anything else.
    """

    path: PurePosixPath
    kind: PathKind
    mode: int
    size_bytes: int = 0
    md5: str = ""
    is_elf: bool = False
    shebang: str = ""

    @property
    def is_executable(self) -> bool:
        """Whether it is a file that may be run."""
        return self.kind is PathKind.FILE and bool(self.mode & 0o111)


@dataclass(frozen=True, slots=True)
class Payload:
    """Everything below the destdir, sorted by path; the root itself is left out."""

    paths: tuple[PayloadPath, ...] = ()

    @property
    def has_elf(self) -> bool:
        """Whether any file is tied to an architecture."""
        return any(each.is_elf for each in self.paths)

    def files(self) -> tuple[PayloadPath, ...]:
        """Return the regular files, in order."""
        return tuple(each for each in self.paths if each.kind is PathKind.FILE)


@dataclass(frozen=True, slots=True)
class InstalledDistribution:
    """A distribution in the staged environment, from its METADATA (core metadata).

    Attributes:
        name: normalised.
        version: PEP 440, as in METADATA.
        wheel_sha256: of the wheel it was installed from.
        files: where its files are on the target, sorted; bytecode is not among them.
        license_expression: SPDX expression, one line of free text, or empty.
        license_files: those of ``files`` that hold its licence (PEP 639 and before), sorted.
        author: one line; may be empty.
        copyright: the copyright lines of its licence files, each one line, in order, unique.
        requires: normalised names of the distributions that it needs here, sorted.
    """

    name: str
    version: str
    wheel_sha256: str
    files: tuple[PurePosixPath, ...]
    license_expression: str = ""
    license_files: tuple[PurePosixPath, ...] = ()
    author: str = ""
    copyright: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StagedSystem:
    """A distribution of the system that the environment exposes.

    Attributes:
        distribution: as the release has it.
        required_by: name of a distribution, its requirement on this one (PEP 508), and the specifiers in that; sorted.
            Empty when only the lock has it.
    """

    distribution: SystemDistribution
    required_by: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ApplicationMetadata:
    """What the application says of itself, from its wheel; hostile until parsed, so every value is one line or text.

    Attributes:
        name: as the author spells it.
        version: PEP 440.
        summary: one line; may be empty.
        description: text of several lines; may be empty.
        homepage: URL or empty.
        maintainer: ``Name <address>``, or empty.
        license_expression: SPDX expression or the free text of License; may be empty.
        commands: names of its programs in the environment's ``bin``, sorted.
    """

    name: str
    version: str
    summary: str
    description: str
    homepage: str
    maintainer: str
    license_expression: str
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StagedVenv:
    """The virtual environment with all wheels in it.

    Attributes:
        destdir: staging root on this machine; embedded paths are written as if it were ``/``.
        prefix: place of the environment on the target.
        application: what the application says of itself.
        distributions: sorted by name.
        python_floor: lowest patch release of the interpreter's minor that every Requires-Python accepts, ``3.11.0``.
        payload: every path below the destdir, as it was when staging ended.
        system: distributions that are not in the payload, and that it exposes; sorted by name.
    """

    destdir: Path
    prefix: PurePosixPath
    application: ApplicationMetadata
    distributions: tuple[InstalledDistribution, ...]
    python_floor: str
    payload: Payload = Payload()
    system: tuple[StagedSystem, ...] = ()

    def owners(self) -> Mapping[PurePosixPath, str]:
        """Return the distribution's name for every installed file."""
        return {path: each.name for each in self.distributions for path in each.files}
