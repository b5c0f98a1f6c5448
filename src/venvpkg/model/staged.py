"""The payload in the destdir."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path, PurePosixPath

    from venvpkg.model.wheels import SystemDistribution


class PathKind(StrEnum):
    """Type of a payload path; no other types can be packed."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class PayloadPath:
    """One path of the payload.

    Attributes:
        path: absolute path on the target.
        kind: its type.
        mode: permission bits as packed.
        size_bytes: size of a file; length of a link's destination; 0 for a directory.
        md5: hash of a file's content, hexadecimal; empty for other types.
        is_elf: whether it is a file with the ELF magic.
        shebang: first line of a script after ``#!``, no longer than the kernel reads; empty for anything else.
        sha256: hash of a staged file's content, hexadecimal; empty for other types, and for files that are added later.
    """

    path: PurePosixPath
    kind: PathKind
    mode: int
    size_bytes: int = 0
    md5: str = ""
    is_elf: bool = False
    shebang: str = ""
    sha256: str = ""

    @property
    def is_executable(self) -> bool:
        """Whether it is an executable file."""
        return self.kind is PathKind.FILE and bool(self.mode & 0o111)


@dataclass(frozen=True, slots=True)
class Payload:
    """All paths below the destdir, sorted; the destdir itself is left out."""

    paths: tuple[PayloadPath, ...] = ()

    @property
    def has_elf(self) -> bool:
        """Whether any file is specific to an architecture."""
        return any(each.is_elf for each in self.paths)

    def files(self) -> tuple[PayloadPath, ...]:
        """Return the regular files, in order."""
        return tuple(each for each in self.paths if each.kind is PathKind.FILE)


@dataclass(frozen=True, slots=True)
class InstalledDistribution:
    """A distribution in the staged virtual environment, according to its METADATA file.

    Attributes:
        name: normalised.
        version: PEP 440, as in METADATA.
        wheel_sha256: hash of the wheel that it was installed from.
        files: paths of its files on the target, sorted, without bytecode.
        license_expression: SPDX expression, one line of free text, or empty.
        license_files: the licence texts among ``files`` (PEP 639 and before), sorted.
        author: one line; may be empty.
        copyright: copyright lines of its licence texts, one line each, in order, unique.
        requires: normalised names of the distributions that it requires here, sorted.
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
    """A system distribution that the virtual environment exposes.

    Attributes:
        distribution: the system distribution.
        required_by: name of a distribution that requires it, the requirement (PEP 508), and its specifiers; sorted.
            Empty if only the lock names it.
    """

    distribution: SystemDistribution
    required_by: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ApplicationMetadata:
    """The application's metadata from its wheel, sanitised: every value is a single line or plain text.

    Attributes:
        name: in the author's spelling.
        version: PEP 440.
        summary: one line; may be empty.
        description: text of several lines; may be empty.
        homepage: URL or empty.
        maintainer: ``Name <address>``, or empty.
        license_expression: SPDX expression or the free text of License; may be empty.
        commands: names of its programs in the ``bin`` of the virtual environment, sorted.
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
    """The staged virtual environment with all wheels installed.

    Attributes:
        destdir: staging root on this machine; embedded paths are written as if it were ``/``.
        prefix: path of the virtual environment on the target.
        application: the application's metadata.
        distributions: installed distributions, sorted by name.
        python_floor: lowest patch release of the interpreter's minor version that every Requires-Python accepts,
            ``3.11.0``.
        payload: all paths below the destdir at the end of staging.
        system: system distributions that the virtual environment exposes, sorted by name; not in the payload.
    """

    destdir: Path
    prefix: PurePosixPath
    application: ApplicationMetadata
    distributions: tuple[InstalledDistribution, ...]
    python_floor: str
    payload: Payload = Payload()
    system: tuple[StagedSystem, ...] = ()

    @property
    def has_modules(self) -> bool:
        """Whether Python may write bytecode below the prefix."""
        return any(each.path.suffix == ".py" and each.path.is_relative_to(self.prefix) for each in self.payload.paths)

    @property
    def bytecode_pattern(self) -> str:
        """Shell pattern for the names of the payload's own bytecode, ``*.cpython-311.pyc`` (PEP 3147)."""
        names = (each.path.name for each in self.payload.paths if each.path.parent.name == "__pycache__")
        tags = Counter(name.split(".")[-2] for name in names if name.count(".") > 1)
        return f"*.{tags.most_common(1)[0][0]}.pyc" if tags else ""

    def owners(self) -> Mapping[PurePosixPath, str]:
        """Return a mapping from installed file to the name of its distribution."""
        return {path: each.name for each in self.distributions for path in each.files}
