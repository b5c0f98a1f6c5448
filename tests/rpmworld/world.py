"""A small rpm distribution, made of one Debian suite's libraries, and roots of it.

Debian's binary packages become packages of real rpmbuild, with the Requires and Provides of rpm's own generators; they
become a repository of real createrepo_c, from which real dnf installs roots with a real rpm database. A world is kept
under a name made of all that decides what is in it; so is each of its roots. Both are whole or not there at all, and
one process makes what others wait for.

What is like Fedora and openSUSE in it and what is not, tests/rpmworld/README.md says.
"""

from __future__ import annotations

import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self, TypeVar

from acceptance.cleanroot import CleanRoot, codename, default_cache, locked
from rpmworld.archive import Archive
from rpmworld.flavours import Flavour, identity, own_recipes
from rpmworld.installation import install
from rpmworld.kept import have, remove_unused
from rpmworld.layout import Layout
from rpmworld.pack import index, pack
from rpmworld.recipes import Recipe, converted_recipes
from rpmworld.requires import Requirements
from rpmworld.spec import spec_text
from rpmworld.staging import staged
from rpmworld.tables import HERE, Tables
from rpmworld.tools import RpmWorldError, digest, output

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rpmworld.archive import Deb
    from rpmworld.tree import Tree

TOOLS = ("apt-get", "dpkg-deb", "rpmbuild", "createrepo_c", "dnf", "pkg-config", "unshare", "setpriv")
# A world that nothing asked for in this time makes room for another.
KEPT_S = 3 * 24 * 3600
# What is here for those who use a world and decides nothing of what is in it.
_USERS = frozenset({"README.md", "__main__.py", "demo.py", "postgresql.sh"})
# Debian's architecture to rpm's, and the multiarch directory's name.
_ARCHITECTURES = {"amd64": ("x86_64", "x86_64-linux-gnu"), "arm64": ("aarch64", "aarch64-linux-gnu")}

Result = TypeVar("Result")


def emulation_problem() -> str | None:
    """Return why this machine cannot make a world, or None when it can."""
    if os.geteuid() != 0:
        return "an rpm world needs root"
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"an rpm world needs {', '.join(missing)}; run tests/setup"
    return None


@dataclass(frozen=True, slots=True)
class World:
    """A repository and what is installed from it.

    Attributes:
        suite: the Debian suite inside.
        directory: ``repo`` and ``roots``.
        base: names of the packages of every root, without those that make its flavour.
        python: the interpreter's X.Y.
        mount_point: an empty directory.
    """

    suite: str
    directory: Path
    base: tuple[str, ...]
    python: str
    mount_point: Path

    @classmethod
    def of(cls, suite: str | None = None, cache: Path | None = None) -> Self:
        """Return the world of a suite, by default of the machine's own, made now or found in ``cache``.

        Raises:
            RpmWorldError: an obstacle, no such suite, or a tool failed.
        """
        if reason := emulation_problem():
            raise RpmWorldError(reason)
        name = suite or codename()
        where = cache or default_cache()
        mount_point = where / "mnt"
        mount_point.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(where / f"rpm-{name}.lock"):
            plan = _Plan.of(name, where / "apt" / name)
            world = cls(name, where / plan.name, plan.base, plan.python, mount_point)
            remove_unused(where, f"rpm-{name}-", KEPT_S)
            have(world.directory, plan.make)
            os.utime(world.directory)
        return world

    @property
    def repository(self) -> Path:
        """The directory of all packages, with repodata."""
        return self.directory / "repo"

    def root(self, *packages: str, flavour: Flavour = Flavour.FEDORA) -> CleanRoot:
        """Return a root with the base system and these packages, of which each run sees a fresh overlay.

        The directory ``base`` of what is returned is also a complete root for whoever brings an overlay of their own.
        """
        who = identity(flavour, self.suite)
        wanted = sorted({*self.base, *who.base, *packages})
        base = self.directory / "roots" / f"{flavour}-{digest(wanted)}"
        base.parent.mkdir(exist_ok=True)
        have(base, lambda part: install(self.repository, wanted, who, self.python, part))
        return CleanRoot(base, self.mount_point)


@dataclass(frozen=True, slots=True)
class _Plan:
    """All that decides what is in a world."""

    archive: Archive
    tables: Tables
    debs: tuple[Deb, ...]
    base: tuple[str, ...]
    python: str
    architecture: str

    @classmethod
    def of(cls, suite: str, directory: Path) -> Self:
        tables = Tables.read()
        archive = Archive.of(suite, directory)
        interpreter = archive.find("python3")
        if interpreter is None:
            raise RpmWorldError(f"{suite} has no python3")
        debs = archive.closure([*tables.base, *tables.more], tables)
        return cls(
            archive,
            tables,
            debs,
            tuple(sorted({tables.rpm_name(deb.name) for deb in debs if {deb.name, f"{deb.name}?"} & {*tables.base}})),
            ".".join(interpreter.version.split(".")[:2]),
            output("dpkg", "--print-architecture").strip(),
        )

    @property
    def name(self) -> str:
        files = (path for path in sorted(HERE.rglob("*")) if path.is_file() and path.suffix != ".pyc")
        sources = {str(path.relative_to(HERE)): path.read_text() for path in files if path.name not in _USERS}
        parts = ([asdict(deb) for deb in self.debs], self.base, sources, output("rpmbuild", "--version"))
        return f"rpm-{self.archive.suite}-{self.architecture}-{digest(parts)}"

    def make(self, directory: Path) -> None:
        """Make the repository."""
        sys.stderr.write(f"Making an rpm world of {self.archive.suite}; it is kept for the next time.\n")
        architecture, triplet = _ARCHITECTURES[self.architecture]
        layout = Layout(triplet, self.python)
        recipes = (*converted_recipes(self.debs, self.tables, self.python), *own_recipes(self.archive.suite, layout))
        files = self.archive.fetched(self.debs)
        repository, trees = directory / "repo", directory / "trees"
        repository.mkdir()

        def stage(recipe: Recipe) -> Tree:
            return staged(recipe, files, self.tables.dropped, layout, trees / recipe.name)

        def build(recipe: Recipe) -> None:
            tree = staged_trees[recipe.name]
            spec = spec_text(recipe, tree, requirements.of(recipe), self.python)
            pack(spec, tree.directory, architecture, repository)
            shutil.rmtree(tree.directory)

        staged_trees = dict(zip((recipe.name for recipe in recipes), _each(stage, recipes), strict=True))
        by_name = {recipe.name: recipe for recipe in recipes}
        requirements = Requirements(by_name, staged_trees, self.archive, self.tables)
        _each(build, recipes)
        trees.rmdir()
        index(repository)


def _each(work: Callable[[Recipe], Result], recipes: Sequence[Recipe]) -> list[Result]:
    """Return what ``work`` makes of each recipe, in their order; the big ones are begun first, so that none is last."""
    order = sorted(recipes, key=lambda recipe: -sum(deb.size_bytes for deb in recipe.debs))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = {recipe.name: pool.submit(work, recipe) for recipe in order}
        try:
            return [futures[recipe.name].result() for recipe in recipes]
        finally:
            pool.shutdown(cancel_futures=True)
