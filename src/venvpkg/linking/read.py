"""Read the facts of one ELF file: everything that the loader uses.

All of it is reached through the program headers. Section headers may be stripped; they are only used to see whether
there is a symbol table.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from venvpkg.errors import ElfError
from venvpkg.host.oserrors import is_environment_error
from venvpkg.linking.headers import DAMAGE, Headers
from venvpkg.linking.symbols import SymbolTables, exported_symbols, undefined_symbols
from venvpkg.linking.view import MOST_SEARCH_PATH_BYTES, Damaged, View
from venvpkg.model.elf import Abi, ElfObject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path, PurePosixPath


# Far above any real file: the largest need a few hundred libraries.
MOST_NEEDED = 1 << 12
MOST_SEARCH_DIRECTORIES = 1 << 10

SHT_SYMTAB = 2


def read_object(file: Path, path: PurePosixPath) -> ElfObject:
    """Return the facts of one ELF file.

    Args:
        file: path on this machine.
        path: path of the same file on the target, for messages.

    Raises:
        ElfError: it is not an ELF file, is damaged, or could not be read.

    Source:
        System V gABI, chapters 4 and 5; LSB 5.0 Core Generic 10.7 (symbol versioning).
    """
    with _elf_errors(path), _mmap_file(file) as content:
        return _read_elf(content, path)


def read_exports(file: Path, path: PurePosixPath) -> frozenset[str]:
    """Return the symbols that a file exports, as ``exported_symbols`` does.

    Args:
        file: path on this machine.
        path: path of the same file on the target, for messages.

    Raises:
        ElfError: it is not an ELF file, is damaged, or could not be read.
    """
    with _elf_errors(path), _mmap_file(file) as content:
        headers = Headers(content)
        dynamic = _dynamic_segment(headers)
        entries = {} if dynamic is None else headers.dynamic_entries(dynamic)
        if "DT_STRTAB" not in entries:
            return frozenset()
        view = headers.view()
        tables = _symbol_tables(view.offset_of(entries["DT_STRTAB"][-1], "DT_STRTAB"), entries, copies=False)
        return exported_symbols(view, tables, headers.abi.machine)


def read_abi(file: Path) -> Abi | None:
    """Return the ABI of a regular file by its first bytes; None when it is not an ELF file or could not be read.

    It does not use pyelftools, because the search for libraries calls it very often.
    """
    try:
        with file.open("rb", buffering=0) as opened:
            return Abi.of_header(opened.read(64))
    except OSError:
        return None


@contextlib.contextmanager
def _elf_errors(path: PurePosixPath) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if is_environment_error(error):
            raise
        raise ElfError([f"{path}: cannot be read: {error.strerror}"]) from error
    except DAMAGE as error:
        raise ElfError([f"{path}: {str(error) or type(error).__name__}"]) from error


@contextlib.contextmanager
def _mmap_file(file: Path) -> Iterator[mmap.mmap]:
    with file.open("rb") as opened:
        if os.fstat(opened.fileno()).st_size < 52:  # noqa: PLR2004 (the smaller of the two ELF headers; mmap refuses 0)
            raise Damaged("shorter than an ELF header")
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            yield content


def _read_elf(content: mmap.mmap, path: PurePosixPath) -> ElfObject:
    headers = Headers(content)
    has_symbol_table = any(kind == SHT_SYMTAB for _, kind in headers.sections())
    facts = ElfObject(path, headers.abi, headers.kind, has_symbol_table=has_symbol_table)
    view = headers.view()
    for each in headers.segments:
        if each.p_type == "PT_INTERP":
            interpreter = view.bytes_at(each.p_offset, each.p_filesz, most=4096).split(b"\0")[0]
            facts = replace(facts, interpreter=View.printable(interpreter, "PT_INTERP"))
    dynamic = _dynamic_segment(headers)
    return facts if dynamic is None else _read_dynamic(facts, view, headers.dynamic_entries(dynamic))


def _dynamic_segment(headers: Headers) -> Any:  # noqa: ANN401 - one of ``Headers.segments``
    """Return the dynamic segment, if any. A separate debug file keeps its header, without the segment."""
    return next((each for each in headers.segments if each.p_type == "PT_DYNAMIC" and each.p_filesz), None)


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
    tables = _symbol_tables(table, entries, copies=facts.interpreter is not None)
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


def _symbol_tables(strings: int, entries: Mapping[str | int, list[int]], *, copies: bool) -> SymbolTables:
    """Return the locations of the symbol tables.

    Args:
        strings: offset of the string table.
        entries: entries of the dynamic segment.
        copies: whether there may be copy relocations. Only executables use them: other objects go through their global
            offset table.
    """

    def value(tag: str) -> int | None:
        return entries[tag][-1] if tag in entries else None

    return SymbolTables(
        strings=strings,
        symbols=value("DT_SYMTAB"),
        hash=value("DT_HASH"),
        gnu_hash=value("DT_GNU_HASH"),
        versions=value("DT_VERSYM"),
        version_needs=value("DT_VERNEED"),
        version_needs_count=value("DT_VERNEEDNUM") or 0,
        version_definitions=value("DT_VERDEF"),
        version_definitions_count=value("DT_VERDEFNUM") or 0,
        relocations=tuple(
            (entries[tag][-1], entries[size][-1], with_addend)
            for tag, size, with_addend in (("DT_RELA", "DT_RELASZ", True), ("DT_REL", "DT_RELSZ", False))
            if copies and tag in entries and size in entries
        ),
    )
