"""Take debug information and local symbols out of what was compiled here."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from venvpkg.errors import MissingToolError
from venvpkg.host.refusals import refusal_told
from venvpkg.wheelhouse.check import ELF_MAGIC

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvpkg.wheelhouse.room import Room

_MOST_SAID_BYTES = 1 << 20
_ET_EXEC, _ET_DYN, _PT_LOAD = 2, 3, 1
# The sections that debhelper removes, beside those that --strip-unneeded means.
_STRIP = ("/usr/bin/strip", "--strip-unneeded", "--remove-section=.comment", "--remove-section=.note")


def stripped(files: Mapping[str, bytes], room: Room) -> dict[str, bytes]:
    """Return the ELF files as the target's strip leaves them.

    Executables and shared objects only: an object file loses what it is for. A file that strip does not know (another
    machine's) or spoils stays as it was; strip is known to misplace segments of files that patchelf enlarged.

    Args:
        files: name → content.
        room: where strip runs; cut off from the network like the compile itself.

    Raises:
        MissingToolError: no strip.
        MachineError: strip had no space.
    """
    result = dict(files)
    chosen = [name for name, content in files.items() if _elf_type(content) in {_ET_EXEC, _ET_DYN}]
    if not chosen:
        return result
    directory = room.fresh("strip")
    for index, name in enumerate(chosen):
        (directory / str(index)).write_bytes(files[name])
    said_before = room.log.stat().st_size if room.log.is_file() else 0
    done = room.run((*_STRIP, *(f"strip/{index}" for index in range(len(chosen)))))
    if done.not_found:
        raise MissingToolError(["the program /usr/bin/strip, for compiling wheels"], install=["binutils"])
    refusal = None if done.ok else refusal_told(_said_since(room.log, said_before))
    if refusal is not None:  # an unstripped wheel, kept under the key of a stripped one
        raise refusal
    for index, name in enumerate(chosen):
        content = (directory / str(index)).read_bytes()
        if _is_sound(content):
            result[name] = content
    return result


def _said_since(log: Path, position: int) -> str:
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(position)
        return file.read(_MOST_SAID_BYTES).decode("utf-8", "replace")


def _layout(content: bytes) -> tuple[str, bool] | None:
    """Return struct's byte order and whether it is 64-bit; None for what is no ELF file (gABI, e_ident)."""
    if content[:4] != ELF_MAGIC or len(content) < 64 or content[4] not in (1, 2) or content[5] not in (1, 2):  # noqa: PLR2004
        return None
    return ("<" if content[5] == 1 else ">"), content[4] == 2  # noqa: PLR2004


def _elf_type(content: bytes) -> int | None:
    layout = _layout(content)
    return None if layout is None else int(struct.unpack_from(f"{layout[0]}H", content, 16)[0])


def _is_sound(content: bytes) -> bool:
    """Whether every loaded segment lies in the file, and where the loader can map it.

    Source:
        gABI, Program Header: p_vaddr and p_offset are congruent modulo p_align.
    """
    layout = _layout(content)
    if layout is None:
        return False
    order, is_64 = layout
    values: tuple[int, ...]
    header, segment = ("16xHHIQQQIHHH", "IIQQQQQQ") if is_64 else ("16xHHIIIIIHHH", "IIIIIIII")
    fields: tuple[int, ...] = struct.unpack_from(order + header, content)
    table, size, count = fields[4], fields[8], fields[9]
    for number in range(count):
        at = table + number * size
        if at + struct.calcsize(order + segment) > len(content):
            return False
        values = struct.unpack_from(order + segment, content, at)
        offset, address, in_file, align = (
            (values[2], values[3], values[5], values[7]) if is_64 else (values[1], values[2], values[4], values[7])
        )
        if values[0] == _PT_LOAD and (
            offset + in_file > len(content) or (align > 1 and (address - offset) % align != 0)
        ):
            return False
    return count > 0
