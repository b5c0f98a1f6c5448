"""Where each distribution comes from: a wheel, or a package of the release; and where each wheel is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path, PurePosixPath

    from venvpkg.model.depends import NativePackage
    from venvpkg.model.lock import BuildPins, Fallback, RemoteFile


@dataclass(frozen=True, slots=True)
class SystemDistribution:
    """A distribution as a package of the release has it.

    Attributes:
        name: normalised (PEP 503).
        version: PEP 440, as its metadata has it.
        requires: its requirements (PEP 508), in order.
        metadata: its ``.dist-info`` or ``.egg-info`` on the target.
        directories: where its modules are on the target, in the order of search.
        modules: dotted names of what is exposed: modules, packages with all they hold, and those within packages that
            distributions share (``zope.interface``); sorted.
        package: the installed package that ships it.
        needed_by: the distribution of the system whose requirement brought it here; empty for one that was asked for.
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


# The bill of materials that each vendor wheel with native code has in the directory ``sboms`` of its .dist-info.
OWN_SBOM = "venvpkg.cdx.json"


class Action(StrEnum):
    """What happens to get a wheel."""

    PURE = "pure"  # the publisher's pure wheel, from the index
    BINARY = "binary"  # the publisher's wheel with native code, from the index
    REUSE = "reuse"  # built earlier, in the wheelhouse
    COMPILE = "compile"  # built now
    SYSTEM = "system"  # none: a package of the release has the distribution


@dataclass(frozen=True, slots=True)
class Prepared:
    """Files that prepare commands made of a source.

    Attributes:
        directory: absolute; it holds these files and no others.
        files: path relative to it, with forward slashes → sha256 over kind and content; sorted.
        made_from: sha256 of the source tree without them.
    """

    directory: Path
    files: tuple[tuple[str, str], ...]
    made_from: str


@dataclass(frozen=True, slots=True)
class SourceTree:
    """The application's own source.

    Attributes:
        directory: absolute.
        files: paths relative to it with forward slashes, sorted.
        sha256: over names, executable bits and contents, of what was prepared, too.
        archival: content of ``.git_archival.txt`` in the copy that is built; empty where the version is not git's.
        prepared: what the project's prepare commands made; it is laid over the files.
        is_ready: whether no prepare command has yet to run.
    """

    directory: Path
    files: tuple[str, ...]
    sha256: str
    archival: str = ""
    prepared: Prepared | None = None
    is_ready: bool = True


@dataclass(frozen=True, slots=True)
class PlannedWheel:
    """A decision, and why.

    Attributes:
        name: normalised name of the distribution.
        version: PEP 440; empty for the application's own tree, whose backend tells it.
        action: what will happen.
        reason: one sentence for people.
        source: the file it comes from, or the application's tree.
        key: the wheelhouse key; None when it cannot be known before the backend was asked (and for publisher's wheels).
        fallback: why it is the publisher's wheel, where it should have been compiled.
    """

    name: str
    version: str
    action: Action
    reason: str
    source: RemoteFile | SourceTree
    key: str | None = None
    fallback: Fallback | None = None


@dataclass(frozen=True, slots=True)
class PlannedSystem:
    """A distribution that needs no wheel, because a package of the release has it, and why.

    Attributes:
        distribution: as the release has it.
        reason: one sentence for people.
        locked: the version in the lock, whose place it takes; empty for one that the lock does not have.
        action: always the same.
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
        """The release's, PEP 440."""
        return self.distribution.version


@dataclass(frozen=True, slots=True)
class WheelPlan:
    """One entry for each distribution, sorted by name; the application's own is among the wheels."""

    wheels: tuple[PlannedWheel, ...]
    system: tuple[PlannedSystem, ...] = ()

    def by_action(self, action: Action) -> tuple[PlannedWheel, ...]:
        """Return the entries with that action, in order."""
        return tuple(wheel for wheel in self.wheels if wheel.action is action)

    @property
    def fallbacks(self) -> tuple[Fallback, ...]:
        """What should have been compiled and cannot be, in order."""
        return tuple(wheel.fallback for wheel in self.wheels if wheel.fallback is not None)


@dataclass(frozen=True, slots=True)
class ReadyWheel:
    """A wheel on this machine, checked against its hash.

    Attributes:
        name: normalised name of its distribution.
        version: PEP 440.
        path: the file; its name is the wheel's name.
        sha256: of the file.
        origin: how it came about.
        key: the wheelhouse key; None for publisher's wheels.
        debug: archive of the debug information that it was compiled with; None where there is none.
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
    """Every wheel of the plan on this machine, and what was learned on the way.

    Attributes:
        wheels: one for each entry of the plan, in its order.
        pins: build requirements that were pinned in this run, sorted by name; empty when all were known.
    """

    wheels: tuple[ReadyWheel, ...]
    pins: tuple[BuildPins, ...]
