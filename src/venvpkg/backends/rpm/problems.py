"""What of a project rpm would not accept, known before anything is built."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from venvpkg.backends.rpm.relations import is_single, is_versioned_at_most_exactly, spelled_relation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.model.project import Project, Settings

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_REVISION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~^]*")
_LARGEST_EPOCH: Final = 2**32 - 1


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
