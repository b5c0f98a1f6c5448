"""What the user declares: the application and how to package it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath

DEFAULT_PREFIX_PARENT = PurePosixPath("/opt/venvs")


class WheelPolicy(StrEnum):
    """How the wheel of a distribution with native code comes about."""

    COMPILE = "compile"
    PREFER_COMPILE = "prefer-compile"
    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class WheelSettings:
    """Table ``[tool.venvpkg.wheels]``; names are normalised (PEP 503)."""

    default: WheelPolicy = WheelPolicy.PREFER_COMPILE
    compile: tuple[str, ...] = ()
    prefer_compile: tuple[str, ...] = ()
    binary: tuple[str, ...] = ()

    def policy_of(self, distribution: str) -> WheelPolicy:
        """Return the policy for one distribution, given by its normalised name."""
        if distribution in self.binary:
            return WheelPolicy.BINARY
        if distribution in self.compile:
            return WheelPolicy.COMPILE
        if distribution in self.prefer_compile:
            return WheelPolicy.PREFER_COMPILE
        return self.default


@dataclass(frozen=True, slots=True)
class Settings:
    """Table ``[tool.venvpkg]``. Every key has a default: an ordinary project needs none."""

    name: str | None = None
    prefix: PurePosixPath | None = None
    revision: str = "1"
    epoch: int = 0
    maintainer: str | None = None
    section: str = "misc"
    extras: tuple[str, ...] = ()
    commands: tuple[str, ...] | None = None
    depends: tuple[str, ...] = ()
    build_depends: tuple[str, ...] = ()
    wheels: WheelSettings = field(default_factory=WheelSettings)


@dataclass(frozen=True, slots=True)
class Project:
    """The application to package.

    Attributes:
        name: normalised name of the application's distribution (PEP 503).
        requirement: PEP 508 requirement when the application comes from the index, else None.
        directory: absolute directory with pyproject.toml when the application is a project here, else None.
        lock: where its lock (PEP 751) is or will be.
        build_lock: where the pins of its build requirements are or will be.
        settings: the packaging configuration.
    """

    name: str
    requirement: str | None
    directory: Path | None
    lock: Path
    build_lock: Path
    settings: Settings

    @property
    def package_name(self) -> str:
        """Name of the native package."""
        return self.settings.name or self.name

    @property
    def prefix(self) -> PurePosixPath:
        """Place of the virtual environment on the target."""
        return self.settings.prefix or DEFAULT_PREFIX_PARENT / self.package_name
