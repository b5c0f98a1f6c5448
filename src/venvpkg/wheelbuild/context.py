"""What compiling needs from outside its own layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from venvpkg.console import Reporter
    from venvpkg.host.command import Runner
    from venvpkg.model.lock import RemoteFile
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import SourceTree
    from venvpkg.wheelbuild.pool import Pool
    from venvpkg.wheelhouse.key import Toolchain
    from venvpkg.wheelhouse.store import Wheelhouse


class Pin(Protocol):
    """Resolves build requirements."""

    def __call__(self, requires: tuple[str, ...], /) -> tuple[RemoteFile, ...]:
        """Return one wheel for each distribution of the closure; reaches an index."""


class Fetch(Protocol):
    """Brings files here."""

    def __call__(self, files: Iterable[RemoteFile], /) -> Mapping[RemoteFile, Path]:
        """Return where each file is, under its own name and checked against its sha256."""


class Crates(Protocol):
    """Fetches the Rust crates that sources do not bring."""

    def vendor(self, source: Path, title: str) -> Path:
        """Return a directory as ``cargo.copy_crates`` wants it; see ``cargo.CrateStore``."""


class WriteSbom(Protocol):
    """Writes the bill of materials of a wheel; see ``wheelbuild.sbom``."""

    def __call__(self, name: str, version: str, source: RemoteFile | SourceTree, tree: Path, /) -> bytes:
        """Return it.

        Args:
            name: normalised name of its distribution.
            version: PEP 440.
            source: what it was compiled from.
            tree: directory with its ELF files as if it were ``/`` and the wheel installed in it.
        """


@dataclass(frozen=True, slots=True)
class WheelBuildContext:
    """Where wheels are compiled, and with what.

    Attributes:
        target: what they are for.
        toolchain: of the target.
        runner: runs programs there.
        reporter: hears what happens.
        wheelhouse: where they are kept.
        pin: resolves build requirements that are not known yet; called from several threads.
        fetch: brings sdists and wheels here; called from several threads.
        uv: the uv program of this machine.
        workspace: private directory of this run; removed by whoever made it.
        logs: where the logs of builds are kept.
        pool: gives cores to jobs, those of other targets among them.
        end: ends all programs of the runner at once (Ctrl-C).
        crates: fetches Rust crates; called from several threads.
        write_sbom: writes the bills of materials of wheels; called from several threads.
        uv_libraries: loader and libraries of uv, for a target of another processor, which has no such ones; else empty.
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
    uv_libraries: tuple[Path, ...] = ()
