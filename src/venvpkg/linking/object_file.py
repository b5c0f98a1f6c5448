"""What matters about an ELF file once it was compiled: what strip may do and has done, and its build-id. Pure.

Damage is no error here: such a file has no build-id and no sections, and is not sound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from venvpkg.linking.headers import DAMAGE, Headers, is_load
from venvpkg.model.elf import ELF_MAGIC, ElfKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.linking.view import View


_NT_GNU_BUILD_ID: Final = 3
_SHT_NULL: Final = 0
# ld's --build-id=sha1 gives 20 bytes, =md5 and =uuid 16; gdb and debuginfod name files after any length.
_BUILD_ID_BYTES: Final = range(2, 65)


def is_linked(content: bytes) -> bool:
    """Return whether it is an executable or a shared object, rather than an object file or no ELF file."""
    headers = _headers(content)
    return headers is not None and headers.kind in {ElfKind.EXECUTABLE, ElfKind.SHARED}


def is_sound(content: bytes) -> bool:
    """Return whether every loaded segment lies in the file, and where the loader can map it.

    Source:
        gABI, Program Header: p_vaddr and p_offset are congruent modulo p_align.
    """
    headers = _headers(content)
    return (
        headers is not None and bool(headers.segments) and all(_is_mappable(content, each) for each in headers.segments)
    )


def build_id(content: bytes) -> str:
    """Return the build-id in hexadecimal; empty where there is none.

    Source:
        gABI, Note Section; the linker's option --build-id, ld(1).
    """
    headers = _headers(content)
    if headers is None:
        return ""
    for segment in headers.segments:
        if segment.p_type == "PT_NOTE":
            for name, kind, value in _notes(headers.view(), segment):
                if (name, kind) == (b"GNU\0", _NT_GNU_BUILD_ID) and len(value) in _BUILD_ID_BYTES:
                    return value.hex()
    return ""


def has_section(content: bytes, name: bytes) -> bool:
    """Return whether there is a section of that name, by the section headers."""
    headers = _headers(content)
    if headers is None:
        return False
    try:
        names = headers.section_names()
    except DAMAGE:
        return False
    wanted = name + b"\0"
    return any(kind != _SHT_NULL and names.startswith(wanted, at) for at, kind in headers.sections())


def _headers(content: bytes) -> Headers | None:
    if not content.startswith(ELF_MAGIC):  # most files
        return None
    try:
        return Headers(content)
    except DAMAGE:
        return None


def _is_mappable(content: bytes, segment: Any) -> bool:  # noqa: ANN401 - pyelftools' own
    if not is_load(segment):
        return True
    is_inside = segment.p_offset + segment.p_filesz <= len(content)
    return is_inside and bool(segment.p_align <= 1 or (segment.p_vaddr - segment.p_offset) % segment.p_align == 0)


def _notes(view: View, segment: Any) -> Iterator[tuple[bytes, int, bytes]]:  # noqa: ANN401 - pyelftools' own
    """Yield name, type and value of each note of a segment; damage ends them."""
    align = 8 if segment.p_align == 8 else 4  # noqa: PLR2004 - the two that there are
    at, end = segment.p_offset, min(segment.p_offset + segment.p_filesz, len(view.content))
    while at + 12 <= end:
        name_size, value_size, kind = view.unpack("III", at)
        value_at = at + _aligned(12 + name_size, align)
        if value_at + value_size > end:
            return
        yield view.content[at + 12 : at + 12 + name_size], kind, view.content[value_at : value_at + value_size]
        at = value_at + _aligned(value_size, align)


def _aligned(size: int, align: int) -> int:
    return -(-size // align) * align
