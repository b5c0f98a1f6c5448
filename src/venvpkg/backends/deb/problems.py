"""What of a project Debian would not accept, known before anything is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.backends.deb.relations import parse_relation
from venvpkg.config.keys import PACKAGE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.model.project import Project, Settings


def problems(project: Project) -> Iterator[str]:
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
