"""The context that wheels are compiled in, with the services that it gets from higher layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from venvpkg.text import NO_SECRETS, Secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from venvpkg.console import Reporter
    from venvpkg.host.command import Runner
    from venvpkg.model.lock import RemoteFile
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import SourceTree
    from venvpkg.sources.repository import Repositories
    from venvpkg.wheelbuild.pool import Pool
    from venvpkg.wheelhouse.key import Toolchain
    from venvpkg.wheelhouse.store import Wheelhouse


class Pin(Protocol):
    """Pins build requirements."""

    def __call__(self, requires: tuple[str, ...], /) -> tuple[RemoteFile, ...]:
        """Return one wheel for each distribution of the closure, from an index."""


class Fetch(Protocol):
    """Fetches files."""

    def __call__(self, files: Iterable[RemoteFile], /) -> Mapping[RemoteFile, Path]:
        """Return the path of each file, under its own name and verified against its sha256."""


class Crates(Protocol):
    """Fetches the Rust crates that sources do not include."""

    def vendor(self, source: Path, title: str) -> Path:
        """Return a directory for ``crates.copy_crates``; see ``crates.CrateStore``."""


class WriteSbom(Protocol):
    """Writes the bill of materials of a wheel; see ``wheelbuild.sbom``."""

    def __call__(self, name: str, version: str, source: RemoteFile | SourceTree, tree: Path, /) -> bytes:
        """Return the bill of materials.

        Args:
            name: normalised name of the wheel's distribution.
            version: version of the distribution (PEP 440).
            source: the source that the wheel was compiled from.
            tree: directory that stands for ``/``, with the wheel's ELF files where they would be installed.
        """


@dataclass(frozen=True, slots=True)
class WheelBuildContext:
    """What wheels are compiled for and with.

    Attributes:
        target: the target of the wheels.
        toolchain: the target's toolchain.
        runner: runs programs on the target.
        reporter: receives events.
        wheelhouse: where the wheels are kept.
        pin: resolves build requirements that are not pinned yet; called from several threads.
        fetch: fetches sdists and wheels; called from several threads.
        uv: this machine's uv program.
        workspace: private directory of this run; its creator removes it.
        logs: directory for the logs of builds.
        pool: gives cores to jobs, including those of other targets.
        end: ends all programs of the runner at once (Ctrl-C).
        crates: fetches Rust crates; called from several threads.
        write_sbom: writes the bills of materials of wheels; called from several threads.
        repositories: makes the git repositories that builds see.
        secrets: passwords to keep out of wheels and logs.
        uv_libraries: uv's loader and libraries, for a target with another processor; otherwise empty.
        git: this machine's git with its loader and libraries, for a target in another root; otherwise empty.
    """

    target: Target
    toolchain: Toolchain
    runner: Runner
    reporter: Reporter
    wheelhouse: Wheelhouse
    pin: Pin
    fetch: Fetch
    uv: Path
    workspace: Path
    logs: Path
    pool: Pool
    end: Callable[[], None]
    crates: Crates
    write_sbom: WriteSbom
    repositories: Repositories
    secrets: Secrets = NO_SECRETS
    uv_libraries: tuple[Path, ...] = ()
    git: tuple[Path, ...] = ()
