"""Map ELF files to the capabilities that they require, like rpm's own generator, and to the providing packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from venvpkg.depends.derive import Clause, Library
from venvpkg.families.rpm.relations import MINVER, fewest
from venvpkg.families.rpm.versions import is_higher, without_release
from venvpkg.model.depends import Source
from venvpkg.model.elf import Found

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from pathlib import PurePosixPath

    from venvpkg.depends.derive import Claim
    from venvpkg.families.rpm.owners import Owners
    from venvpkg.model.depends import Dependency, NativePackage
    from venvpkg.model.elf import Abi, ElfObject, ResolvedNeed


GNU_HASH: Final = "rtld(GNU_HASH)"

# The generator recognises libraries by these; a plug-in with another name has no capability.
_LIBRARY_PREFIXES: Final = ("lib", "ld.", "ld-", "ld64.", "ld64-")
_BITS_64: Final = 64
# On Alpha (EM_ALPHA), which is always 64-bit, capabilities have no mark.
_ALPHA: Final = 0x9026


def is_library(soname: str) -> bool:
    """Whether packages provide a capability for a file with that soname."""
    return ".so" in soname and soname.startswith(_LIBRARY_PREFIXES)


def capability(soname: str, version: str, abi: Abi) -> str:
    """Return ``libpq.so.5()(64bit)``, ``libc.so.6(GLIBC_2.34)(64bit)``; ``libc.so.6`` for 32 bits without a version.

    Args:
        soname: as in DT_NEEDED.
        version: symbol version; empty for the library as a whole.
        abi: of the object that requires it.
    """
    mark = "(64bit)" if abi.bits == _BITS_64 and abi.machine != _ALPHA else ""
    return f"{soname}({version}){mark}" if version or mark else soname


def required_by(facts: ElfObject) -> tuple[str, ...]:
    """Return every capability that one object requires, even from the payload; sorted, unique."""
    sonames = {*facts.needed, *(each.soname for each in facts.symbol_versions)}
    return tuple(sorted(set(_required_capabilities(facts, sonames))))


def required_of_system(
    objects: Iterable[ElfObject], needs: Iterable[ResolvedNeed]
) -> Mapping[str, tuple[ElfObject, ...]]:
    """Return the capabilities that the payload does not meet itself, sorted, and the objects that require each.

    Args:
        objects: of the payload.
        needs: where the loader finds what they need; a library that is neither in the payload nor on the target may
            still be in a repository.
    """
    outside: dict[PurePosixPath, set[str]] = {}
    for resolved_need in needs:
        if resolved_need.found in {Found.TARGET, Found.MISSING}:
            outside.setdefault(resolved_need.need.needed_by, set()).add(resolved_need.need.soname)
    found: dict[str, list[ElfObject]] = {}
    for facts in objects:
        for name in dict.fromkeys(_required_capabilities(facts, outside.get(facts.path, ()))):
            found.setdefault(name, []).append(facts)
    return {name: tuple(found[name]) for name in sorted(found)}


def _required_capabilities(facts: ElfObject, sonames: Container[str]) -> Iterator[str]:
    """Yield the capabilities of some libraries, and of the loader."""
    for soname in facts.needed:
        if soname in sonames and is_library(soname):
            yield capability(soname, "", facts.abi)
    for each in facts.symbol_versions:
        if each.soname in sonames and is_library(each.soname):
            yield capability(each.soname, each.version, facts.abi)
    if facts.needs_gnu_hash:
        yield GNU_HASH


class RpmLibraries:
    """The OwnerIndex of a target with rpm.

    Args:
        abi: of the objects that need libraries.
        required: capabilities they require, each with its provider.
        owners: the provides of installed packages.
        isa: the target's architecture mark, ``(x86-64)``, to require at least the installed version of packages with
            libraries without symbol versions, whose capability does not depend on their version; None not to.
    """

    def __init__(
        self, abi: Abi | None, required: Mapping[str, NativePackage], owners: Owners, isa: str | None = None
    ) -> None:
        self._abi = abi
        self._providers = required
        self._owners = owners
        self._isa = isa
        self._versions: dict[str, dict[str, tuple[Clause, ...]]] = {}
        for name in required:
            soname, _, rest = name.partition("(")
            version = rest.partition(")")[0]
            self._versions.setdefault(soname, {})[version] = (Clause(name, None),)

    def library(self, soname: str, places: Sequence[PurePosixPath]) -> Library | None:
        """Return a library with its capabilities: one for itself, one for each of its symbol versions.

        A plug-in without a library's name has no capability, so it only causes a warning.
        """
        place = places[0] if places else None
        if not is_library(soname):
            warning = f"{soname} has no name that rpm knows as a library's: no capability stands for {place}"
            return Library(place, None, Source.CAPABILITY, (), {}, warning=warning) if place else None
        name = capability(soname, "", self._abi) if self._abi else soname
        owner = self._providers.get(name)
        if owner is None:
            return None
        base = [Clause(name, None)]
        if self._isa is not None and not self._owners.has_versions(soname):
            base.append(Clause(f"{owner.name}{self._isa} {MINVER}", without_release(owner.version)))
        versions = {version: clauses for version, clauses in self._versions[soname].items() if version}
        return Library(place, owner.name, Source.CAPABILITY, tuple(base), {}, versions=versions)

    def is_higher(self, version: str, than: str) -> bool:
        """Return whether a version is higher than another in rpm's order."""
        return is_higher(version, than)

    def dependencies(self, claims: Iterable[Claim]) -> tuple[Dependency, ...]:
        """Return the fewest relations that satisfy all claims."""
        return fewest(claims)
