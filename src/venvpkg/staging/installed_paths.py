"""Who put what where in the staged environment, so that a path is written once."""

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
        wheel: where it came from.
        dist_info: its metadata directory on the target.
        files: where its files are on the target, sorted; bytecode is not among them.
        notes: what people were told of it.
    """

    wheel: ReadyWheel
    dist_info: PurePosixPath
    files: tuple[PurePosixPath, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """What is at a path already. Without a hash, nothing is equal to it.

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
class Environment:
    """Where distributions are installed, and what is there by now; ``taken`` and ``clashes`` grow with each of them.

    Attributes:
        destdir: staging root on this machine.
        prefix: place of the environment on the target.
        python: name of the interpreter, ``python3.11``, ``pypy3.9``.
        taken: path on the target → what is there.
        clashes: for people.
    """

    destdir: Path
    prefix: PurePosixPath
    python: str
    taken: dict[PurePosixPath, Content] = field(default_factory=dict)
    clashes: list[str] = field(default_factory=list)

    @property
    def site(self) -> PurePosixPath:
        """Where modules are."""
        return self.prefix / "lib" / self.python / "site-packages"

    def on_host(self, path: PurePosixPath) -> Path:
        """Return where a path of the target is staged."""
        return self.destdir / path.relative_to("/")

    def blocked(self, path: PurePosixPath, owner: str) -> None:
        """Note that a file cannot be written at ``path``."""
        self.clashes.append(f"{path}: {owner} ships a file where there is a directory, or within a file")

    def meets(self, path: PurePosixPath, owner: str, sha256: str, size_bytes: int) -> None:
        """Compare a file with the one that is at its path; note the clash when they differ."""
        there = self.taken[path]
        if not there.equals(sha256, size_bytes):
            self.clashes.append(f"{path}: {there.owner} and {owner}")

    def require_no_clash(self) -> None:
        """Raise what was noted.

        Raises:
            StagingError: two distributions ship different files at one path; all are listed.
        """
        if self.clashes:
            raise StagingError(
                f"{len(self.clashes)} path{'s are' if len(self.clashes) != 1 else ' is'} shipped twice, with different"
                " content.",
                details="\n".join(f"  {clash}" for clash in self.clashes),
                resolution="Leave one of the distributions out of the lock, or ask its authors not to install it.",
            )
