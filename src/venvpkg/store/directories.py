"""Directories that are whole or not there: a run's own, and those that are kept for every run under a key.

What is kept is made in a hidden directory next to its place and appears by one rename, so that its readers need no
lock. Where two runs make the same, the first one's stays. Nothing is told apart by age or process number: who makes
something holds a lock, which the kernel releases however its holder ends, and what nobody holds was abandoned.
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


# How often, and how long apart, an abandoned workspace is removed; what then still stays is left to the next run.
_REMOVALS: Final = 5
_PAUSE_S: Final = 0.1
_UNUSED_S: Final = 90 * 86400.0


def workspace(dirs: Dirs) -> contextlib.AbstractContextManager[Path]:
    """Return an empty private directory of this run as a context; see ``private_directory``."""
    return private_directory(dirs.cache / "work")


@contextlib.contextmanager
def private_directory(parent: Path) -> Iterator[Path]:
    """Yield an empty directory of this run below ``parent``, removed at its end.

    A run that was killed leaves its directory behind; the next run removes it. A directory is in use as long as
    somebody holds the lock on its ``.lock`` file.
    """
    parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        # One that is made and not yet locked would look abandoned.
        with locked(parent.with_name(f"{parent.name}.lock")):
            _remove_abandoned(parent)
            directory = Path(tempfile.mkdtemp(dir=parent))
            stack.enter_context(locked(directory / ".lock"))
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def publish(fresh: Path, place: Path, *, durable: bool = False) -> bool:
    """Give a complete directory its place, in one step; return False when another one is there already.

    Args:
        fresh: on the same filesystem; it stays where it is when another run was faster.
        place: whose parent is made.
        durable: have all of it on the disk before it appears, and then its name.

    Raises:
        OSError: it cannot be written.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    if durable:
        for path in (*fresh.iterdir(), fresh):
            _to_disk(path)
    try:
        fresh.rename(place)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise
        return False
    if durable:
        _to_disk(place.parent)
    return True


@dataclass(frozen=True, slots=True)
class DirectoryStore:
    """Directories under keys, filled by runs that know nothing of each other, on several machines over NFS too.

    Unfinished ones lie in ``.tmp``. Whoever makes one holds a shared lock on ``.lock``; whoever gets it exclusively
    knows that nobody makes any, and that all of ``.tmp`` was left by runs that were killed. The lock is one for all,
    not one in each as for workspaces, because what is made in ``.tmp`` gets its place with everything in it.

    Attributes:
        path: of the store; made when something is made in it.
    """

    path: Path

    @contextlib.contextmanager
    def unfinished(self, waiting: contextlib.AbstractContextManager[object] | None = None) -> Iterator[Path]:
        """Yield an empty directory on the filesystem of the store, where ``publish`` can take directories from.

        It is removed at the end of the block, with what is then still in it.

        Args:
            waiting: entered as long as somebody sweeps.

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
        """Remove a directory of the store, at once for every reader; one that is gone already is no error.

        Raises:
            OSError: it cannot be moved away.
        """
        # In ``.tmp`` it is swept by the next run, should this one be killed.
        directory = self._new_unfinished()
        try:
            with contextlib.suppress(FileNotFoundError):
                place.rename(directory / place.name)
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what killed runs left, unless somebody is making something now."""
        if not self._unfinished.is_dir():
            return
        with contextlib.suppress(OSError), locked_if_free(self._lock) as lock:
            for left in self._unfinished.iterdir() if lock is not None else ():
                shutil.rmtree(left, ignore_errors=True)

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
    """Remove directories that were last asked for long ago: the time of the lock file next to each says when.

    Args:
        parent: of the directories, and of ``NAME.lock`` for each.
        keep: the one that is asked for now.
    """
    for file in parent.glob("*.lock"):
        root = file.with_suffix("")
        with contextlib.suppress(OSError), locked_if_free(file, made=False) as lock:
            if lock is not None and root != keep and time.time() - os.fstat(lock).st_mtime > _UNUSED_S:
                shutil.rmtree(root, ignore_errors=True)
                file.unlink()


def _remove_abandoned(parent: Path) -> None:
    for directory in parent.iterdir():
        try:
            with locked_if_free(directory / ".lock", made=False) as lock:
                if lock is not None:
                    _remove(directory)
        except FileNotFoundError:  # killed before it was locked, or while it was removed
            _remove(directory)
        except OSError:  # another user's
            continue


def _remove(directory: Path) -> None:
    """Remove what a killed run left. Its programs die with it, yet one may write until the last moment."""
    for _ in range(_REMOVALS):
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists():
            return
        time.sleep(_PAUSE_S)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
