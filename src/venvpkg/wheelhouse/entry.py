"""Read entries of the wheelhouse: directories with a wheel and its provenance. Only ``verify`` hashes the wheels."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from venvpkg.host.files import sha256_of
from venvpkg.host.oserrors import is_environment_error
from venvpkg.store.filecache import key_of
from venvpkg.store.locks import lock_if_same

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from venvpkg.console import Reporter
    from venvpkg.store.filecache import Json


PROVENANCE = "provenance.json"
# The directory of a wheelhouse where damaged entries are set aside.
DAMAGED = "damaged"
FORMAT = 1
_SHELF = re.compile(r"[a-z0-9_]+")
_KEY = re.compile(r"[0-9a-f]{64}")
# The largest known provenance has 12 KiB.
_MOST_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """A vendor wheel in the wheelhouse, as described by its provenance.

    Attributes:
        directory: the entry's directory; its name is the key.
        shelf: platform tag under which it is kept.
        filename: file name of the wheel.
        name: normalised name of the distribution.
        version: version of the distribution (PEP 440).
        tag: tags in the file name, ``cp311-cp311-linux_x86_64_debian_12``.
        sha256: expected sha256 of the wheel.
        size_bytes: size of the wheel.
        built: time of its publication here, in seconds since 1970 UTC.
        used: time of its last use by a build, in seconds since 1970 UTC.
        inputs: inputs of the key.
        build: further information about the build.
        debug: archive of its debug information; None if it has none.
        debug_sha256: expected sha256 of that archive; empty if there is none.
    """

    directory: Path
    shelf: str
    filename: str
    name: str
    version: str
    tag: str
    sha256: str
    size_bytes: int
    built: float
    used: float
    inputs: Mapping[str, Json]
    build: Mapping[str, Json]
    debug: Path | None = None
    debug_sha256: str = ""

    @property
    def key(self) -> str:
        """The wheelhouse key."""
        return self.directory.name

    @property
    def wheel(self) -> Path:
        """Path of the wheel."""
        return self.directory / self.filename


def read_entry(directory: Path) -> Entry:
    """Read the provenance of an entry, and return the entry.

    Raises:
        ValueError: the provenance is malformed, or belongs to another key.
        OSError: a file of the entry is missing or cannot be read.
    """
    path = directory / PROVENANCE
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError("its provenance is absurdly large")
    try:
        provenance = json.loads(path.read_bytes())
        filename, sha256 = str(provenance["wheel"]["filename"]), str(provenance["wheel"]["sha256"])
        name, version, _, _ = parse_wheel_filename(filename)
        inputs = cast("Mapping[str, Json]", provenance["inputs"])
        build = cast("Mapping[str, Json]", dict(provenance["build"]))
        debug = provenance.get("debug")
        debug_name, debug_sha256 = (str(debug["filename"]), str(debug["sha256"])) if debug else ("", "")
        if provenance["format"] != FORMAT or key_of(inputs) != directory.name or "/" in filename + debug_name:
            raise ValueError("its provenance belongs to another wheel")
    except (KeyError, TypeError, AttributeError, RecursionError, InvalidWheelFilename) as error:
        raise ValueError("its provenance is malformed") from error
    wheel = (directory / filename).stat()
    if debug_name:
        (directory / debug_name).stat()
    return Entry(
        directory=directory,
        shelf=directory.parent.parent.name,
        filename=filename,
        name=str(name),
        version=str(version),
        tag="-".join(filename.removesuffix(".whl").split("-")[-3:]),
        sha256=sha256,
        size_bytes=wheel.st_size,
        built=wheel.st_mtime,
        used=max(wheel.st_mtime, path.stat().st_mtime),
        inputs=inputs,
        build=build,
        debug=directory / debug_name if debug_name else None,
        debug_sha256=debug_sha256,
    )


def require_intact(entry: Entry) -> None:
    """Hash the files of an entry.

    Raises:
        ValueError: a hash differs from its provenance.
        OSError: a file is missing or cannot be read.
    """
    if sha256_of(entry.wheel) != entry.sha256:
        raise ValueError("its wheel does not have the sha256 in its provenance")
    if entry.debug is not None and sha256_of(entry.debug) != entry.debug_sha256:
        raise ValueError("its debug information does not have the sha256 in its provenance")


def entry_directories(wheelhouse: Path) -> Iterator[Path]:
    """Yield the directory of every entry of a wheelhouse, intact or not, sorted by shelf and key.

    Raises:
        OSError: a directory cannot be read; a wheelhouse that does not exist has no entries.
    """
    for shelf in sorted(_directories(wheelhouse)):
        if _SHELF.fullmatch(shelf.name) and shelf.name != DAMAGED:
            yield from _entries_of(shelf)


def read_shelves(wheelhouse: Path, reporter: Reporter) -> tuple[Entry, ...]:
    """Return every entry of a wheelhouse, sorted by name, version, shelf and age.

    Damaged entries, and those that this user may not read, are reported and skipped.

    Raises:
        OSError: the wheelhouse or one of its shelves cannot be read.
    """
    entries = _read_entries(entry_directories(wheelhouse), reporter)
    return tuple(sorted(entries, key=lambda each: (each.name, each.version, each.shelf, each.built, each.key)))


def read_shelf(shelf: Path, reporter: Reporter) -> Iterator[Entry]:
    """Yield the entries of one platform tag, sorted by key; see ``read_shelves``."""
    yield from _read_entries(_entries_of(shelf), reporter)


def _entries_of(shelf: Path) -> Iterator[Path]:
    for part in sorted(_directories(shelf)):
        for directory in sorted(_directories(part)):
            if _KEY.fullmatch(directory.name) and directory.name[:2] == part.name:
                yield directory


def _read_entries(directories: Iterable[Path], reporter: Reporter) -> Iterator[Entry]:
    for directory in directories:
        try:
            yield read_entry(directory)
        except (ValueError, OSError) as error:
            if is_environment_error(error):
                reporter.warn(f"wheelhouse entry {directory} could not be read ({error})")
            elif directory.is_dir():  # otherwise it has just been removed
                reporter.warn(f"wheelhouse entry {directory} is damaged ({error})")


def lock_entry(directory: Path, *, shared: bool = True) -> int | None:
    """Lock an entry, and return the descriptor that holds the lock until it is closed; None if that fails.

    Args:
        directory: the entry's directory.
        shared: whether the lock is for using the entry; otherwise for removing it.
    """
    return lock_if_same(directory / PROVENANCE, shared=shared)


def _directories(parent: Path) -> list[Path]:
    try:
        return [each for each in parent.iterdir() if each.is_dir() and not each.is_symlink()]
    except FileNotFoundError:
        return []


class Verified(NamedTuple):
    """The result of a verification.

    Attributes:
        examined: number of entries.
        damaged: directories of the damaged ones, sorted, each with the reason.
    """

    examined: int
    damaged: tuple[tuple[Path, str], ...]


def verify(wheelhouse: Path) -> Verified:
    """Hash every file of a wheelhouse.

    Raises:
        OSError: a file cannot be read by this user, which is not damage.
    """
    examined = 0
    damaged = []
    for directory in entry_directories(wheelhouse):
        examined += 1
        try:
            require_intact(read_entry(directory))
        except (ValueError, OSError) as error:
            if is_environment_error(error):
                raise
            if directory.is_dir():  # otherwise it has just been removed
                damaged.append((directory, str(error)))
    return Verified(examined, tuple(damaged))
