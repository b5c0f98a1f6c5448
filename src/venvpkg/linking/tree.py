"""Find and read every ELF file of a payload, and set apart those that the target cannot load."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.errors import ElfError
from venvpkg.host.layers import LayeredRoot
from venvpkg.host.oserrors import is_environment_error
from venvpkg.linking.read import read_object
from venvpkg.model.elf import ELF_MAGIC, ElfReport

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from venvpkg.console import Reporter
    from venvpkg.model.elf import ElfObject
    from venvpkg.model.target import Target


_MOST_NAMES_IN_WARNING = 10
_SHARED_OBJECT = re.compile(r"\.so(\.|$)")


def scan(destdir: Path, target: Target, reporter: Reporter) -> ElfReport:
    """Return the ELF files below ``destdir``, like ``read_tree``, and warn about those that the target cannot load."""
    found = read_tree(destdir, target)
    if found.foreign:
        count, names = len(found.foreign), _shown([each.path for each in found.foreign])
        reporter.warn(
            f"{count} ELF file{'s' * (count != 1)} for another machine or C library than {target.name}"
            f" cause no dependency: {names}"
        )
    if found.unreadable:
        count = len(found.unreadable)
        reporter.warn(
            f"{count} data file{'s' * (count != 1)} with the magic number of ELF that"
            f" {'are' if count != 1 else 'is'} not valid cause no dependency: {_shown(found.unreadable)}"
        )
    reporter.detail(f"read {len(found.objects) + len(found.foreign)} ELF files")
    return found


def _shown(paths: Sequence[PurePosixPath]) -> str:
    more = f" and {len(paths) - _MOST_NAMES_IN_WARNING} more" if len(paths) > _MOST_NAMES_IN_WARNING else ""
    return f"{', '.join(map(str, paths[:_MOST_NAMES_IN_WARNING]))}{more}"


def read_tree(destdir: Path, target: Target) -> ElfReport:
    """Return the ELF files below ``destdir``.

    The target's interpreter determines which objects can be loaded: those for the same machine, word size and C
    library. The others are foreign. Only damage in files that may be loaded matters: libraries, modules, programs.

    Raises:
        ElfError: such files are damaged, or files are unreadable; the error lists all of them. Or the interpreter is
            not an ELF file.
    """
    interpreter = _read_interpreter(target)
    fitting: list[ElfObject] = []
    foreign: list[ElfObject] = []
    unreadable: list[PurePosixPath] = []
    problems: list[str] = []
    for file in _elf_files(destdir, problems):
        path = PurePosixPath("/") / file.relative_to(destdir)
        try:
            found = read_object(file, path)
        except ElfError as error:
            if _may_be_loaded(file) or isinstance(error.__cause__, OSError):
                problems.extend(error.problems)
            else:
                unreadable.append(path)
        else:
            fits = found.abi == interpreter.abi and _uses_musl(found) in {None, _uses_musl(interpreter)}
            (fitting if fits else foreign).append(found)
    if problems:
        raise ElfError(problems)
    return ElfReport(
        tuple(sorted(fitting, key=_path_of)), tuple(sorted(foreign, key=_path_of)), tuple(sorted(unreadable))
    )


def _may_be_loaded(file: Path) -> bool:
    """Return whether a file is executable, or is named like a shared object."""
    return bool(_SHARED_OBJECT.search(file.name)) or bool(file.lstat().st_mode & 0o111)


def _path_of(facts: ElfObject) -> str:
    return str(facts.path)


def _read_interpreter(target: Target) -> ElfObject:
    root = LayeredRoot(target.root)
    place = root.find(str(target.interpreter.path))
    if place is None or not place.is_file:
        raise ElfError([f"{target.interpreter.path}: the interpreter of {target.name} does not exist"])
    return read_object(Path(root.on_host(place)), target.interpreter.path)


def _elf_files(destdir: Path, problems: list[str]) -> Iterator[Path]:
    """Yield the regular files with the ELF magic number, in a fixed order; add unreadable ones to ``problems``."""

    def unreadable(error: OSError) -> None:
        if is_environment_error(error):
            raise error
        problems.append(f"{error.filename}: cannot be read: {error.strerror}")

    for directory, subdirectories, names in os.walk(destdir, onerror=unreadable):
        subdirectories.sort()
        for name in sorted(names):
            file = Path(directory, name)
            try:
                # Never open a pipe or device: reading it may not end.
                if not stat.S_ISREG(file.lstat().st_mode):
                    continue
                with file.open("rb", buffering=0) as opened:
                    magic = opened.read(len(ELF_MAGIC))
            except OSError as error:
                unreadable(error)
                continue
            if magic == ELF_MAGIC:
                yield file


def _uses_musl(facts: ElfObject) -> bool | None:
    """Return whether an object needs musl; None when it needs no C library.

    No glibc process can load musl, whose one library is both loader and libc. Wheels with programs for Alpine next to
    those for glibc (editors, browsers, language servers) are common.
    """
    names = [*facts.needed, *([facts.interpreter.rpartition("/")[2]] if facts.interpreter else [])]
    if any(name.startswith(("libc.musl-", "ld-musl-")) for name in names):
        return True
    if any(name == "libc.so.6" or name.startswith(("ld-linux", "ld64.so", "ld.so.")) for name in names):
        return False
    return None
