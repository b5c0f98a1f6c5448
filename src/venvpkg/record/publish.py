"""Put a package, what belongs to it and its record where people find them: the package last."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING, BinaryIO

from venvpkg.errors import MachineError
from venvpkg.host.files import written_whole
from venvpkg.record.file import record_path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_COPY_BYTES = 1 << 20


def publish(package: Path, companions: Iterable[Path], record: bytes, destination: Path) -> Path:
    """Copy a finished package and its companions into ``destination``, write its record, and return its path there.

    Each file appears whole, all are written before the first appears, and the package is the last: where a run was
    killed in between, no package is there without its record, and the next build of the same name puts the package
    beside it.

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
        # Closed in reverse: the package appears last, and nothing does when one of them cannot be written.
        with contextlib.ExitStack() as stack:
            _copy(package, stack.enter_context(written_whole(path)))
            stack.enter_context(written_whole(record_path(path))).write(record)
            for each in companions:
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
