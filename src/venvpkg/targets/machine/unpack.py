"""Unpack what a machine sends back. It ran code of other people, as administrator: whatever comes may be hostile."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from venvpkg.host.runner import Stream

_PIECE_BYTES: Final = 1 << 20


def unpack(stream: Stream, directory: Path) -> None:
    """Write the files, directories and links of a tar archive below a directory, in place of what is there.

    Links are made as they are, whatever they lead to, and never followed. Set-user-id bits are dropped; the owner is
    this process' user, unless that is root.

    Raises:
        tarfile.TarError, EOFError: it is no whole archive.
        ValueError: something would be written outside of the directory, or is a device.
    """
    top = Path(os.path.realpath(directory))
    directories = []
    with tarfile.open(fileobj=stream, mode="r|") as archive:  # type: ignore[call-overload]  # only ``read`` is used
        for member in archive:
            path = _inside(top, member.name)
            if member.isdir():
                if path.is_symlink() or not path.is_dir():
                    _remove(path)
                    path.mkdir()
                directories.append((path, member))
            else:
                _remove(path)
                _write(path, member, archive, top)
    for path, member in reversed(directories):
        if not path.is_symlink():
            _set(path, member)


def _write(path: Path, member: tarfile.TarInfo, archive: tarfile.TarFile, top: Path) -> None:
    if member.issym():
        path.symlink_to(member.linkname)
    elif member.islnk():
        os.link(_inside(top, member.linkname), path, follow_symlinks=False)
        return
    elif (content := archive.extractfile(member)) is not None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            shutil.copyfileobj(content, file, _PIECE_BYTES)
    else:
        raise ValueError(f"{member.name} is neither file, directory nor link")
    _set(path, member)


def _set(path: Path, member: tarfile.TarInfo) -> None:
    if os.geteuid() == 0:
        os.chown(path, member.uid, member.gid, follow_symlinks=False)
    if not member.issym():
        path.chmod(member.mode & 0o777)
    os.utime(path, (member.mtime, member.mtime), follow_symlinks=False)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _inside(top: Path, name: str) -> Path:
    """Return where a member is to be.

    Raises:
        ValueError: not below ``top``.
    """
    parts = PurePosixPath(name).parts
    if not parts:
        return top
    parent = Path(os.path.realpath(top.joinpath(*parts[:-1])))
    if ".." in parts or not parent.is_relative_to(top):
        raise ValueError(f"{name} leads out of the directory")
    return parent / parts[-1]
