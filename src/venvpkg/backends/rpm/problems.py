"""What of a project rpm would not accept, known before anything is built."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from venvpkg.backends.declared_relations import Grammar, relation_problems
from venvpkg.backends.rpm.relations import is_single, is_versioned_at_most_exactly, spelled_relation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.model.project import Project

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_REVISION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~^]*")
_LARGEST_EPOCH: Final = 2**32 - 1
_GRAMMAR: Final = Grammar(
    spelled_relation,
    is_single,
    is_versioned_at_most_exactly,
    relation="'postgresql >= 13' or '(postgresql or pgcli)'",
    single="guestbook-legacy < 2",
    provided="guestbook-api = 2",
    library="libfoo >= 2",
)


def problems(project: Project) -> Iterator[str]:
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
    yield from relation_problems(settings, _GRAMMAR)
