"""The build record as JSON: written next to the package, read back as hostile input to repeat the build."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO, TypeGuard

from venvpkg.errors import MachineError, NotAPackageError
from venvpkg.host.files import open_atomic, read_regular
from venvpkg.model.package import BuildRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


SCHEMA = "venvpkg.build/1"
SUFFIX = ".build.json"
# The two locks of a large application and a few hundred hashes take a few MiB.
_MOST_BYTES = 1 << 27
_HEX_DIGITS = frozenset("0123456789abcdef")


def record_path(artifact: Path) -> Path:
    """Return the path of a package's build record, ``NAME_VERSION_ARCH.build.json`` next to it."""
    return artifact.with_name(artifact.stem + SUFFIX)


def dump_build_record(record: BuildRecord) -> bytes:
    """Return the record as JSON; the same build gives the same bytes."""
    document: dict[str, object] = {
        "schema": SCHEMA,
        "application": {"name": record.name, "requirement": record.requirement},
        "settings": record.settings,
        "source_date_epoch": record.source_date_epoch,
        "locks": {
            "runtime": {"sha256": _sha256_of_text(record.lock), "text": record.lock},
            "build": {"sha256": _sha256_of_text(record.build_lock), "text": record.build_lock},
        },
        "inputs": record.inputs,
        "artifact": {"filename": record.artifact, "sha256": record.sha256, "size_bytes": record.size_bytes},
    }
    if record.debug_packages:
        document["companions"] = dict(record.debug_packages)
    return (json.dumps(document, indent=1, ensure_ascii=True) + "\n").encode("ascii")


def read_build_record(path: Path) -> BuildRecord:
    """Return the build record in a file.

    Raises:
        NotAPackageError: the file could not be read, or is not a build record of this schema.
    """
    try:
        content = read_regular(path, _MOST_BYTES)
        if len(content) > _MOST_BYTES:
            raise ValueError("it is absurdly large")  # noqa: TRY301 - a finding like the others
        return _record_of(json.loads(content))
    except OSError as error:
        raise NotAPackageError(f"{path} could not be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        problem = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise NotAPackageError(
            f"{path} is not a valid build record.",
            details=f"  {problem[:300]}",
            resolution=f"Give the *{SUFFIX} file next to a package; this version of venvpkg reads {SCHEMA}.",
        ) from error


def _record_of(document: object) -> BuildRecord:
    match document:
        case {
            "schema": str(schema),
            "application": {"name": str(name), "requirement": str() | None as requirement},
            "settings": dict(settings),
            "source_date_epoch": int(epoch),
            "locks": {
                "runtime": {"sha256": str(lock_sha256), "text": str(lock)},
                "build": {"sha256": str(build_sha256), "text": str(build_lock)},
            },
            "inputs": inputs,
            "artifact": {"filename": str(filename), "sha256": str(sha256), "size_bytes": int(size)},
            **others,
        }:
            optional: object = {"companions": others.get("companions", {})}
        case _:
            raise ValueError("a key is missing, or has a value of another kind")
    if schema != SCHEMA:
        raise ValueError(f"its schema is {schema[:80]!r}, not {SCHEMA!r}")
    if (lock_sha256, build_sha256) != (_sha256_of_text(lock), _sha256_of_text(build_lock)):
        raise ValueError("a lock does not have the sha256 that is recorded for it")
    if not _is_table_of_tables(optional):
        raise ValueError("companions is not a table of file names and hashes")
    debug_packages = optional["companions"]
    for path, digest in ((filename, sha256), *debug_packages.items()):
        if len(digest) != hashlib.sha256().digest_size * 2 or not set(digest) <= _HEX_DIGITS:
            raise ValueError("the sha256 of an artifact is not valid")
        if not path.isprintable() or path != PurePath(path).name:
            raise ValueError("the file name of an artifact is not valid")
    if isinstance(epoch, bool) or not 0 <= epoch < 8**11:
        raise ValueError("source_date_epoch is not a valid time")
    if not _is_table_of_tables(inputs):
        raise ValueError("inputs is not a table of sections with printable values")
    return BuildRecord(
        name, requirement, settings, epoch, lock, build_lock, inputs, filename, sha256, size, debug_packages
    )


def _is_table_of_tables(value: object) -> TypeGuard[Mapping[str, Mapping[str, str]]]:
    return isinstance(value, dict) and all(
        section.isprintable()
        and isinstance(table, dict)
        and all(name.isprintable() and isinstance(each, str) and each.isprintable() for name, each in table.items())
        for section, table in value.items()
    )


def _sha256_of_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


_COPY_BYTES = 1 << 20


def write_outputs(package: Path, debug_packages: Iterable[Path], record: bytes, destination: Path) -> Path:
    """Copy a finished package and its debug packages into ``destination``, write its record, and return its path there.

    All files are written completely before the first is renamed into place, and the package is renamed last. A run that
    is killed in between never leaves a package without its record; the next build of the same name completes them.

    Args:
        package: finished package on this machine; may be on another filesystem.
        debug_packages: packages of debug symbols of the same build.
        record: its build record.
        destination: directory; created when it does not exist.

    Raises:
        MachineError: no space or permission in ``destination``.
    """
    path = destination.absolute() / package.name
    try:
        # Closed in reverse order: the package appears last, and no file appears when one could not be written.
        with contextlib.ExitStack() as stack:
            _copy(package, stack.enter_context(open_atomic(path)))
            stack.enter_context(open_atomic(record_path(path))).write(record)
            for each in debug_packages:
                _copy(each, stack.enter_context(open_atomic(path.with_name(each.name))))
    except OSError as error:
        raise MachineError.of(
            error, resolution="Make space or grant permission there, or choose another directory with --out."
        ) from error
    return path


def remove_outputs(package: Path, debug_packages: Iterable[Path]) -> None:
    """Remove what ``write_outputs`` wrote: the package first, then its record and debug packages."""
    for path in (package, record_path(package), *debug_packages):
        path.unlink(missing_ok=True)


def _copy(source: Path, copy: BinaryIO) -> None:
    with source.open("rb") as file:
        shutil.copyfileobj(file, copy, _COPY_BYTES)
    copy.flush()
