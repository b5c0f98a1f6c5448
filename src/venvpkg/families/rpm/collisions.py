"""Find packages of the release that collide with ours: by the same name, or by the same command."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from venvpkg.families.rpm.owners import owners_of
from venvpkg.families.rpm.relations import name_of, spell_relation
from venvpkg.families.rpm.repositories import (
    CachedRepositoryQueries,
    may_be_shipped_in_repositories,
    shippers_in_repositories,
    versions_of_others_in_repositories,
)
from venvpkg.families.rpm.versions import version_key

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from venvpkg.families.base import TargetContext
    from venvpkg.model.package import PackageSpec, Relations


def warn_if_name_taken(name: str, context: TargetContext) -> None:
    """Warn when the repositories have a package of this name that venvpkg did not build.

    Without metadata, as in a new root before the first ``dnf makecache``, there is no warning.
    """
    release = context.target.release
    versions = versions_of_others_in_repositories(name, CachedRepositoryQueries(context))
    if versions:
        version = max(versions, key=version_key)
        context.reporter.warn(
            f"{release.id} {release.version} has its own package {name} {version}: if dnf knows both, it installs the"
            " one with the higher version, and a newer one from the release replaces ours."
            " Set another name, or an epoch, in [tool.venvpkg] to avoid that."
        )


def avoid_collisions(spec: PackageSpec, context: TargetContext) -> PackageSpec:
    """Return the spec with a Conflicts on each other package that ships one of its commands; warn about each.

    rpm refuses to install file conflicts, but only after everything was downloaded. Packages in the user's own
    relations are skipped.

    Raises:
        PackageDatabaseError: the target's package database cannot be read.
        MissingToolError: rpm is not installed.
    """
    metadata = CachedRepositoryQueries(context)
    known = _declared(spec.relations) | {spec.name}
    others: dict[str, set[PurePosixPath]] = {}
    links = [link for link, _ in spec.links]
    is_worth_asking = may_be_shipped_in_repositories(links, metadata)
    for link in links:
        installed = {each.name for each in owners_of(link, context.runner)}
        in_repositories = shippers_in_repositories(link, metadata) if is_worth_asking else ()
        for package in {*installed, *in_repositories} - known:
            others.setdefault(package, set()).add(link)
    for package, paths in sorted(others.items()):
        context.reporter.warn(
            f"the package {package} also ships {', '.join(sorted(map(str, paths)))}: the two cannot be installed"
            f" together, so this one conflicts with it. Leave the command out of commands in [tool.venvpkg], or declare"
            f" {package} in conflicts, replaces or provides."
        )
    conflicts = (*spec.relations.conflicts, *sorted(others))
    return dataclasses.replace(spec, relations=dataclasses.replace(spec.relations, conflicts=conflicts))


def _declared(relations: Relations) -> set[str]:
    texts = (*relations.conflicts, *relations.breaks, *relations.replaces, *relations.provides)
    return {name_of(relation) for text in texts if (relation := spell_relation(text))}
