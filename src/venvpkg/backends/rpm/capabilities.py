"""The capabilities that an ELF file requires, as rpm's own generator names them. Pure.

Source:
    rpm's ``elfdeps`` generator (tools/elfdeps.c, fileattrs/elf.attr): what it prints for ``--requires``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from venvpkg.model.elf import Found

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping
    from pathlib import PurePosixPath

    from venvpkg.model.elf import Abi, Edge, ElfObject

GNU_HASH: Final = "rtld(GNU_HASH)"

# What the generator takes for the name of a library; a plug-in under another name has no capability.
_BEGINNINGS: Final = ("lib", "ld.", "ld-", "ld64.", "ld64-")
_BITS_64: Final = 64
# EM_ALPHA has 64 bits only, and no mark that says so.
_ALPHA: Final = 0x9026


def is_library(soname: str) -> bool:
    """Whether packages provide a capability for a file of that soname."""
    return ".so" in soname and soname.startswith(_BEGINNINGS)


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
    """Return every capability of one object, sorted, unique; whoever provides them."""
    sonames = {*facts.needed, *(each.soname for each in facts.symbol_versions)}
    return tuple(sorted(set(_required(facts, sonames))))


def required_of_system(objects: Iterable[ElfObject], edges: Iterable[Edge]) -> Mapping[str, tuple[ElfObject, ...]]:
    """Return the capabilities that the payload does not meet itself, sorted, and the objects that require each.

    Args:
        objects: of the payload.
        edges: where the loader finds what they need; a library that is neither in the payload nor on the target may
            still be in a repository.
    """
    outside: dict[PurePosixPath, set[str]] = {}
    for edge in edges:
        if edge.found in {Found.SYSTEM, Found.MISSING}:
            outside.setdefault(edge.need.needed_by, set()).add(edge.need.soname)
    found: dict[str, list[ElfObject]] = {}
    for facts in objects:
        for name in dict.fromkeys(_required(facts, outside.get(facts.path, ()))):
            found.setdefault(name, []).append(facts)
    return {name: tuple(found[name]) for name in sorted(found)}


def _required(facts: ElfObject, sonames: Container[str]) -> Iterator[str]:
    """Yield the capabilities of some libraries, and of the loader."""
    for soname in facts.needed:
        if soname in sonames and is_library(soname):
            yield capability(soname, "", facts.abi)
    for each in facts.symbol_versions:
        if each.soname in sonames and is_library(each.soname):
            yield capability(each.soname, each.version, facts.abi)
    if facts.needs_gnu_hash:
        yield GNU_HASH
