"""What a vendor wheel is made of: which packages of the release own the libraries that it is linked against."""

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

    The versions in it are no input of their own to the wheelhouse key: a library's package has that of the package
    with its headers (Debian Policy 8.4), which the key has.

    Attributes:
        target: what the wheels are compiled for.
        runner: asks the target's package database.
    """

    target: Target
    runner: Runner

    def __call__(self, name: str, version: str, source: RemoteFile | SourceTree, tree: Path, /) -> bytes:
        """Return the bill of materials of the wheel whose ELF files are in ``tree``.

        A library that no package ships is left out; whoever makes a package of the wheel is told.

        Raises:
            ElfError: an ELF file is damaged.
            PackageDatabaseError, MissingToolError: the target's package database cannot be asked.
        """
        return bill_of_wheel(WheelContents(name, version, source, self._linked(tree), self.target))

    def _linked(self, tree: Path) -> tuple[tuple[NativePackage, tuple[str, ...]], ...]:
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
            # A copy in /usr/local, which no package ships, is this machine's affair; the one behind it the release's.
            package = next((packages[place] for place in resolved_need.paths if place in packages), None)
            if package is not None:
                found.setdefault(package, set()).add(resolved_need.need.soname)
        return tuple((package, tuple(sorted(sonames))) for package, sonames in sorted(found.items()))
