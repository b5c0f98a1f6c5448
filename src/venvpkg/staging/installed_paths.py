"""Track which distribution installed each path of the staged virtual environment, and note file conflicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from venvpkg.errors import StagingError

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
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
class Overlap:
    """A path that two distributions ship with different content.

    Attributes:
        path: on the target.
        first: the distribution whose file is installed there.
        second: the other one.
        content: what the other one ships; None if it is unknown or large.
    """

    path: PurePosixPath
    first: str
    second: str
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class VenvTree:
    """The virtual environment being staged. All its collections but ``leave_out`` grow with each distribution.

    Attributes:
        destdir: staging root on this machine.
        prefix: place of the virtual environment on the target.
        python: name of the interpreter, ``python3.11``, ``pypy3.9``.
        contents: path on the target → the file installed there.
        conflicts: file conflicts of other kinds, one line each.
        overlaps: paths that two distributions ship with different content.
        leave_out: distribution → patterns of paths in its wheel that are not installed.
    """

    destdir: Path
    prefix: PurePosixPath
    python: str
    contents: dict[PurePosixPath, Content] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    overlaps: list[Overlap] = field(default_factory=list)
    leave_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

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

    def note_duplicate(
        self, path: PurePosixPath, owner: str, sha256: str, size_bytes: int, content: bytes | None = None
    ) -> None:
        """Compare a file with the one already at its path; note an overlap when they differ."""
        there = self.contents[path]
        if not there.equals(sha256, size_bytes):
            self.overlaps.append(Overlap(path, there.owner, owner, content))

    def require_no_conflict(self, harmless: Container[Overlap] = ()) -> None:
        """Check that there is no file conflict but overlaps that are harmless.

        Raises:
            StagingError: there are; the error lists all of them.
        """
        real = [each for each in self.overlaps if each not in harmless]
        conflicts = [*(f"{each.path}: {each.first} and {each.second}" for each in real), *self.conflicts]
        if conflicts:
            raise StagingError(
                f"{len(conflicts)} file conflict{'s' * (len(conflicts) != 1)}: distributions ship different"
                " content at the same path.",
                details="\n".join(f"  {conflict}" for conflict in conflicts),
                resolution="Remove one of the distributions from the lock, or leave files of one out"
                + (f': leave-out = ["{_entry(real[0], self.site)}"] in [tool.venvpkg].' if real else "."),
            )


def _entry(overlap: Overlap, site: PurePosixPath) -> str:
    """Return an entry of ``leave-out`` for what an overlap is part of."""
    if not overlap.path.is_relative_to(site):
        return f"{overlap.second}:*/{overlap.path.name}"  # below NAME.data in the wheel
    top, *below = overlap.path.relative_to(site).parts
    return f"{overlap.second}:{top}{'/*' if below else ''}"
