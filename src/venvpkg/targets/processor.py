"""Detect the processor that a root is for, and whether this machine can run programs for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from venvpkg.host.layers import LayeredRoot
from venvpkg.model.elf import Abi

BINFMT: Final = Path("/proc/sys/fs/binfmt_misc")
# Exists in every root in which programs can run.
PROGRAM: Final = "/usr/bin/env"
_HEADER_BYTES: Final = 64


class Processor(NamedTuple):
    """A kind of processor, with byte order and word size.

    Attributes:
        bits: 32 or 64.
        little_endian: byte order.
        machine: e_machine of its programs.
        kernel: the kernel's name for it, used in messages: ``aarch64``.
    """

    bits: int
    little_endian: bool
    machine: int
    kernel: str


# Debian's architecture → processor. Source: dpkg's cputable and ostable; the psABI of each for e_machine.
PROCESSORS: Final = {
    "amd64": Processor(64, little_endian=True, machine=62, kernel="x86_64"),
    "arm64": Processor(64, little_endian=True, machine=183, kernel="aarch64"),
    "armel": Processor(32, little_endian=True, machine=40, kernel="arm"),
    "armhf": Processor(32, little_endian=True, machine=40, kernel="arm"),
    "i386": Processor(32, little_endian=True, machine=3, kernel="i686"),
    "loong64": Processor(64, little_endian=True, machine=258, kernel="loongarch64"),
    "mips64el": Processor(64, little_endian=True, machine=8, kernel="mips64"),
    "ppc64el": Processor(64, little_endian=True, machine=21, kernel="ppc64le"),
    "riscv64": Processor(64, little_endian=True, machine=243, kernel="riscv64"),
    "s390x": Processor(64, little_endian=False, machine=22, kernel="s390x"),
}
# Machine of a kernel → machines whose programs it runs without an emulator; the processor has both instruction sets.
_ALSO_RUNS: Final = {"x86_64": frozenset({"x86_64", "i686"}), "aarch64": frozenset({"aarch64", "arm"})}


def processor_of(root: Path) -> Processor | None:
    """Return the processor that the programs of a root are for; None if it has no programs or is not known."""
    abi = abi_of(LayeredRoot(root), PROGRAM)
    if abi is None:
        return None
    same = (each for each in PROCESSORS.values() if each[:3] == (abi.bits, abi.little_endian, abi.machine))
    return next(same, None)


def foreign_processor(root: Path) -> Processor | None:
    """Return the processor of a root if it is known and differs from this machine's, else None."""
    found = processor_of(root)
    return None if found == processor_of(Path("/")) else found


def abi_of(view: LayeredRoot, path: str) -> Abi | None:
    """Return the ABI of a program in a root; None if it cannot be read or is not an ELF file."""
    program = view.find(path)
    if program is None or not program.is_file:
        return None
    try:
        with Path(view.on_host(program)).open("rb") as file:
            return Abi.of_header(file.read(_HEADER_BYTES))
    except OSError:
        return None


def personality(root: Path) -> tuple[str, ...]:
    """Return the command prefix for running programs of a root; empty if they are 64-bit programs.

    A 64-bit kernel also runs 32-bit programs, but reports its own machine to them. A configure script would then
    compile for the wrong processor.

    Source:
        setarch(8), personality(2).
    """
    found = processor_of(root)
    return ("/usr/bin/setarch", "linux32", "--") if found is not None and found.bits == 32 else ()  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class _Format:
    """A program format that the kernel runs with an emulator.

    Attributes:
        is_enabled: whether the kernel uses it.
        is_fixed: whether the emulator was opened when it was registered, so that it works in every root.
        offset, magic, mask: the bytes that identify files of the format.
    """

    is_enabled: bool
    is_fixed: bool
    offset: int
    magic: bytes
    mask: bytes

    def fits(self, header: bytes) -> bool:
        """Whether files with this header have the format."""
        part = header[self.offset : self.offset + len(self.magic)]
        mask = self.mask or b"\xff" * len(self.magic)
        return len(part) == len(self.magic) and all(
            (one ^ other) & bits == 0 for one, other, bits in zip(part, self.magic, mask, strict=True)
        )


def emulation_problem(wanted: Processor, machine: str, directory: Path = BINFMT) -> str:
    """Return what to do so that programs for a processor run on this machine; empty if no problem is known.

    Args:
        wanted: the processor.
        machine: the kernel's name for this machine's processor.
        directory: directory in which the kernel lists its formats for emulators.

    Source:
        The kernel's Documentation/admin-guide/binfmt-misc.rst.
    """
    if wanted.kernel in _ALSO_RUNS.get(machine, {machine}):
        return ""
    if not (directory / "register").exists():
        return (
            f"Install qemu-user-static on this machine, and let the kernel use it for {wanted.kernel} programs:"
            f" mount -t binfmt_misc binfmt_misc {directory} (for a container, on the machine itself)."
        )
    header = Abi(wanted.bits, wanted.little_endian, wanted.machine, flags=0).program_header()
    found = [each for each in _read_formats(directory) if each.fits(header) and each.is_enabled]
    if not found:
        return (
            f"Install an emulator for {wanted.kernel} programs on this machine: qemu-user-static and binfmt-support, or"
            " qemu-user-binfmt if the release has it."
        )
    if not any(each.is_fixed for each in found):
        return (
            f"Register the emulator for {wanted.kernel} with the flag F (binfmt.d(5); update-binfmts --fix-binary yes),"
            " so that the kernel finds it from inside a root; qemu-user-static does."
        )
    return ""


def _read_formats(directory: Path) -> list[_Format]:
    found = []
    for file in sorted(directory.iterdir()):
        try:
            text = file.read_text(encoding="ascii", errors="replace")
        except OSError:  # register is write-only
            continue
        fields = dict(line.partition(" ")[::2] for line in text.splitlines())
        magic, mask = fields.get("magic", ""), fields.get("mask", "")
        if not re.fullmatch("(?:[0-9a-f]{2})+", magic) or not re.fullmatch("(?:[0-9a-f]{2})*", mask):
            continue
        offset = fields.get("offset", "0")
        found.append(
            _Format(
                "enabled" in fields,
                "F" in fields.get("flags:", ""),
                int(offset) if offset.isdecimal() else 0,
                bytes.fromhex(magic),
                bytes.fromhex(mask),
            )
        )
    return found
