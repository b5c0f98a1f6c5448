"""Find packages that collide with ours: with the same name, the same command or the same file."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from venvpkg.families.deb.owners import read_owners
from venvpkg.families.deb.relations import parse_relation
from venvpkg.families.deb.versions import is_higher
from venvpkg.host.command import Bind, Command
from venvpkg.host.layers import LayeredRoot
from venvpkg.store.locks import locked_directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path, PurePosixPath

    from venvpkg.console import Reporter
    from venvpkg.families.base import TargetContext
    from venvpkg.host.command import Runner
    from venvpkg.model.package import PackageSpec, Relations
    from venvpkg.model.target import Target


_TIMEOUT_S = 120.0


def warn_if_name_taken(name: str, context: TargetContext) -> None:
    """Warn if apt's index has a package of this name that venvpkg did not build.

    Without an index, as in a minimal root before ``apt-get update``, there is no warning.

    Args:
        name: name of our package.
        context: the target, whose index is queried; apt's parsed index is kept in the cache.
    """
    release, version = context.target.release, newest_in_index(name, context)
    if version:
        context.reporter.warn(
            f"{release.id} {release.version} has its own package {name} {version}: if apt knows both, it installs the"
            " one with the higher version, and a newer one from the release replaces ours."
            " Set another name, or an epoch, in [tool.venvpkg] to avoid that."
        )


def avoid_collisions(spec: PackageSpec, context: TargetContext) -> PackageSpec:
    """Return the spec with a Conflicts on each other package that ships one of its commands or files, and warn.

    Two packages with the same path cannot be installed together, and dpkg only notices halfway through unpacking.
    Packages in the user's own relations (conflicts, breaks, replaces, provides) are left to the user.

    Raises:
        PackageDatabaseError: the target's database cannot be read.
        MissingToolError: dpkg-query is not installed.

    Source:
        Debian Policy 7.4, 10.1.
    """
    target, runner, reporter = context.target, context.runner, context.reporter
    # All other paths outside the prefix are in directories with the package's name.
    claimed = [*(link for link, _ in spec.links), *(each.target for each in spec.project_files.files)]
    if not claimed:
        return spec
    known = _declared_names(spec.relations) | {spec.name}
    shipped = _find_shipping_packages(claimed, target, runner, reporter)
    others = {package: paths for package, paths in sorted(shipped.items()) if package not in known}
    for package, paths in others.items():
        reporter.warn(
            f"the package {package} also ships {', '.join(sorted(map(str, paths)))}: the two cannot be installed"
            f" together, so this one conflicts with it. Leave the path out of commands or files in [tool.venvpkg], or"
            f" declare {package} in conflicts, replaces or provides."
        )
    conflicts = (*spec.relations.conflicts, *others)
    return dataclasses.replace(spec, relations=dataclasses.replace(spec.relations, conflicts=conflicts))


def _declared_names(relations: Relations) -> set[str]:
    texts = (*relations.conflicts, *relations.breaks, *relations.replaces, *relations.provides)
    parsed = (parse_relation(text) for text in texts)
    return {each.name.partition(":")[0] for relation in parsed if relation for each in relation}


def _find_shipping_packages(
    paths: Iterable[PurePosixPath], target: Target, runner: Runner, reporter: Reporter
) -> Mapping[str, set[PurePosixPath]]:
    """Return package → those of ``paths`` that it ships, for installed packages and those in apt-file's index."""
    found: dict[str, set[PurePosixPath]] = {}
    several = tuple(paths)
    for path, package in (*_search_installed(several, target, runner), *search_apt_file(several, runner, reporter)):
        found.setdefault(package.partition(":")[0], set()).add(path)
    return found


def _search_installed(
    paths: Sequence[PurePosixPath], target: Target, runner: Runner
) -> Iterator[tuple[PurePosixPath, str]]:
    owners = read_owners(target, LayeredRoot(target.root), paths, [], runner)
    for path in paths:
        # Not Owners.of, which follows links: a link of update-alternatives has no owner, and does not collide.
        for spelling in _spellings(path):
            yield from ((path, package) for package in owners.packages.get(spelling, ()))


def _spellings(path: PurePosixPath) -> tuple[str, ...]:
    """Return the names that packages may list a path under; to dpkg, those of merged /usr are two different paths."""
    return (str(path), str(path).removeprefix("/usr")) if path.is_relative_to("/usr") else (str(path),)


def search_apt_file(
    paths: Sequence[PurePosixPath], runner: Runner, reporter: Reporter
) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield paths and the packages that ship them, from apt-file; none if it is not installed or has no index.

    apt-file exits with 127 if it is not installed, 3 without an index, and 1 if nothing is found.
    """
    wanted = {spelling: path for path in paths for spelling in _spellings(path)}
    done = runner.run(
        Command(
            ("apt-file", "search", "--fixed-string", "--from-file", "-"),
            stdin="".join(f"{path}\n" for path in wanted).encode(),
            timeout_s=_TIMEOUT_S,
        )
    )
    if done.returncode not in {0, 1}:
        reporter.detail(f"apt-file could not look up {', '.join(map(str, paths))}: {done.outcome()}")
        return
    for line in done.text.splitlines():
        package, _, path = line.partition(": ")
        if path in wanted:
            yield wanted[path], package


def newest_in_index(name: str, context: TargetContext) -> str:
    """Return the highest version of a package in apt's index that venvpkg did not build; empty if there is none.

    apt parses its whole index in every call if it cannot keep the result: an ordinary user cannot write to its place,
    and container images disable it. So apt gets a directory of ours. apt itself notices a newer index, and replaces the
    file atomically.

    Source:
        apt-cache(8); apt.conf(5), Dir::Cache.
    """
    parsed = context.cache / "apt" / context.target.name
    kept = ("--option", f"Dir::Cache::pkgcache={parsed / 'pkgcache.bin'}", "--option", "Dir::Cache::srcpkgcache=")
    with _locked_index(parsed) as binds:
        done = context.runner.run(
            Command(("apt-cache", *kept, "madison", "--", name), binds=binds, timeout_s=_TIMEOUT_S)
        )
    highest = ""
    for line in done.text.splitlines() if done.ok else ():
        package, version, *_ = (*map(str.strip, line.split("|")), "", "")
        ours = f"~{context.target.release.suffix}" in version
        if package == name and not ours and (not highest or is_higher(version, highest)):
            highest = version
    return highest


@contextlib.contextmanager
def _locked_index(parsed: Path) -> Iterator[tuple[Bind, ...]]:
    """Lock the directory of apt's parsed index, and yield it as a bind; none if that fails, which apt does not need.

    Only one process uses it at a time. So temporary files that are left belong to an apt that was killed or had no
    space.
    """
    with contextlib.ExitStack() as stack:
        try:
            parsed.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked_directory(parsed))
        except OSError:
            yield ()
            return
        yield (Bind.in_place(parsed),)
        for unfinished in parsed.glob("pkgcache.bin.*"):
            with contextlib.suppress(OSError):
                unfinished.unlink()
