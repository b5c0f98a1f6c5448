"""The few facts about an ELF file that matter once it was compiled: what strip may do, and its build-id. Pure."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from venvpkg.wheelbuild.check import ELF_MAGIC

if TYPE_CHECKING:
    from collections.abc import Iterator


ET_EXEC, ET_DYN = 2, 3
_PT_LOAD, _PT_NOTE = 1, 4
_NT_GNU_BUILD_ID = 3
_SHT_NULL = 0
# ld's --build-id=sha1 gives 20 bytes, =md5 and =uuid 16; gdb and debuginfod name files after any length.
_BUILD_ID_BYTES = range(2, 65)


class _Segment(NamedTuple):
    kind: int
    offset: int
    address: int
    size_in_file: int
    align: int


def elf_type(content: bytes) -> int | None:
    """Return e_type; None for what is no ELF file."""
    layout = _layout(content)
    return None if layout is None else int(struct.unpack_from(f"{layout[0]}H", content, 16)[0])


def is_sound(content: bytes) -> bool:
    """Whether every loaded segment lies in the file, and where the loader can map it.

    Source:
        gABI, Program Header: p_vaddr and p_offset are congruent modulo p_align.
    """
    try:
        segments = list(_segments(content))
    except struct.error:
        return False
    return bool(segments) and not any(
        each.kind == _PT_LOAD
        and (
            each.offset + each.size_in_file > len(content)
            or (each.align > 1 and (each.address - each.offset) % each.align != 0)
        )
        for each in segments
    )


def build_id(content: bytes) -> str:
    """Return the build-id in hexadecimal; empty where there is none.

    Source:
        gABI, Note Section; the linker's option --build-id, ld(1).
    """
    try:
        for segment in _segments(content):
            if segment.kind == _PT_NOTE:
                for name, kind, value in _notes(content, segment):
                    if (name, kind) == (b"GNU\0", _NT_GNU_BUILD_ID) and len(value) in _BUILD_ID_BYTES:
                        return value.hex()
    except struct.error:
        pass
    return ""


def has_section(content: bytes, name: bytes) -> bool:
    """Whether there is a section of that name, by the section headers."""
    layout = _layout(content)
    if layout is None:
        return False
    order, is_64 = layout
    try:
        table, size, count, names = struct.unpack_from(f"{order}{'40xQ10xHHH' if is_64 else '32xI10xHHH'}", content)
        header = f"{order}{'II16xQQ' if is_64 else 'II8xII'}"
        sections = [struct.unpack_from(header, content, table + number * size) for number in range(count)]
        _, _, start, length = sections[names]
    except (struct.error, IndexError):
        return False
    texts = content[start : start + length]
    wanted = name + b"\0"
    return any(kind != _SHT_NULL and texts.startswith(wanted, at) for at, kind, _, _ in sections)


def _layout(content: bytes) -> tuple[str, bool] | None:
    """Return struct's byte order and whether it is 64-bit; None for what is no ELF file (gABI, e_ident)."""
    if content[:4] != ELF_MAGIC or len(content) < 64 or content[4] not in (1, 2) or content[5] not in (1, 2):  # noqa: PLR2004
        return None
    return ("<" if content[5] == 1 else ">"), content[4] == 2  # noqa: PLR2004


def _segments(content: bytes) -> Iterator[_Segment]:
    """Yield the program headers.

    Raises:
        struct.error: they are not in the file.
    """
    layout = _layout(content)
    if layout is None:
        return
    order, is_64 = layout
    fields: tuple[int, ...] = struct.unpack_from(order + ("16xHHIQQQIHHH" if is_64 else "16xHHIIIIIHHH"), content)
    table, size, count = fields[4], fields[8], fields[9]
    for number in range(count):
        at = table + number * size
        if is_64:
            kind, _, offset, address, _, in_file, _, align = struct.unpack_from(f"{order}IIQQQQQQ", content, at)
        else:
            kind, offset, address, _, in_file, _, _, align = struct.unpack_from(f"{order}IIIIIIII", content, at)
        yield _Segment(kind, offset, address, in_file, align)


def _notes(content: bytes, segment: _Segment) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield name, type and value of each note of a segment; damage ends them."""
    order = "<" if content[5] == 1 else ">"
    align = 8 if segment.align == 8 else 4  # noqa: PLR2004 - the two that there are
    at, end = segment.offset, min(segment.offset + segment.size_in_file, len(content))
    while at + 12 <= end:
        name_size, value_size, kind = struct.unpack_from(f"{order}III", content, at)
        value_at = at + _aligned(12 + name_size, align)
        if value_at + value_size > end:
            return
        yield content[at + 12 : at + 12 + name_size], kind, content[value_at : value_at + value_size]
        at = value_at + _aligned(value_size, align)


def _aligned(size: int, align: int) -> int:
    return -(-size // align) * align
