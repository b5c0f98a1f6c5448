"""A payload's ELF files, sorted out by what the target can load."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from unit.fakes import RecordingReporter
from unit.linking.builder import EM_386, EM_AARCH64, Elf
from unit.places import Dirs
from venvpkg.errors import ElfError
from venvpkg.linking.tree import scan


@pytest.fixture
def places(tmp_path: Path) -> Dirs:
    return Dirs.below(tmp_path)


def test_elf_files_are_found_wherever_they_are_and_other_files_are_not(places: Dirs) -> None:
    places.payload("/opt/b/data.bin", Elf())
    places.payload("/opt/a.so", Elf())
    places.payload("/opt/b.so", Elf())
    (places.destdir / "opt/b/link.so").symlink_to("data.bin")
    (places.destdir / "opt/short").write_bytes(b"\x7fE")
    os.mkfifo(places.destdir / "opt/pipe")

    reporter = places.scan()

    assert [str(each.path) for each in reporter.objects] == ["/opt/a.so", "/opt/b.so", "/opt/b/data.bin"]


@pytest.mark.parametrize(
    "foreign",
    [
        Elf(machine=EM_AARCH64),
        Elf(machine=EM_386, bits=32),
        Elf(order=">"),
        Elf(needed=("libc.musl-x86_64.so.1",)),
        Elf(interpreter="/lib/ld-musl-x86_64.so.1"),
    ],
)
def test_what_the_target_cannot_load_is_kept_apart_and_told_by_name(places: Dirs, foreign: Elf) -> None:
    places.payload("/opt/foreign.node", foreign)
    places.payload("/opt/own.so", Elf(needed=("libc.so.6",)))
    reporter = RecordingReporter()

    result = scan(places.destdir, places.target(), reporter)

    assert [each.path for each in result.objects] == [PurePosixPath("/opt/own.so")]
    assert [each.path for each in result.foreign] == [PurePosixPath("/opt/foreign.node")]
    assert len(reporter.warnings) == 1
    assert "/opt/foreign.node" in reporter.warnings[0]


def test_data_that_only_begins_like_elf_is_a_warning(places: Dirs) -> None:
    places.payload("/opt/own.so", Elf(needed=("libc.so.6",)))
    (places.destdir / "opt/magic.dat").write_bytes(b"\x7fELF and nothing more" * 9)
    (places.destdir / "opt/short").write_bytes(b"\x7fELF")
    reporter = RecordingReporter()

    result = scan(places.destdir, places.target(), reporter)

    assert result.unreadable == (PurePosixPath("/opt/magic.dat"), PurePosixPath("/opt/short"))
    assert reporter.warnings == [
        "2 data files with the magic number of ELF that are not valid cause no dependency: /opt/magic.dat, /opt/short"
    ]


@pytest.mark.parametrize(("name", "mode"), [("x.so", 0o644), ("libx.so.1.2", 0o644), ("program", 0o755)])
def test_damage_counts_in_what_something_may_load(places: Dirs, name: str, mode: int) -> None:
    (places.destdir / name).write_bytes(b"\x7fELF" + b"\0" * 60)
    (places.destdir / name).chmod(mode)

    with pytest.raises(ElfError, match="1 ELF file is damaged"):
        places.scan()


def test_all_damaged_files_are_told_at_once(places: Dirs) -> None:
    for name in ("one.so", "two.so"):
        (places.destdir / name).write_bytes(b"\x7fELF" + b"\0" * 60)

    with pytest.raises(ElfError) as caught:
        places.scan()

    assert caught.value.problems == ("/one.so: no ELF header", "/two.so: no ELF header")
    assert "2 ELF files are damaged" in caught.value.brief


def test_a_target_without_its_interpreter_is_an_error(places: Dirs) -> None:
    (places.root / "usr/bin/python3.11").unlink()

    with pytest.raises(ElfError, match=r"/usr/bin/python3\.11"):
        places.scan()
