"""What of a project Debian would not accept, known before anything is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from venvpkg.backends.deb.relations import parse_relation
from venvpkg.backends.declared_relations import Grammar, relation_problems
from venvpkg.config.keys import PACKAGE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.model.project import Project

_GRAMMAR: Final = Grammar(
    parse_relation,
    is_single=lambda relation: len(relation) == 1,
    is_exact=lambda relation: relation[0].operator in {"", "="},
    relation="'postgresql-client (>= 13) | pgcli'",
    single="guestbook-legacy (<< 2)",
    provided="guestbook-api (= 2)",
    library="libfoo1 (>= 2)",
)


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
    yield from relation_problems(project.settings, _GRAMMAR)
