"""Install wheels into the staged virtual environment, as if the destdir were ``/``."""

from __future__ import annotations

import configparser
import csv
import errno
import lzma
import os
import posixpath
import struct
import warnings
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from installer import install  # noqa: TID251
from installer.destinations import SchemeDictionaryDestination  # noqa: TID251
from installer.exceptions import InstallerError  # noqa: TID251
from installer.records import Hash, InvalidRecordEntry, RecordEntry  # noqa: TID251
from installer.sources import WheelFile  # noqa: TID251
from installer.utils import copyfileobj_with_hashing, parse_entrypoints  # noqa: TID251

from venvpkg.errors import WheelError
from venvpkg.host.files import name_in_errors
from venvpkg.staging.installed_paths import Content, InstalledWheel, is_left_out
from venvpkg.staging.shebang import with_shebang_options
from venvpkg.wheelhouse.check import check_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from installer.sources import WheelContentElement  # noqa: TID251
    from installer.utils import Scheme  # noqa: TID251

    from venvpkg.console import Reporter
    from venvpkg.model.wheels import ReadyWheel
    from venvpkg.staging.installed_paths import VenvTree


# Raised by zipfile, its decompressors and installer on a malformed wheel; installer asserts valid entry points.
_MALFORMED = (
    AssertionError,
    EOFError,
    InstallerError,
    InvalidRecordEntry,
    KeyError,
    LookupError,
    NotImplementedError,  # a compression method
    OverflowError,
    RuntimeError,  # encrypted
    ValueError,
    configparser.Error,
    csv.Error,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)

# Errors of a file name that the filesystem refuses.
_ERRNO_OF_NAME = frozenset({errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL})

# The algorithm that installer hashes with while it writes, and that all known backends use in RECORD.
_HASH = "sha256"

# A larger module is generated, and differs in more than comments.
_MOST_COMPARED_BYTES = 1 << 20

# The installing tool writes these. One inside a wheel describes another installation.
_OF_INSTALLER = frozenset({"INSTALLER", "REQUESTED", "direct_url.json"})


def install_wheels(wheels: Iterable[ReadyWheel], venv: VenvTree, reporter: Reporter) -> tuple[InstalledWheel, ...]:
    """Install the wheels into the virtual environment, in this order.

    Every file is checked against its wheel's RECORD. Each path is written once. A file that two distributions ship with
    the same content, such as the ``__init__.py`` of an old namespace package, belongs to both; other file conflicts are
    noted in ``venv``.

    Raises:
        WheelError: a wheel is malformed or hostile.
        OSError: the disk is full.
    """
    return tuple(_install(wheel, venv, reporter) for wheel in wheels)


def _install(wheel: ReadyWheel, venv: VenvTree, reporter: Reporter) -> InstalledWheel:
    # Names and sizes only. Contents are compared while they are written, so that each is decompressed once.
    check_wheel(wheel.path, contents=False)
    try:
        with (
            name_in_errors(venv.destdir),
            zipfile.ZipFile(wheel.path) as archive,
            warnings.catch_warnings(record=True) as skipped,
        ):
            warnings.simplefilter("always")
            source = _Source(archive)
            destination = _destination(venv, source.distribution, owner=wheel.name)
            source.destination = destination
            source.leave_out = venv.leave_out.get(wheel.name, ())
            install(source, destination, additional_metadata={"INSTALLER": b"venvpkg\n"})
            if source.issues:
                raise _RecordError(source.issues)
            dist_info = venv.site / source.dist_info_dir
    except _MALFORMED as error:
        raise _malformed(wheel, error) from error
    except OSError as error:
        if error.errno in _ERRNO_OF_NAME:
            raise _malformed(wheel, error) from error
        raise
    notes = tuple(str(warning.message) for warning in skipped)
    for note in notes:
        reporter.detail(note)
    return InstalledWheel(wheel, dist_info, tuple(sorted(destination.written)), notes)


def _malformed(wheel: ReadyWheel, error: Exception) -> WheelError:
    issues = getattr(error, "issues", None) or [str(error) or type(error).__name__]
    return WheelError(
        f"{wheel.path.name} is malformed.",
        details="\n".join(f"  {issue!s:.500}" for issue in list(issues)[:50]),
        resolution=f"Lock another release of {wheel.name}, or report it to its authors.",
    )


def _destination(venv: VenvTree, distribution: str, owner: str) -> _Destination:
    prefix, site = venv.prefix, venv.site
    return _Destination(
        scheme_dict={
            "purelib": str(site),
            "platlib": str(site),
            "headers": str(prefix / "include/site" / venv.python / distribution),
            "scripts": str(prefix / "bin"),
            "data": str(prefix),
        },
        interpreter=str(prefix / "bin/python"),
        script_kind="posix",
        destdir=str(venv.destdir),
        owner=owner,
        venv=venv,
    )


