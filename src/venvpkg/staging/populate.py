"""Fill the destdir: copy from the cache what earlier builds staged, stage the rest, and cache it for the next build.

Cached files are copied, not linked. Later stages set their times, which must affect neither the cache nor a build that
runs at the same time. Every file has to be read anyway to verify it, so that a hard link or reflink would save little.
"""

from __future__ import annotations

import itertools
import shutil
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.errors import StagingError
from venvpkg.host.tree import entries_below
from venvpkg.model.staged import PathKind
from venvpkg.staging.bytecode import compile_bytecode
from venvpkg.staging.cache import Index, StoredFile, record_hash, staged_key
from venvpkg.staging.copy import copy_cached
from venvpkg.staging.installed_paths import Content, InstalledWheel, VenvTree
from venvpkg.staging.overlaps import Judgement, drop_from_records, judge, overlap_warnings
from venvpkg.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from venvpkg.console import Reporter
    from venvpkg.host.command import Runner
    from venvpkg.model.staged import Payload, PayloadPath
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import ReadyWheel
    from venvpkg.staging.cache import StagedCache


_EMPTY = "the empty environment"
_NO_DISTRIBUTION = PurePosixPath("/")


@dataclass(frozen=True, slots=True)
class UncachedEntry:
    """A distribution, or the empty virtual environment, that the cache did not have.

    Attributes:
        key: of its future cache entry.
        files: on the target, including links.
        bytecode: compiled from modules among ``files``.
        dist_info: metadata directory of a distribution.
        notes: messages that were reported while it was staged.
    """

    key: str
    files: tuple[PurePosixPath, ...]
    bytecode: tuple[PurePosixPath, ...]
    dist_info: PurePosixPath
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PopulatedVenv:
    """The virtual environment with all its distributions.

    Attributes:
        installed: one per wheel, sorted by name.
        uncached: entries that the cache does not have yet.
    """

    installed: tuple[InstalledWheel, ...]
    uncached: tuple[UncachedEntry, ...]


@dataclass(frozen=True, slots=True)
class StagingContext:
    """The surroundings of ``populate``.

    Attributes:
        target: its interpreter will run the virtual environment.
        cache: filled by earlier builds.
        runner: runs the target's interpreter.
        reporter: receives a note for each module that does not compile, and a warning for each pair of distributions
            with harmless overlaps.
        leave_out: distribution → patterns of paths in its wheel that are not installed.
    """

    target: Target
    cache: StagedCache
    runner: Runner
    reporter: Reporter
    leave_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def populate(
    wheels: Iterable[ReadyWheel], destdir: Path, prefix: PurePosixPath, context: StagingContext
) -> PopulatedVenv:
    """Create the virtual environment for ``prefix`` in the empty ``destdir``, with all wheels and their bytecode.

    The files are the same whether they come from the cache or not.

    Raises:
        WheelError: a wheel is malformed or hostile.
        StagingError: two wheels are of one distribution, or distributions ship different files at one path; virtualenv
            or the interpreter failed.
        OSError: the disk is full.
    """
    ordered = sorted(wheels, key=lambda wheel: wheel.name)
    twice = sorted({first.name for first, second in itertools.pairwise(ordered) if first.name == second.name})
    if twice:
        raise StagingError(f"more than one wheel to install for: {', '.join(twice)}.")
    filled = _fill(ordered, destdir, prefix, context)
    if filled.venv.overlaps and filled.known:
        # The winner must not depend on the cache's contents: install all again, in the order of their names.
        shutil.rmtree(destdir)
        destdir.mkdir()
        filled = _fill(ordered, destdir, prefix, context, cached=False)
    installed, losers = _settle_overlaps(filled, context.reporter)
    compiled = _compile_modules(filled.uncached, filled.venv, context) if filled.uncached else ()
    # A distribution that lost a file is not cached: another application may need all of its files.
    return PopulatedVenv(installed, tuple(each for each in compiled if each.dist_info not in losers))


@dataclass(frozen=True, slots=True)
class _Filled:
    """A filled destdir: its tree, the installed wheels in order of name, the cached ones, and the uncached entries."""

    venv: VenvTree
    installed: tuple[InstalledWheel, ...]
    known: frozenset[str]
    uncached: tuple[UncachedEntry, ...]


def _fill(
    ordered: list[ReadyWheel], destdir: Path, prefix: PurePosixPath, context: StagingContext, *, cached: bool = True
) -> _Filled:
    venv = VenvTree(destdir, prefix, context.target.interpreter.name, leave_out=context.leave_out)
    uncached = _stage_empty_venv(venv, context)
    known = _copy_cached_wheels(ordered, venv, context) if cached else {}
    uncached_wheels = _install_wheels([wheel for wheel in ordered if wheel.name not in known], venv, context)
    uncached += tuple(
        UncachedEntry(_wheel_key(each.wheel, prefix, context), each.files, (), each.dist_info, each.notes)
        for each in uncached_wheels
    )
    installed = {each.wheel.name: each for each in uncached_wheels} | known
    return _Filled(venv, tuple(installed[wheel.name] for wheel in ordered), frozenset(known), uncached)


