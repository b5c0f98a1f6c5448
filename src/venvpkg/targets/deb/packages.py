"""The installed packages of a target, from dpkg's status file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvpkg.errors import PackageDatabaseError
from venvpkg.host.runner import Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from venvpkg.host.runner import Runner
    from venvpkg.model.target import Interpreter, Target
    from venvpkg.targets.traits import Packages

_STATUS = "var/lib/dpkg/status"
_FIELD = re.compile(r"([!-9;-~]+):[ \t]*(.*)")
# Headers, compilers and build tools, by archive section; the area (`contrib/`) is cut off.
_SECTIONS = frozenset({"devel", "libdevel", "rust", "golang", "fortran"})
# PyPy, where it is what wheels are compiled for.
_PYPY = re.compile(r"pypy3(-lib)?")
# And by name, for those that sections do not tell: the interpreter, the C and C++ runtimes that everything links.
_NAMES = re.compile(
    r".*-dev|(lib)?python3(\.\d+)?(-minimal|-stdlib)?|libc6|libgcc-s1|libstdc\+\+6"
    r"|(g\+\+|gcc|cpp|clang|gfortran|llvm|lld|binutils|pkg-config|pkgconf|swig|patchelf)(-.*)?\d*"
)


def build_packages(target: Target, runner: Runner) -> Packages:
    """Return name (``libpq-dev:amd64``) and version of what can change a compile; see ``Traits``.

    Other minors of Python than the target's interpreter are not listed.

    Source:
        deb822(5); dpkg-query(1) for the status words; Debian Policy 2.4 for sections.
    """
    del runner
    return _named(
        fields
        for fields in _installed(target.root)
        if _takes_part(fields["package"], fields.get("section", ""), target.interpreter)
    )


def all_packages(target: Target, runner: Runner) -> Packages:
    """Return name and version of every installed package; see ``Traits``."""
    del runner
    return _named(_installed(target.root))


def not_installed(wanted: Iterable[str], runner: Runner) -> tuple[str, ...]:
    """Return those that neither are installed nor provided by what is; see ``Traits``."""
    wanted = tuple(wanted)
    if not wanted:
        return ()
    done = runner.run(
        Command(("dpkg-query", "--show", "--showformat", "${db:Status-Status}\t${Package}\t${Provides}\n"))
    )
    if not done.ok:
        raise PackageDatabaseError(
            f"dpkg-query cannot list the installed packages: {done.outcome()}.",
            details=done.errors.strip()[-1000:],
            resolution="Repair dpkg's database, then build again.",
        )
    installed: set[str] = set()
    for line in done.text.splitlines():
        status, _, names = line.partition("\t")
        if status == "installed":
            package, _, provides = names.partition("\t")
            installed.add(package)
            installed.update(each.split()[0].partition(":")[0] for each in provides.split(",") if each.strip())
    return tuple(package for package in wanted if package.partition(":")[0] not in installed)


def _named(stanzas: Iterable[dict[str, str]]) -> Packages:
    return tuple(sorted({f"{each['package']}:{each['architecture']}": each["version"] for each in stanzas}.items()))


def _installed(root: Path) -> Iterator[dict[str, str]]:
    path = root / _STATUS
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise PackageDatabaseError(
            f"{path} cannot be read: {error.strerror}.", resolution="Is the target a Debian system?"
        ) from error
    if not text.endswith("\n") or "\0" in text:
        raise _damaged(path, "it ends in the middle of a line, or holds binary zeros")
    for fields in _stanzas(text, path):
        if not fields.get("status", "").endswith(" installed"):
            continue
        missing = [name for name in ("package", "version", "architecture") if not fields.get(name)]
        if missing:
            raise _damaged(path, f"{fields.get('package', 'a stanza')} has no {missing[0].title()}")
        yield fields


def _takes_part(package: str, section: str, interpreter: Interpreter) -> bool:
    minor = re.search(r"python(\d\.\d+)", package)
    if minor is not None and (minor[1] != interpreter.minor or interpreter.is_pypy):
        return False
    if interpreter.is_pypy and _PYPY.fullmatch(package):
        return True
    return section.rpartition("/")[2] in _SECTIONS or _NAMES.fullmatch(package) is not None


def _stanzas(text: str, path: Path) -> Iterator[dict[str, str]]:
    line_number = 1
    for stanza in text.split("\n\n"):
        fields: dict[str, str] = {}
        for line in stanza.split("\n"):
            if line and line[0] not in " \t":
                field = _FIELD.fullmatch(line)
                if field is None:
                    raise _damaged(path, f"line {line_number} is no field: {line[:60]!r}")
                fields[field[1].lower()] = field[2].strip()
            line_number += 1
        line_number += 1
        if fields:
            yield fields


def _damaged(path: Path, what: str) -> PackageDatabaseError:
    return PackageDatabaseError(
        f"{path} is damaged: {what}.",
        resolution=f"Repair it; dpkg keeps the previous one as {path}-old and older ones in /var/backups.",
    )
