"""The installed packages of a root that take part in a compile, from dpkg's status file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvpkg.errors import PackageDatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STATUS = "var/lib/dpkg/status"
_FIELD = re.compile(r"([!-9;-~]+):[ \t]*(.*)")
# Headers, compilers and build tools, by archive section; the area (`contrib/`) is cut off.
_SECTIONS = frozenset({"devel", "libdevel", "rust", "golang", "fortran"})
# And by name, for those that sections do not tell: the interpreter, the C and C++ runtimes that everything links.
_NAMES = re.compile(
    r".*-dev|(lib)?python3(\.\d+)?(-minimal|-stdlib)?|libc6|libgcc-s1|libstdc\+\+6"
    r"|(g\+\+|gcc|cpp|clang|gfortran|llvm|lld|binutils|pkg-config|pkgconf|swig|patchelf)(-.*)?\d*"
)


def build_packages(root: Path, interpreter: str) -> tuple[tuple[str, str], ...]:
    """Return name (``libpq-dev:amd64``) and version of every installed package that can change what a compiler makes.

    Args:
        root: filesystem of the target.
        interpreter: minor version of the target's interpreter, ``3.11``; other minors are not listed.

    Returns:
        Sorted by name, each once.

    Raises:
        PackageDatabaseError: the status file is missing or damaged.

    Source:
        deb822(5); dpkg-query(1) for the status words; Debian Policy 2.4 for sections.
    """
    found = {
        f"{fields['package']}:{fields['architecture']}": fields["version"]
        for fields in _installed(root)
        if _takes_part(fields["package"], fields.get("section", ""), interpreter)
    }
    return tuple(sorted(found.items()))


def all_packages(root: Path) -> tuple[tuple[str, str], ...]:
    """Return name and version of every installed package, as ``build_packages`` does.

    Raises:
        PackageDatabaseError: the status file is missing or damaged.
    """
    return tuple(
        sorted((f"{fields['package']}:{fields['architecture']}", fields["version"]) for fields in _installed(root))
    )


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


def _takes_part(package: str, section: str, interpreter: str) -> bool:
    minor = re.search(r"python(\d\.\d+)", package)
    if minor is not None and minor[1] != interpreter:
        return False
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