class _RecordError(ValueError):
    """Files do not match RECORD."""

    def __init__(self, issues: list[str]) -> None:
        super().__init__(", ".join(issues))
        self.issues = issues


class _Source(WheelFile):
    """A wheel without the files that the installing tool writes, compared with its RECORD while it is read."""

    destination: _Destination
    issues: list[str]
    leave_out: tuple[str, ...] = ()

    def get_contents(self) -> Iterator[WheelContentElement]:
        """Yield all files except the installer's, omitted ones and, like pip, scripts replaced by entry points."""
        left_out = {posixpath.join(self.dist_info_dir, name) for name in _OF_INSTALLER}
        if "entry_points.txt" in self.dist_info_filenames:
            names = {name for name, *_ in parse_entrypoints(self.read_dist_info("entry_points.txt"))}
            left_out |= {posixpath.join(self.data_dir, "scripts", name) for name in names}
        self.issues = []
        for record, stream, is_executable in super().get_contents():
            if record[0] not in left_out and not is_left_out(record[0], self.leave_out):
                yield from self._compared(record, stream, is_executable)

    def _compared(
        self, record: tuple[str, str, str], stream: BinaryIO, is_executable: bool
    ) -> Iterator[WheelContentElement]:
        expected = RecordEntry.from_elements(*record)
        as_it_is = not record[0].startswith(f"{self.data_dir}/scripts/")  # a script's first line may be replaced
        if as_it_is and expected.hash_ is not None and expected.hash_.name == _HASH:
            self.destination.last = None
            yield record, stream, is_executable
            same = _is_as_expected(self.destination.last, expected)
        else:
            same = expected.validate_stream(stream)
            stream.seek(0)
            yield record, stream, is_executable
        if not same:
            self.issues.append(f"{record[0]} does not match its size or hash in RECORD")


def _is_as_expected(written: RecordEntry | None, expected: RecordEntry) -> bool:
    """Return whether the content is what RECORD says, which may leave out the size."""
    if written is None:  # installer skips the file, such as bytecode
        return True
    return written.hash_ == expected.hash_ and expected.size in {None, written.size}


@dataclass(kw_only=True)
class _Destination(SchemeDictionaryDestination):
    """A destination that tracks the owner of each path, and never writes through an existing link."""

    venv: VenvTree
    owner: str
    written: list[PurePosixPath] = field(default_factory=list)
    last: RecordEntry | None = None

    def write_file(
        self, scheme: Scheme, path: str | os.PathLike[str], stream: BinaryIO, is_executable: bool
    ) -> RecordEntry:
        """Write a file; a script gets the virtual environment's interpreter and keeps the options of its first line."""
        if scheme == "scripts":
            stream = with_shebang_options(stream, self.interpreter)
        return super().write_file(scheme, path, stream, is_executable)

    def write_to_fs(self, scheme: Scheme, path: str, stream: BinaryIO, is_executable: bool) -> RecordEntry:
        """Write a file to a new path; note a file conflict when the path has other content."""
        self.last = self._write(scheme, path, stream, is_executable)
        return self.last

    def _write(self, scheme: Scheme, path: str, stream: BinaryIO, is_executable: bool) -> RecordEntry:
        place = PurePosixPath(posixpath.normpath(posixpath.join(self.scheme_dict[scheme], path)))
        there = self.venv.contents.get(place)
        if there is not None and there.owner == self.owner:
            raise ValueError(f"two of its entries would be installed as {place}")
        if there is None:
            try:
                # Some build backends leave the executable bit off; pip sets it on every script too.
                entry = super().write_to_fs(scheme, path, stream, is_executable or scheme == "scripts")
            except (FileExistsError, IsADirectoryError, NotADirectoryError):
                self.venv.note_conflict(place, self.owner)
                return _entry_of(path, stream)
            self.venv.contents[place] = Content(self.owner, *_identity(entry))
        else:
            entry = _entry_of(path, stream)
            stream.seek(0)
            content = stream.read(_MOST_COMPARED_BYTES + 1)
            known = content if len(content) <= _MOST_COMPARED_BYTES else None
            self.venv.note_duplicate(place, self.owner, *_identity(entry), known)
        self.written.append(place)
        return entry


def _identity(entry: RecordEntry) -> tuple[str, int]:
    return (entry.hash_.value if entry.hash_ else "", entry.size or 0)


def _entry_of(path: str, stream: BinaryIO) -> RecordEntry:
    """Return the RECORD entry of a stream that is not written."""
    with Path(os.devnull).open("wb") as nowhere:
        hash_, size = copyfileobj_with_hashing(stream, nowhere, _HASH)
    return RecordEntry(path, Hash(_HASH, hash_), size)
