"""Compose a Debian package's description, and say everything that Debian would not accept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.backends.deb.relations import parse_relation
from venvpkg.backends.describe import describe, problems_of
from venvpkg.backends.refusal import refuse, template_problems
from venvpkg.config.keys import PACKAGE_NAME
from venvpkg.model.project import Inclusions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.model.depends import DependencySet
    from venvpkg.model.package import PackageSpec
    from venvpkg.model.project import Project, Settings
    from venvpkg.model.staged import StagedVenv


def check(project: Project, inclusions: Inclusions | None = None) -> None:
    """Refuse what Debian would not accept, as far as it is known before anything is built.

    Raises:
        ConfigurationError: with every problem.
    """
    refuse(project, (*_debian_problems(project), *template_problems(inclusions)))


def compose(  # noqa: PLR0913 - a stage: everything that is known of the package
    project: Project,
    staged: StagedVenv,
    dependencies: DependencySet,
    source_date_epoch: int,
    *,
    evidence: bytes,
    inclusions: Inclusions | None = None,
    sbom: bytes = b"",
) -> PackageSpec:
    """Return the package's description.

    Args:
        project: what the user declared.
        staged: the payload.
        dependencies: what was derived for it.
        source_date_epoch: seconds since 1970 UTC.
        evidence: the record of the derivation, as it will be shipped.
        inclusions: what of the project's own files shapes the package.
        sbom: the bill of materials, as it will be shipped; empty for none.

    Raises:
        ConfigurationError: the package cannot be described, or Debian Policy refuses a value; every problem is given.
    """
    refuse(project, (*problems_of(project, staged), *_debian_problems(project)))
    return describe(
        project,
        staged,
        dependencies,
        source_date_epoch,
        evidence=evidence,
        inclusions=inclusions or Inclusions(),
        sbom=sbom,
    )


def _debian_problems(project: Project) -> Iterator[str]:
    """Yield what config/ does not check, because it is Debian's grammar or a name that nobody configured.

    Source:
        Debian Policy 5.6.1, 7.1, 7.5 (a version that is provided is an exact one).
    """
    if not PACKAGE_NAME.fullmatch(project.package_name):
        yield (
            f"name: {project.package_name!r} is no package name: lower-case letters, digits and + - . , two or more"
            " characters"
        )
    yield from _relation_problems(project.settings)


def _relation_problems(settings: Settings) -> Iterator[str]:
    for key in ("depends", "recommends", "suggests"):
        for relation in settings.declared_depends if key == "depends" else getattr(settings, key):
            if parse_relation(relation) is None:
                yield f"{key}: {relation!r} is no relation such as 'postgresql-client (>= 13) | pgcli'"
    for key in ("conflicts", "breaks", "replaces", "provides"):
        for relation in getattr(settings, key):
            parsed = parse_relation(relation)
            if parsed is None or len(parsed) > 1:
                yield f"{key}: {relation!r} is not one package such as 'guestbook-legacy (<< 2)'"
            elif key == "provides" and parsed[0].operator not in {"", "="}:
                yield f"{key}: {relation!r} provides more than one version; 'guestbook-api (= 2)' would be one"
    for rule in settings.sonames:
        if rule.relation and parse_relation(rule.relation) is None:
            yield f"sonames.\"{rule.soname}\": {rule.relation!r} is no relation such as 'libfoo1 (>= 2)'"
