"""The build record as JSON: written next to the package, read back (as hostile input) to repeat the build."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO, TypeGuard

from venvpkg.errors import MachineError, NotAPackageError
from venvpkg.host.files import read_regular, written_whole
from venvpkg.model.package import BuildRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


SCHEMA = "venvpkg.build/1"
SUFFIX = ".build.json"
# Two locks of a large application and a few hundred hashes come to a few MiB.
_MOST_BYTES = 1 << 27
_HASH = frozenset("0123456789abcdef")


def record_path(artifact: Path) -> Path:
    """Return where the record of a package is: beside it, ``NAME_VERSION_ARCH.build.json``."""
    return artifact.with_name(artifact.stem + SUFFIX)


def dump_build_record(record: BuildRecord) -> bytes:
    """Return the record's bytes; the same build gives the same bytes."""
    document: dict[str, object] = {
        "schema": SCHEMA,
        "application": {"name": record.name, "requirement": record.requirement},
        "settings": record.settings,
        "source_date_epoch": record.source_date_epoch,
        "locks": {
            "runtime": {"sha256": _digest(record.lock), "text": record.lock},
            "build": {"sha256": _digest(record.build_lock), "text": record.build_lock},
        },
        "inputs": record.inputs,
        "artifact": {"filename": record.artifact, "sha256": record.sha256, "size_bytes": record.size_bytes},
    }
    if record.debug_packages:
        document["companions"] = dict(record.debug_packages)
    return (json.dumps(document, indent=1, ensure_ascii=True) + "\n").encode("ascii")


def read_build_record(path: Path) -> BuildRecord:
    """Return what ``dump_build_record`` wrote.

    Raises:
        NotAPackageError: the file cannot be read, or is no record of this schema.
    """
    try:
        content = read_regular(path, _MOST_BYTES)
        if len(content) > _MOST_BYTES:
            raise ValueError("it is absurdly large")  # noqa: TRY301 - a finding like the others
        return _parsed(json.loads(content))
    except OSError as error:
        raise NotAPackageError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        problem = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise NotAPackageError(
            f"{path} is no record of a build.",
            details=f"  {problem[:300]}",
            resolution=f"Name the file *{SUFFIX} that lies beside a package; this version reads {SCHEMA}.",
        ) from error


def _parsed(document: object) -> BuildRecord:
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
            made_with: object = {"companions": others.get("companions", {})}
        case _:
            raise ValueError("a key is missing, or has a value of another kind")
    if schema != SCHEMA:
        raise ValueError(f"its schema is {schema[:80]!r}, not {SCHEMA!r}")
    if (lock_sha256, build_sha256) != (_digest(lock), _digest(build_lock)):
        raise ValueError("a lock does not have the sha256 that is recorded for it")
    if not _is_inputs(made_with):
        raise ValueError("companions are no file names with hashes")
    debug_packages = made_with["companions"]
    for path, digest in ((filename, sha256), *debug_packages.items()):
        if len(digest) != hashlib.sha256().digest_size * 2 or not set(digest) <= _HASH:
            raise ValueError("the sha256 of the artifact is none")
        if not path.isprintable() or path != PurePath(path).name:
            raise ValueError("the file name of the artifact is none")
    if isinstance(epoch, bool) or not 0 <= epoch < 8**11:
        raise ValueError("source_date_epoch is no time")
    if not _is_inputs(inputs):
        raise ValueError("inputs are no sections of printable values")
    return BuildRecord(
        name, requirement, settings, epoch, lock, build_lock, inputs, filename, sha256, size, debug_packages
    )


def _is_inputs(value: object) -> TypeGuard[Mapping[str, Mapping[str, str]]]:
    return isinstance(value, dict) and all(
        section.isprintable()
        and isinstance(table, dict)
        and all(name.isprintable() and isinstance(each, str) and each.isprintable() for name, each in table.items())
        for section, table in value.items()
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


_COPY_BYTES = 1 << 20


def publish(package: Path, debug_packages: Iterable[Path], record: bytes, destination: Path) -> Path:
    """Copy a finished package and its debug packages into ``destination``, write its record, and return its path there.

    Each file appears whole, all are written before the first appears, and the package is the last: where a run was
    killed in between, no package is there without its record, and the next build of the same name puts the package
    beside it.

    Args:
        package: on this machine, finished; may be on another filesystem.
        debug_packages: packages of debug symbols that were made with it.
        record: its build record.
        destination: directory; made when it is not there.

    Raises:
        MachineError: no space, or no permission, there.
    """
    path = destination.absolute() / package.name
    try:
        # Closed in reverse: the package appears last, and nothing does when one of them cannot be written.
        with contextlib.ExitStack() as stack:
            _copy(package, stack.enter_context(written_whole(path)))
            stack.enter_context(written_whole(record_path(path))).write(record)
            for each in debug_packages:
                _copy(each, stack.enter_context(written_whole(path.with_name(each.name))))
    except OSError as error:
        raise MachineError.of(
            error, resolution="Give that directory space and permission, or name another with --out."
        ) from error
    return path


def _copy(source: Path, copy: BinaryIO) -> None:
    with source.open("rb") as file:
        shutil.copyfileobj(file, copy, _COPY_BYTES)
    copy.flush()
