"""Directories that are complete or do not exist: private ones of a run, and those kept under a key for every run.

A kept directory is created under a hidden name and appears by one rename, so that readers need no lock. If two runs
create the same one, the first one stays. Abandoned directories are not recognised by age or process number: a run
holds a lock on what it creates, the kernel releases the lock however the run ends, and unlocked means abandoned.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from venvpkg.store.locks import locked, locked_if_free

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.store.dirs import Dirs


# Attempts to remove an abandoned workspace, and the pause between them; the next run tries again.
_REMOVALS: Final = 5
_PAUSE_S: Final = 0.1
UNUSED_S: Final = 90 * 86400.0


def workspace(dirs: Dirs) -> contextlib.AbstractContextManager[Path]:
    """Return a context manager for an empty private directory of this run; see ``private_directory``."""
    return private_directory(dirs.cache / "work")


@contextlib.contextmanager
def private_directory(parent: Path) -> Iterator[Path]:
    """Yield an empty directory of this run below ``parent``, and remove it at the end of the block.

    A killed run leaves its directory behind, and the next run removes it. A directory is in use while the lock on its
    ``.lock`` file is held.
    """
    parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        # A directory that is created but not yet locked would look abandoned.
        with locked(parent.with_name(f"{parent.name}.lock")):
            _remove_abandoned(parent)
            directory = Path(tempfile.mkdtemp(dir=parent))
            stack.enter_context(locked(directory / ".lock"))
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def publish(fresh: Path, place: Path, *, durable: bool = False) -> bool:
    """Move a complete directory to its place in one step; return False if another one already exists there.

    Args:
        fresh: directory on the same filesystem; not moved if another run was faster.
        place: path to move it to; missing parents are created.
        durable: sync the content to the disk before the directory appears, and its name afterwards.

    Raises:
        OSError: the directory cannot be written.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    if durable:
        for path in (*fresh.iterdir(), fresh):
            _fsync(path)
    try:
        fresh.rename(place)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise
        return False
    if durable:
        _fsync(place.parent)
    return True


def move_directory(source: Path, destination: Path) -> None:
    """Rename a directory, or copy and remove it if the filesystem cannot rename it.

    An overlay cannot rename a directory of its lower layer, such as one that is part of a container's image.

    Raises:
        OSError: the directory cannot be moved.

    Source:
        Linux, Documentation/filesystems/overlayfs.rst, "Renaming directories".
    """
    try:
        source.rename(destination)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copytree(source, destination, symlinks=True)
        shutil.rmtree(source)


@dataclass(frozen=True, slots=True)
class DirectoryStore:
    """Keyed directories, written by independent runs, possibly on several machines over NFS.

    Unfinished directories are in ``.tmp``. A run that creates one holds a shared lock on ``.lock``. A run that gets
    the lock exclusively knows that no directory is being created, and that all of ``.tmp`` was left by killed runs.
    There is one lock for all of them, and not one inside each as for workspaces, because a directory is published with
    everything in it.

    Attributes:
        path: directory of the store; created on first use.
    """

    path: Path

    @contextlib.contextmanager
    def unfinished(self, waiting: contextlib.AbstractContextManager[object] | None = None) -> Iterator[Path]:
        """Yield an empty directory on the filesystem of the store, to create directories for ``publish`` in.

        It is removed at the end of the block, with everything that is still in it.

        Args:
            waiting: context to enter while another run sweeps.

        Raises:
            OSError: the store cannot be written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with locked(self._lock, shared=True, waiting=waiting):
            directory = self._new_unfinished()
            try:
                yield directory
            finally:
                shutil.rmtree(directory, ignore_errors=True)

    def remove(self, place: Path) -> None:
        """Remove a directory of the store, in one step for every reader; it need not exist.

        Raises:
            OSError: the directory cannot be moved away.
        """
        # Moved into ``.tmp``, which the next run sweeps if this one is killed.
        directory = self._new_unfinished()
        try:
            place.rename(directory / place.name)
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            shutil.rmtree(place)  # of an overlay's lower layer; see move_directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what killed runs left behind, unless a directory is being created."""
        if not self._unfinished.is_dir():
            return
        with contextlib.suppress(OSError), locked_if_free(self._lock) as lock:
            for abandoned in self._unfinished.iterdir() if lock is not None else ():
                shutil.rmtree(abandoned, ignore_errors=True)

    @property
    def _lock(self) -> Path:
        return self.path / ".lock"

    @property
    def _unfinished(self) -> Path:
        return self.path / ".tmp"

    def _new_unfinished(self) -> Path:
        self._unfinished.mkdir(exist_ok=True)
        return Path(tempfile.mkdtemp(dir=self._unfinished))


def remove_unused(parent: Path, keep: Path) -> None:
    """Remove the directories that were last used long ago, by the modification time of the lock file next to each.

    Args:
        parent: directory that contains them, and ``NAME.lock`` for each.
        keep: the directory that is about to be used.
    """
    for file in parent.glob("*.lock"):
        root = file.with_suffix("")
        with contextlib.suppress(OSError), locked_if_free(file, create=False) as lock:
            if lock is not None and root != keep and time.time() - os.fstat(lock).st_mtime > UNUSED_S:
                shutil.rmtree(root, ignore_errors=True)
                file.unlink()


def _remove_abandoned(parent: Path) -> None:
    for directory in parent.iterdir():
        try:
            with locked_if_free(directory / ".lock", create=False) as lock:
                if lock is not None:
                    _remove_tree(directory)
        except FileNotFoundError:  # the run was killed before it locked the directory, or while it removed it
            _remove_tree(directory)
        except OSError:  # of another user
            continue


def _remove_tree(directory: Path) -> None:
    """Remove a directory of a killed run, whose programs die with it but may write until the last moment."""
    for _ in range(_REMOVALS):
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists():
            return
        time.sleep(_PAUSE_S)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
