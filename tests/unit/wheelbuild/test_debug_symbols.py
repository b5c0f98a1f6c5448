"""Debug information is taken out of what was compiled, named by build-id and kept as an archive."""

from __future__ import annotations

import struct
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unit.samples import debian_12
from unit.wheelbuild.makers import quiet_sandbox, sandbox_answering
from venvpkg.errors import MachineError, MissingToolError, WheelError
from venvpkg.host.command import Command, Completed
from venvpkg.linking.object_file import build_id, has_section, is_sound
from venvpkg.model.target import Release
from venvpkg.wheelbuild.debug_symbols import extract_debug, separate_debug, write_debug

if TYPE_CHECKING:
    from venvpkg.sources.build_sandbox import BuildSandbox

ID = bytes(range(20))


def elf(*, note: bytes = ID, section: bytes = b".debug_info", kind: int = 3, order: str = "<") -> bytes:
    """Return a 64-bit ELF file with one note segment and two sections (gABI)."""
    names = b"\0" + section + b"\0.shstrtab\0"
    notes = struct.pack(f"{order}III", 4, len(note), 3) + b"GNU\0" + note
    notes_at = 64 + 56
    names_at = notes_at + len(notes)
    table_at = names_at + len(names)
    ident = b"\x7fELF\x02" + (b"\x01" if order == "<" else b"\x02") + b"\x01" + bytes(9)
    header = ident + struct.pack(f"{order}HHIQQQIHHHHHH", kind, 62, 1, 0, 64, table_at, 0, 64, 56, 1, 64, 3, 2)
    segment = struct.pack(f"{order}IIQQQQQQ", 4, 4, notes_at, 0, 0, len(notes), len(notes), 4)
    sections = bytes(64)
    for at, size, start in ((1, 0, 0), (len(section) + 2, len(names), names_at)):
        sections += struct.pack(f"{order}IIQQQQIIQQ", at, 1, 0, 0, start, size, 0, 0, 1, 0)
    return header + segment + notes + names + sections


def room_in(directory: Path, said: str = "", *, makes: bytes | None = b"symbols") -> BuildSandbox:
    """Return a room whose objcopy writes ``makes``, or nothing, and says something."""

    def answer(command: Command) -> Completed:
        (directory / "log").write_text((directory / "log").read_text() + said)
        for name in command.argv[4:]:
            if makes is not None:
                (directory / "room" / f"{name}.debug").write_bytes(makes)
        return Completed(0)

    return sandbox_answering(directory, ("/bin/sh", "-euc"), answer)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_build_id_and_sections_are_found_in_either_byte_order(order: str) -> None:
    content = elf(order=order)

    assert (build_id(content), has_section(content, b".debug_info")) == (ID.hex(), True)
    assert not has_section(content, b".debug_line")


@pytest.mark.parametrize("size", range(0, 320, 3))
def test_a_file_that_is_cut_off_anywhere_has_neither(size: int) -> None:
    content = elf()[:size]

    assert build_id(content) in {"", ID.hex()}
    assert not has_section(content, b".debug_info") or size >= len(elf()) - 64


@pytest.mark.parametrize("field", [32, 40])
def test_a_file_whose_tables_are_said_to_lie_beyond_all_addresses_has_neither(field: int) -> None:
    content = bytearray(elf())
    content[field : field + 8] = b"\xff" * 8  # e_phoff, e_shoff

    found = (is_sound(bytes(content)), has_section(bytes(content), b".debug_info"))

    assert found == (field == 40, False)


def test_debug_information_is_named_by_the_build_id(tmp_path: Path) -> None:
    assert separate_debug({"demo/x.so": elf()}, room_in(tmp_path), debian_12()) == {ID.hex(): b"symbols"}


@pytest.mark.parametrize(
    "content", [elf(section=b".text"), elf(note=b"\1"), elf(kind=1), b"no ELF file at all"],
    ids=["stripped before", "without build-id", "an object file", "a script"],
)  # fmt: skip
def test_what_has_none_starts_nothing(tmp_path: Path, content: bytes) -> None:
    sandbox = quiet_sandbox(tmp_path)

    assert separate_debug({"demo/x.so": content}, sandbox, debian_12()) == {}


def test_a_file_that_objcopy_does_not_know_is_left_out(tmp_path: Path) -> None:
    sandbox = room_in(tmp_path, "x: file format not recognized\n", makes=None)

    assert separate_debug({"demo/x.so": elf()}, sandbox, debian_12()) == {}


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("/bin/sh: 2: /usr/bin/objcopy: not found\n", MissingToolError),
        ("/usr/bin/objcopy: debug/00.debug: No space left on device\n", MachineError),
    ],
)
def test_what_keeps_objcopy_from_working_is_told(tmp_path: Path, said: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        separate_debug({"demo/x.so": elf()}, room_in(tmp_path, said, makes=None), debian_12())


def test_what_is_missing_is_installed_by_the_targets_own_tools(tmp_path: Path) -> None:
    fedora = replace(debian_12(), family="rpm", release=Release("fedora", "43", ""), root=Path("/srv/fedora"))

    with pytest.raises(MissingToolError, match="Run: chroot /srv/fedora dnf install .* binutils"):
        separate_debug({"demo/x.so": elf()}, room_in(tmp_path, "objcopy: not found\n", makes=None), fedora)


def test_an_archive_gives_back_what_went_in_and_is_the_same_each_time(tmp_path: Path) -> None:
    files = {"ff" * 20: b"2", ID.hex(): b"1"}
    first, again = (
        write_debug(dict(order), tmp_path / name)
        for order, name in ((files.items(), "first.whl"), (reversed(files.items()), "again.whl"))
    )
    assert first is not None
    assert again is not None

    found = extract_debug(again, tmp_path / "out")

    assert {name: path.read_bytes() for name, path in found.items()} == files
    assert first.read_bytes() == again.read_bytes()


def test_nothing_is_written_where_there_is_nothing(tmp_path: Path) -> None:
    assert write_debug({}, tmp_path / "demo.whl") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("member", ["../x.debug", "/etc/passwd", "00/zz.debug", "00/11.debug/../../x"])
def test_an_archive_that_somebody_else_made_writes_nothing_elsewhere(tmp_path: Path, member: str) -> None:
    archive = tmp_path / "demo.debug.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(member, b"x")

    with pytest.raises(WheelError, match="member"):
        extract_debug(archive, tmp_path / "out")

    assert not (tmp_path / "out").exists()
