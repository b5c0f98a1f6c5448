"""Read an object's imports (undefined symbols, copy relocations, symbol versions) and its exports.

The tables are located by dynamic tags and unpacked in bulk. pyelftools cannot read versions without section headers,
and its symbol objects take 30 times as long: 4 to 7 s for the 328 objects of a scientific application, against 0.2 s.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvpkg.linking.view import Damaged
from venvpkg.model.elf import Symbol, SymbolVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvpkg.linking.view import View


# libtorch, libclang and libxul have a few hundred thousand dynamic symbols, with some ten million bytes of names.
MOST_SYMBOLS = 1 << 22
MOST_VERSIONS = 1 << 14
MOST_BYTES_OF_NAMES = 1 << 26

UNVERSIONED = "Base"
_HIDDEN = 0x7FFF  # VERSYM_VERSION: the top bit says that a version is not the default one
_FIRST_VERSION = 2  # 0 is local, 1 has no version
_VER_FLG_BASE = 1
# st_info and st_other. Source: gABI, Symbol Table.
_STB_LOCAL, _STB_WEAK = 0, 2
_VISIBILITY, _STV_DEFAULT, _STV_PROTECTED = 3, 0, 3

# e_machine → R_*_COPY. Source: the psABI of each processor, chapter Relocation.
COPY_RELOCATIONS = {
    2: 19,  # SPARC
    3: 5,  # i386
    8: 126,  # MIPS
    20: 19,  # PowerPC
    21: 19,  # PowerPC64
    22: 9,  # S/390
    40: 20,  # ARM
    43: 19,  # SPARC V9
    62: 5,  # x86-64
    183: 1024,  # AArch64
    243: 4,  # RISC-V
    258: 4,  # LoongArch
}

# On S/390 and Alpha, words of the System V hash table have 64 bits: their psABIs deviate from the gABI.
WIDE_HASHES = frozenset({22, 0x9026})


@dataclass(frozen=True, slots=True)
class SymbolTables:
    """Locations of the dynamic tables.

    Attributes:
        strings: file offset of the string table.
        symbols: address of the symbol table; None when there is none.
        hash: address of the System V hash table.
        gnu_hash: address of the GNU hash table.
        versions: address of the version index of each symbol.
        version_needs: address of the needed versions.
        version_needs_count: number of libraries that the needed versions are grouped by.
        version_definitions: address of the versions that it defines.
        version_definitions_count: number of those.
        relocations: of each table its address, its size in bytes, and whether entries have an addend.
    """

    strings: int
    symbols: int | None
    hash: int | None
    gnu_hash: int | None
    versions: int | None
    version_needs: int | None
    version_needs_count: int
    version_definitions: int | None
    version_definitions_count: int
    relocations: tuple[tuple[int, int, bool], ...]


def undefined_symbols(
    view: View, tables: SymbolTables, machine: int
) -> tuple[tuple[SymbolVersion, ...], tuple[Symbol, ...]]:
    """Return the symbol versions that an object requires, and its undefined symbols; each once, in file order."""
    needs = _version_needs(view, tables)
    required = tuple(dict.fromkeys(version for _, version in needs))
    if tables.symbols is None:
        return required, ()
    versions = dict(needs)
    count = _symbol_count(view, tables, machine)
    copied = _copied_symbols(view, tables.relocations, COPY_RELOCATIONS.get(machine), count)
    found: dict[Symbol, None] = {}
    names = _Names(view, tables.strings)
    for number, name, info, _, section, index in _named_symbols(view, tables, count):
        if section and number not in copied:
            continue
        version = versions.get(index & _HIDDEN)
        weak = info >> 4 == _STB_WEAK
        found[Symbol(names.at(name), version.version if version else UNVERSIONED, weak)] = None
    return required, tuple(found)


def exported_symbols(view: View, tables: SymbolTables, machine: int) -> frozenset[str]:
    """Return the symbols to which the loader can bind those of other objects.

    Returns:
        ``name@version`` for each version of a symbol; ``name@`` for a symbol without a version, which also satisfies
        references to any version; ``name`` for each symbol that satisfies a reference without a version.

    Source:
        glibc's ``elf/dl-lookup.c``, ``check_match``.
    """
    if tables.symbols is None:
        return frozenset()
    versions = _defined_versions(view, tables)
    found: set[str] = set()
    names = _Names(view, tables.strings)
    for _, at, info, other, section, index in _named_symbols(view, tables, _symbol_count(view, tables, machine)):
        if not section or info >> 4 == _STB_LOCAL or other & _VISIBILITY not in {_STV_DEFAULT, _STV_PROTECTED}:
            continue
        name, version = names.at(at), index & _HIDDEN
        found.add(f"{name}@{versions.get(version, '')}")
        if version <= _FIRST_VERSION or version == index:
            found.add(name)
    return frozenset(found)


class _Names:
    """Names of symbols, each read once; their total length is limited."""

    def __init__(self, view: View, strings: int) -> None:
        self._view = view
        self._strings = strings
        self._known: dict[int, str] = {}
        self._remaining = MOST_BYTES_OF_NAMES

    def at(self, offset: int) -> str:
        """Return the name at an offset of the string table."""
        if offset not in self._known:
            name = self._view.string_at(self._strings + offset, "symbol table")
            self._remaining -= len(name)
            if self._remaining < 0:
                raise Damaged("absurdly long symbol names")
            self._known[offset] = name.decode("utf-8", "surrogateescape")
        return self._known[offset]


def _named_symbols(view: View, tables: SymbolTables, count: int) -> Iterator[tuple[int, int, int, int, int, int]]:
    """Yield number, st_name, st_info, st_other, st_shndx and the version's index of each symbol with a name."""
    if tables.symbols is None:
        return
    indices: Iterable[int] = itertools.repeat(1)
    if tables.versions is not None:
        offset = view.offset_of(tables.versions, "DT_VERSYM")
        indices = (index for (index,) in view.unpack_all("H", offset, count, "DT_VERSYM"))
    offset = view.offset_of(tables.symbols, "DT_SYMTAB")
    layout, info = ("IBBHQQ", 1) if view.wide else ("IIIBBH", 3)
    for number, (entry, index) in enumerate(
        zip(view.unpack_all(layout, offset, count, "DT_SYMTAB"), indices, strict=False)
    ):
        if entry[0]:
            yield number, entry[0], entry[info], entry[info + 1], entry[info + 2], index


