"""Bounded access to the bytes of an ELF file, by offset or virtual address."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator


# Strings may overlap, so that a small file can contain very many very long ones. So each kind has a limit: PATH_MAX for
# file names, a few hundred directories, the longest mangled names that C++ compilers are known to write.
MOST_FILE_NAME_BYTES = 1 << 12
MOST_SEARCH_PATH_BYTES = 1 << 16
MOST_SYMBOL_BYTES = 1 << 18


class Damaged(Exception):  # noqa: N818 (it is a finding, which linking/read.py turns into an ElfError)
    """The file violates the ELF format."""


@dataclass(frozen=True, slots=True)
class View:
    """Bounded access to the content of a file.

    Attributes:
        content: the file.
        order: ``<`` or ``>``, as in struct.
        bits: 32 or 64.
        loads: p_vaddr, p_offset, p_filesz of each PT_LOAD.
    """

    content: mmap.mmap | bytes
    order: str
    bits: int
    loads: tuple[tuple[int, int, int], ...]

    @property
    def wide(self) -> bool:
        """Whether addresses have 64 bits."""
        return self.bits == 64  # noqa: PLR2004

    def offset_of(self, address: int, what: str) -> int:
        """Return the file offset of a virtual address.

        Raises:
            Damaged: no loaded segment contains it, or the segment is outside the file.
        """
        for start, offset, size in self.loads:
            if start <= address < start + size:
                found = address - start + offset
                if found >= len(self.content):
                    break
                return found
        raise Damaged(f"{what} points outside the file")

    def unpack(self, layout: str, offset: int) -> tuple[Any, ...]:
        """Return the values of one struct.

        Raises:
            Damaged: it is outside the file.
        """
        try:
            return struct.unpack_from(self.order + layout, self.content, offset)
        except struct.error as error:
            raise Damaged("a table reaches beyond the file") from error

    def unpack_all(self, layout: str, offset: int, count: int, what: str) -> Iterator[tuple[Any, ...]]:
        """Yield ``count`` structs that follow each other."""
        one = struct.Struct(self.order + layout)
        yield from one.iter_unpack(self.bytes_at(offset, count * one.size, what=what))

    def bytes_at(self, offset: int, size: int, *, most: int | None = None, what: str = "a segment") -> bytes:
        """Return ``size`` bytes.

        Raises:
            Damaged: they are partly outside the file, or more than ``most``.
        """
        if offset + size > len(self.content) or (most is not None and size > most):
            raise Damaged(f"{what} reaches beyond the file")
        return self.content[offset : offset + size]

    def string_at(self, offset: int, what: str, most: int = MOST_SYMBOL_BYTES) -> bytes:
        """Return the bytes up to the next NUL, ``most`` bytes at most.

        Raises:
            Damaged: there is no NUL within that distance.
        """
        end = self.content.find(b"\0", offset, offset + most)
        if end < 0:
            raise Damaged(f"{what}: a name does not end")
        return self.content[offset:end]

    def name_at(self, offset: int, what: str, most: int = MOST_FILE_NAME_BYTES) -> str:
        """Return a file name or path; it is used in messages and searches, so control characters are refused."""
        return self.printable(self.string_at(offset, what, most), what)

    @staticmethod
    def printable(name: bytes, what: str) -> str:
        """Return a name decoded like a file name.

        Raises:
            Damaged: it has control characters.
        """
        if any(byte < 0x20 or byte == 0x7F for byte in name):  # noqa: PLR2004 (ASCII control characters)
            raise Damaged(f"{what}: control characters in {name[:80]!r}")
        return name.decode("utf-8", "surrogateescape")
