"""The payload as it lies in the destdir."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class InstalledDistribution:
    """A distribution in the staged environment, from its METADATA (core metadata).

    Attributes:
        name: normalised.
        version: PEP 440, as in METADATA.
        wheel_sha256: of the wheel it was installed from.
        files: where its files are on the target, sorted.
    """

    name: str
    version: str
    wheel_sha256: str
    files: tuple[PurePosixPath, ...]


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
        commands: names of its console and gui scripts, sorted.
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
    """

    destdir: Path
    prefix: PurePosixPath
    application: ApplicationMetadata
    distributions: tuple[InstalledDistribution, ...]
    python_floor: str

    def owners(self) -> Mapping[PurePosixPath, str]:
        """Return the distribution's name for every installed file."""
        return {path: each.name for each in self.distributions for path in each.files}
