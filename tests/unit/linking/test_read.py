"""Facts of single ELF files."""

from __future__ import annotations

import contextlib
import random
import struct
from pathlib import Path, PurePosixPath

import pytest

from unit.linking.builder import BASE, EM_386, EM_AARCH64, EM_ARM, EM_S390, ET_EXEC, ET_REL, Elf, Take
from unit.work import at_most
from venvpkg.errors import ElfError
from venvpkg.linking.read import read_abi, read_object
from venvpkg.model.elf import Abi, ElfKind, ElfObject, Symbol, SymbolVersion

DATA = Path(__file__).parents[2] / "data/elf"
PLACE = PurePosixPath("/opt/venvs/app/_x.so")

RICH = Elf(
    needed=("libpq.so.5", "libc.so.6"),
    soname="_x.so",
    runpath="$ORIGIN/../lib:/opt/lib",
    symbols=(
        Take("PQconnectdb"),
        Take("memcpy", "libc.so.6/GLIBC_2.14"),
        Take("__gmon_start__", weak=True),
        Take("PyInit__x", defined=True),
    ),
    versions=("libc.so.6/GLIBC_ABI_DT_RELR",),
)


def facts_of(elf: Elf, directory: Path) -> ElfObject:
    return read_object(elf.write(directory / "x"), PLACE)


def problem_of(content: bytes, directory: Path) -> str:
    (directory / "x").write_bytes(content)
    with pytest.raises(ElfError) as caught:
        read_object(directory / "x", PLACE)
    (problem,) = caught.value.problems
    return problem


def with_sections(elf: Elf, *types: int) -> bytes:
    """Return the file with a section header of each type at its end."""
    content = bytearray(elf.content())
    word, start, sizes, size = ("Q", 40, 58, 64) if elf.bits == 64 else ("I", 32, 46, 40)
    struct.pack_into(elf.order + word, content, start, len(content))
    struct.pack_into(elf.order + "HH", content, sizes, size, len(types))
    return bytes(content) + b"".join(struct.pack(elf.order + "II", 1, each).ljust(size, b"\0") for each in types)


def test_a_shared_object_tells_what_it_needs(tmp_path: Path) -> None:
    facts = facts_of(RICH, tmp_path)

    assert (facts.path, facts.kind, facts.soname, facts.interpreter) == (PLACE, ElfKind.SHARED, "_x.so", None)
    assert facts.needed == ("libpq.so.5", "libc.so.6")
    assert (facts.runpath, facts.rpath) == (("$ORIGIN/../lib", "/opt/lib"), ())


def test_undefined_symbols_have_their_version_and_defined_ones_are_left_out(tmp_path: Path) -> None:
    facts = facts_of(RICH, tmp_path)

    assert facts.undefined == (
        Symbol("PQconnectdb", "Base"),
        Symbol("memcpy", "GLIBC_2.14"),
        Symbol("__gmon_start__", "Base", weak=True),
    )


def test_a_version_that_no_symbol_is_bound_to_is_seen(tmp_path: Path) -> None:
    facts = facts_of(RICH, tmp_path)

    assert facts.symbol_versions == (
        SymbolVersion("libc.so.6", "GLIBC_2.14"),
        SymbolVersion("libc.so.6", "GLIBC_ABI_DT_RELR"),
    )


@pytest.mark.parametrize(
    ("machine", "bits", "order"),
    [(62, 64, "<"), (EM_386, 32, "<"), (EM_ARM, 32, ">"), (EM_S390, 64, ">"), (EM_AARCH64, 64, "<")],
)
def test_a_copied_symbol_still_comes_from_its_library(tmp_path: Path, machine: int, bits: int, order: str) -> None:
    program = Elf(
        needed=("libc.so.6",),
        symbols=(Take("own", defined=True), Take("stdout", "libc.so.6/GLIBC_2.2.5", copied=True)),
        interpreter="/lib/ld.so.1",
        machine=machine,
        bits=bits,
        order=order,
        kind=ET_EXEC,
    )

    facts = facts_of(program, tmp_path)

    assert facts.undefined == (Symbol("stdout", "GLIBC_2.2.5"),)
    assert (facts.interpreter, facts.kind, facts.abi.bits) == ("/lib/ld.so.1", ElfKind.EXECUTABLE, bits)
    assert facts.abi.little_endian is (order == "<")


def test_runpath_makes_the_loader_ignore_rpath(tmp_path: Path) -> None:
    facts = facts_of(Elf(needed=("libz.so.1",), rpath="/a:/b", runpath="/c"), tmp_path)

    assert (facts.rpath, facts.runpath) == ((), ("/c",))


@pytest.mark.parametrize("elf", [Elf(kind=ET_REL, dynamic=False), Elf(kind=ET_EXEC, dynamic=False)])
def test_an_object_without_dynamic_segment_needs_nothing(tmp_path: Path, elf: Elf) -> None:
    facts = facts_of(elf, tmp_path)

    assert (facts.needed, facts.undefined, facts.symbol_versions) == ((), (), ())


def test_float_conventions_do_not_part_objects_but_abi_flags_do() -> None:
    arm = [Abi.of_header(Elf(machine=EM_ARM, bits=32, flags=flags).content()) for flags in (0x5000200, 0x5000400)]
    mips = [Abi.of_header(Elf(machine=8, bits=32, flags=flags).content()) for flags in (0x1000, 0x0020)]

    assert arm[0] == arm[1]
    assert mips[0] != mips[1]


