"""Write bills of materials of vendor wheels, with the packages that own the libraries they are linked with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvpkg.families.registry import FAMILIES
from venvpkg.linking.loader import resolve_needs
from venvpkg.linking.tree import read_tree
from venvpkg.model.elf import Found
from venvpkg.sbom.cyclonedx import WheelContents, bill_of_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.host.command import Runner
    from venvpkg.model.depends import NativePackage
    from venvpkg.model.lock import RemoteFile
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import SourceTree


@dataclass(frozen=True, slots=True)
class WheelSbomWriter:
    """Writes the bills of materials of wheels.

    The versions in them are not separate inputs of the wheelhouse key: a library's package has the version of the
    package with its headers (Debian Policy 8.4), which is in the key.

    Attributes:
        target: the target of the wheels.
        runner: queries the target's package database.
    """

    target: Target
    runner: Runner

    def __call__(self, name: str, version: str, source: RemoteFile | SourceTree, tree: Path, /) -> bytes:
        """Return the bill of materials of a wheel with its ELF files in ``tree``.

        A library that no package ships is left out here; it is reported when the wheel is packaged.

        Raises:
            ElfError: an ELF file is damaged.
            PackageDatabaseError, MissingToolError: the target's package database cannot be queried.
        """
        return bill_of_wheel(WheelContents(name, version, source, self._find_linked_packages(tree), self.target))

    def _find_linked_packages(self, tree: Path) -> tuple[tuple[NativePackage, tuple[str, ...]], ...]:
        needs = [
            each
            for each in resolve_needs(read_tree(tree, self.target), tree, self.target).needs
            if each.found is Found.TARGET
        ]
        places = sorted({place for each in needs for place in each.paths})
        packages = (
            FAMILIES[self.target.family].format.packages_shipping(places, self.target, self.runner) if places else {}
        )
        found: dict[NativePackage, set[str]] = {}
        for resolved_need in needs:
            # A copy in /usr/local, which no package ships, only concerns this machine; the release has the next one.
            package = next((packages[place] for place in resolved_need.paths if place in packages), None)
            if package is not None:
                found.setdefault(package, set()).add(resolved_need.need.soname)
        return tuple((package, tuple(sorted(sonames))) for package, sonames in sorted(found.items()))
