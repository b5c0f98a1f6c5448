"""The processor of a root is detected, and what hinders its programs on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit.linking.builder import EM_386, EM_AARCH64, EM_S390, Elf
from venvpkg.targets.processor import PROCESSORS, emulation_problem, personality, processor_of

if TYPE_CHECKING:
    from pathlib import Path

# As the kernel tells of what qemu-user-static registers.
AARCH64 = """\
enabled
interpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P
flags: PF
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
"""
S390X = (
    AARCH64.replace("454c4602010100", "454c4602020100").replace("0200b700", "00020016").replace("feffffff", "fffeffff")
)


def root_for(elf: Elf, directory: Path) -> Path:
    (directory / "usr/bin").mkdir(parents=True)
    elf.write(directory / "usr/bin/env")
    return directory


def formats(directory: Path, **entries: str) -> Path:
    directory.mkdir()
    for name, text in {"register": "", "status": "enabled\n", **entries}.items():
        (directory / name).write_text(text)
    return directory


@pytest.mark.parametrize(
    ("elf", "architecture"),
    [
        (Elf(machine=EM_AARCH64), "arm64"),
        (Elf(machine=EM_386, bits=32), "i386"),
        (Elf(machine=EM_S390, order=">"), "s390x"),
    ],
)
def test_a_root_is_for_the_processor_of_its_programs(tmp_path: Path, elf: Elf, architecture: str) -> None:
    assert processor_of(root_for(elf, tmp_path)) == PROCESSORS[architecture]


def test_a_root_without_programs_has_no_processor(tmp_path: Path) -> None:
    assert processor_of(tmp_path) is None
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/env").write_text("#!/bin/sh\n" + 60 * "#")
    assert processor_of(tmp_path) is None


def test_only_32_bit_programs_see_another_machine(tmp_path: Path) -> None:
    wide = root_for(Elf(machine=EM_AARCH64), tmp_path / "wide")
    narrow = root_for(Elf(machine=EM_386, bits=32), tmp_path / "narrow")

    assert personality(wide) == ()
    assert personality(narrow)[-2:] == ("linux32", "--")


def test_this_machines_64_and_32_bit_programs_need_no_emulator(tmp_path: Path) -> None:
    nothing = tmp_path / "none"

    assert emulation_problem(PROCESSORS["amd64"], "x86_64", nothing) == ""
    assert emulation_problem(PROCESSORS["i386"], "x86_64", nothing) == ""
    assert emulation_problem(PROCESSORS["armhf"], "aarch64", nothing) == ""
    assert emulation_problem(PROCESSORS["s390x"], "s390x", nothing) == ""


def test_an_emulator_counts_for_its_own_format_only(tmp_path: Path) -> None:
    directory = formats(tmp_path / "binfmt", aarch64=AARCH64, jar="enabled\nextension .jar\n")

    assert emulation_problem(PROCESSORS["arm64"], "x86_64", directory) == ""
    assert "Install an emulator for s390x programs" in emulation_problem(PROCESSORS["s390x"], "x86_64", directory)
    assert "Install an emulator for arm programs" in emulation_problem(PROCESSORS["armhf"], "x86_64", directory)


def test_byte_order_is_part_of_a_format(tmp_path: Path) -> None:
    directory = formats(tmp_path / "binfmt", s390x=S390X)

    assert emulation_problem(PROCESSORS["s390x"], "x86_64", directory) == ""
    assert emulation_problem(PROCESSORS["arm64"], "x86_64", directory)


@pytest.mark.parametrize(
    ("entry", "advice"),
    [
        (AARCH64.replace("enabled", "disabled"), "Install an emulator for aarch64 programs"),
        (AARCH64.replace("flags: PF", "flags: P"), "with the flag F"),
        (AARCH64.replace("magic 7f", "magic zz"), "Install an emulator for aarch64 programs"),
    ],
)
def test_a_problem_of_an_emulator_is_reported_with_what_to_do(tmp_path: Path, entry: str, advice: str) -> None:
    assert advice in emulation_problem(PROCESSORS["arm64"], "x86_64", formats(tmp_path / "binfmt", aarch64=entry))


def test_a_kernel_without_support_for_emulators_is_reported(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert "mount -t binfmt_misc" in emulation_problem(PROCESSORS["arm64"], "x86_64", tmp_path / "empty")