def test_a_file_that_is_no_elf_file_has_no_abi(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n" + "#" * 100)

    assert read_abi(tmp_path / "script") is None
    assert read_abi(tmp_path / "absent") is None
    assert read_abi(RICH.write(tmp_path / "x")) == Abi.of_header(RICH.content())


def test_packed_relative_relocations_show_in_a_compiled_object() -> None:
    facts = read_object(DATA / "relr.elf", PLACE)

    assert SymbolVersion("libc.so.6", "GLIBC_ABI_DT_RELR") in facts.symbol_versions
    assert not any(symbol.version == "GLIBC_ABI_DT_RELR" for symbol in facts.undefined)


def test_a_compiled_program_without_pic_has_its_copied_symbols() -> None:
    facts = read_object(DATA / "copied.elf", PLACE)

    assert Symbol("stdout", "GLIBC_2.2.5") in facts.undefined
    assert facts.interpreter == "/lib64/ld-linux-x86-64.so.2"


def test_sections_are_not_needed() -> None:
    whole = read_object(DATA / "copied.elf", PLACE)

    assert read_object(DATA / "sectionless.elf", PLACE) == whole


def test_a_truncated_file_is_damaged(tmp_path: Path) -> None:
    content = RICH.content()

    assert problem_of(content[:20], tmp_path) == f"{PLACE}: shorter than an ELF header"
    assert problem_of(content[:100], tmp_path).endswith("program headers outside the file")
    assert problem_of(content[:-8], tmp_path).startswith(f"{PLACE}: ")


def test_control_characters_in_a_needed_name_are_damage(tmp_path: Path) -> None:
    assert "control characters" in problem_of(Elf(needed=("lib\x1b[2Jz.so",)).content(), tmp_path)


def test_version_needs_that_share_an_enormous_table_are_damage_soon(tmp_path: Path) -> None:
    content = bytearray(Elf(versions=("liba.so/A", "libb.so/B")).content())
    first = content.index(struct.pack("<HH", 1, 1))
    second = first + 32
    for record, following in ((first, 32), (second, 0)):
        (name,) = struct.unpack_from("<I", content, record + 4)
        struct.pack_into("<HHIII", content, record, 1, 0xFFFF, name, len(content) - record, following)
    content += struct.pack("<IHHII", 0, 0, 2, 1, 16) * 0xFFFF

    with at_most(1_000_000):
        problem = problem_of(bytes(content), tmp_path)

    assert problem == f"{PLACE}: absurdly many symbol versions"


@pytest.mark.parametrize("count", [1 << 20, 1 << 31])
def test_an_absurd_number_of_symbols_is_damage(tmp_path: Path, count: int) -> None:
    content = RICH.content()
    table = content.index(struct.pack("<III", 1, 5, 0))

    problem = problem_of(content[:table] + struct.pack("<II", 1, count) + content[table + 8 :], tmp_path)

    assert "beyond the file" in problem or "absurdly many symbols" in problem


def test_an_address_outside_every_segment_is_damage(tmp_path: Path) -> None:
    content = RICH.content()
    strings = content.index(b"\0libpq.so.5\0")

    problem = problem_of(content.replace(struct.pack("<Q", BASE + strings), struct.pack("<Q", 1 << 60)), tmp_path)

    assert problem == f"{PLACE}: DT_STRTAB points outside the file"


@pytest.mark.parametrize(
    "elf",
    [
        Elf(needed=("x" * 5000,)),
        Elf(runpath="/x" * 40_000),
        Elf(runpath=":" * 2000),
        Elf(needed=tuple(map(str, range(5000)))),
    ],
)
def test_absurdly_long_names_and_lists_are_damage(tmp_path: Path, elf: Elf) -> None:
    problem = problem_of(elf.content(), tmp_path)

    assert "does not end" in problem or "absurdly many" in problem


def test_an_unreadable_file_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(ElfError, match=r"/opt/venvs/app/_x\.so: cannot be read: No such file or directory"):
        read_object(tmp_path / "absent", PLACE)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sample", ["built", "copied.elf", "relr.elf"])
def test_whatever_the_bytes_are_only_an_elf_error_comes_out_and_soon(tmp_path: Path, sample: str, seed: int) -> None:
    original = RICH.content() if sample == "built" else (DATA / sample).read_bytes()
    dice = random.Random(seed)  # noqa: S311

    for _ in range(120):
        content = bytearray(original)
        for _ in range(dice.choice([1, 2, 8, 40])):
            # The headers and tables are where it hurts, and they are in the first kilobytes and scattered beyond.
            content[dice.randrange(min(len(content), dice.choice([120, 1600, len(content)])))] = dice.choice(
                [0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)]
            )
        if dice.random() < 0.3:
            del content[dice.randrange(len(content)) :]
        (tmp_path / "x").write_bytes(content)
        with contextlib.suppress(ElfError), at_most(1_000_000):
            read_object(tmp_path / "x", PLACE)
        (tmp_path / "x").unlink()


@pytest.mark.parametrize("layout", [Elf(), Elf(bits=32, order=">", machine=EM_S390)], ids=["64-bit", "32-bit"])
def test_a_symbol_table_for_debuggers_is_seen_among_the_sections(layout: Elf, tmp_path: Path) -> None:
    for types, expected in (((), False), ((0, 11, 3), False), ((0, 11, 3, 2), True)):
        (tmp_path / "x").write_bytes(with_sections(layout, *types))

        assert read_object(tmp_path / "x", PLACE).has_symbol_table is expected


def test_damaged_section_headers_hide_no_other_fact(tmp_path: Path) -> None:
    whole = with_sections(RICH, 0, 2)
    (tmp_path / "x").write_bytes(whole[:-1])

    facts = read_object(tmp_path / "x", PLACE)

    assert facts == facts_of(RICH, tmp_path)
    assert not facts.has_symbol_table
