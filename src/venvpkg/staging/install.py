"""Install wheels into the staged environment, as if the destdir were ``/``."""

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
from venvpkg.staging.installed_paths import Content, InstalledWheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from installer.sources import WheelContentElement  # noqa: TID251
    from installer.utils import Scheme  # noqa: TID251

    from venvpkg.console import Reporter
    from venvpkg.model.wheels import ReadyWheel
    from venvpkg.staging.installed_paths import Environment


# No wheel on the public index comes near these; a zip of 40 KB can claim any of them.
_MOST_ENTRIES = 200_000
_MOST_BYTES = 16 * 2**30
# Deflate reaches 1000:1 on zeros only. Small wheels are let through: what they unpack to does no harm.
_MOST_RATIO = 200
_SMALL_BYTES = 256 * 2**20
# Read into memory at once; the largest real ones are RECORDs of a few MiB.
_MOST_METADATA_BYTES = 64 * 2**20

# What the zip readers and installer raise on a malformed wheel. AssertionError: installer checks entry points so.
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

# A file name that no filesystem takes.
_ERRNO_OF_NAME = frozenset({errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL})

# What installer hashes with as it writes, and what all known backends use in RECORD.
_HASH = "sha256"

# The installing tool writes these. One that comes inside a wheel tells of another installation.
_OF_INSTALLER = frozenset({"INSTALLER", "REQUESTED", "direct_url.json"})


def install_wheels(
    wheels: Iterable[ReadyWheel], environment: Environment, reporter: Reporter
) -> tuple[InstalledWheel, ...]:
    """Install the wheels into the environment, in this order.

    Every file is checked against its wheel's RECORD. A path is written once: what two distributions ship with the same
    content (the ``__init__.py`` of an old namespace package) belongs to both; other clashes are noted in
    ``environment``.

    Raises:
        WheelError: a wheel is malformed or hostile.
        StagingError: the disk is full.
    """
    return tuple(_install(wheel, environment, reporter) for wheel in wheels)


def _install(wheel: ReadyWheel, environment: Environment, reporter: Reporter) -> InstalledWheel:
    try:
        with zipfile.ZipFile(wheel.path) as archive, warnings.catch_warnings(record=True) as skipped:
            warnings.simplefilter("always")
            _refuse_bomb(wheel.path, archive.infolist())
            source = _Source(archive)
            # Names only: contents are compared as they are written, which halves the decompression.
            source.validate_record(validate_contents=False)
            destination = _destination(environment, source.distribution, owner=wheel.name)
            source.destination = destination
            install(source, destination, additional_metadata={"INSTALLER": b"venvpkg\n"})
            if source.issues:
                raise _RecordError(source.issues)
            dist_info = environment.site / source.dist_info_dir
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
        resolution=f"Lock another release of {wheel.name}, or tell its authors.",
    )


