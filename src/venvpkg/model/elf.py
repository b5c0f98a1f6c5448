"""Facts about ELF files, and how the loader resolves their needs."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pathlib import PurePosixPath


# How every ELF file begins (gABI, e_ident).
ELF_MAGIC: Final = b"\x7fELF"
_ET_EXEC: Final = 2
# e_machine → the bits of e_flags that identify an ABI. On other machines the flags describe the instruction set or the
# float convention, and objects that work together may differ in them (Debian bugs 849913, 853793).
# Source: MIPS psABI and its n32 supplement, Power ELFv2 ABI 3.1, IA-64 psABI 4.1.1.6, LoongArch ELF psABI.
_ABI_FLAGS: Final = {8: 0xF020, 21: 0x3, 50: 0x10, 258: 0x7}


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """A DT_NEEDED entry with the object that has it."""

    soname: str
    needed_by: PurePosixPath


@dataclass(frozen=True, slots=True)
class Abi:
    """The properties that objects must share to be loaded into one process.

    Attributes:
        bits: 32 or 64; the only difference between x32 and x86-64.
        little_endian: byte order.
        machine: e_machine.
        flags: the bits of e_flags that identify an ABI of that machine; 0 on other machines.
    """

    bits: int
    little_endian: bool
    machine: int
    flags: int

    @classmethod
    def of_header(cls, header: bytes) -> Abi | None:
        """Return the ABI in the first 52 or more bytes of a file; None if they are not an ELF header."""
        if len(header) < 52 or header[:4] != ELF_MAGIC or header[4] not in {1, 2} or header[5] not in {1, 2}:  # noqa: PLR2004
            return None
        order = "<" if header[5] == 1 else ">"
        (machine,) = struct.unpack_from(order + "H", header, 18)
        (flags,) = struct.unpack_from(order + "I", header, 48 if header[4] == 2 else 36)  # noqa: PLR2004
        return cls(32 * header[4], order == "<", machine, flags & _ABI_FLAGS.get(machine, 0))

    def program_header(self) -> bytes:
        """Return how a program for it begins: the 64 bytes by which a kernel may know its emulator."""
        order = "<" if self.little_endian else ">"
        identity = struct.pack("4sBBB9x", ELF_MAGIC, self.bits // 32, 1 if self.little_endian else 2, 1)
        return (identity + struct.pack(f"{order}HHI", _ET_EXEC, self.machine, 1)).ljust(64, b"\0")


class ElfKind(StrEnum):
    """e_type."""

    RELOCATABLE = "relocatable"
    EXECUTABLE = "executable"
    SHARED = "shared"
    OTHER = "other"


class Symbol(NamedTuple):
    """A symbol that an object imports from another one. A NamedTuple: there are hundreds of thousands of them.

    Attributes:
        name: as the linker spells it (mangled).
        version: symbol version, ``GLIBC_2.34``; ``Base`` if unversioned, as in deb-symbols(5).
        weak: whether the object works without it.
    """

    name: str
    version: str
    weak: bool = False


class SymbolVersion(NamedTuple):
    """An entry of ``.gnu.version_r``: a symbol version and the library that must define it."""

    soname: str
    version: str


@dataclass(frozen=True, slots=True)
class ElfObject:
    """One ELF file.

    Attributes:
        path: its path on the target.
        abi: its ABI.
        kind: e_type.
        interpreter: program interpreter (PT_INTERP); None for a shared object.
        soname: DT_SONAME.
        needed: DT_NEEDED, in the loader's order; empty for static and relocatable files.
        rpath: DT_RPATH as written; empty if there is a DT_RUNPATH, which makes the loader ignore it.
        runpath: DT_RUNPATH as written.
        symbol_versions: versions it requires of its libraries, in file order, including those that no symbol is bound
            to (``GLIBC_ABI_DT_RELR``).
        undefined: symbols it imports, in file order, including those with a copy relocation.
        needs_gnu_hash: whether it has DT_GNU_HASH only; older loaders only know DT_HASH.
        has_symbol_table: whether it has the symbol table for linkers and debuggers, which strip(1) removes.
    """

    path: PurePosixPath
    abi: Abi
    kind: ElfKind
    interpreter: str | None = None
    soname: str | None = None
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    symbol_versions: tuple[SymbolVersion, ...] = ()
    undefined: tuple[Symbol, ...] = ()
    needs_gnu_hash: bool = False
    has_symbol_table: bool = False


@dataclass(frozen=True, slots=True)
class ElfReport:
    """Every ELF file of a payload.

    Attributes:
        objects: files that the target's interpreter can load or the target can run, sorted by path.
        foreign: files for another machine or C library, sorted by path; they cause no dependencies.
        unreadable: data files with the magic number of ELF that are not valid ELF files, sorted.
    """

    objects: tuple[ElfObject, ...]
    foreign: tuple[ElfObject, ...] = ()
    unreadable: tuple[PurePosixPath, ...] = ()


class Found(StrEnum):
    """Where the loader finds a needed library."""

    SELF = "self"
    TARGET = "target"
    PRELOAD = "preload"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class ResolvedNeed:
    """A need, resolved by the rules of the target's loader.

    Attributes:
        need: the DT_NEEDED entry.
        found: SELF: a payload file on the search path; TARGET: a file of the target; PRELOAD: a payload file on no
            search path, so that it must have been loaded before; MISSING.
        paths: paths of the library on the target: one for SELF, one or more for PRELOAD, all in search order for
            TARGET, none for MISSING.
    """

    need: Need
    found: Found
    paths: tuple[PurePosixPath, ...] = ()
