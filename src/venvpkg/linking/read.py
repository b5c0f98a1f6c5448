"""One ELF file in, facts out. The only module that knows the format.

Everything the loader looks at is reached through the program headers; section headers may be stripped, and tell no more
than whether there is a symbol table. Every offset and count comes from a stranger: each is checked against the size of
the file, and each table has a limit, so that a damaged file is told as such, quickly and in little memory.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any, cast

from elftools.common.exceptions import ELFError as ForeignElfError  # noqa: TID251
from elftools.common.utils import struct_parse  # noqa: TID251
from elftools.elf.elffile import ELFFile  # noqa: TID251

from venvpkg.errors import ElfError
from venvpkg.linking.symbols import SymbolTables, undefined_symbols
from venvpkg.linking.view import MOST_SEARCH_PATH_BYTES, Damaged, View
from venvpkg.model.elf import Abi, ElfKind, ElfObject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path, PurePosixPath


MAGIC = b"\x7fELF"

# Far above anything real: the largest links have some hundred libraries, a linker writes about a dozen segments.
MOST_SEGMENTS = 1 << 10
MOST_DYNAMIC_ENTRIES = 1 << 14
MOST_NEEDED = 1 << 12
MOST_SEARCH_DIRECTORIES = 1 << 10

SHT_SYMTAB = 2

_KINDS = {"ET_REL": ElfKind.RELOCATABLE, "ET_EXEC": ElfKind.EXECUTABLE, "ET_DYN": ElfKind.SHARED}


def read_object(file: Path, path: PurePosixPath) -> ElfObject:
    """Return the facts of one ELF file.

    Args:
        file: on this machine.
        path: the same file on the target; what messages call it.

    Raises:
        ElfError: it is no ELF file, is damaged, or cannot be read.

    Source:
        System V gABI, chapters 4 and 5; LSB 5.0 Core Generic 10.7 (symbol versioning).
    """
    with _damage_told(path), _mapped(file) as content:
        return _read(content, path)


def read_abi(file: Path) -> Abi | None:
    """Return the ABI of a regular file by its first bytes; None when it is no ELF file or cannot be read.

    Without pyelftools: search asks very often.
    """
    try:
        with file.open("rb", buffering=0) as opened:
            return Abi.of_header(opened.read(64))
    except OSError:
        return None


@contextlib.contextmanager
def _damage_told(path: PurePosixPath) -> Iterator[None]:
    try:
        yield
    except Damaged as error:
        raise ElfError([f"{path}: {error}"]) from error
    except OSError as error:
        raise ElfError([f"{path}: cannot be read: {error.strerror}"]) from error
    except (ForeignElfError, struct.error, ArithmeticError, LookupError, ValueError, TypeError) as error:
        # What pyelftools and struct do with bytes that make no sense.
        raise ElfError([f"{path}: {str(error) or type(error).__name__}"]) from error


@contextlib.contextmanager
def _mapped(file: Path) -> Iterator[mmap.mmap]:
    with file.open("rb") as opened:
        if os.fstat(opened.fileno()).st_size < 52:  # noqa: PLR2004 (the smaller of the two ELF headers; mmap refuses 0)
            raise Damaged("shorter than an ELF header")
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            yield content


def _read(content: mmap.mmap, path: PurePosixPath) -> ElfObject:
    abi = Abi.of_header(content[:64])
    if abi is None:
        raise Damaged("no ELF header")
    elf = ELFFile(cast("IO[bytes]", content))
    kind = _KINDS.get(str(elf.header.e_type), ElfKind.OTHER)
    facts = ElfObject(path, abi, kind, has_symbol_table=_has_symbol_table(elf, content))
    segments = _segments(elf, content)
    view = View(
        content,
        "<" if abi.little_endian else ">",
        abi.bits,
        tuple((each.p_vaddr, each.p_offset, each.p_filesz) for each in segments if each.p_type == "PT_LOAD"),
    )
    for each in segments:
        if each.p_type == "PT_INTERP":
            interpreter = view.bytes_at(each.p_offset, each.p_filesz, most=4096).split(b"\0")[0]
            facts = replace(facts, interpreter=View.printable(interpreter, "PT_INTERP"))
    # A separate debug file keeps the header of the dynamic segment, without the segment.
    dynamic = next((each for each in segments if each.p_type == "PT_DYNAMIC" and each.p_filesz), None)
    return facts if dynamic is None else _read_dynamic(facts, view, _dynamic_entries(elf, content, dynamic))


def _segments(elf: ELFFile, content: mmap.mmap) -> list[Any]:
    """Return the program headers. Not by ``iter_segments``: it goes through all sections for the dynamic one."""
    start, count, size = elf.header.e_phoff, elf.header.e_phnum, elf.header.e_phentsize
    if not count:
        return []
    if count > MOST_SEGMENTS or size < elf.structs.Elf_Phdr.sizeof() or start + count * size > len(content):
        raise Damaged("program headers outside the file")
    return [struct_parse(elf.structs.Elf_Phdr, elf.stream, start + each * size) for each in range(count)]


def _has_symbol_table(elf: ELFFile, content: mmap.mmap) -> bool:
    """Return whether a section is SHT_SYMTAB. Headers that are damaged tell of none: the loader does not mind them."""
    start, count, size = elf.header.e_shoff, elf.header.e_shnum, elf.header.e_shentsize
    if size < elf.structs.Elf_Shdr.sizeof() or start + count * size > len(content):
        return False
    sh_type = struct.Struct("<I" if content[5] == 1 else ">I")  # behind sh_name, which is a word of either class
    return any(sh_type.unpack_from(content, start + each * size + 4)[0] == SHT_SYMTAB for each in range(count))


def _dynamic_entries(elf: ELFFile, content: mmap.mmap, segment: Any) -> dict[str | int, list[int]]:  # noqa: ANN401
    """Return d_tag → its values in order, up to DT_NULL or the end of the segment."""
    size = elf.structs.Elf_Dyn.sizeof()
    start, count = segment.p_offset, segment.p_filesz // size
    if start + count * size > len(content):
        raise Damaged("dynamic segment outside the file")
    entries: dict[str | int, list[int]] = {}
    for each in range(min(count, MOST_DYNAMIC_ENTRIES)):
        entry = struct_parse(elf.structs.Elf_Dyn, elf.stream, start + each * size)
        if entry.d_tag == "DT_NULL":
            return entries
        entries.setdefault(entry.d_tag, []).append(entry.d_val)
    if count > MOST_DYNAMIC_ENTRIES:
        raise Damaged("absurdly many dynamic entries")
    return entries


def _read_dynamic(facts: ElfObject, view: View, entries: dict[str | int, list[int]]) -> ElfObject:
    def value(tag: str) -> int | None:
        return entries[tag][-1] if tag in entries else None  # the loader takes the last one too

    strings = value("DT_STRTAB")
    if strings is None:
        if "DT_NEEDED" in entries:
            raise Damaged("DT_NEEDED without DT_STRTAB")
        return facts
    table = view.offset_of(strings, "DT_STRTAB")

    def directories(tag: str) -> tuple[str, ...]:
        offset = value(tag)
        if offset is None:
            return ()
        found = tuple(view.name_at(table + offset, tag, MOST_SEARCH_PATH_BYTES).split(":"))
        if len(found) > MOST_SEARCH_DIRECTORIES:
            raise Damaged(f"absurdly many directories in {tag}")
        return found

    if len(entries.get("DT_NEEDED", ())) > MOST_NEEDED:
        raise Damaged("absurdly many DT_NEEDED")
    runpath, soname = directories("DT_RUNPATH"), value("DT_SONAME")
    tables = SymbolTables(
        strings=table,
        symbols=value("DT_SYMTAB"),
        hash=value("DT_HASH"),
        gnu_hash=value("DT_GNU_HASH"),
        versions=value("DT_VERSYM"),
        version_needs=value("DT_VERNEED"),
        version_needs_count=value("DT_VERNEEDNUM") or 0,
        # Only what is linked at a fixed place takes copies: everything else goes through its global offset table.
        relocations=tuple(
            (entries[tag][-1], entries[size][-1], with_addend)
            for tag, size, with_addend in (("DT_RELA", "DT_RELASZ", True), ("DT_REL", "DT_RELSZ", False))
            if tag in entries and size in entries and facts.interpreter is not None
        ),
    )
    versions, undefined = undefined_symbols(view, tables, facts.abi.machine)
    return replace(
        facts,
        soname=None if soname is None else view.name_at(table + soname, "DT_SONAME"),
        needed=tuple(dict.fromkeys(view.name_at(table + each, "DT_NEEDED") for each in entries.get("DT_NEEDED", ()))),
        rpath=() if runpath else directories("DT_RPATH"),
        runpath=runpath,
        symbol_versions=versions,
        undefined=undefined,
        needs_gnu_hash=tables.gnu_hash is not None and tables.hash is None,
    )
