"""The maintainer scripts of a binary package: only where the project declares one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.model.target import Family
from venvpkg.templates import render

if TYPE_CHECKING:
    from venvpkg.model.package import PackageSpec


def maintainer_scripts(spec: PackageSpec) -> tuple[tuple[str, bytes], ...]:
    """Return name and content of each; none when nothing asks for one.

    Source:
        Debian Policy 6.1: fail on errors, so ``set -e``; 6.5 for what each is called with.
    """
    return tuple(
        (
            name,
            render(
                Family.DEB,
                "maintainer-script.j2",
                {"name": name, "package": spec.name, "snippet": snippet.rstrip("\n")},
                spec.inclusions.templates,
            ).encode(),
        )
        for name, snippet in spec.inclusions.scripts
    )
