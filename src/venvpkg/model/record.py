"""The record of a build: what went in, what came out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class BuildRecord:
    """One build, as it is written beside its package.

    Attributes:
        name: normalised name of the application's distribution.
        requirement: what was asked for (PEP 508), without credentials; None for a project's own tree.
        settings: the table ``[tool.venvpkg]`` that was in force, every key of it.
        source_date_epoch: the time in the package, seconds since 1970 UTC.
        lock: text of the lock (PEP 751), without credentials.
        build_lock: text of the pinned build requirements; empty when nothing was compiled.
        inputs: section → name → value: everything else that can change the package's bytes, by hash or version.
        artifact: file name of the package.
        sha256: of the package, hexadecimal.
        size_bytes: of the package.
        companions: file name of each package that was made with it → its sha256, hexadecimal.
    """

    name: str
    requirement: str | None
    settings: Mapping[str, object]
    source_date_epoch: int
    lock: str
    build_lock: str
    inputs: Mapping[str, Mapping[str, str]]
    artifact: str
    sha256: str
    size_bytes: int
    companions: Mapping[str, str] = field(default_factory=dict)
