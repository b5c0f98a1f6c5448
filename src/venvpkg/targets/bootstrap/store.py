"""Systems that were made, kept as compressed tarballs; roots that are unpacked from them, and layers upon those."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from venvpkg.console import Work
from venvpkg.errors import ConfigurationError, MissingToolError, TargetError, machine_errors
from venvpkg.families.registry import FAMILIES
from venvpkg.host.command import Command
from venvpkg.host.files import read_regular, sha256_of, write_whole
from venvpkg.store.directories import workspace
from venvpkg.store.locks import acquire, locked, try_exclusive, unused_s
from venvpkg.targets.bootstrap.build_root import BuildRoot, bootstrapper_of, require_able, stderr_tail
from venvpkg.targets.host import installer_here, resolve_host
from venvpkg.targets.root import RootRunner
from venvpkg.targets.selection import parse_selection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from venvpkg.console import Reporter
    from venvpkg.families.base import Packages
    from venvpkg.host.command import Streamer
    from venvpkg.model.build_root import BuildRootSettings
    from venvpkg.model.target import Target
    from venvpkg.store.dirs import Dirs
    from venvpkg.store.locks import RootLease
    from venvpkg.targets.selection import Selection


_FORMAT: Final = 1
_TARBALL: Final = ".tar.zst"
_LARGEST: Final = 16 * 2**20
_TIMEOUT_S: Final = 3600.0
# A layer that no build used for so long goes when something else is made or removed; it takes seconds to make again.
_LAYER_KEPT_S: Final = 30 * 86400


@dataclass(frozen=True, slots=True)
class BuildRootStore:
    """The systems in one cache.

    ``NAME.json`` describes a system, ``tarballs/ID.tar.zst`` is what it was made as, ``roots/ID`` is that unpacked and
    ``roots/ID+LAYER`` the same with more packages. The description is written last and removed first. Whoever makes or
    removes holds ``NAME.lock``; whoever uses a root holds a shared lock on ``roots/….lock``, and what somebody holds
    stays. A tarball and a root appear by one rename.

    Attributes:
        dirs: where the cache is.
        settings: what the user says of each system, by its name.
        runner: runs programs of this machine.
        environment: venvpkg's own.
        reporter: hears what takes long.
        offline: make nothing.
    """

    dirs: Dirs
    settings: Callable[[str], BuildRootSettings]
    runner: Streamer
    environment: Mapping[str, str]
    reporter: Reporter
    offline: bool = False

    @machine_errors()
    def build_roots(self) -> tuple[BuildRoot, ...]:
        """Return every system that is there, by name."""
        found = (self._read(path) for path in sorted(self.dirs.build_roots.glob("*.json")))
        return tuple(each for each in found if each is not None)

    def find(self, selection: Selection) -> BuildRoot | None:
        """Return the system of that name, or None."""
        return self._read(self._description(selection))

    def root(self, selection: Selection, wanted: Callable[[Target], Iterable[str]]) -> RootLease:
        """Return a root of a system that has what ``wanted`` names; it is made when it is not there.

        Raises:
            TargetError: it is not there and cannot be made.
            VenvpkgError: what it is to be made from is not known, or a program is missing.
        """
        with self._locked(selection):
            build_root = self._known(selection) or self._make(selection)
            base = self._unpacked(build_root)
            plain = RootRunner(base, self.runner, self.environment)
            target = resolve_host(plain, base)
            packages = tuple(sorted(set(wanted(target))))
            if packages:
                packages = FAMILIES[target.family].host.not_installed(packages, plain)
            there_before = _entries(self._roots)
            lease = acquire(self._layer(build_root, packages) if packages else base)
        if lease.path not in there_before:
            self.sweep()
        return lease

    @machine_errors()
    def create(self, selection: Selection, *, max_age_s: float | None = None) -> BuildRoot:
        """Return a system; it is made when it is not there, or was made longer ago than ``max_age_s``."""
        with self._locked(selection):
            known = self._known(selection)
            is_kept = known is not None and (max_age_s is None or time.time() - known.made <= max_age_s)
            build_root = known if known is not None and is_kept else self._make(selection)
            self._unpacked(build_root)
        if known is not None and not is_kept:
            self.sweep()
        return build_root

    @machine_errors()
    def update(self, selection: Selection) -> BuildRoot:
        """Make a system anew from what its mirrors have now, and return it; the old one goes where nobody uses it."""
        with self._locked(selection):
            build_root = self._make(selection)
            self._unpacked(build_root)
        self.sweep()
        return build_root

    @machine_errors()
    def remove(self, selection: Selection) -> bool:
        """Remove a system with its roots, and return whether there was one. What a build uses goes with a later one."""
        with self._locked(selection):
            description = self._description(selection)
            was_there = description.exists()
            description.unlink(missing_ok=True)
        self.sweep()
        return was_there

    @machine_errors()
    def sweep(self) -> tuple[Path, ...]:
        """Remove tarballs and roots that no system has, and layers long unused; return them.

        Those in use stay, and those of a system that somebody makes just now: it is not described before it is whole.
        """
        gone = []
        for path in (*_entries(self._roots), *_entries(self._tarballs)):
            identity, plus, _ = path.name.removesuffix(_TARBALL).partition("+")
            name = identity.rpartition("-")[0]
            with try_exclusive(self.dirs.build_roots / name) as nobody_makes_it:
                build_root = self._read(self.dirs.build_roots / f"{name}.json")
                is_kept = build_root is not None and build_root.id == identity
                if nobody_makes_it and not (is_kept and not (plus and unused_s(path) > _LAYER_KEPT_S)):
                    gone += [path] if self._removed(path) else []
        return tuple(gone)

    @property
    def _roots(self) -> Path:
        return self.dirs.build_roots / "roots"

    @property
    def _tarballs(self) -> Path:
        return self.dirs.build_roots / "tarballs"

    def _description(self, selection: Selection) -> Path:
        return self.dirs.build_roots / f"{selection.name}.json"

    def _read(self, path: Path) -> BuildRoot | None:
        """Return what a description tells; None when it is not there or not ours, and then it is made again."""
        try:
            document = json.loads(read_regular(path, _LARGEST))
            if document["format"] != _FORMAT:
                return None
            build_root = BuildRoot(
                parse_selection(document["target"]),
                str(document["id"]),
                str(document["recipe"]),
                float(document["made"]),
                int(document["size_bytes"]),
                tuple((str(name), str(version)) for name, version in document["packages"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        is_whole = Path(build_root.id).name == build_root.id and self._tarball(build_root).is_file()
        return build_root if is_whole and self._description(build_root.selection) == path else None

    def _tarball(self, build_root: BuildRoot) -> Path:
        return self._tarballs / f"{build_root.id}{_TARBALL}"

    def _known(self, selection: Selection) -> BuildRoot | None:
        """Return the system of that name, or None; warn when it would be made from something else today.

        It is not made anew by itself: that would change what a build compiles against because of what somebody did to
        this machine.
        """
        build_root = self.find(selection)
        if build_root is None:
            return None
        try:
            recipe = bootstrapper_of(selection).recipe(selection, self.settings(str(selection)), self.runner)
        except ConfigurationError:
            # Nobody could make it here now, as with a cache that was copied; what is there serves all the same.
            return build_root
        if recipe.digest != build_root.recipe:
            self.reporter.warn(
                f"{selection} was made from other sources, packages or options than it would be now; to make it anew,"
                f" run venvpkg target update {selection}"
            )
        return build_root

    def _make(self, selection: Selection) -> BuildRoot:
        if self.offline:
            raise TargetError(
                f"{selection} was not made yet, and --offline forbids to make it.",
                resolution=f"Run 'venvpkg target create {selection}' once with the network.",
            )
        require_able(selection, self.runner)
        bootstrapper = bootstrapper_of(selection)
        recipe = bootstrapper.recipe(selection, self.settings(str(selection)), self.runner)
        for each in recipe.repositories:
            if not each.keys:
                self.reporter.warn(f"{selection}: no keys are named for {each.name}, so its signatures are not checked")
        start = time.monotonic()
        with workspace(self.dirs) as work, self.reporter.task(Work.BUILD_ROOT, f"making {selection}"):
            tarball = bootstrapper.bootstrap(recipe, work, self.runner)
            identity = f"{selection.name}-{sha256_of(tarball)[:12]}"
            root = work / "root"
            self._unpack(tarball, root)
            packages = self._packages(root)
            self._tarballs.mkdir(parents=True, exist_ok=True)
            self._make_roots()
            kept = tarball.replace(self._tarballs / f"{identity}{_TARBALL}")
            build_root = BuildRoot(selection, identity, recipe.digest, time.time(), kept.stat().st_size, packages)
            self._describe(build_root)
            if not (self._roots / identity).exists():
                root.rename(self._roots / identity)
        elapsed = time.monotonic() - start
        self.reporter.step(f"made {selection} in {elapsed:.1f} s: {len(packages)} packages")
        return build_root

    def _describe(self, build_root: BuildRoot) -> None:
        document = {
            "format": _FORMAT,
            "target": str(build_root.selection),
            "id": build_root.id,
            "recipe": build_root.recipe,
            "made": build_root.made,
            "size_bytes": build_root.size_bytes,
            "packages": build_root.packages,
        }
        write_whole(self._description(build_root.selection), json.dumps(document).encode())

    def _packages(self, root: Path) -> Packages:
        """Return what is installed in a new root; that it can be a target at all shows on the way."""
        inside = RootRunner(root, self.runner, self.environment)
        target = resolve_host(inside, root)
        return FAMILIES[target.family].host.all_packages(target, inside)

    def _unpacked(self, build_root: BuildRoot) -> Path:
        root = self._roots / build_root.id
        if not root.is_dir():
            with workspace(self.dirs) as work:
                self._unpack(self._tarball(build_root), work / "root")
                self._make_roots()
                (work / "root").rename(root)
        return root

    def _layer(self, build_root: BuildRoot, packages: tuple[str, ...]) -> Path:
        digest = hashlib.sha256("\0".join(packages).encode()).hexdigest()[:12]
        root = self._roots / f"{build_root.id}+{digest}"
        if root.is_dir():
            return root
        if self.offline:
            raise TargetError(
                f"{build_root.selection} has no {', '.join(packages)}, and --offline forbids to install packages.",
                resolution="Build once with the network.",
            )
        start = time.monotonic()
        with (
            workspace(self.dirs) as work,
            self.reporter.task(Work.BUILD_ROOT, f"installing {', '.join(packages)} in {build_root.selection}"),
        ):
            self._unpack(self._tarball(build_root), work / "root")
            bootstrapper_of(build_root.selection).add_packages(work / "root", packages, self.runner, self.environment)
            (work / "root").rename(root)
        elapsed = time.monotonic() - start
        self.reporter.step(f"installed {', '.join(packages)} in {build_root.selection} in {elapsed:.1f} s")
        return root

    def _make_roots(self) -> None:
        """Make the directory of roots. Nobody else enters it: programs there may be set to run as their owner."""
        self._roots.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _removed(self, path: Path) -> bool:
        """Remove a tarball, or a root that nobody uses; return whether it is gone."""
        if not path.is_dir():
            path.unlink(missing_ok=True)
            return True
        with try_exclusive(path) as is_free:
            if is_free:
                # Out of the way first: what is left of it after a kill must not be taken for a root.
                gone = path.rename(path.with_name(f"gone+{path.name}"))
                shutil.rmtree(gone, ignore_errors=True)
                if gone.exists():  # of an ordinary user's, other numbers of the user own parts
                    self.runner.run(Command(("rm", "-rf", "--", str(gone)), many_users=True, timeout_s=_TIMEOUT_S))
        return is_free

    def _unpack(self, tarball: Path, root: Path) -> None:
        root.mkdir()
        done = self.runner.run(
            Command(
                ("tar", "--extract", "--zstd", *_owners(), "--file", str(tarball), "--directory", str(root)),
                timeout_s=_TIMEOUT_S,
            )
        )
        if done.not_found:
            raise MissingToolError(["tar, which unpacks systems"], install=["tar", "zstd"], installer=installer_here())
        if not done.ok:
            raise TargetError(
                f"{tarball} cannot be unpacked: {done.outcome()}.",
                details=stderr_tail(done.errors),
                resolution="Install zstd, make space, or run 'venvpkg target update' for it.",
            )
        # Of the archive's top directory, or what mkdir gave it; programs in the root may be other users.
        root.chmod(0o755)

    @contextlib.contextmanager
    def _locked(self, selection: Selection) -> Iterator[None]:
        """Hold the lock on everything of one system; others who want it wait."""
        self.dirs.build_roots.mkdir(parents=True, exist_ok=True)
        path = self._description(selection).with_suffix(".lock")
        waiting = self.reporter.task(Work.WAIT, f"waiting for another run that makes {selection}")
        with locked(path, waiting=waiting):
            yield


def _entries(directory: Path) -> tuple[Path, ...]:
    """Return the tarballs or roots in a directory, without their locks."""
    found = sorted(directory.iterdir()) if directory.is_dir() else ()
    return tuple(each for each in found if each.suffix != ".lock")


def _owners() -> tuple[str, ...]:
    """Return tar's options for owners and what else only root can give.

    What an ordinary user unpacks is the user's, and root's in the user's namespace. Device nodes are this machine's.
    """
    if os.geteuid() == 0:
        return ("--numeric-owner", "--preserve-permissions", "--same-owner", "--xattrs", "--xattrs-include=*")
    return ("--no-same-owner", "--preserve-permissions", "--anchored", "--exclude=dev/*", "--exclude=./dev/*")
