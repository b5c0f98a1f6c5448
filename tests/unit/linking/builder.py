"""Small ELF files, made to measure: a header, one loaded segment, a dynamic segment and its tables."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ET_REL, ET_EXEC, ET_DYN = 1, 2, 3
EM_386, EM_ARM, EM_X86_64, EM_AARCH64, EM_S390 = 3, 40, 62, 183, 22

DT_NEEDED, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_RELA, DT_RELASZ = 1, 4, 5, 6, 7, 8
DT_SONAME, DT_RPATH, DT_REL, DT_RELSZ, DT_RUNPATH = 14, 15, 17, 18, 29
DT_VERSYM, DT_VERNEED, DT_VERNEEDNUM = 0x6FFFFFF0, 0x6FFFFFFE, 0x6FFFFFFF

BASE = 0x10000  # where the one segment is loaded: addresses differ from offsets


@dataclass(frozen=True)
class Take:
    """A symbol in the symbol table.

    ``version`` is ``SONAME/VERSION``, or empty; ``defined`` symbols are the object's own; ``copied`` ones are too, but
    have a copy relocation.
    """

    name: str
    version: str = ""
    weak: bool = False
    defined: bool = False
    copied: bool = False


@dataclass(frozen=True)
class Elf:
    """What the file shall say."""

    needed: tuple[str, ...] = ()
    soname: str | None = None
    rpath: str | None = None
    runpath: str | None = None
    symbols: tuple[Take, ...] = ()
    versions: tuple[str, ...] = ()  # further SONAME/VERSION that no symbol is bound to
    interpreter: str | None = None
    machine: int = EM_X86_64
    bits: int = 64
    order: str = "<"
    flags: int = 0
    kind: int = ET_DYN
    dynamic: bool = True

    def content(self) -> bytes:
        """Return the file."""
        return _Builder(self).build()

    def write(self, file: Path) -> Path:
        """Write it, with its parents, and return where."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(self.content())
        return file


