"""Compile build requirements that only have an sdist, once per run, with their own build requirements."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from venvpkg.errors import LockError
from venvpkg.host.files import sha256_of
from venvpkg.model.lock import RemoteFile
from venvpkg.model.wheels import Action, PlannedWheel, SourceTree
from venvpkg.wheelbuild.export import platforms_for_stock_tools
from venvpkg.wheelbuild.repack import retag
from venvpkg.wheelhouse.key import is_sdist, sdist_name, with_their_requirements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from venvpkg.model.lock import BuildPins
    from venvpkg.wheelbuild.context import WheelBuildContext
    from venvpkg.wheelbuild.job import Built, Job


class Requirements:
    """The build requirements of one run on one target; shared by its jobs, in several threads.

    Args:
        pins: known pins for the target.
        build: builds a wheel.
        context: target and tools of the compiles.
    """

    def __init__(
        self, pins: Iterable[BuildPins], build: Callable[[Job, WheelBuildContext], Built], context: WheelBuildContext
    ) -> None:
        self._pins = {(each.name, each.source): each for each in pins}
        self._build = build
        self._context = context
        self._wheels: dict[str, Path] = {}
        self._new: dict[tuple[str, str], BuildPins] = {}
        # One lock for all: with one for each, two jobs whose requirements need each other would deadlock.
        self._lock = threading.RLock()

    @property
    def new_pins(self) -> tuple[BuildPins, ...]:
        """The pins that were not known before, sorted."""
        return tuple(self._new[key] for key in sorted(self._new))

    def with_their_requirements(self, files: Iterable[RemoteFile]) -> tuple[RemoteFile, ...]:
        """Return ``files`` and the pinned requirements of their sdists, for a key."""
        return with_their_requirements(files, self._pins_of)

    def wheels(self, files: tuple[RemoteFile, ...], job: Job) -> tuple[tuple[RemoteFile, ...], dict[RemoteFile, Path]]:
        """Return a wheel for each file, and the paths of the wheels; sdists are compiled.

        Raises:
            LockError: an sdist is needed to compile itself.
            VenvpkgError: a file could not be fetched, or an sdist could not be compiled.
        """
        fetched = dict(self._context.fetch(files)) if files else {}
        wheels = {file: path for file, path in fetched.items() if not is_sdist(file)}
        for file in files:
            if is_sdist(file):
                path = self._compile(file, fetched[file], job)
                wheels[RemoteFile(path.name, path.as_uri(), sha256_of(path))] = path
        return tuple(wheels), wheels

    def _compile(self, sdist: RemoteFile, path: Path, job: Job) -> Path:
        """Return a wheel with a platform tag that uv accepts; it rejects those of vendor wheels."""
        name, version = sdist_name(sdist)
        chain = (*job.parents, (_source_id(job), job.title))
        if sdist.sha256 in {source for source, _ in chain}:
            titles = [title for _, title in chain]
            raise LockError(
                f"{titles[0]} cannot be built: build requirements that only have sdists need each other.",
                details=f"  {' needs '.join((*titles, f'{name} {version}'))}",
                resolution=f"Provide a wheel of {name} on an index or in a directory (UV_FIND_LINKS).",
            )
        with self._lock:
            if sdist.sha256 not in self._wheels:
                plan = PlannedWheel(name, version, Action.COMPILE, f"required to build {job.title}", sdist)
                pins = self._pins.get((name, sdist.sha256))
                built = self._build(replace(job, wheel=plan, sdist=path, pins=pins, parents=chain), self._context)
                if built.pins is not None:
                    self._pins[name, sdist.sha256] = self._new[name, sdist.sha256] = built.pins
                self._wheels[sdist.sha256] = self._installable(built.wheel.path, sdist.sha256)
            return self._wheels[sdist.sha256]

    def _installable(self, wheel: Path, sha256: str) -> Path:
        directory = self._context.workspace / "required" / sha256
        directory.mkdir(parents=True)
        platform = wheel.stem.rpartition("-")[2]
        if platform == "any":
            return shutil.copyfile(wheel, directory / wheel.name)
        return retag(wheel, platforms_for_stock_tools(platform) or f"linux_{self._context.target.machine}", directory)

    def _pins_of(self, sdist: RemoteFile) -> BuildPins | None:
        return self._pins.get((sdist_name(sdist)[0], sdist.sha256))


def _source_id(job: Job) -> str:
    return "" if isinstance(job.wheel.source, SourceTree) else job.wheel.source.sha256