def _settle_overlaps(
    filled: _Filled, reporter: Reporter
) -> tuple[tuple[InstalledWheel, ...], frozenset[PurePosixPath]]:
    """Return the installed wheels without the files that each lost to another, and the metadata of those that did.

    Raises:
        StagingError: there are file conflicts that matter.
    """
    venv, installed = filled.venv, filled.installed
    judgement = judge(venv.overlaps, installed, venv) if venv.overlaps else Judgement((), ())
    harmless = [each for each, _ in judgement.kept]
    venv.require_no_conflict(harmless)
    for warning in overlap_warnings(judgement):
        reporter.warn(warning)
    drop_from_records(harmless, installed, venv)
    lost = {(each.second, each.path) for each in harmless}
    names = {name for name, _ in lost}
    return (
        tuple(
            replace(each, files=tuple(path for path in each.files if (each.wheel.name, path) not in lost))
            if each.wheel.name in names
            else each
            for each in installed
        ),
        frozenset(each.dist_info for each in installed if each.wheel.name in names),
    )


def store_uncached(populated: PopulatedVenv, destdir: Path, payload: Payload, cache: StagedCache) -> None:
    """Cache the new entries. Call it after ``read_payload`` found no leak: no path of this machine may get there."""
    payload_paths = {each.path: each for each in payload.paths}
    for uncached in populated.uncached:
        index = _index_of(uncached, payload_paths, destdir)
        if not cache.store(index, [destdir / each.path.relative_to("/") for each in index.files]):
            return
    if populated.uncached:
        cache.sweep()


def _index_of(uncached: UncachedEntry, payload_paths: Mapping[PurePosixPath, PayloadPath], destdir: Path) -> Index:
    files: list[StoredFile] = []
    links: list[tuple[PurePosixPath, str]] = []
    for path, installed in [*((path, True) for path in uncached.files), *((path, False) for path in uncached.bytecode)]:
        entry, place = payload_paths[path], destdir / path.relative_to("/")
        if entry.kind is PathKind.LINK:
            links.append((path, str(place.readlink())))
        else:
            digest = record_hash(bytes.fromhex(entry.sha256))
            files.append(StoredFile(path, entry.mode, entry.size_bytes, digest, installed))
    return Index(uncached.key, tuple(files), tuple(links), uncached.dist_info, uncached.notes)


def _wheel_key(wheel: ReadyWheel, prefix: PurePosixPath, context: StagingContext) -> str:
    left_out = context.leave_out.get(wheel.name, ())
    content = " ".join((wheel.sha256, wheel.path.name, *left_out))
    return staged_key(content, prefix, context.target)


def _stage_empty_venv(venv: VenvTree, context: StagingContext) -> tuple[UncachedEntry, ...]:
    """Put the empty virtual environment into the destdir; return its entry when it was not cached."""
    key = staged_key(_EMPTY, venv.prefix, context.target)
    if copy_cached(key, "", venv, context.cache) is not None:
        uncached: tuple[UncachedEntry, ...] = ()
    else:
        # virtualenv takes long to import, and is needed only once for each prefix and interpreter.
        from venvpkg.staging.venv import create_venv  # noqa: PLC0415

        create_venv(venv.destdir, venv.prefix, context.target)
        files = (path for path, entry in entries_below(venv.destdir) if not entry.is_dir(follow_symlinks=False))
        uncached = (UncachedEntry(key, tuple(files), (), _NO_DISTRIBUTION, ()),)
    # No file of a distribution may replace one of the empty environment, not even with equal content.
    for path in [*venv.contents, *(path for each in uncached for path in each.files)]:
        venv.contents[path] = Content()
    return uncached


def _copy_cached_wheels(
    wheels: Iterable[ReadyWheel], venv: VenvTree, context: StagingContext
) -> dict[str, InstalledWheel]:
    """Copy the distributions that are cached; return them by name."""
    known: dict[str, InstalledWheel] = {}
    for wheel in wheels:
        index = copy_cached(_wheel_key(wheel, venv.prefix, context), wheel.name, venv, context.cache)
        if index is not None:
            files = tuple(each.path for each in index.files if each.installed)
            known[wheel.name] = InstalledWheel(wheel, index.dist_info, files, index.notes)
            for note in index.notes:
                context.reporter.detail(note)
    return known


def _install_wheels(wheels: list[ReadyWheel], venv: VenvTree, context: StagingContext) -> tuple[InstalledWheel, ...]:
    if not wheels:
        return ()
    from venvpkg.staging.install import install_wheels  # noqa: PLC0415 - imports installer: only if something is uncached

    return install_wheels(wheels, venv, context.reporter)


def _compile_modules(
    uncached: tuple[UncachedEntry, ...], venv: VenvTree, context: StagingContext
) -> tuple[UncachedEntry, ...]:
    """Compile the modules of the uncached entries; return the entries with their bytecode."""
    library = venv.prefix / "lib"
    modules = {
        path: None
        for each in uncached
        for path in each.files
        if path.name.endswith(".py") and path.is_relative_to(library) and "__pycache__" not in path.parts
    }
    compiled = compile_bytecode(venv.destdir, tuple(modules), context.target, context.runner)
    failed = {path: f"not compiled: {one_line(str(path))}" for path in modules if path not in compiled}
    for note in failed.values():
        context.reporter.detail(note)
    return tuple(
        replace(
            each,
            bytecode=tuple(compiled[path] for path in each.files if path in compiled),
            notes=(*each.notes, *(failed[path] for path in each.files if path in failed)),
        )
        for each in uncached
    )
