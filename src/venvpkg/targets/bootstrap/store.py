"""Keep bootstrapped build roots as compressed tarballs, roots unpacked from them, and roots with more packages."""

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
from venvpkg.host.oserrors import require_no_environment_error
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
    from venvpkg.model.target import BuildRootSettings, Target
    from venvpkg.store.dirs import Dirs
    from venvpkg.store.locks import RootLease
    from venvpkg.targets.selection import Selection


_FORMAT: Final = 1
_TARBALL: Final = ".tar.zst"
_MOST_DESCRIPTION_BYTES: Final = 16 * 2**20
_TIMEOUT_S: Final = 3600.0
# A layer unused for this long is removed by the next sweep; it takes seconds to recreate.
_LAYER_KEPT_S: Final = 30 * 86400


@dataclass(frozen=True, slots=True)
class BuildRootStore:
    """The build roots in one cache.

    ``NAME.json`` describes a build root. ``tarballs/ID.tar.zst`` is its content, ``roots/ID`` is the unpacked tarball,
    and ``roots/ID+LAYER`` is the same with more packages. The description is written last and removed first. A run
    that creates or removes a build root holds ``NAME.lock``. A run that uses a root holds a shared lock on
    ``roots/….lock``, so that it is not removed. Tarballs and roots appear by one rename.

    Attributes:
        dirs: directories of the user, for the cache.
        settings: returns the user's settings of a build root by its name.
        runner: runs programs on this machine.
        environ: venvpkg's own environment variables.
        reporter: gets progress and warnings.
        offline: create nothing.
    """

    dirs: Dirs
    settings: Callable[[str], BuildRootSettings]
    runner: Streamer
    environ: Mapping[str, str]
    reporter: Reporter
    offline: bool = False

    @machine_errors()
    def build_roots(self) -> tuple[BuildRoot, ...]:
        """Return every existing build root, sorted by name."""
        found = (self._read_description(path) for path in sorted(self.dirs.build_roots.glob("*.json")))
        return tuple(each for each in found if each is not None)

    def find(self, selection: Selection) -> BuildRoot | None:
        """Return the build root of that name, or None."""
        return self._read_description(self._description(selection))

    def root(self, selection: Selection, wanted: Callable[[Target], Iterable[str]]) -> RootLease:
        """Return a root of a build root with the packages that ``wanted`` returns; create it if it does not exist.

        Raises:
            TargetError: the root does not exist and cannot be created.
            VenvpkgError: its sources are not configured, or a program is missing.
        """
        with self._locked(selection):
            build_root = self._find_and_compare(selection) or self._bootstrap(selection)
            base = self._ensure_unpacked(build_root)
            runner = RootRunner(base, self.runner, self.environ)
            target = resolve_host(runner, base)
            packages = tuple(sorted(set(wanted(target))))
            if packages:
                packages = FAMILIES[target.family].host.not_installed(packages, runner)
            existing = _entries(self._roots)
            lease = acquire(self._ensure_layer(build_root, packages) if packages else base)
        if lease.path not in existing:
            self.sweep()
        return lease

    @machine_errors()
    def create(self, selection: Selection, *, max_age_s: float | None = None) -> BuildRoot:
        """Return a build root; create it if it does not exist, and recreate it if it is older than ``max_age_s``."""
        with self._locked(selection):
            existing = self._find_and_compare(selection)
            is_kept = existing is not None and (max_age_s is None or time.time() - existing.made <= max_age_s)
            build_root = existing if existing is not None and is_kept else self._bootstrap(selection)
            self._ensure_unpacked(build_root)
        if existing is not None and not is_kept:
            self.sweep()
        return build_root

    @machine_errors()
    def update(self, selection: Selection) -> BuildRoot:
        """Recreate a build root from the current state of its mirrors, and return it.

        The roots of the old one are removed, unless a run uses them.
        """
        with self._locked(selection):
            build_root = self._bootstrap(selection)
            self._ensure_unpacked(build_root)
        self.sweep()
        return build_root

    @machine_errors()
    def remove(self, selection: Selection) -> bool:
        """Remove a build root with its roots, and return whether it existed.

        Roots in use by a build are removed by a later sweep.
        """
        with self._locked(selection):
            description = self._description(selection)
            existed = description.exists()
            description.unlink(missing_ok=True)
        self.sweep()
        return existed

    @machine_errors()
    def sweep(self) -> tuple[Path, ...]:
        """Remove tarballs and roots that belong to no build root, and layers that are long unused; return their paths.

        Those in use are kept, as are those of a build root that is being created, which has no description yet.
        """
        removed = []
        for path in (*_entries(self._roots), *_entries(self._tarballs)):
            identity, plus, _ = path.name.removesuffix(_TARBALL).partition("+")
            name = identity.rpartition("-")[0]
            with try_exclusive(self.dirs.build_roots / name) as is_free:
                build_root = self._read_description(self.dirs.build_roots / f"{name}.json")
                is_kept = build_root is not None and build_root.id == identity
                if is_free and not (is_kept and not (plus and unused_s(path) > _LAYER_KEPT_S)):
                    removed += [path] if self._try_remove(path) else []
        return tuple(removed)

    @property
    def _roots(self) -> Path:
        return self.dirs.build_roots / "roots"

    @property
    def _tarballs(self) -> Path:
        return self.dirs.build_roots / "tarballs"

    def _description(self, selection: Selection) -> Path:
        return self.dirs.build_roots / f"{selection.name}.json"

    def _read_description(self, path: Path) -> BuildRoot | None:
        """Return the build root that a file describes; None if the file is missing or cannot be used."""
        try:
            document = json.loads(read_regular(path, _MOST_DESCRIPTION_BYTES))
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
        has_tarball = Path(build_root.id).name == build_root.id and self._tarball(build_root).is_file()
        return build_root if has_tarball and self._description(build_root.selection) == path else None

    def _tarball(self, build_root: BuildRoot) -> Path:
        return self._tarballs / f"{build_root.id}{_TARBALL}"

    def _find_and_compare(self, selection: Selection) -> BuildRoot | None:
        """Return the build root of that name, or None; warn if its recipe has changed.

        It is not recreated automatically: a change on this machine would then change what builds compile against.
        """
        build_root = self.find(selection)
        if build_root is None:
            return None
        try:
            recipe = bootstrapper_of(selection).recipe(selection, self.settings(str(selection)), self.runner)
        except ConfigurationError:
            # It could not be recreated here, as in a copied cache, but the existing one can be used.
            return build_root
        if recipe.digest != build_root.recipe:
            self.reporter.warn(
                f"the sources, packages or options of {selection} have changed since it was created; to recreate it,"
                f" run venvpkg target update {selection}"
            )
        return build_root

    def _bootstrap(self, selection: Selection) -> BuildRoot:
        if self.offline:
            raise TargetError(
                f"{selection} does not exist and cannot be created with --offline.",
                resolution=f"Run 'venvpkg target create {selection}' once with the network.",
            )
        require_able(selection, self.runner)
        bootstrapper = bootstrapper_of(selection)
        recipe = bootstrapper.recipe(selection, self.settings(str(selection)), self.runner)
        for each in recipe.repositories:
            if not each.keys:
                self.reporter.warn(f"{selection}: {each.name} has no keys, so its signatures are not checked")
        start = time.monotonic()
        with workspace(self.dirs) as work, self.reporter.task(Work.BUILD_ROOT, f"creating {selection}"):
            tarball = bootstrapper.bootstrap(recipe, work, self.runner)
            identity = f"{selection.name}-{sha256_of(tarball)[:12]}"
            root = work / "root"
            self._unpack(tarball, root)
            packages = self._installed_packages(root)
            self._tarballs.mkdir(parents=True, exist_ok=True)
            self._create_roots_directory()
            kept = tarball.replace(self._tarballs / f"{identity}{_TARBALL}")
            build_root = BuildRoot(selection, identity, recipe.digest, time.time(), kept.stat().st_size, packages)
            self._write_description(build_root)
            if not (self._roots / identity).exists():
                root.rename(self._roots / identity)
        elapsed = time.monotonic() - start
        self.reporter.step(f"created {selection} in {elapsed:.1f} s: {len(packages)} packages")
        return build_root

    def _write_description(self, build_root: BuildRoot) -> None:
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

    def _installed_packages(self, root: Path) -> Packages:
        """Return the packages installed in a new root; this also checks that it can be a target."""
        runner = RootRunner(root, self.runner, self.environ)
        target = resolve_host(runner, root)
        return FAMILIES[target.family].host.all_packages(target, runner)

    def _ensure_unpacked(self, build_root: BuildRoot) -> Path:
        root = self._roots / build_root.id
        if not root.is_dir():
            with workspace(self.dirs) as work:
                self._unpack(self._tarball(build_root), work / "root")
                self._create_roots_directory()
                (work / "root").rename(root)
        return root

    def _ensure_layer(self, build_root: BuildRoot, packages: tuple[str, ...]) -> Path:
        digest = hashlib.sha256("\0".join(packages).encode()).hexdigest()[:12]
        root = self._roots / f"{build_root.id}+{digest}"
        if root.is_dir():
            return root
        if self.offline:
            raise TargetError(
                f"{build_root.selection} lacks {', '.join(packages)}, which cannot be installed with --offline.",
                resolution="Build once with the network.",
            )
        start = time.monotonic()
        with (
            workspace(self.dirs) as work,
            self.reporter.task(Work.BUILD_ROOT, f"installing {', '.join(packages)} in {build_root.selection}"),
        ):
            self._unpack(self._tarball(build_root), work / "root")
            bootstrapper_of(build_root.selection).add_packages(work / "root", packages, self.runner, self.environ)
            (work / "root").rename(root)
        elapsed = time.monotonic() - start
        self.reporter.step(f"installed {', '.join(packages)} in {build_root.selection} in {elapsed:.1f} s")
        return root

    def _create_roots_directory(self) -> None:
        """Create the directory of roots, for this user only, because roots may contain set-user-ID programs."""
        self._roots.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _try_remove(self, path: Path) -> bool:
        """Remove a tarball, or a root that no run uses; return whether it was removed."""
        if not path.is_dir():
            path.unlink(missing_ok=True)
            return True
        with try_exclusive(path) as is_free:
            if is_free:
                # Renamed first, because a half removed directory after a kill must not be taken for a root.
                gone = path.rename(path.with_name(f"gone+{path.name}"))
                shutil.rmtree(gone, ignore_errors=True)
                if gone.exists():  # subordinate ids of an ordinary user own parts of it
                    self.runner.run(Command(("rm", "-rf", "--", str(gone)), many_users=True, timeout_s=_TIMEOUT_S))
        return is_free

    def _unpack(self, tarball: Path, root: Path) -> None:
        root.mkdir()
        done = self.runner.run(
            Command(
                ("tar", "--extract", "--zstd", *_ownership_options(), "--file", str(tarball), "--directory", str(root)),
                timeout_s=_TIMEOUT_S,
            )
        )
        if done.not_found:
            raise MissingToolError(["tar, to unpack build roots"], install=["tar", "zstd"], installer=installer_here())
        if not done.ok:
            require_no_environment_error(done.errors)
            raise TargetError(
                f"{tarball} could not be unpacked: {done.outcome()}.",
                details=stderr_tail(done.errors),
                resolution="Install zstd, free disk space, or run 'venvpkg target update' for the build root.",
            )
        # Whatever mode the archive or mkdir set: programs in the root may run as other users.
        root.chmod(0o755)

    @contextlib.contextmanager
    def _locked(self, selection: Selection) -> Iterator[None]:
        """Hold the lock on a build root; other runs wait for it."""
        self.dirs.build_roots.mkdir(parents=True, exist_ok=True)
        path = self._description(selection).with_suffix(".lock")
        waiting = self.reporter.task(Work.WAIT, f"waiting for another run that uses {selection}")
        with locked(path, waiting=waiting):
            yield


def _entries(directory: Path) -> tuple[Path, ...]:
    """Return the tarballs or roots in a directory, without their lock files."""
    found = sorted(directory.iterdir()) if directory.is_dir() else ()
    return tuple(each for each in found if each.suffix != ".lock")


def _ownership_options() -> tuple[str, ...]:
    """Return tar's options for owners, attributes and device nodes, which only root can set.

    Files that an ordinary user unpacks belong to that user, who is root in a user namespace. Device nodes are left out,
    because a root gets those of this machine.
    """
    if os.geteuid() == 0:
        return ("--numeric-owner", "--preserve-permissions", "--same-owner", "--xattrs", "--xattrs-include=*")
    return ("--no-same-owner", "--preserve-permissions", "--anchored", "--exclude=dev/*", "--exclude=./dev/*")
