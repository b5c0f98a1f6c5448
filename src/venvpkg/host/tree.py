"""Directory trees on this machine: walk them in a fixed order, normalise modes and times, hash them."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.model.elf import ELF_MAGIC

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_EXECUTABLE = 0o111
_SHARED_LIBRARY = re.compile(r"\.so(\.[0-9]+)*$")


def entries_below(root: Path) -> Iterator[tuple[PurePosixPath, os.DirEntry[str]]]:
    """Yield every entry below ``root`` with its path as if ``root`` were ``/``; links are not followed.

    The order is depth first, a directory before its content, names by code point. A yielded entry may be removed.
    """
    pending: list[tuple[str, os.DirEntry[str]]] = _sorted_entries("", root)
    while pending:
        parent, entry = pending.pop()
        path = f"{parent}/{entry.name}"
        yield PurePosixPath(path), entry
        if entry.is_dir(follow_symlinks=False):
            pending.extend(_sorted_entries(path, entry.path))


def _sorted_entries(parent: str, directory: Path | str) -> list[tuple[str, os.DirEntry[str]]]:
    with os.scandir(directory) as entries:
        return [(parent, entry) for entry in sorted(entries, key=lambda entry: entry.name, reverse=True)]


def normalise_modes(root: Path) -> None:
    """Set the modes of ``root`` and everything below it: 0755 for directories and executables, 0644 for other files.

    A shared library is not made executable, whatever its wheel says: the loader does not need that. Neither is a module
    or data file that the kernel cannot execute; wheels built on network shares are full of them.

    Source:
        Debian Policy 8.1, 10.9; execve(2).
    """
    root.chmod(0o755)
    for path, entry in entries_below(root):
        if entry.is_symlink():
            continue
        mode = entry.stat(follow_symlinks=False).st_mode
        executable = mode & _EXECUTABLE and not entry.is_dir() and _can_run(path, entry)
        wanted = 0o755 if executable or entry.is_dir() else 0o644
        if mode & 0o7777 != wanted:
            os.chmod(entry.path, wanted)  # noqa: PTH101 - an entry's path is a string; 5,000 Path objects are not free


def _can_run(path: PurePosixPath, entry: os.DirEntry[str]) -> bool:
    if _SHARED_LIBRARY.search(entry.name):
        return False
    # A shell also runs a script without a shebang; only commands are started that way.
    if path.parent.name == "bin":
        return True
    with open(entry.path, "rb", buffering=0) as file:  # noqa: PTH123 - as in normalise_modes
        return file.read(len(ELF_MAGIC)).startswith((b"#!", ELF_MAGIC))


def set_times(root: Path, seconds: int) -> None:
    """Set access and modification times of ``root`` and everything below it, including links.

    Args:
        root: top of the tree.
        seconds: time since 1970 UTC.
    """
    for _, entry in entries_below(root):
        os.utime(entry.path, (seconds, seconds), follow_symlinks=False)
    os.utime(root, (seconds, seconds))


def sha256_of_tree(root: Path) -> str:
    """Return the sha256 over everything below ``root``: names, types, modes, contents and hard links.

    Times and owners are not included.
    """
    digest = hashlib.sha256()
    first_of: dict[tuple[int, int], str] = {}
    for path, entry in entries_below(root):
        status = entry.stat(follow_symlinks=False)
        content = ""
        if stat.S_ISLNK(status.st_mode):
            content = os.readlink(entry.path)  # noqa: PTH115 - as in normalise_modes
        elif stat.S_ISREG(status.st_mode):
            with open(entry.path, "rb", buffering=0) as file:  # noqa: PTH123 - as in normalise_modes
                content = hashlib.file_digest(file, "sha256").hexdigest()
            if status.st_nlink > 1:
                content += first_of.setdefault((status.st_dev, status.st_ino), str(path))
        digest.update(os.fsencode(f"{path}\0{status.st_mode:o}\0{content}\0"))
    return digest.hexdigest()
