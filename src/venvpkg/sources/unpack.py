"""Unpack an untrusted sdist.

The standard library's extraction filter (PEP 706) is not used: the release's Python 3.11.2 may run venvpkg and lacks
it, and it allows more than an sdist needs. Only files, directories and links are unpacked; venvpkg sets their modes.
"""

from __future__ import annotations

import bz2
import calendar
import contextlib
import gzip
import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from venvpkg.errors import WheelError
from venvpkg.host.archive import Budget, ExcessError, name_problem, tar_members
from venvpkg.host.oserrors import is_environment_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager


# 1980-01-01 and 2107-12-31, UTC: the range of times in a zip file, and so in a wheel.
EARLIEST_TIME = 315_532_800
LATEST_TIME = 4_354_732_800
_ZIP_MAGIC = b"PK\x03\x04"
_OPENERS: tuple[tuple[bytes, Callable[[IO[bytes]], AbstractContextManager[IO[bytes]]]], ...] = (
    (b"\x1f\x8b", cast("Callable[[IO[bytes]], AbstractContextManager[IO[bytes]]]", gzip.open)),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\x00", lzma.open),
)
# Exceptions for damaged archives; zipfile raises RuntimeError for an encrypted member.
_DAMAGE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError,
           RuntimeError, OverflowError)  # fmt: skip


def unpack_sdist(archive: Path, directory: Path) -> int:
    """Unpack into the new directory ``directory``, without the archive's single top-level directory.

    Files get mode 0644 or 0755, and their time in the archive, clamped to the range of a zip file.

    Returns:
        The newest time of a member, in seconds since 1970 UTC, at least 1980-01-01: the build's SOURCE_DATE_EPOCH.

    Raises:
        WheelError: the archive is damaged, too large, or has members that leave the tree; the error lists all of them.
    """
    directory.mkdir(parents=True)
    unpacking = _Unpacking(archive, directory)
    try:
        with archive.open("rb") as file:
            magic = file.read(len(_ZIP_MAGIC))
        if magic == _ZIP_MAGIC:
            unpacking.read_zip()
        else:
            unpacking.read_tar()
    except ExcessError as error:
        raise WheelError(
            f"the sdist {archive.name} {error.excess}.",
            resolution="No legitimate distribution is that large; report it to the index.",
        ) from error
    except _DAMAGE as error:
        if is_environment_error(error):
            raise
        raise WheelError(
            f"the sdist {archive.name} could not be unpacked.",
            details=f"  {type(error).__name__}: {error}",
            resolution="Report the damage to its publisher, or use the prebuilt wheel (policy `binary`).",
        ) from error
    unpacking.finish()
    return unpacking.newest


class _Unpacking:
    """The state while one archive is unpacked into one directory."""

    def __init__(self, archive: Path, directory: Path) -> None:
        self.newest = EARLIEST_TIME
        self._archive = archive
        self._directory = directory
        self._budget = Budget.of_distribution(archive.stat().st_size)
        self._problems: list[str] = []
        self._links: dict[PurePosixPath, str] = {}
        self._top: str | None = None

    def read_tar(self) -> None:
        with _decompressed(self._archive) as stream:
            for member, content in tar_members(stream, self._budget):
                path = self._place(member.name.rstrip("/"))
                if path is None:
                    continue
                if member.isdir():
                    self._make_directory(path)
                elif content is not None:
                    self._write(path, content, member.mode, int(member.mtime))
                elif member.issym():
                    self._links[path] = member.linkname
                elif member.islnk():
                    self._copy(path, member.linkname)
                else:
                    self._problems.append(f"{path}: not a file, directory or link")

    def read_zip(self) -> None:
        with zipfile.ZipFile(self._archive) as archive:
            for info in archive.infolist():
                excess = self._budget.excess(info.file_size)
                if excess:
                    raise ExcessError(excess)
                path = self._place(info.filename.rstrip("/"))
                if path is None:
                    continue
                mode = info.external_attr >> 16
                if info.is_dir():
                    self._make_directory(path)
                elif stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
                    self._problems.append(f"{path}: neither a file nor a directory")
                else:
                    with archive.open(info) as content:
                        self._write(path, content, mode, calendar.timegm((*info.date_time, 0, 0, 0)))

    def finish(self) -> None:
        """Create the links, last, so that nothing is written through one; then raise for all problems.

        Raises:
            WheelError: there were problems.
        """
        for path, text in self._links.items():
            place = self._directory / path
            if place.exists() or place.is_symlink() or not text or "\0" in text:
                self._problems.append(f"{path}: a link whose path has another member too, or without a usable text")
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(text)
        inside = self._directory.resolve()
        for path in self._links:
            # Only now: the target of a link can depend on a later one.
            if not Path(os.path.realpath(self._directory / path)).is_relative_to(inside):
                self._problems.append(f"{path}: a link that leaves the tree")
        if self._top is None:
            self._problems.append("it is empty")
        if self._problems:
            raise WheelError(
                f"the sdist {self._archive.name} could not be unpacked.",
                details="\n".join(f"  {problem}" for problem in self._problems),
                resolution="Report it to its publisher, or use the prebuilt wheel (policy `binary`).",
            )

    def _place(self, name: str) -> PurePosixPath | None:
        """Return a member's path below the top-level directory; None if it has none, or a problem."""
        parts = [part for part in name.split("/") if part != "."]
        if not parts:
            return None
        problem = name_problem("/".join(parts))
        if problem:
            self._problems.append(f"{name!r} {problem}")
            return None
        self._top = self._top or parts[0]
        if parts[0] != self._top:
            self._problems.append(f"{name}: outside the top-level directory {self._top}")
            return None
        path = PurePosixPath(*parts[1:])
        if any(parent in self._links for parent in (path, *path.parents)):
            self._problems.append(f"{path}: goes through a link")
            return None
        return path

    def _make_directory(self, path: PurePosixPath) -> None:
        try:
            (self._directory / path).mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            self._problems.append(f"{path}: both a file and a directory")

    def _write(self, path: PurePosixPath, content: IO[bytes], mode: int, time: int) -> None:
        place = self._directory / path
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            file = place.open("wb")
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            self._problems.append(f"{path}: both a file and a directory")
            return
        with file:
            shutil.copyfileobj(content, file)
        time = min(max(time, EARLIEST_TIME), LATEST_TIME)
        self.newest = max(self.newest, time)
        place.chmod(0o755 if mode & 0o111 else 0o644)
        os.utime(place, (time, time))

    def _copy(self, path: PurePosixPath, linkname: str) -> None:
        """Copy the target of a hard link, which is an earlier member, by its full name in the archive."""
        top, _, rest = linkname.removeprefix("./").partition("/")
        if top != self._top or name_problem(rest) or not (self._directory / rest).is_file():
            self._problems.append(f"{path}: a hard link to {linkname!r}, which is not in the archive before it")
            return
        source = self._directory / rest
        status = source.stat()
        if self._budget.excess(status.st_size) is None:
            with source.open("rb") as content:
                self._write(path, content, status.st_mode, int(status.st_mtime))


@contextlib.contextmanager
def _decompressed(archive: Path) -> Iterator[IO[bytes]]:
    with archive.open("rb") as raw:
        magic = raw.read(6)
        raw.seek(0)
        opened = next((opener for start, opener in _OPENERS if magic.startswith(start)), contextlib.nullcontext)(raw)
        with opened as stream:
            yield stream
