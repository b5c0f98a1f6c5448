"""How rpm names a target."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvpkg.errors import MissingToolError
from venvpkg.targets.rpm.macros import expanded
from venvpkg.targets.traits import Identity

if TYPE_CHECKING:
    from venvpkg.host.runner import Runner
    from venvpkg.model.target import Release

_ARCHITECTURE = re.compile(r"[a-z0-9_]+")
# It becomes part of a package's release, where rpm allows no hyphen.
_DIST = re.compile(r"(\.[A-Za-z0-9_+~^.]+)?")
_ISA = re.compile(r"(\([a-z0-9_-]+\))?")


def read_identity(release: Release, multiarch: str, runner: Runner) -> Identity:
    """Return the target's architecture, ``%dist`` and ``%_isa``; see ``Traits``.

    There are no multiarch directories, whatever the interpreter says: Fedora's was told at its build.

    openSUSE's rpm has no ``%dist``; there the mark is made of the release's own words. Without any, packages for two
    releases would have one name, and the one for the later release would not be the newer.

    Source:
        rpm's macros ``_target_cpu``, ``_isa`` and ``dist``; Fedora's Packaging Guidelines, DistTag.
    """
    del multiarch
    architecture, isa, dist = expanded(("%{_target_cpu}", "%{?_isa}", "%{?dist}"), runner)
    shapes = ((_ARCHITECTURE, architecture), (_ISA, isa), (_DIST, dist))
    if not all(shape.fullmatch(text) for shape, text in shapes):
        raise MissingToolError(
            [f"an rpm that names its architecture; this one says {(architecture, isa, dist)!r}"],
            resolution=f"Repair the macros of rpm on {release.id} {release.version}.",
        )
    own = "." + re.sub(r"[^a-z0-9.]", "", f"{release.id}{release.version}")
    return Identity(architecture, "", dist or own, isa)
