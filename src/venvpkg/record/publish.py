"""Put a package, what belongs to it and its record where people find them: the package last."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from venvpkg.errors import MachineError
from venvpkg.host.files import write_whole, written_whole
from venvpkg.record.file import record_path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_COPY_BYTES = 1 << 20


def publish(package: Path, companions: Iterable[Path], record: bytes, destination: Path) -> Path:
    """Copy a finished package and its companions into ``destination``, write its record, and return its path there.

    Each file appears whole, and the package after all others: where a run was killed in between, no package is there
    without its record, and the next build of the same name puts the package beside it.

    Args:
        package: on this machine, finished; may be on another filesystem.
        companions: packages that were made with it.
        record: its build record.
        destination: directory; made when it is not there.

    Raises:
        MachineError: no space, or no permission, there.
    """
    path = destination.absolute() / package.name
    try:
        for each in companions:
            _copy(each, path.with_name(each.name))
        write_whole(record_path(path), record)
        _copy(package, path)
    except OSError as error:
        raise MachineError.of(
            error, resolution="Give that directory space and permission, or name another with --out."
        ) from error
    return path


def _copy(source: Path, path: Path) -> None:
    with source.open("rb") as file, written_whole(path) as copy:
        shutil.copyfileobj(file, copy, _COPY_BYTES)
