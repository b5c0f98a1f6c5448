"""The source of each distribution, a wheel or a package of the release, and the location of each wheel."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path, PurePosixPath

    from venvpkg.model.depends import NativePackage
    from venvpkg.model.lock import BuildPins, Fallback, RemoteFile


@dataclass(frozen=True, slots=True)
class SystemDistribution:
    """A system distribution: a Python distribution from one of the release's own packages.

    Attributes:
        name: normalised (PEP 503).
        version: PEP 440, from its metadata.
        requires: its requirements (PEP 508), in order.
        metadata: its ``.dist-info`` or ``.egg-info`` on the target.
        directories: directories of its modules on the target, in search order.
        modules: dotted names to expose, sorted: modules, whole packages, and members of namespace packages
            (``zope.interface``).
        package: the installed package that ships it.
        needed_by: the system distribution that requires it; empty if it was requested itself.
    """

    name: str
    version: str
    requires: tuple[str, ...]
    metadata: PurePosixPath
    directories: tuple[PurePosixPath, ...]
    modules: tuple[str, ...]
    package: NativePackage
    needed_by: str = ""

    @property
    def title(self) -> str:
        """``2.9.5 of python3-psycopg2 2.9.5-1+b1``."""
        return f"{self.version} of {self.package.name} {self.package.version}"


# File name of the SBOM in the directory ``sboms`` of the .dist-info of each vendor wheel with native code.
OWN_SBOM = "venvpkg.cdx.json"


class Action(StrEnum):
    """How a distribution is obtained."""

    PURE = "pure"  # pure wheel from the index
    BINARY = "binary"  # prebuilt wheel with native code from the index
    REUSE = "reuse"  # wheel from the wheelhouse, built earlier
    COMPILE = "compile"  # wheel to be built
    SYSTEM = "system"  # no wheel: a package of the release has the distribution


@dataclass(frozen=True, slots=True)
class Prepared:
    """Files that prepare commands generated from a source tree.

    Attributes:
        directory: absolute directory that contains exactly these files.
        files: path relative to it, with forward slashes → sha256 over kind and content; sorted.
        made_from: sha256 of the source tree without them.
    """

    directory: Path
    files: tuple[tuple[str, str], ...]
    made_from: str


@dataclass(frozen=True, slots=True)
class Repository:
    """The state of the git repository around a source tree, as a build can see it.

    Attributes:
        directory: absolute directory of the tree, inside the repository.
        commit: full object name of HEAD.
        tags: full name of each tag on HEAD or an ancestor, with its object name; sorted.
        shallow: commits whose parents a shallow clone omits, sorted; usually none.
        prefix: the tree's directory inside the repository; empty for its top.
        changed: tracked files that differ from HEAD, relative to the top of the repository, sorted.
    """

    directory: Path
    commit: str
    tags: tuple[tuple[str, str], ...] = ()
    shallow: tuple[str, ...] = ()
    prefix: str = ""
    changed: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """Everything that a build can learn from it, as text; the same in each clone."""
        return json.dumps([self.commit, self.tags, self.shallow, self.prefix, self.changed])


@dataclass(frozen=True, slots=True)
class SourceTree:
    """The application's own source tree.

    Attributes:
        directory: absolute.
        files: paths relative to it with forward slashes, sorted.
        sha256: hash over names, executable bits and contents, including prepared files.
        entries: kind (file, executable, link) and sha256 of each file, in the order of ``files``.
        repository: what the build sees of the tree's git repository; None if its version cannot come from there.
        prepared: output of the project's prepare commands, which is laid over the files.
        is_ready: whether all prepare commands have run.
    """

    directory: Path
    files: tuple[str, ...]
    sha256: str
    entries: tuple[tuple[bytes, str], ...] = ()
    repository: Repository | None = None
    prepared: Prepared | None = None
    is_ready: bool = True


@dataclass(frozen=True, slots=True)
class PlannedWheel:
    """The planned action for a distribution, and the reason.

    Attributes:
        name: normalised name of the distribution.
        version: PEP 440; empty for the application's own tree, whose backend determines it.
        action: how the wheel is obtained.
        reason: one sentence for people.
        source: the file to take or build from, or the application's source tree.
        key: the wheelhouse key; None for prebuilt wheels, and while it depends on the backend's answer.
        fallback: why a prebuilt wheel is used although the policy is to compile; else None.
        locked_version: the lock's version of a source in a directory or at a commit; empty if the lock has none.
    """

    name: str
    version: str
    action: Action
    reason: str
    source: RemoteFile | SourceTree
    key: str | None = None
    fallback: Fallback | None = None
    locked_version: str = ""


@dataclass(frozen=True, slots=True)
class PlannedSystem:
    """A system distribution in the plan; it needs no wheel.

    Attributes:
        distribution: the system distribution.
        reason: one sentence for people.
        locked: locked version that it replaces; empty if it is not in the lock.
        action: always ``SYSTEM``.
    """

    distribution: SystemDistribution
    reason: str
    locked: str = ""
    action: Action = Action.SYSTEM

    @property
    def name(self) -> str:
        """Normalised name of the distribution."""
        return self.distribution.name

    @property
    def version(self) -> str:
        """Version in the release, PEP 440."""
        return self.distribution.version


@dataclass(frozen=True, slots=True)
class WheelPlan:
    """One entry for each distribution, sorted by name; the application's own is among the wheels."""

    wheels: tuple[PlannedWheel, ...]
    system: tuple[PlannedSystem, ...] = ()

    def by_action(self, action: Action) -> tuple[PlannedWheel, ...]:
        """Return the wheels with that action, in order."""
        return tuple(wheel for wheel in self.wheels if wheel.action is action)

    @property
    def fallbacks(self) -> tuple[Fallback, ...]:
        """Distributions that should have been compiled but cannot be, in order."""
        return tuple(wheel.fallback for wheel in self.wheels if wheel.fallback is not None)


@dataclass(frozen=True, slots=True)
class ReadyWheel:
    """A wheel on this machine with a verified hash.

    Attributes:
        name: normalised name of its distribution.
        version: PEP 440.
        path: the file, under the wheel's own file name.
        sha256: hash of the file.
        origin: how it was obtained.
        key: the wheelhouse key; None for prebuilt wheels.
        debug: archive of its debug information; None if there is none.
    """

    name: str
    version: str
    path: Path
    sha256: str
    origin: Action
    key: str | None = None
    debug: Path | None = None

    @property
    def is_vendor(self) -> bool:
        """Whether it was compiled for the target, now or before."""
        return self.origin in {Action.COMPILE, Action.REUSE}


@dataclass(frozen=True, slots=True)
class CompiledWheels:
    """All wheels of the plan on this machine.

    Attributes:
        wheels: one per entry of the plan, in the plan's order.
        pins: build requirements that this run pinned, sorted by name; empty if all were pinned already.
    """

    wheels: tuple[ReadyWheel, ...]
    pins: tuple[BuildPins, ...]
