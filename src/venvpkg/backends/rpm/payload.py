"""What rpm says of a package's files, compared with what was to be packed. Pure."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Final

from venvpkg.backends.rpm.files import is_configuration
from venvpkg.model.staged import PathKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvpkg.model.package import StatePath
    from venvpkg.model.staged import PayloadPath

PAYLOAD_QUERY: Final = (
    r"[%{FILEMODES:octal}\t%{FILEFLAGS:fflags}\t%{FILEUSERNAME}:%{FILEGROUPNAME}\t%{FILEMTIMES}\t%{FILENAMES}\n]"
)
_TYPES: Final = {PathKind.FILE: 0o100000, PathKind.DIRECTORY: 0o040000, PathKind.LINK: 0o120000}
_CONFIG: Final = "c"
_NO_REPLACE: Final = "n"
_GHOST: Final = "g"
_FIELDS: Final = 5


def listed_files(text: str) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield mode (octal), flags, owner, time and path of each file that ``PAYLOAD_QUERY`` gave."""
    for line in text.splitlines():
        mode, flags, owner, time, path = (*line.split("\t", _FIELDS - 1), "", "", "", "", "")[:_FIELDS]
        if path:
            yield mode, flags.strip(), owner, time, path


def payload_differences(
    paths: Iterable[PayloadPath], text: str, source_date_epoch: int, state: Iterable[StatePath] = ()
) -> Iterator[str]:
    """Yield one line for each path that is not packed as it was to be, and for each that was not to be packed.

    Args:
        paths: what is to be packed.
        text: what rpm answered to ``PAYLOAD_QUERY``.
        source_date_epoch: the time of every file.
        state: what belongs to the package without being in it.
    """
    packed = {path: (mode, flags, owner, time) for mode, flags, owner, time, path in listed_files(text)}
    for each in paths:
        found = packed.pop(str(each.path), None)
        if found is None or _GHOST in found[1]:
            yield f"{each.path}: not packed"
            continue
        mode, flags, owner, time = found
        wanted = f"{_TYPES[each.kind] | each.mode:07o}"
        kept = is_configuration(each)
        if mode.zfill(len(wanted)) != wanted:
            yield f"{each.path}: mode {mode}, not {wanted}"
        if (_CONFIG in flags) != kept or (_NO_REPLACE in flags) != kept:
            yield f"{each.path}: {'no ' if kept else ''}configuration file"
        if (owner, time) != ("root:root", str(source_date_epoch)):
            yield f"{each.path}: belongs to {owner}, of {time}"
    for ghost in state:
        mode, flags, _, _ = packed.pop(str(ghost.path), ("0", "", "", ""))
        kind = PathKind.DIRECTORY if ghost.is_directory else PathKind.FILE
        if _GHOST not in flags or stat.S_IFMT(int(mode, 8)) != _TYPES[kind]:
            yield f"{ghost.path}: not listed as a {kind} that the application makes"
    yield from (f"{path}: packed, and was not to be" for path in packed)
