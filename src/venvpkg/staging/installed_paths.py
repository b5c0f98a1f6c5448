"""Track which distribution installed each path of the staged virtual environment, and note file conflicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from venvpkg.errors import StagingError

if TYPE_CHECKING:
    from pathlib import Path, PurePosixPath

    from venvpkg.model.wheels import ReadyWheel


@dataclass(frozen=True, slots=True)
class InstalledWheel:
    """A wheel whose files are in the destdir.

    Attributes:
        wheel: that was installed.
        dist_info: its metadata directory on the target.
        files: paths of its files on the target, sorted, without bytecode.
        notes: messages that were reported while it was installed.
    """

    wheel: ReadyWheel
    dist_info: PurePosixPath
    files: tuple[PurePosixPath, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """A file that is already installed at a path. Without a hash, it equals no other file.

    Attributes:
        owner: the distribution that installed it first.
        sha256: as RECORD spells it: base64 for URLs, without padding.
        size_bytes: of the file.
    """

    owner: str = "the virtual environment"
    sha256: str = ""
    size_bytes: int = 0

    def equals(self, sha256: str, size_bytes: int) -> bool:
        """Whether it is the same file."""
        return bool(self.sha256) and (self.sha256, self.size_bytes) == (sha256, size_bytes)


@dataclass(frozen=True, slots=True)
class VenvTree:
    """The virtual environment being staged. ``contents`` and ``conflicts`` grow with each installed distribution.

    Attributes:
        destdir: staging root on this machine.
        prefix: place of the virtual environment on the target.
        python: name of the interpreter, ``python3.11``, ``pypy3.9``.
        contents: path on the target → the file installed there.
        conflicts: file conflicts, one line each.
    """

    destdir: Path
    prefix: PurePosixPath
    python: str
    contents: dict[PurePosixPath, Content] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)

    @property
    def site(self) -> PurePosixPath:
        """The site-packages directory on the target."""
        return self.prefix / "lib" / self.python / "site-packages"

    def on_host(self, path: PurePosixPath) -> Path:
        """Return the staged place of a path on the target."""
        return self.destdir / path.relative_to("/")

    def note_conflict(self, path: PurePosixPath, owner: str) -> None:
        """Note that ``owner`` ships a file at ``path`` that could not be written there."""
        self.conflicts.append(f"{path}: {owner} ships a file in place of a directory, or below a file")

    def note_duplicate(self, path: PurePosixPath, owner: str, sha256: str, size_bytes: int) -> None:
        """Compare a file with the one already at its path; note a file conflict when they differ."""
        there = self.contents[path]
        if not there.equals(sha256, size_bytes):
            self.conflicts.append(f"{path}: {there.owner} and {owner}")

    def require_no_conflict(self) -> None:
        """Check that no file conflict was noted.

        Raises:
            StagingError: distributions ship different files at one path; the error lists all of them.
        """
        if self.conflicts:
            raise StagingError(
                f"{len(self.conflicts)} file conflict{'s' * (len(self.conflicts) != 1)}: distributions ship different"
                " content at the same path.",
                details="\n".join(f"  {conflict}" for conflict in self.conflicts),
                resolution="Remove one of the distributions from the lock, or ask its authors not to install the file.",
            )
