"""One entry of the wheelhouse: a directory with a wheel and its provenance, read without hashing the wheel."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from venvpkg.store.filecache import key_of
from venvpkg.store.locks import lock_if_same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from venvpkg.console import Reporter
    from venvpkg.store.filecache import Json


PROVENANCE = "provenance.json"
FORMAT = 1
_SHELF = re.compile(r"[a-z0-9_]+")
_KEY = re.compile(r"[0-9a-f]{64}")
# The largest that was seen has 12 KiB.
_MOST_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """A vendor wheel in the wheelhouse, as its provenance tells.

    Attributes:
        directory: of the entry; its name is the key.
        shelf: the platform tag that it is kept under.
        filename: of the wheel.
        name: normalised name of its distribution.
        version: PEP 440.
        tag: ``cp311-cp311-linux_x86_64_debian_12``, as in the file name.
        sha256: that the wheel must have.
        size_bytes: of the wheel.
        built: when it was published here, seconds since 1970 UTC.
        used: when a build last took it, seconds since 1970 UTC.
        inputs: what the key is made of.
        build: what else people may ask about it.
        debug: archive of its debug information; None when it has none.
        debug_sha256: that the archive must have; empty when there is none.
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
        """The file."""
        return self.directory / self.filename


def read_entry(directory: Path) -> Entry:
    """Return what the provenance of an entry tells, when it fits the entry's place.

    Raises:
        ValueError: the provenance is malformed, or that of another wheel.
        OSError: a file of it is missing or cannot be read.
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
            raise ValueError("its provenance is that of another wheel")
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


def read_shelves(wheelhouse: Path, reporter: Reporter) -> tuple[Entry, ...]:
    """Return every entry of a wheelhouse, sorted by name, version, shelf and age; damaged ones are reported."""
    shelves = sorted(each for each in _directories(wheelhouse) if _SHELF.fullmatch(each.name))
    entries = [entry for shelf in shelves for entry in read_shelf(shelf, reporter) if shelf.name != "damaged"]
    return tuple(sorted(entries, key=lambda each: (each.name, each.version, each.shelf, each.built, each.key)))


def read_shelf(shelf: Path, reporter: Reporter) -> Iterator[Entry]:
    """Yield the entries of one platform tag, sorted by key; one that is damaged is reported and passed over."""
    for part in sorted(_directories(shelf)):
        for directory in sorted(_directories(part)):
            if not _KEY.fullmatch(directory.name) or directory.name[:2] != part.name:
                continue
            try:
                yield read_entry(directory)
            except (ValueError, OSError) as error:
                if directory.is_dir():  # else it was removed meanwhile
                    reporter.warn(f"wheelhouse entry {directory} is damaged ({error})")


def held(directory: Path, *, shared: bool = True) -> int | None:
    """Return a descriptor that holds the lock of an entry until it is closed, or None where it cannot be had.

    Args:
        directory: of the entry.
        shared: to use it; else to remove it.
    """
    return lock_if_same(directory / PROVENANCE, shared=shared)


def _directories(parent: Path) -> list[Path]:
    try:
        return [each for each in parent.iterdir() if each.is_dir() and not each.is_symlink()]
    except OSError:
        return []
