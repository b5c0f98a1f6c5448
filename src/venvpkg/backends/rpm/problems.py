"""Compose an rpm package's description, and say everything that rpm would not accept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from venvpkg.backends.describe import describe, problems_of
from venvpkg.backends.refusal import refuse, template_problems
from venvpkg.backends.rpm.relations import is_single, is_versioned_at_most_exactly, spelled_relation
from venvpkg.model.project import Inclusions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.model.depends import DependencySet
    from venvpkg.model.package import PackageSpec
    from venvpkg.model.project import Project, Settings
    from venvpkg.model.staged import StagedVenv

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_REVISION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~^]*")
_LARGEST_EPOCH: Final = 2**32 - 1


def check(project: Project, inclusions: Inclusions | None = None) -> None:
    """Refuse what rpm would not accept, as far as it is known before anything is built.

    Raises:
        ConfigurationError: with every problem.
    """
    refuse(project, (*_rpm_problems(project), *template_problems(inclusions)))


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
        ConfigurationError: the package cannot be described, or rpm refuses a value; every problem is given.
    """
    refuse(project, (*problems_of(project, staged), *_rpm_problems(project)))
    return describe(
        project,
        staged,
        dependencies,
        source_date_epoch,
        evidence=evidence,
        inclusions=inclusions or Inclusions(),
        sbom=sbom,
    )


def _rpm_problems(project: Project) -> Iterator[str]:
    """Yield what config/ does not check, because it is rpm's grammar or a name that nobody configured.

    Source:
        rpm's manual, "Spec file format" and "Boolean Dependencies".
    """
    settings = project.settings
    if not _NAME.fullmatch(project.package_name):
        yield f"name: {project.package_name!r} is no package name: letters, digits and . _ + - are"
    if not _REVISION.fullmatch(settings.revision):
        yield f"revision: {settings.revision!r} is no part of a Release: letters, digits and . _ + ~ ^ are"
    if settings.epoch > _LARGEST_EPOCH:
        yield f"epoch: {settings.epoch} is larger than rpm takes"
    yield from _relation_problems(settings)


def _relation_problems(settings: Settings) -> Iterator[str]:
    for key in ("depends", "recommends", "suggests"):
        for text in settings.declared_depends if key == "depends" else getattr(settings, key):
            if spelled_relation(text) is None:
                yield f"{key}: {text!r} is no relation such as 'postgresql >= 13' or '(postgresql or pgcli)'"
    for key in ("conflicts", "breaks", "replaces", "provides"):
        for text in getattr(settings, key):
            relation = spelled_relation(text)
            if relation is None or not is_single(relation):
                yield f"{key}: {text!r} is not one package such as 'guestbook-legacy < 2'"
            elif key == "provides" and not is_versioned_at_most_exactly(relation):
                yield f"{key}: {text!r} provides more than one version; 'guestbook-api = 2' would be one"
    for rule in settings.sonames:
        if rule.relation and spelled_relation(rule.relation) is None:
            yield f"sonames.\"{rule.soname}\": {rule.relation!r} is no relation such as 'libfoo >= 2'"
