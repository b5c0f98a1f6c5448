"""What the release has already: a package of the same name, another one with the same command or the same file."""

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
    """Warn when apt knows a package of this name that venvpkg did not make, and say what follows.

    Without an index, as in a minimal root before ``apt-get update``, nothing is known and nothing said.

    Args:
        name: of our package.
        context: whose index is asked; apt's parsed index is kept in its cache.
    """
    release, version = context.target.release, in_index(name, context)
    if version:
        context.reporter.warn(
            f"{release.id} {release.version} has a package {name} itself, {version}: where both are"
            " known, apt installs the one with the higher version, and a newer one from the release replaces ours."
            " Another name, or an epoch, in [tool.venvpkg] keeps them apart."
        )


def avoid_collisions(spec: PackageSpec, context: TargetContext) -> PackageSpec:
    """Return the spec with a Conflicts on each other package that ships a command or file of it, each with a warning.

    Two packages with the same path cannot be installed together, and dpkg finds that out halfway through unpacking.
    Those that the user has declared something of (conflicts, breaks, replaces, provides) are thought of already.

    Raises:
        PackageDatabaseError: the target's database cannot be read.
        MissingToolError: no dpkg-query.

    Source:
        Debian Policy 7.4, 10.1.
    """
    target, runner, reporter = context.target, context.runner, context.reporter
    # What else is outside the prefix is in directories that have the package's name.
    claimed = [*(link for link, _ in spec.links), *(each.target for each in spec.project_files.files)]
    if not claimed:
        return spec
    known = _declared(spec.relations) | {spec.name}
    shipped = _shipping(claimed, target, runner, reporter)
    others = {package: paths for package, paths in sorted(shipped.items()) if package not in known}
    for package, paths in others.items():
        reporter.warn(
            f"{package}, another package, ships {', '.join(sorted(map(str, paths)))} too: the two cannot be installed"
            f" together, so this one conflicts with it. Leave it out of commands or files in [tool.venvpkg], or declare"
            f" what {package} is to this package in conflicts, replaces or provides."
        )
    conflicts = (*spec.relations.conflicts, *others)
    return dataclasses.replace(spec, relations=dataclasses.replace(spec.relations, conflicts=conflicts))


def _declared(relations: Relations) -> set[str]:
    texts = (*relations.conflicts, *relations.breaks, *relations.replaces, *relations.provides)
    parsed = (parse_relation(text) for text in texts)
    return {each.name.partition(":")[0] for relation in parsed if relation for each in relation}


def _shipping(
    paths: Iterable[PurePosixPath], target: Target, runner: Runner, reporter: Reporter
) -> Mapping[str, set[PurePosixPath]]:
    """Return which packages ship any of ``paths``: installed ones, and those in apt-file's index."""
    found: dict[str, set[PurePosixPath]] = {}
    for path, package in (*_installed(tuple(paths), target, runner), *indexed(tuple(paths), runner, reporter)):
        found.setdefault(package.partition(":")[0], set()).add(path)
    return found


def _installed(paths: Sequence[PurePosixPath], target: Target, runner: Runner) -> Iterator[tuple[PurePosixPath, str]]:
    owners = read_owners(target, LayeredRoot(target.root), paths, [], runner)
    for path in paths:
        # Not Owners.of, which follows links: one of update-alternatives belongs to nobody, and is in nobody's way.
        for spelling in _spellings(path):
            yield from ((path, package) for package in owners.packages.get(spelling, ()))


def _spellings(path: PurePosixPath) -> tuple[str, ...]:
    """Return the names that packages may have for a path; dpkg takes those of merged /usr for two, and warns nobody."""
    return (str(path), str(path).removeprefix("/usr")) if path.is_relative_to("/usr") else (str(path),)


def indexed(paths: Sequence[PurePosixPath], runner: Runner, reporter: Reporter) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield what apt-file says; nothing where it is not installed (127) or has no index yet (3). 1 is nothing found."""
    wanted = {spelling: path for path in paths for spelling in _spellings(path)}
    done = runner.run(
        Command(
            ("apt-file", "search", "--fixed-string", "--from-file", "-"),
            stdin="".join(f"{path}\n" for path in wanted).encode(),
            timeout_s=_TIMEOUT_S,
        )
    )
    if done.returncode not in {0, 1}:
        reporter.detail(f"apt-file was not asked who else ships {', '.join(map(str, paths))}: {done.outcome()}")
        return
    for line in done.text.splitlines():
        package, _, path = line.partition(": ")
        if path in wanted:
            yield wanted[path], package


def in_index(name: str, context: TargetContext) -> str:
    """Return the highest version of a package in apt's index that is not one of ours; empty for none.

    apt parses its whole index again in every call when it may not keep the result: an ordinary user cannot write where
    it would lie, and container images switch it off. So it gets a place; apt itself sees when its index is newer, and
    replaces the file in one step.

    Source:
        apt-cache(8); apt.conf(5), Dir::Cache.
    """
    parsed = context.cache / "apt" / context.target.name
    kept = ("--option", f"Dir::Cache::pkgcache={parsed / 'pkgcache.bin'}", "--option", "Dir::Cache::srcpkgcache=")
    with _held(parsed) as shown:
        done = context.runner.run(
            Command(("apt-cache", *kept, "madison", "--", name), binds=shown, timeout_s=_TIMEOUT_S)
        )
    highest = ""
    for line in done.text.splitlines() if done.ok else ():
        package, version, *_ = (*map(str.strip, line.split("|")), "", "")
        ours = f"~{context.target.release.suffix}" in version
        if package == name and not ours and (not highest or is_higher(version, highest)):
            highest = version
    return highest


@contextlib.contextmanager
def _held(parsed: Path) -> Iterator[tuple[Bind, ...]]:
    """Yield the directory of apt's parsed index as something to show, or nothing: apt does without.

    One process at a time, so that what lies beside the index afterwards is of an apt that was killed or had no space.
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
