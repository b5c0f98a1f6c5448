"""Find packages of the release that collide with ours: by the same name, or by the same command."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from venvpkg.families.rpm.files import is_owned
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
    from collections.abc import Iterable
    from pathlib import PurePosixPath

    from venvpkg.families.base import TargetContext
    from venvpkg.host.command import Runner
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

    The spec also gets the directories of its files that other packages own. If such a directory has another mode than
    0755, or is a link in the other package, rpm would refuse to install both.

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
    directories = _directories_of_others(spec, metadata, context.runner)
    return dataclasses.replace(
        spec,
        state=tuple(each for each in spec.state if each.path not in directories),
        relations=dataclasses.replace(spec.relations, conflicts=conflicts),
        directories_of_others=directories,
    )


def _directories_of_others(spec: PackageSpec, metadata: Runner, runner: Runner) -> frozenset[PurePosixPath]:
    """Return the directories of the project's files and state that other packages own.

    A directory that is not named after the package or its application belongs to another package, even if the target
    does not have that package yet: openssh-server may be installed later, and sets its own mode for
    ``/etc/ssh/sshd_config.d``. rpm creates such a directory if it is missing, and never removes it. Other directories,
    and those of state, are looked up. Packages in repositories that venvpkg built do not count: applications of one
    company may share a directory.
    """
    prefix, names = spec.staged.prefix, {spec.name, canonicalize_name(spec.staged.application.name)}
    claimed = {
        parent
        for each in spec.project_files.files
        for parent in each.target.parents
        if is_owned(parent) and parent not in prefix.parents and not parent.is_relative_to(prefix)
    }
    named = {each for each in claimed if any(_is_called_like(part, names) for part in each.parts)}
    asked = sorted(named | {each.path for each in spec.state if each.is_directory})
    is_worth_asking = may_be_shipped_in_repositories(asked, metadata)
    return frozenset(claimed - named) | {
        directory
        for directory in asked
        if {each.name for each in owners_of(directory, runner)} - {spec.name}
        or (
            is_worth_asking
            and any(
                name != spec.name and versions_of_others_in_repositories(name, metadata)
                for name in shippers_in_repositories(directory, metadata)
            )
        )
    }


def _is_called_like(part: str, names: Iterable[str]) -> bool:
    """Return whether a directory's name is one of ``names``, or begins with one: ``guestbook.service.d``."""
    found = canonicalize_name(part)
    return any(found == name or found.startswith(f"{name}-") for name in names)


def _declared(relations: Relations) -> set[str]:
    texts = (*relations.conflicts, *relations.breaks, *relations.replaces, *relations.provides)
    return {name_of(relation) for text in texts if (relation := spell_relation(text))}
