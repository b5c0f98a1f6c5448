"""What rpm packages say about the libraries they ship: the capabilities they provide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.backends.rpm.capabilities import capability, is_library
from venvpkg.backends.rpm.relations import MINVER, fewest
from venvpkg.backends.rpm.versions import is_higher, without_release
from venvpkg.depends.derive import Clause, Library
from venvpkg.model.depends import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import PurePosixPath

    from venvpkg.backends.rpm.owners import Owners
    from venvpkg.depends.derive import Claim
    from venvpkg.model.depends import Dependency, NativePackage
    from venvpkg.model.elf import Abi


class RpmLibraries:
    """The OwnerIndex of a target with rpm.

    Args:
        abi: of the objects that need libraries.
        required: the capabilities they require, each with the package that provides it.
        owners: what the installed packages provide.
        isa: the target's mark of its architecture, ``(x86-64)``, when the installed version of a package is to be the
            lowest one for a library of it that has no symbol versions, and whose capability therefore says nothing
            about its age; None when it is not.
    """

    def __init__(
        self, abi: Abi | None, required: Mapping[str, NativePackage], owners: Owners, isa: str | None = None
    ) -> None:
        self._abi = abi
        self._required = required
        self._owners = owners
        self._isa = isa
        self._versions: dict[str, dict[str, tuple[Clause, ...]]] = {}
        for name in required:
            soname, _, rest = name.partition("(")
            version = rest.partition(")")[0]
            self._versions.setdefault(soname, {})[version] = (Clause(name, None),)

    def library(self, soname: str, places: Sequence[PurePosixPath]) -> Library | None:
        """Return the capabilities of a library: one for itself, one for each of its symbol versions.

        A plug-in under a name that is no library's has no capability: nothing can be required for it but its package.
        """
        place = places[0] if places else None
        if not is_library(soname):
            warning = f"{soname} has no name that rpm knows as a library's: no capability stands for {place}"
            return Library(place, None, Source.CAPABILITY, (), {}, warning=warning) if place else None
        name = capability(soname, "", self._abi) if self._abi else soname
        owner = self._required.get(name)
        if owner is None:
            return None
        base = [Clause(name, None)]
        if self._isa is not None and not self._owners.has_versions(soname):
            base.append(Clause(f"{owner.name}{self._isa} {MINVER}", without_release(owner.version)))
        versions = {version: clauses for version, clauses in self._versions[soname].items() if version}
        return Library(place, owner.name, Source.CAPABILITY, tuple(base), {}, versions=versions)

    def is_higher(self, version: str, than: str) -> bool:
        """Compare as rpm does."""
        return is_higher(version, than)

    def dependencies(self, claims: Iterable[Claim]) -> tuple[Dependency, ...]:
        """Return the fewest relations that satisfy all claims."""
        return fewest(claims)
