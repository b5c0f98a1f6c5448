"""What the user declares: the application and how to package it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvpkg.model.target import Family, Release, Target


DEFAULT_PREFIX_PARENT = PurePosixPath("/opt/venvs")


class WheelPolicy(StrEnum):
    """How the wheel of a distribution with native code comes about."""

    COMPILE = "compile"
    PREFER_COMPILE = "prefer-compile"
    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class WheelSettings:
    """Table ``[tool.venvpkg.wheels]``; names are normalised (PEP 503). Those in ``system`` have no wheel at all."""

    default: WheelPolicy = WheelPolicy.PREFER_COMPILE
    compile: tuple[str, ...] = ()
    prefer_compile: tuple[str, ...] = ()
    binary: tuple[str, ...] = ()
    system: tuple[str, ...] = ()

    def policy_of(self, distribution: str) -> WheelPolicy:
        """Return the policy for the wheel of a distribution, given by its normalised name."""
        if distribution in self.binary:
            return WheelPolicy.BINARY
        if distribution in self.compile:
            return WheelPolicy.COMPILE
        if distribution in self.prefer_compile:
            return WheelPolicy.PREFER_COMPILE
        return self.default


@dataclass(frozen=True, slots=True)
class ScriptSettings:
    """Table ``[tool.venvpkg.scripts]``: files of the project, relative to it; None where nothing is to be done."""

    preinst: str | None = None
    postinst: str | None = None
    prerm: str | None = None
    postrm: str | None = None

    def named(self) -> tuple[tuple[str, str], ...]:
        """Return name and file of those that there are."""
        found = ((each.name, getattr(self, each.name)) for each in dataclasses.fields(self))
        return tuple((name, file) for name, file in found if file is not None)


@dataclass(frozen=True, slots=True)
class FileSetting:
    """One entry of ``files``.

    Attributes:
        source: file of the project, or a pattern with ``*``, ``?``, ``[…]`` and ``**``; relative.
        target: absolute path on the target; with a slash at its end the directory that what matches goes into.
        mode: permission bits; None keeps only whether the source is executable.
    """

    source: str
    target: str
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class PrepareStep:
    """One entry of ``prepare``: a command that makes files which are not in the source.

    Attributes:
        run: program and arguments; never a shell.
        outputs: files and directories that it makes or changes, relative to the project; may be empty.
        network: whether it may reach the network.
    """

    run: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    network: bool = False


@dataclass(frozen=True, slots=True)
class SonameRule:
    """What the user says of a needed library, instead of what its owner says.

    Attributes:
        soname: ``libcuda.so.1``.
        relation: the relation that stands for it; empty when nothing does, and then there is a
        reason.
    """

    soname: str
    relation: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """Table ``[tool.venvpkg]``. Every key has a default: an ordinary project needs none."""

    name: str | None = None
    prefix: PurePosixPath | None = None
    revision: str = "1"
    target_revision: int = 0
    epoch: int = 0
    maintainer: str | None = None
    section: str = "misc"
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    commands: tuple[str, ...] | None = None
    depends: tuple[str, ...] = ()
    recommends: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    build_depends: tuple[str, ...] = ()
    ci_targets: tuple[str, ...] = ()
    debug_symbols: bool = False
    lock: str | None = None
    files: tuple[FileSetting, ...] = ()
    state_paths: tuple[str, ...] = ()
    prepare: tuple[PrepareStep, ...] = ()
    templates: str | None = None
    wheels: WheelSettings = field(default_factory=WheelSettings)
    scripts: ScriptSettings = field(default_factory=ScriptSettings)
    sonames: tuple[SonameRule, ...] = ()
    rpm_min_versions: bool = False
    strict: bool = False
    python: str | None = None
    unowned_python: bool = True

    @property
    def declared_depends(self) -> tuple[str, ...]:
        """The relations among ``depends``."""
        return tuple(each for each in self.depends if each[0] not in "$!")


@dataclass(frozen=True, slots=True)
class Project:
    """The application to package.

    Attributes:
        name: normalised name of the application's distribution (PEP 503).
        requirement: PEP 508 requirement when the application comes from the index, else None.
        directory: absolute directory with pyproject.toml when the application is a project here, else None.
        lock: where its lock (PEP 751) is or will be.
        build_lock: where the pins of its build requirements are or will be.
        settings: the packaging configuration; for any target, until ``on`` was asked.
        base: absolute directory where the relative paths in the settings start.
        configuration: file with the settings; None when there is none, or it is the project's pyproject.toml.
        targets: family and release (``debian-13``, empty for those without a table of their own) → the settings there;
            none where the configuration makes no difference.
        is_anonymous: whether its metadata, before any build, state that no author or maintainer has an address.
    """

    name: str
    requirement: str | None
    directory: Path | None
    lock: Path
    build_lock: Path
    settings: Settings
    base: Path = Path()
    configuration: Path | None = None
    targets: tuple[tuple[tuple[Family, str], Settings], ...] = ()
    is_anonymous: bool = False

    @property
    def package_name(self) -> str:
        """Name of the native package."""
        return self.settings.name or self.name

    @property
    def prefix(self) -> PurePosixPath:
        """Place of the virtual environment on the target."""
        return self.settings.prefix or DEFAULT_PREFIX_PARENT / self.package_name

    @property
    def source(self) -> Path | str:
        """What errors in the settings are told of."""
        if self.configuration is not None:
            return self.configuration
        return self.directory / "pyproject.toml" if self.directory else self.requirement or self.name

    def on(self, target: Target) -> Project:
        """Return the project with the settings for one target: its release's, else its family's, else any's."""
        return dataclasses.replace(self, settings=self.settings_on(target.family, target.release))

    def settings_on(self, family: Family, release: Release) -> Settings:
        """Return the settings for one release: its own, else its family's, else any's."""
        settings = dict(self.targets)
        of_family = settings.get((family, ""), self.settings)
        return settings.get((family, release.name), of_family)


@dataclass(frozen=True, slots=True)
class ExtraFile:
    """A file of the project that goes into the package.

    Attributes:
        source: on this machine, absolute; a regular file inside the project.
        target: absolute path on the target.
        mode: permission bits as packed.
    """

    source: Path
    target: PurePosixPath
    mode: int


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """What of the project's own files shapes the package, beside its wheel; found and checked.

    Attributes:
        files: sorted by target, each target once.
        scripts: name of a maintainer script → its text, shell, without a first line ``#!``; in the order of their run.
        templates: absolute directory of templates that shadow ours; None for none.
    """

    files: tuple[ExtraFile, ...] = ()
    scripts: tuple[tuple[str, str], ...] = ()
    templates: Path | None = None
