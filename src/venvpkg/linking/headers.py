"""The tables of an ELF file: its header, segments, sections and dynamic entries, as they are written.

Every offset and count comes from a stranger: each is checked against the size of the file, and each table has a limit,
so that a damaged file is told as such, quickly and in little memory.
"""

from __future__ import annotations

import io
import struct
from typing import IO, TYPE_CHECKING, Any, cast

from elftools.common.exceptions import ELFError as ForeignElfError  # noqa: TID251
from elftools.common.utils import struct_parse  # noqa: TID251
from elftools.elf.elffile import ELFFile  # noqa: TID251

from venvpkg.linking.view import Damaged, View
from venvpkg.model.elf import Abi, ElfKind

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator


# Far above anything real: a linker writes about a dozen segments, and a dynamic entry for each library.
MOST_SEGMENTS = 1 << 10
MOST_DYNAMIC_ENTRIES = 1 << 14

# What this module raises, and what pyelftools and struct do with bytes that make no sense.
DAMAGE = (Damaged, ForeignElfError, struct.error, ArithmeticError, LookupError, ValueError, TypeError)

_KINDS = {"ET_REL": ElfKind.RELOCATABLE, "ET_EXEC": ElfKind.EXECUTABLE, "ET_DYN": ElfKind.SHARED}


class Headers:
    """The tables of one file.

    Args:
        content: of the file.

    Attributes:
        content: the file.
        abi: what it can be loaded together with.
        kind: e_type.
        segments: the program headers, by pyelftools' names.

    Raises:
        Damaged: it is no ELF file, or its program headers are not in it. pyelftools may raise what is in ``DAMAGE``.
    """

    def __init__(self, content: mmap.mmap | bytes) -> None:
        abi = Abi.of_header(content[:64])
        if abi is None:
            raise Damaged("no ELF header")
        stream = io.BytesIO(content) if isinstance(content, bytes) else cast("IO[bytes]", content)
        self._elf = ELFFile(stream)
        self.content = content
        self.abi = abi
        self.kind = _KINDS.get(str(self._elf.header.e_type), ElfKind.OTHER)
        self.segments = self._segments()

    @property
    def order(self) -> str:
        """The byte order, as in struct."""
        return "<" if self.abi.little_endian else ">"

    def view(self) -> View:
        """Return the file with the addresses that its segments are loaded at."""
        loads = tuple((each.p_vaddr, each.p_offset, each.p_filesz) for each in self.segments if is_load(each))
        return View(self.content, self.order, self.abi.bits, loads)

    def sections(self) -> Iterator[tuple[int, int]]:
        """Yield sh_name and sh_type of each section; none when the headers are damaged, which no loader minds."""
        start, count, size = self._elf.header.e_shoff, self._elf.header.e_shnum, self._elf.header.e_shentsize
        if size < self._elf.structs.Elf_Shdr.sizeof() or start + count * size > len(self.content):
            return
        words = struct.Struct(f"{self.order}II")  # they come first, and are words, in files of either class
        for each in range(count):
            yield words.unpack_from(self.content, start + each * size)

    def section_names(self) -> bytes:
        """Return the section with the names of the others.

        Raises:
            Damaged: it is not in the file.
        """
        header = self._elf.header
        start = header.e_shoff + header.e_shstrndx * header.e_shentsize
        if start + self._elf.structs.Elf_Shdr.sizeof() > len(self.content):
            raise Damaged("section headers outside the file")
        names = struct_parse(self._elf.structs.Elf_Shdr, self._elf.stream, start)
        return self.content[names.sh_offset : names.sh_offset + names.sh_size]

    def dynamic_entries(self, segment: Any) -> dict[str | int, list[int]]:  # noqa: ANN401 - one of ``segments``
        """Return d_tag → its values in order, up to DT_NULL or the end of the segment.

        Raises:
            Damaged: they are not in the file, or absurdly many.
        """
        size = self._elf.structs.Elf_Dyn.sizeof()
        start, count = segment.p_offset, segment.p_filesz // size
        if start + count * size > len(self.content):
            raise Damaged("dynamic segment outside the file")
        entries: dict[str | int, list[int]] = {}
        for each in range(min(count, MOST_DYNAMIC_ENTRIES)):
            entry = struct_parse(self._elf.structs.Elf_Dyn, self._elf.stream, start + each * size)
            if entry.d_tag == "DT_NULL":
                return entries
            entries.setdefault(entry.d_tag, []).append(entry.d_val)
        if count > MOST_DYNAMIC_ENTRIES:
            raise Damaged("absurdly many dynamic entries")
        return entries

    def _segments(self) -> list[Any]:
        """Return the program headers; not by ``iter_segments``, which goes through all sections for the dynamic one."""
        elf = self._elf
        start, count, size = elf.header.e_phoff, elf.header.e_phnum, elf.header.e_phentsize
        if not count:
            return []
        outside = size < elf.structs.Elf_Phdr.sizeof() or start + count * size > len(self.content)
        if count > MOST_SEGMENTS or outside:
            raise Damaged("program headers outside the file")
        return [struct_parse(elf.structs.Elf_Phdr, elf.stream, start + each * size) for each in range(count)]


def is_load(segment: Any) -> bool:  # noqa: ANN401 - one of ``Headers.segments``
    """Return whether a segment is one that the loader maps."""
    return bool(segment.p_type == "PT_LOAD")