def _refuse_bomb(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Raise ValueError when unpacking would fill the disk; zipfile reads no more of an entry than it declares."""
    total = sum(entry.file_size for entry in entries)
    if len(entries) > _MOST_ENTRIES:
        raise ValueError(f"it has {len(entries)} entries; at most {_MOST_ENTRIES} are accepted")
    if total > _MOST_BYTES:
        raise ValueError(f"it unpacks to {total} bytes; at most {_MOST_BYTES} are accepted")
    # Against the file's size, not the declared compressed sizes: those of overlapping entries add up to anything.
    if total > _SMALL_BYTES and total > _MOST_RATIO * path.stat().st_size:
        raise ValueError(f"it unpacks to {total} bytes, more than {_MOST_RATIO} times its size")
    for entry in entries:
        directory = entry.filename.split("/", 1)[0]
        if directory.endswith(".dist-info") and entry.file_size > _MOST_METADATA_BYTES:
            raise ValueError(f"{entry.filename} has {entry.file_size} bytes of metadata")


def _destination(environment: Environment, distribution: str, owner: str) -> _Destination:
    prefix, site = environment.prefix, environment.site
    return _Destination(
        scheme_dict={
            "purelib": str(site),
            "platlib": str(site),
            "headers": str(prefix / "include/site" / environment.python / distribution),
            "scripts": str(prefix / "bin"),
            "data": str(prefix),
        },
        interpreter=str(prefix / "bin/python"),
        script_kind="posix",
        destdir=str(environment.destdir),
        owner=owner,
        environment=environment,
    )


class _RecordError(ValueError):
    """Contents are not those that RECORD lists."""

    def __init__(self, issues: list[str]) -> None:
        super().__init__(", ".join(issues))
        self.issues = issues


class _Source(WheelFile):
    """A wheel without what the installing tool writes itself, compared with its RECORD as it is read."""

    destination: _Destination
    issues: list[str]

    def get_contents(self) -> Iterator[WheelContentElement]:
        """Leave out the installer's files, and scripts that an entry point of the same name replaces (as pip does)."""
        left_out = {posixpath.join(self.dist_info_dir, name) for name in _OF_INSTALLER}
        if "entry_points.txt" in self.dist_info_filenames:
            names = {name for name, *_ in parse_entrypoints(self.read_dist_info("entry_points.txt"))}
            left_out |= {posixpath.join(self.data_dir, "scripts", name) for name in names}
        self.issues = []
        for record, stream, is_executable in super().get_contents():
            if record[0] not in left_out:
                yield from self._compared(record, stream, is_executable)

    def _compared(
        self, record: tuple[str, str, str], stream: BinaryIO, is_executable: bool
    ) -> Iterator[WheelContentElement]:
        expected = RecordEntry.from_elements(*record)
        as_it_is = not record[0].startswith(f"{self.data_dir}/scripts/")  # a script's first line may be replaced
        if as_it_is and expected.hash_ is not None and expected.hash_.name == _HASH:
            self.destination.last = None
            yield record, stream, is_executable
            # None: what installer passes over, such as bytecode.
            written = self.destination.last
            same = written is None or (written.hash_, written.size) == (expected.hash_, expected.size)
        else:
            same = expected.validate_stream(stream)
            stream.seek(0)
            yield record, stream, is_executable
        if not same:
            self.issues.append(f"size or hash of {record[0]} are not those in RECORD")


@dataclass(kw_only=True)
class _Destination(SchemeDictionaryDestination):
    """A destination that knows who wrote each path, and never follows a link that is there already."""

    environment: Environment
    owner: str
    written: list[PurePosixPath] = field(default_factory=list)
    last: RecordEntry | None = None

    def write_to_fs(self, scheme: Scheme, path: str, stream: BinaryIO, is_executable: bool) -> RecordEntry:
        """Write a file that is not there yet; note the clash when other content is."""
        self.last = self._write(scheme, path, stream, is_executable)
        return self.last

    def _write(self, scheme: Scheme, path: str, stream: BinaryIO, is_executable: bool) -> RecordEntry:
        place = PurePosixPath(posixpath.normpath(posixpath.join(self.scheme_dict[scheme], path)))
        there = self.environment.taken.get(place)
        if there is not None and there.owner == self.owner:
            raise ValueError(f"two of its entries would be installed as {place}")
        if there is None:
            try:
                # Some build backends leave the executable bit off; pip sets it on every script too.
                entry = super().write_to_fs(scheme, path, stream, is_executable or scheme == "scripts")
            except (FileExistsError, IsADirectoryError, NotADirectoryError):
                self.environment.blocked(place, self.owner)
                return _entry_of(path, stream)
            self.environment.taken[place] = Content(self.owner, *_identity(entry))
        else:
            entry = _entry_of(path, stream)
            self.environment.meets(place, self.owner, *_identity(entry))
        self.written.append(place)
        return entry


def _identity(entry: RecordEntry) -> tuple[str, int]:
    return (entry.hash_.value if entry.hash_ else "", entry.size or 0)


def _entry_of(path: str, stream: BinaryIO) -> RecordEntry:
    """Return the RECORD entry of a stream that is not written."""
    with Path(os.devnull).open("wb") as nowhere:
        hash_, size = copyfileobj_with_hashing(stream, nowhere, _HASH)
    return RecordEntry(path, Hash(_HASH, hash_), size)
