"""Take debug information and local symbols out of what was compiled here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.errors import MissingToolError
from venvpkg.host.refusals import refusal_told
from venvpkg.wheelhouse.object_file import ET_DYN, ET_EXEC, elf_type, is_sound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvpkg.wheelhouse.room import Room

_MOST_SAID_BYTES = 1 << 20
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
    chosen = [name for name, content in files.items() if elf_type(content) in {ET_EXEC, ET_DYN}]
    if not chosen:
        return result
    directory = room.fresh("strip")
    for index, name in enumerate(chosen):
        (directory / str(index)).write_bytes(files[name])
    said_before = room.log.stat().st_size if room.log.is_file() else 0
    done = room.run((*_STRIP, *(f"strip/{index}" for index in range(len(chosen)))))
    if done.not_found:
        raise MissingToolError(["the program /usr/bin/strip, for compiling wheels"], install=["binutils"])
    refusal = None if done.ok else refusal_told(said_since(room.log, said_before))
    if refusal is not None:  # an unstripped wheel, kept under the key of a stripped one
        raise refusal
    for index, name in enumerate(chosen):
        content = (directory / str(index)).read_bytes()
        if is_sound(content):
            result[name] = content
    return result


def said_since(log: Path, position: int) -> str:
    """Return what programs wrote to a log since it had ``position`` bytes; the beginning of it."""
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(position)
        return file.read(_MOST_SAID_BYTES).decode("utf-8", "replace")
