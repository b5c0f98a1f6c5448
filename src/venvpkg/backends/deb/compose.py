"""Compose a Debian package's description, and say everything that Debian would not accept. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.backends.deb.relations import parse_relation
from venvpkg.backends.describe import describe, problems_of
from venvpkg.config.settings import PACKAGE_NAME
from venvpkg.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.model.depends import DependencySet
    from venvpkg.model.package import PackageSpec
    from venvpkg.model.project import Project
    from venvpkg.model.staged import StagedVenv


def check(project: Project) -> None:
    """Refuse what Debian would not accept, as far as it is known before anything is built.

    Raises:
        ConfigurationError: with every problem.
    """
    _refuse(project, tuple(_debian_problems(project)))


def compose(
    project: Project, staged: StagedVenv, dependencies: DependencySet, source_date_epoch: int, *, evidence: bytes
) -> PackageSpec:
    """Return the package's description.

    Args:
        project: what the user declared.
        staged: the payload.
        dependencies: what was derived for it.
        source_date_epoch: seconds since 1970 UTC.
        evidence: the record of the derivation, as it will be shipped.

    Raises:
        ConfigurationError: the package cannot be described, or Debian Policy refuses a value; every problem is given.
    """
    _refuse(project, (*problems_of(project, staged), *_debian_problems(project)))
    return describe(project, staged, dependencies, source_date_epoch, evidence=evidence)


def _refuse(project: Project, problems: tuple[str, ...]) -> None:
    if problems:
        source = project.directory / "pyproject.toml" if project.directory else project.requirement or project.name
        raise ConfigurationError(source, problems)


def _debian_problems(project: Project) -> Iterator[str]:
    """Yield what config/ does not check, because it is Debian's grammar or a name that nobody configured.

    Source:
        Debian Policy 5.6.1, 7.1.
    """
    if not PACKAGE_NAME.fullmatch(project.package_name):
        yield (
            f"name: {project.package_name!r} is no package name: lower-case letters, digits and + - . , two or more"
            " characters"
        )
    for relation in project.settings.depends:
        if parse_relation(relation) is None:
            yield f"depends: {relation!r} is no relation such as 'postgresql-client (>= 13) | pgcli'"
