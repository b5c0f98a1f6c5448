"""Remove from a wheelhouse what nobody wants any more, and never what a build is using."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvpkg.errors import CompileError
from venvpkg.store.directories import DirectoryStore
from venvpkg.wheelhouse.entry import held

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from venvpkg.wheelhouse.entry import Entry


@dataclass(frozen=True, slots=True)
class GcRules:
    """What may go.

    Attributes:
        unused_s: entries that no build took for so many seconds; None for no such rule.
        most_bytes: the size of all wheels that is left at most, the longest unused going first; None for any.
        keep: the newest so many of each distribution and tag stay whatever the other rules say, and are all that stays
            when there is no other rule; None for none.
    """

    unused_s: float | None = None
    most_bytes: int | None = None
    keep: int | None = None


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection did.

    Attributes:
        removed: entries that went.
        in_use: entries that stay because a build uses them.
        examined: number of entries in the wheelhouse before.
    """

    removed: tuple[Entry, ...]
    in_use: tuple[Entry, ...] = ()
    examined: int = 0


def removable(entries: Sequence[Entry], rules: GcRules, now: float) -> tuple[Entry, ...]:
    """Return the entries that may go, the longest unused first. Pure.

    Args:
        entries: the whole wheelhouse.
        rules: without any nothing may go.
        now: seconds since 1970 UTC.
    """
    protected = _newest(entries, rules.keep or 0)
    open_to = sorted(
        (each for each in entries if each.directory not in protected), key=lambda each: (each.used, each.key)
    )
    if rules.unused_s is None and rules.most_bytes is None:
        return tuple(open_to) if rules.keep is not None else ()
    total = sum(each.size_bytes for each in entries)
    gone: list[Entry] = []
    for each in open_to:
        is_old = rules.unused_s is not None and now - each.used > rules.unused_s
        is_too_much = rules.most_bytes is not None and total > rules.most_bytes
        if is_old or is_too_much:
            gone.append(each)
            total -= each.size_bytes
    return tuple(gone)


def collect(wheelhouse: Path, entries: Iterable[Entry]) -> Collected:
    """Remove the entries, each at once for every reader, but for those that a build uses.

    Raises:
        CompileError: the wheelhouse cannot be written; what was removed until then is gone.
    """
    removed: list[Entry] = []
    in_use: list[Entry] = []
    try:
        for entry in entries:
            (removed if _remove(wheelhouse, entry) else in_use).append(entry)
    except OSError as error:
        raise CompileError(
            f"The wheelhouse {wheelhouse} cannot be written: {error.strerror or error}.",
            resolution="Run it as the user who may write there.",
        ) from error
    return Collected(tuple(removed), tuple(in_use))


def _newest(entries: Iterable[Entry], keep: int) -> frozenset[Path]:
    groups: dict[tuple[str, str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.name, entry.tag, entry.shelf].append(entry)
    ordered = (sorted(group, key=lambda each: (each.built, each.key), reverse=True) for group in groups.values())
    return frozenset(each.directory for group in ordered for each in group[:keep])


def _remove(wheelhouse: Path, entry: Entry) -> bool:
    """Remove one entry; False when it is in use (or was removed by another collection)."""
    lock = held(entry.directory, shared=False)
    if lock is None:
        if os.access(entry.directory, os.W_OK):
            return False
        raise PermissionError(13, "Permission denied")
    try:
        DirectoryStore(wheelhouse).remove(entry.directory)
    finally:
        os.close(lock)
    return True