def _version_needs(view: View, tables: SymbolTables) -> list[tuple[int, SymbolVersion]]:
    """Return the needed versions with their indices.

    Offsets in both chains are unsigned, so that neither chain can loop.
    """
    if tables.version_needs is None:
        return []
    offset = view.offset_of(tables.version_needs, "DT_VERNEED")
    found: list[tuple[int, SymbolVersion]] = []
    remaining = MOST_VERSIONS
    for _ in range(min(tables.version_needs_count, MOST_VERSIONS)):
        _, count, file, aux, following = view.unpack("HHIII", offset)
        soname = view.name_at(tables.strings + file, "DT_VERNEED")
        at = offset + aux
        for _ in range(count):
            remaining -= 1
            if remaining < 0:
                raise Damaged("absurdly many symbol versions")
            _, _, index, name, after = view.unpack("IHHII", at)
            version = SymbolVersion(soname, view.name_at(tables.strings + name, "DT_VERNEED"))
            found.append((index & _HIDDEN, version))
            at += after
            if not after:
                break
        offset += following
        if not following:
            break
    return found


def _defined_versions(view: View, tables: SymbolTables) -> dict[int, str]:
    """Return index → version for the versions that the object defines; the first one is the object's name.

    Source:
        LSB 5.0 Core Generic 10.7.3 (Version Definitions).
    """
    if tables.version_definitions is None:
        return {}
    offset = view.offset_of(tables.version_definitions, "DT_VERDEF")
    found: dict[int, str] = {}
    for _ in range(min(tables.version_definitions_count, MOST_VERSIONS)):
        _, flags, index, _, _, aux, following = view.unpack("HHHHIII", offset)
        if not flags & _VER_FLG_BASE:
            (name,) = view.unpack("I", offset + aux)
            found[index & _HIDDEN] = view.name_at(tables.strings + name, "DT_VERDEF")
        offset += following
        if not following:
            break
    return found


def _symbol_count(view: View, tables: SymbolTables, machine: int) -> int:
    """Return the number of dynamic symbols. No tag has it; it follows from the hash tables.

    Source:
        System V gABI, Hash Table; for DT_GNU_HASH, the comments of binutils' and glibc's readers as described by
        "GNU Hash ELF Sections" (A. Roenky, 2017).
    """
    if tables.hash is not None:
        word = "Q" if view.wide and machine in WIDE_HASHES else "I"
        _, count = view.unpack(word * 2, view.offset_of(tables.hash, "DT_HASH"))
    elif tables.gnu_hash is not None:
        count = _gnu_symbol_count(view, view.offset_of(tables.gnu_hash, "DT_GNU_HASH"))
    else:
        count = 0
    if count > MOST_SYMBOLS:
        raise Damaged("absurdly many symbols")
    return int(count)


def _gnu_symbol_count(view: View, offset: int) -> int:
    """Return the number after the last symbol of the last chain. A chain ends at a value with its lowest bit set."""
    buckets, first_hashed, bloom_words, _ = view.unpack("IIII", offset)
    if buckets > MOST_SYMBOLS:
        raise Damaged("absurdly many hash buckets")
    table = offset + 16 + bloom_words * (8 if view.wide else 4)
    last = max((start for (start,) in view.unpack_all("I", table, buckets, "DT_GNU_HASH")), default=0)
    if last < first_hashed:
        return int(first_hashed)
    chains = table + 4 * buckets
    for number in range(last, min(last, MOST_SYMBOLS) + MOST_SYMBOLS):
        (value,) = view.unpack("I", chains + 4 * (number - first_hashed))
        if value & 1:
            return number + 1
    raise Damaged("absurdly many symbols")


def _copied_symbols(
    view: View, relocations: tuple[tuple[int, int, bool], ...], kind: int | None, count: int
) -> frozenset[int]:
    """Return the numbers of the symbols that the loader copies into the object.

    The object defines them, but still needs the library's version of each (Debian bug 1000421).
    """
    found: set[int] = set()
    for address, size, with_addend in relocations:
        layout = ("QQq" if with_addend else "QQ") if view.wide else ("IIi" if with_addend else "II")
        one = (24 if with_addend else 16) if view.wide else (12 if with_addend else 8)
        if kind is None or size < one:
            continue
        shift = 32 if view.wide else 8
        for entry in view.unpack_all(layout, view.offset_of(address, "DT_RELA"), size // one, "DT_RELA"):
            if entry[1] & ((1 << shift) - 1) == kind:
                found.add(entry[1] >> shift)
    return frozenset(number for number in found if number < count)
