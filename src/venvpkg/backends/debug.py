"""A payload of debug information: files where debuggers look for them by build-id."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.host.tree import entries_below
from venvpkg.model.staged import PathKind, PayloadPath

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.model.package import PackageSpec

# gdb looks below /usr/lib/debug wherever the object itself is. Source: gdb's manual, Separate Debug Files.
_PLACE: Final = PurePosixPath("/usr/lib/debug/.build-id")


def place_debug(spec: PackageSpec, destdir: Path) -> None:
    """Copy the package's debug information to its places in ``destdir``, which is emptied before."""
    shutil.rmtree(destdir, ignore_errors=True)
    for build_id, file in spec.debug:
        place = destdir.joinpath(*_PLACE.parts[1:], build_id[:2], f"{build_id[2:]}.debug")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)


def paths_below(destdir: Path) -> Iterator[PayloadPath]:
    """Yield what is in ``destdir``, with the modes that are packed."""
    for path, entry in entries_below(destdir):
        if entry.is_symlink():
            yield PayloadPath(path, PathKind.LINK, 0o777, len(str(Path(entry.path).readlink())))
        elif entry.is_dir():
            yield PayloadPath(path, PathKind.DIRECTORY, 0o755)
        else:
            with Path(entry.path).open("rb") as file:
                digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
            yield PayloadPath(path, PathKind.FILE, 0o644, entry.stat().st_size, digest)
