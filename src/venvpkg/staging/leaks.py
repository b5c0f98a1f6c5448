"""Read every payload file once: size, hashes, file type, and any path of this machine that it contains."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.errors import LongNameError, StagingError, UnsafePathError
from venvpkg.host.tree import entries_below
from venvpkg.model.elf import ELF_MAGIC
from venvpkg.model.staged import PathKind, Payload, PayloadPath
from venvpkg.text import NO_SECRETS, Secrets, is_printable_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


_CHUNK_BYTES: Final = 4 * 2**20
# NAME_MAX is 255, and both unpack to a longer name first: dpkg to NAME.dpkg-new, rpm to NAME;1a2b3c4d.
# Source: dpkg's DPKGNEWEXT, rpm's fsm.c.
MOST_NAME_BYTES: Final = 255 - 9
# Linux reads this much of the first line; execve(2).
_SHEBANG_BYTES: Final = 255
# A shorter path, such as /usr or /root/app, occurs in unrelated files.
_FEWEST_PARTS: Final = 3


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A path of this machine that no payload file may name.

    Attributes:
        what: name of the place in messages, ``the project's directory``.
        spelling: bytes to search for.
    """

    what: str
    spelling: bytes


def forbidden_paths(places: Mapping[str, Path], allowed: Iterable[PurePosixPath]) -> tuple[Forbidden, ...]:
    """Return the paths to search for.

    Args:
        places: name of a place on this machine → its path; it is also searched for with symbolic links resolved.
        allowed: paths of the target that the payload may name. A place that is one of them, or above one, is not
            searched for: venvpkg may itself run from below the prefix of the package it builds.

    Returns:
        Unique spellings, longest first, so that a leak is reported as the most exact place.
    """
    legitimate = tuple(allowed)
    found: dict[bytes, str] = {}
    for what, place in places.items():
        for path in (place.absolute(), place.resolve()):
            parts = len(path.parts) - 1
            if parts >= _FEWEST_PARTS and not any(each.is_relative_to(path) for each in legitimate):
                found.setdefault(os.fsencode(path), what)
    return tuple(
        Forbidden(found[spelling], spelling) for spelling in sorted(found, key=lambda each: (-len(each), each))
    )


def read_payload(destdir: Path, forbidden: tuple[Forbidden, ...], secrets: Secrets = NO_SECRETS) -> Payload:
    """Return every path below ``destdir``, sorted.

    Raises:
        UnsafePathError: names have control characters, or are not UTF-8; the error lists all of them.
        LongNameError: file names are too long to be unpacked; the error lists all of them.
        StagingError: there are devices, sockets or pipes, or files that name a forbidden path or contain a secret; the
            error lists all files of that kind.
    """
    unsafe: list[PurePosixPath] = []
    leaks: list[str] = []
    strange: list[str] = []
    secret_files: list[str] = []
    searched = (*forbidden, *(Forbidden("", spelling) for spelling in secrets.spellings))
    paths: list[PayloadPath] = []
    for path, entry in entries_below(destdir):
        if not is_printable_path(str(path)):
            unsafe.append(path)
            continue
        status = entry.stat(follow_symlinks=False)
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISDIR(status.st_mode):
            paths.append(PayloadPath(path, PathKind.DIRECTORY, mode))
        elif stat.S_ISLNK(status.st_mode):
            points_to = os.fsencode(os.readlink(entry.path))  # noqa: PTH115 - bytes; a path need not be text
            leaks.extend(f"{path} points to {each.what}" for each in _forbidden_in(points_to, forbidden))
            paths.append(PayloadPath(path, PathKind.LINK, 0o777, len(points_to)))
        elif stat.S_ISREG(status.st_mode):
            file, found = _scan_file(path, Path(entry.path), mode, searched)
            leaks.extend(f"{path} names {each.what}, {os.fsdecode(each.spelling)}" for each in found if each.what)
            secret_files.extend({str(path) for each in found if not each.what})
            paths.append(file)
        else:
            strange.append(str(path))
    if unsafe:
        raise UnsafePathError(sorted(unsafe))
    long = [each.path for each in paths if len(os.fsencode(each.path.name)) > MOST_NAME_BYTES]
    if long:
        raise LongNameError(sorted(long), MOST_NAME_BYTES)
    if strange:
        raise StagingError(
            "the payload contains devices, sockets or pipes.",
            details="\n".join(f"  {each}" for each in sorted(strange)),
        )
    _require_no_secret(secret_files)
    if leaks:
        raise StagingError(
            f"{len(leaks)} payload file{'s name' if len(leaks) != 1 else ' names'} a path of this machine.",
            details="\n".join(f"  {leak}" for leak in sorted(leaks)),
            resolution="The path comes from the build of that distribution; build it without absolute paths.",
        )
    return Payload(tuple(sorted(paths, key=lambda each: str(each.path))))


def _require_no_secret(secret_files: list[str]) -> None:
    if secret_files:
        raise StagingError(
            f"{len(secret_files)} payload file{'s contain' if len(secret_files) != 1 else ' contains'} a password or"
            " token that this run uses.",
            details="\n".join(f"  {each}" for each in sorted(secret_files)),
            resolution="Anyone with the package could read it. Remove it from the source of the file, and keep it in"
            " netrc.\nIf an older venvpkg built the wheel, remove its entry from the wheelhouse ('venvpkg wheelhouse"
            " list').",
        )


def _scan_file(
    path: PurePosixPath, file: Path, mode: int, forbidden: tuple[Forbidden, ...]
) -> tuple[PayloadPath, tuple[Forbidden, ...]]:
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    overlap = max((len(each.spelling) for each in forbidden), default=1) - 1
    found: dict[Forbidden, None] = {}
    size, tail, start = 0, b"", b""
    with file.open("rb", buffering=0) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            start = start or chunk[:_SHEBANG_BYTES]
            md5.update(chunk)
            sha256.update(chunk)
            size += len(chunk)
            # A path may lie across two chunks.
            window = tail + chunk if tail else chunk
            found.update(dict.fromkeys(_forbidden_in(window, forbidden)))
            tail = window[-overlap:] if overlap else b""
    kind = (start.startswith(ELF_MAGIC), _shebang(start))
    return PayloadPath(path, PathKind.FILE, mode, size, md5.hexdigest(), *kind, sha256.hexdigest()), tuple(found)


def _shebang(start: bytes) -> str:
    """Return the first line of a script after ``#!``; empty when it is not a script."""
    line = start.partition(b"\n")[0]
    return line[2:].decode(errors="replace").strip() if line.startswith(b"#!") else ""


def _forbidden_in(content: bytes, forbidden: tuple[Forbidden, ...]) -> tuple[Forbidden, ...]:
    """Return the forbidden paths in ``content``; of paths that contain each other, only the longest."""
    found: list[Forbidden] = []
    for each in forbidden:
        if each.spelling in content and not any(each.spelling in longer.spelling for longer in found):
            found.append(each)
    return tuple(found)