class _Builder:
    def __init__(self, elf: Elf) -> None:
        self.elf = elf
        self.wide = elf.bits == 64
        self.body = bytearray()
        self.strings = bytearray(b"\0")
        self.headers = 1 + (elf.interpreter is not None) + elf.dynamic
        self.start = (64 + 56 * self.headers) if self.wide else (52 + 32 * self.headers)

    def pack(self, layout: str, *values: int) -> bytes:
        return struct.pack(self.elf.order + layout, *values)

    def add(self, content: bytes) -> int:
        """Append aligned content; return its offset."""
        self.body += b"\0" * (-len(self.body) % 8)
        self.body += content
        return self.start + len(self.body) - len(content)

    def string(self, text: str) -> int:
        self.strings += text.encode("utf-8", "surrogateescape") + b"\0"
        return len(self.strings) - len(text.encode("utf-8", "surrogateescape")) - 1

    def build(self) -> bytes:
        elf = self.elf
        segments: list[tuple[int, int, int]] = []
        if elf.interpreter is not None:
            segments.append((3, self.add(elf.interpreter.encode() + b"\0"), len(elf.interpreter) + 1))
        if elf.dynamic:
            entries = self.dynamic_entries()
            packed = b"".join(self.pack("qQ" if self.wide else "iI", *entry) for entry in entries)
            segments.append((2, self.add(packed), len(packed)))
        size = self.start + len(self.body)
        segments.insert(0, (1, 0, size))
        return self.header() + b"".join(self.program_header(*each) for each in segments) + bytes(self.body)

    def dynamic_entries(self) -> list[tuple[int, int]]:
        elf = self.elf
        entries = [(DT_NEEDED, self.string(each)) for each in elf.needed]
        for tag, text in ((DT_SONAME, elf.soname), (DT_RPATH, elf.rpath), (DT_RUNPATH, elf.runpath)):
            if text is not None:
                entries.append((tag, self.string(text)))
        entries += self.symbol_entries()
        return [*entries, (DT_STRTAB, BASE + self.add(bytes(self.strings))), (0, 0)]

    def symbol_entries(self) -> list[tuple[int, int]]:
        elf = self.elf
        if not elf.symbols and not elf.versions:
            return []
        needs = list(dict.fromkeys([each.version for each in elf.symbols if each.version] + list(elf.versions)))
        index = {need: number for number, need in enumerate(needs, 2)}
        symbols, versym, relocations = self.symbol(0, 0, 0), self.pack("H", 0), b""
        for number, each in enumerate(elf.symbols, 1):
            section = 7 if each.defined or each.copied else 0
            symbols += self.symbol(self.string(each.name), (2 if each.weak else 1) << 4, section)
            versym += self.pack("H", index[each.version] if each.version else 1)
            relocations += self.copy(number) if each.copied else b""
        entries = [
            (DT_SYMTAB, BASE + self.add(symbols)),
            (DT_HASH, BASE + self.add(self.hash(len(elf.symbols) + 1))),
            (DT_VERSYM, BASE + self.add(versym)),
        ]
        if needs:
            libraries = list(dict.fromkeys(need.rpartition("/")[0] for need in needs))
            entries += [(DT_VERNEED, BASE + self.add(self.verneed(libraries, index)))]
            entries += [(DT_VERNEEDNUM, len(libraries))]
        if relocations:
            tags = (DT_RELA, DT_RELASZ) if self.wide else (DT_REL, DT_RELSZ)
            entries += [(tags[0], BASE + self.add(relocations)), (tags[1], len(relocations))]
        return entries

    def hash(self, symbols: int) -> bytes:
        word = "Q" if self.wide and self.elf.machine == EM_S390 else "I"
        return self.pack(word * 3, 1, symbols, 0) + self.pack(word * symbols, *[0] * symbols)

    def symbol(self, name: int, info: int, section: int) -> bytes:
        if self.wide:
            return self.pack("IBBHQQ", name, info, 0, section, 0, 0)
        return self.pack("IIIBBH", name, 0, 0, info, 0, section)

    def copy(self, number: int) -> bytes:
        kind = {EM_X86_64: 5, EM_386: 5, EM_ARM: 20, EM_AARCH64: 1024, EM_S390: 9}[self.elf.machine]
        if self.wide:
            return self.pack("QQq", 0, number << 32 | kind, 0)
        return self.pack("II", 0, number << 8 | kind)

    def verneed(self, libraries: list[str], index: dict[str, int]) -> bytes:
        packed = b""
        for number, library in enumerate(libraries):
            own = [need for need in index if need.rpartition("/")[0] == library]
            last = number == len(libraries) - 1
            packed += self.pack("HHIII", 1, len(own), self.string(library), 16, 0 if last else 16 + 16 * len(own))
            for place, need in enumerate(own):
                name = self.string(need.rpartition("/")[2])
                packed += self.pack("IHHII", 0, 0, index[need], name, 0 if place == len(own) - 1 else 16)
        return packed

    def header(self) -> bytes:
        elf = self.elf
        ident = b"\x7fELF" + bytes([elf.bits // 32, 1 if elf.order == "<" else 2, 1]) + b"\0" * 9
        layout, size, one = ("HHIQQQIHHHHHH", 64, 56) if self.wide else ("HHIIIIIHHHHHH", 52, 32)
        return ident + self.pack(
            layout, elf.kind, elf.machine, 1, 0, size, 0, elf.flags, size, one, self.headers, 0, 0, 0
        )

    def program_header(self, kind: int, offset: int, size: int) -> bytes:
        if self.wide:
            return self.pack("IIQQQQQQ", kind, 4, offset, BASE + offset, BASE + offset, size, size, 8)
        return self.pack("IIIIIIII", kind, offset, BASE + offset, BASE + offset, size, size, 4, 8)
