"""Track the paths that wheels install: their distribution, conflicts, omitted and misplaced paths, and RECORD."""

from __future__ import annotations

import csv
import fnmatch
import io
import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from venvpkg.errors import StagingError
from venvpkg.staging.cache import record_hash

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path, PurePosixPath

    from venvpkg.model.staged import Payload, PayloadPath
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
        second: the other distribution.
        content: the other distribution's content; None if it is unknown or large.
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
        """Check that there are no file conflicts except harmless overlaps.

        Raises:
            StagingError: there are file conflicts; the error lists all of them.
        """
        real = [each for each in self.overlaps if each not in harmless]
        conflicts = [*(f"{each.path}: {each.first} and {each.second}" for each in real), *self.conflicts]
        if conflicts:
            raise StagingError(
                f"{len(conflicts)} file conflict{'s' * (len(conflicts) != 1)}: distributions ship different"
                " content at the same path.",
                details="\n".join(f"  {conflict}" for conflict in conflicts),
                resolution="Remove one of the distributions from the lock, or leave out files of one"
                + (f': leave-out = ["{_leave_out_entry(real[0], self.site)}"] in [tool.venvpkg].' if real else "."),
            )


def _leave_out_entry(overlap: Overlap, site: PurePosixPath) -> str:
    """Return an entry of ``leave-out`` that covers an overlap."""
    if not overlap.path.is_relative_to(site):
        return f"{overlap.second}:*/{overlap.path.name}"  # below NAME.data in the wheel
    top, *below = overlap.path.relative_to(site).parts
    return f"{overlap.second}:{top}{'/*' if below else ''}"


def patterns_by_distribution(entries: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return distribution (normalised name) → patterns, from entries ``NAME:PATTERN`` of the configuration."""
    found: dict[str, tuple[str, ...]] = {}
    for each in entries:
        name, _, pattern = each.partition(":")
        found[name] = (*found.get(name, ()), pattern)
    return found


def is_left_out(path: str, patterns: Sequence[str]) -> bool:
    """Return whether a path in a wheel matches a pattern; ``*`` stands for any characters, slashes among them.

    A distribution's metadata are never left out: without them it would not be installed.
    """
    return ".dist-info/" not in path and any(fnmatch.fnmatchcase(path, each) for each in patterns)


def unmatched(patterns: Mapping[str, Sequence[str]], paths: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield a warning for each pattern that leaves nothing out.

    Args:
        patterns: distribution → its patterns.
        paths: distribution in the package → the paths in its wheel.
    """
    for name, each in patterns.items():
        if name not in paths:
            yield f"leave-out: {name} is not in the package"
            continue
        for pattern in each:
            if not any(is_left_out(path, (pattern,)) for path in paths[name]):
                yield f"leave-out: no path in the wheel of {name} matches {pattern}"


# Root directories (FHS 3.0, chapter 3) in which setuptools' ``data_files`` occur.
_OF_ROOT: Final = frozenset({"bin", "etc", "lib", "lib64", "opt", "sbin", "srv", "usr", "var"})
# With merged /usr these are links, and no package may put a file below them.
_MERGED: Final = frozenset({"bin", "lib", "lib64", "sbin"})
_MOST_IN_WARNING: Final = 5


def misplaced_warnings(
    installed: Iterable[InstalledWheel], site: PurePosixPath, targets: Container[PurePosixPath]
) -> Iterator[str]:
    """Yield a warning for each distribution with ``data_files`` at absolute paths.

    A wheel cannot contain absolute paths: setuptools writes ``/etc/app.conf`` to ``etc/app.conf`` next to the modules,
    and pip installs it there. A Python package may have such a name too, and is ignored if it contains modules.

    Args:
        installed: the distributions.
        site: the site-packages directory.
        targets: paths at which the configuration's ``files`` already install a file.
    """
    for each in installed:
        found = [path for path in _absolute_paths(each.files, site) if path not in targets]
        if found:
            names = ", ".join(map(str, found[:_MOST_IN_WARNING]))
            more = f" and {len(found) - _MOST_IN_WARNING} more" if len(found) > _MOST_IN_WARNING else ""
            yield (
                f"{each.wheel.name} has data files for absolute paths ({names}{more}), where a wheel cannot install"
                f" them: they are in {site}, where nothing looks for them. Add the files you need to [tool.venvpkg]"
                f' files: {{ source = "{found[0].name}", target = "{found[0]}" }}'
            )


def _absolute_paths(files: Iterable[PurePosixPath], site: PurePosixPath) -> list[PurePosixPath]:
    below = [path.relative_to(site) for path in files if path.is_relative_to(site)]
    packages = {path.parts[0] for path in below if len(path.parts) == 2 and path.suffix == ".py"}  # noqa: PLR2004
    root = type(site)("/")
    return [
        root / "usr" / path if path.parts[0] in _MERGED else root / path
        for path in below
        if len(path.parts) > 1 and path.parts[0] in _OF_ROOT - packages
    ]


_MOST_SHOWN = 20


def require_recorded(installed: Iterable[InstalledWheel], payload: Payload, destdir: Path) -> None:
    """Check that every file of the distributions has the size and hash in RECORD.

    The installer checked the content of the wheels, and wrote RECORD from it. This function checks the files on disk,
    whether they were installed or copied from the cache: the checksums in a package are computed from the staged files,
    and would match a truncated file.

    Args:
        installed: the distributions.
        payload: staged files, as read back from disk.
        destdir: staging root on this machine, with each RECORD.

    Raises:
        StagingError: files are missing, or differ from RECORD; the error lists them.

    Source:
        PyPA specification of recorded projects, The RECORD file.
    """
    staged = {str(each.path): each for each in payload.paths}
    problems = [problem for each in installed for problem in _differences(each, staged, destdir)]
    if problems:
        hidden = [f"and {len(problems) - _MOST_SHOWN} more"] if len(problems) > _MOST_SHOWN else []
        raise StagingError(
            f"{len(problems)} staged file{'s differ' if len(problems) != 1 else ' differs'} from RECORD.",
            details="\n".join(f"  {each}" for each in (*problems[:_MOST_SHOWN], *hidden)),
            resolution="Check the cache's disk (df, quota, dmesg), or use another cache (--cache), and build again.",
        )


def _differences(distribution: InstalledWheel, staged: Mapping[str, PayloadPath], destdir: Path) -> Iterator[str]:
    """Yield a line for each file that differs from RECORD."""
    record = distribution.dist_info / "RECORD"
    site = str(distribution.dist_info.parent)
    unlisted = {str(path) for path in distribution.files}
    with (destdir / record.relative_to("/")).open("rb") as file:
        text = file.read().decode("utf-8", "replace")
    for row in csv.reader(io.StringIO(text, newline="")):
        name, digest, size = (*row, "", "", "")[:3]
        path = posixpath.normpath(posixpath.join(site, name))
        unlisted.discard(path)
        found = staged.get(path)
        if found is None:
            yield f"{path}: missing"
        elif size and str(found.size_bytes) != size:
            yield f"{path}: {found.size_bytes} bytes instead of {size}, as in RECORD"
        elif digest and digest != f"sha256={_hash_of(found)}":
            yield f"{path}: its sha256 differs from RECORD"
    yield from (f"{path}: not in RECORD" for path in sorted(unlisted))


def _hash_of(file: PayloadPath) -> str:
    return record_hash(bytes.fromhex(file.sha256))
