"""The user's declarations: the application and how to package it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvpkg.model.target import Release, Target


DEFAULT_PREFIX_PARENT = PurePosixPath("/opt/venvs")


class WheelPolicy(StrEnum):
    """How the wheel of a distribution with native code is obtained."""

    COMPILE = "compile"
    PREFER_COMPILE = "prefer-compile"
    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class WheelSettings:
    """Table ``[tool.venvpkg.wheels]``; names are normalised (PEP 503). Distributions in ``system`` have no wheel."""

    default: WheelPolicy = WheelPolicy.PREFER_COMPILE
    compile: tuple[str, ...] = ()
    prefer_compile: tuple[str, ...] = ()
    binary: tuple[str, ...] = ()
    system: tuple[str, ...] = ()

    def policy_of(self, distribution: str) -> WheelPolicy:
        """Return the policy for the distribution with this normalised name."""
        if distribution in self.binary:
            return WheelPolicy.BINARY
        if distribution in self.compile:
            return WheelPolicy.COMPILE
        if distribution in self.prefer_compile:
            return WheelPolicy.PREFER_COMPILE
        return self.default


@dataclass(frozen=True, slots=True)
class ScriptSettings:
    """Table ``[tool.venvpkg.scripts]``: paths relative to the project; None for no script."""

    preinst: str | None = None
    postinst: str | None = None
    prerm: str | None = None
    postrm: str | None = None

    def items(self) -> tuple[tuple[str, str], ...]:
        """Return the names and paths of the declared scripts."""
        scripts = ((each.name, getattr(self, each.name)) for each in dataclasses.fields(self))
        return tuple((name, file) for name, file in scripts if file is not None)


@dataclass(frozen=True, slots=True)
class FileSetting:
    """One entry of ``files``.

    Attributes:
        source: relative path of a project file, or a pattern with ``*``, ``?``, ``[…]`` and ``**``.
        target: absolute path on the target; with a trailing slash, the directory for the matching files.
        mode: permission bits; None for 0755 or 0644, depending on whether the source is executable.
    """

    source: str
    target: str
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class PrepareStep:
    """One entry of ``prepare``: a command that generates files missing from the source.

    Attributes:
        run: program and arguments; never run by a shell.
        outputs: files and directories that it creates or changes, relative to the project; may be empty.
        network: whether it may access the network.
    """

    run: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    network: bool = False


@dataclass(frozen=True, slots=True)
class SonameRule:
    """The user's override for a needed library.

    Attributes:
        soname: ``libcuda.so.1``.
        relation: relation to use instead of the computed one; empty to ignore the library.
        reason: why the library is ignored; empty if there is a relation.
    """

    soname: str
    relation: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """Table ``[tool.venvpkg]``. Every key has a default, so an ordinary project needs none of them."""

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
    undefined_symbols: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    rpm_min_versions: bool = False
    strict: bool = False
    python: str | None = None
    unowned_python: bool = True

    @property
    def declared_depends(self) -> tuple[str, ...]:
        """Entries of ``depends`` that are relations to add."""
        return tuple(each for each in self.depends if each[0] not in "$!")


@dataclass(frozen=True, slots=True)
class Project:
    """The application to package.

    Attributes:
        name: normalised name of the application's distribution (PEP 503).
        requirement: PEP 508 requirement if the application comes from an index, else None.
        directory: absolute directory of the pyproject.toml if the application is a local project, else None.
        lock: path of its lockfile (PEP 751), whether it exists or not.
        build_lock: path of its pinned build requirements, whether it exists or not.
        settings: the packaging configuration: the general one, or that of a target, see ``on``.
        base: absolute directory that relative paths in the settings start from.
        configuration: file with the settings; None if there is none, or if it is the project's pyproject.toml.
        targets: family and release (``debian-13``; empty for releases without a table) → their settings; empty if
            the configuration does not distinguish targets.
        is_anonymous: whether its metadata state, before any build, that no author or maintainer has an address.
    """

    name: str
    requirement: str | None
    directory: Path | None
    lock: Path
    build_lock: Path
    settings: Settings
    base: Path = Path()
    configuration: Path | None = None
    targets: tuple[tuple[tuple[str, str], Settings], ...] = ()
    is_anonymous: bool = False

    @property
    def package_name(self) -> str:
        """Name of the native package."""
        return self.settings.name or self.name

    @property
    def prefix(self) -> PurePosixPath:
        """Path of the virtual environment on the target."""
        return self.settings.prefix or DEFAULT_PREFIX_PARENT / self.package_name

    @property
    def source(self) -> Path | str:
        """Where the settings come from, for error messages."""
        if self.configuration is not None:
            return self.configuration
        return self.directory / "pyproject.toml" if self.directory else self.requirement or self.name

    def on(self, target: Target) -> Project:
        """Return the project with the settings for one target."""
        return dataclasses.replace(self, settings=self.settings_on(target.family, target.release))

    def settings_on(self, family: str, release: Release) -> Settings:
        """Return the settings for one release: its own, else its family's, else the general ones."""
        settings = dict(self.targets)
        of_family = settings.get((family, ""), self.settings)
        return settings.get((family, release.name), of_family)


@dataclass(frozen=True, slots=True)
class ExtraFile:
    """A file of the project that goes into the package.

    Attributes:
        source: absolute path on this machine of a regular file inside the project.
        target: absolute path on the target.
        mode: permission bits as packed.
    """

    source: Path
    target: PurePosixPath
    mode: int


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """Files of the project that shape the package besides its wheel; they exist and were checked.

    Attributes:
        files: extra files, sorted by target, each target once.
        scripts: name of a maintainer script → its shell code without a shebang line, in the order of execution.
        templates: absolute directory of templates that override built-in ones; None for none.
    """

    files: tuple[ExtraFile, ...] = ()
    scripts: tuple[tuple[str, str], ...] = ()
    templates: Path | None = None
