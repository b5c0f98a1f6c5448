"""What a package says of the software that it brings along: ``bundled(…)``. Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from venvpkg.backends.rpm.versions import to_rpm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.model.package import PackageSpec

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~^]*")
_BUNDLED_IN: Final = "venvpkg:bundled-in"


def bundled_provides(spec: PackageSpec) -> Iterator[str]:
    """Yield ``bundled(python3dist(lxml)) = 6.0.2`` for each vendored distribution, ``bundled(libxml2) = 2.14`` for C.

    Such a name can be required by nobody by accident, and tells who has to update what.

    Source:
        Fedora Packaging Guidelines, "Bundling and Duplication of system libraries", and "Python", for the names.
    """
    application = canonicalize_name(spec.staged.application.name)
    for each in spec.staged.distributions:
        if each.name != application:
            yield f"bundled(python3dist({each.name})) = {_spelled(each.version)}"
    yield from dict.fromkeys(_libraries(spec.sbom))


def _libraries(sbom: bytes) -> Iterator[str]:
    """Yield the libraries of the bill of materials, which is our own, but whose names come from publishers."""
    components = json.loads(sbom).get("components", []) if sbom else []
    for each in components:
        is_bundled = any(known.get("name") == _BUNDLED_IN for known in each.get("properties", []))
        name, version = str(each.get("name", "")), str(each.get("version", ""))
        if is_bundled and _NAME.fullmatch(name):
            # A version of a package (1.1.1k-15.el8_6): what is after the hyphen is its packager's.
            upstream = version.partition("-")[0].rpartition(":")[2]
            yield f"bundled({name}) = {upstream}" if _VERSION.fullmatch(upstream) else f"bundled({name})"


def _spelled(version: str) -> str:
    try:
        return to_rpm(str(Version(version))).rpartition(":")[2]
    except InvalidVersion:
        return re.sub(r"[^A-Za-z0-9._+~^]", "_", version) or "0"
