"""Remove old wheels from a wheelhouse, but never one that a build is using."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvpkg.errors import MachineError
from venvpkg.store.directories import DirectoryStore
from venvpkg.wheelhouse.entry import DAMAGED, PROVENANCE, lock_entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from venvpkg.wheelhouse.entry import Entry


# How long damaged entries are kept for inspection.
_LOOKED_AT_S = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class GcRules:
    """Rules for the entries to remove.

    Attributes:
        unused_s: remove entries that no build has used for this many seconds; None for no such rule.
        most_bytes: remove the least recently used entries until all wheels have at most this size; None for no limit.
        keep: keep this number of the newest entries of each distribution and tag, whatever the other rules say. Without
            another rule, remove all others. None for no such rule.
    """

    unused_s: float | None = None
    most_bytes: int | None = None
    keep: int | None = None


@dataclass(frozen=True, slots=True)
class Collected:
    """Result of a garbage collection.

    Attributes:
        removed: entries that were removed.
        in_use: entries that were kept because a build uses them.
        examined: number of entries in the wheelhouse before.
        damaged: removed directories of damaged entries that were set aside long ago.
    """

    removed: tuple[Entry, ...]
    in_use: tuple[Entry, ...] = ()
    examined: int = 0
    damaged: tuple[Path, ...] = ()


def select_removable(entries: Sequence[Entry], rules: GcRules, now: float) -> tuple[Entry, ...]:
    """Return the entries to remove, least recently used first. Pure.

    Args:
        entries: all entries of the wheelhouse.
        rules: the rules; without any, no entry is removed.
        now: current time, in seconds since 1970 UTC.
    """
    protected = _newest(entries, rules.keep or 0)
    candidates = sorted(
        (each for each in entries if each.directory not in protected), key=lambda each: (each.used, each.key)
    )
    if rules.unused_s is None and rules.most_bytes is None:
        return tuple(candidates) if rules.keep is not None else ()
    total = sum(each.size_bytes for each in entries)
    selected: list[Entry] = []
    for each in candidates:
        is_old = rules.unused_s is not None and now - each.used > rules.unused_s
        is_too_much = rules.most_bytes is not None and total > rules.most_bytes
        if is_old or is_too_much:
            selected.append(each)
            total -= each.size_bytes
    return tuple(selected)


def collect(wheelhouse: Path, entries: Iterable[Entry]) -> Collected:
    """Remove entries, each atomically, except for those that a build uses.

    Raises:
        MachineError: the wheelhouse cannot be written; some entries may already be removed.
    """
    removed: list[Entry] = []
    in_use: list[Entry] = []
    try:
        for entry in entries:
            (removed if _remove(wheelhouse, entry) else in_use).append(entry)
    except OSError as error:
        raise MachineError(
            f"could not write to the wheelhouse {wheelhouse}: {error.strerror or error}.",
            details=f"  {error}",
            resolution="Run it as a user with write permission, where it is mounted writable.",
        ) from error
    return Collected(tuple(removed), tuple(in_use))


def damaged_long_ago(wheelhouse: Path, now: float) -> tuple[Path, ...]:
    """Return the damaged entries that are no longer kept for inspection, sorted.

    Args:
        wheelhouse: path of the wheelhouse.
        now: current time, in seconds since 1970 UTC.
    """
    places = sorted((wheelhouse / DAMAGED).glob("*"))
    return tuple(each for each in places if each.is_dir() and now - each.stat().st_mtime > _LOOKED_AT_S)


def remove_damaged(places: Iterable[Path]) -> None:
    """Remove damaged entries that were set aside.

    Raises:
        OSError: one cannot be removed.
    """
    for each in places:
        shutil.rmtree(each)


def _newest(entries: Iterable[Entry], keep: int) -> frozenset[Path]:
    groups: dict[tuple[str, str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.name, entry.tag, entry.shelf].append(entry)
    ordered = (sorted(group, key=lambda each: (each.built, each.key), reverse=True) for group in groups.values())
    return frozenset(each.directory for group in ordered for each in group[:keep])


def _remove(wheelhouse: Path, entry: Entry) -> bool:
    """Remove an entry; return False if it is in use, or was removed by another collection."""
    lock = lock_entry(entry.directory, shared=False)
    if lock is None:
        # In use; otherwise this reports why it cannot be locked: no permission, a read-only filesystem.
        with contextlib.suppress(FileNotFoundError), (entry.directory / PROVENANCE).open("r+b"):
            pass
        return False
    try:
        DirectoryStore(wheelhouse).remove(entry.directory)
    finally:
        os.close(lock)
    return True
