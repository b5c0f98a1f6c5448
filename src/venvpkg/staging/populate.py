"""Fill the destdir: what earlier builds staged is copied from the cache, the rest is made, and kept for the next one.

Copied, not linked: what comes later sets times, and must reach neither the cache nor another build that runs now. And
a file must be read to know that it is whole, so that a hard link or a reflink would save next to nothing.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.errors import StagingError
from venvpkg.host.tree import entries_below
from venvpkg.model.staged import PathKind
from venvpkg.staging.bytecode import compile_bytecode
from venvpkg.staging.cache import Index, StoredFile, record_hash, staged_key
from venvpkg.staging.copy import copied
from venvpkg.staging.installed_paths import Content, Environment, InstalledWheel
from venvpkg.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from venvpkg.console import Reporter
    from venvpkg.host.runner import Runner
    from venvpkg.model.staged import Payload, PayloadPath
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import ReadyWheel
    from venvpkg.staging.cache import StagedCache


_EMPTY = "the empty environment"
_NO_DISTRIBUTION = PurePosixPath("/")


@dataclass(frozen=True, slots=True)
class Made:
    """What was staged without the cache.

    Attributes:
        key: where the cache will have it.
        files: of the wheel, or of the empty environment; links are among them.
        bytecode: what was compiled of them.
        dist_info: of a distribution.
        notes: what people were told of it.
    """

    key: str
    files: tuple[PurePosixPath, ...]
    bytecode: tuple[PurePosixPath, ...]
    dist_info: PurePosixPath
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Populated:
    """The environment with all its distributions.

    Attributes:
        installed: one a wheel, sorted by name.
        made: what the cache does not have yet.
    """

    installed: tuple[InstalledWheel, ...]
    made: tuple[Made, ...]


@dataclass(frozen=True, slots=True)
class StagingContext:
    """What populating works with.

    Attributes:
        target: whose interpreter the environment is for.
        cache: of earlier builds.
        runner: runs the target's interpreter.
        reporter: hears of modules that do not compile.
    """

    target: Target
    cache: StagedCache
    runner: Runner
    reporter: Reporter


def populate(wheels: Iterable[ReadyWheel], destdir: Path, prefix: PurePosixPath, bench: StagingContext) -> Populated:
    """Make the environment at ``prefix`` in the empty ``destdir``, with all wheels and their bytecode.

    The files are the same whether the cache has them or not.

    Raises:
        WheelError: a wheel is malformed or hostile.
        StagingError: two distributions ship different files at one path, or are the same; virtualenv or the
            interpreter failed; the disk is full.
    """
    ordered = sorted(wheels, key=lambda wheel: wheel.name)
    twice = sorted({first.name for first, second in itertools.pairwise(ordered) if first.name == second.name})
    if twice:
        raise StagingError(f"More than one wheel is to be installed for: {', '.join(twice)}.")
    environment = Environment(destdir, prefix, bench.target.interpreter.name)
    made = _environment_made(environment, bench)
    known = _known(ordered, environment, bench)
    fresh = _installed([wheel for wheel in ordered if wheel.name not in known], environment, bench)
    environment.require_no_clash()
    made += tuple(Made(_key(each.wheel, prefix, bench), each.files, (), each.dist_info, each.notes) for each in fresh)
    installed = {each.wheel.name: each for each in fresh} | known
    return Populated(
        tuple(installed[wheel.name] for wheel in ordered), _with_bytecode(made, environment, bench) if made else ()
    )


def keep(populated: Populated, destdir: Path, payload: Payload, cache: StagedCache) -> None:
    """Store what was made. Only once the whole payload was read: what names a place of this machine is never kept."""
    known = {each.path: each for each in payload.paths}
    for made in populated.made:
        index = _index(made, known, destdir)
        if not cache.keep(index, [destdir / each.path.relative_to("/") for each in index.files]):
            return
    if populated.made:
        cache.sweep()


def _index(made: Made, known: Mapping[PurePosixPath, PayloadPath], destdir: Path) -> Index:
    files: list[StoredFile] = []
    links: list[tuple[PurePosixPath, str]] = []
    for path, installed in [*((path, True) for path in made.files), *((path, False) for path in made.bytecode)]:
        there, place = known[path], destdir / path.relative_to("/")
        if there.kind is PathKind.LINK:
            links.append((path, str(place.readlink())))
        else:
            with place.open("rb") as file:
                digest = record_hash(hashlib.file_digest(file, "sha256").digest())
            files.append(StoredFile(path, there.mode, there.size_bytes, digest, installed))
    return Index(made.key, tuple(files), tuple(links), made.dist_info, made.notes)


def _key(wheel: ReadyWheel, prefix: PurePosixPath, bench: StagingContext) -> str:
    return staged_key(f"{wheel.sha256} {wheel.path.name}", prefix, bench.target)


def _environment_made(environment: Environment, bench: StagingContext) -> tuple[Made, ...]:
    """Put the empty environment into the destdir; return it when it had to be made."""
    key = staged_key(_EMPTY, environment.prefix, bench.target)
    if copied(key, "", environment, bench.cache) is not None:
        made: tuple[Made, ...] = ()
    else:
        # virtualenv takes long to import, and is needed once a prefix and interpreter.
        from venvpkg.staging.venv import make_environment  # noqa: PLC0415

        make_environment(environment.destdir, environment.prefix, bench.target)
        files = (path for path, entry in entries_below(environment.destdir) if not entry.is_dir(follow_symlinks=False))
        made = (Made(key, tuple(files), (), _NO_DISTRIBUTION, ()),)
    # Nothing that a distribution ships is equal to what the environment has.
    for path in [*environment.taken, *(path for each in made for path in each.files)]:
        environment.taken[path] = Content()
    return made


def _known(wheels: Iterable[ReadyWheel], environment: Environment, bench: StagingContext) -> dict[str, InstalledWheel]:
    """Copy the distributions that the cache has; return them by name."""
    known: dict[str, InstalledWheel] = {}
    for wheel in wheels:
        index = copied(_key(wheel, environment.prefix, bench), wheel.name, environment, bench.cache)
        if index is not None:
            files = tuple(each.path for each in index.files if each.installed)
            known[wheel.name] = InstalledWheel(wheel, index.dist_info, files, index.notes)
            for note in index.notes:
                bench.reporter.detail(note)
    return known


def _installed(wheels: list[ReadyWheel], environment: Environment, bench: StagingContext) -> tuple[InstalledWheel, ...]:
    if not wheels:
        return ()
    from venvpkg.staging.install import install_wheels  # noqa: PLC0415 - installer, when the cache does not have all

    return install_wheels(wheels, environment, bench.reporter)


def _with_bytecode(made: tuple[Made, ...], environment: Environment, bench: StagingContext) -> tuple[Made, ...]:
    """Compile the modules of what was made; return it with its bytecode."""
    library = environment.prefix / "lib"
    modules = {
        path: None
        for each in made
        for path in each.files
        if path.name.endswith(".py") and path.is_relative_to(library) and "__pycache__" not in path.parts
    }
    compiled = compile_bytecode(environment.destdir, tuple(modules), bench.target, bench.runner)
    told = {path: f"not compiled: {one_line(str(path))}" for path in modules if path not in compiled}
    for note in told.values():
        bench.reporter.detail(note)
    return tuple(
        replace(
            each,
            bytecode=tuple(compiled[path] for path in each.files if path in compiled),
            notes=(*each.notes, *(told[path] for path in each.files if path in told)),
        )
        for each in made
    )
