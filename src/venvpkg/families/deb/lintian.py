"""Compose lintian overrides for tags that any package of this kind gets, each with a reason. Pure.

Only tags that follow from packaging a virtual environment of wheels are overridden. What lintian finds in the
application itself (a page that loads a script from elsewhere, an embedded jquery) concerns its packager.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.families.common.documents import MANUAL
from venvpkg.templates import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from venvpkg.model.elf import ElfObject
    from venvpkg.model.package import PackageSpec
    from venvpkg.model.staged import PayloadPath


OVERRIDES = PurePosixPath("/usr/share/lintian/overrides")

_WIDTH = 78
_ENV = ("/usr/bin/env", "/bin/env")
# Lintian's data/files/vcs-control-files, which also match compressed files.
_VCS_FILE = re.compile(
    r"\.(?:arch-inventory|hgtags|hg_archival\.txt|(?:cvs|git|hg)_?ignore|git_?(?:modules|attributes))"
    r"(?:\.(?:bz2?|t?gz|xz|[zZ]))?"
)
_OBJECT_FILES = (".o", ".ko", ".gox")
_SECTIONS = ("RPATH", "RUNPATH")
_MODULES = "Modules with a first line for running them from a source tree. Python imports them."


@dataclass(frozen=True, slots=True)
class Override:
    """An override of a lintian tag.

    Attributes:
        tag: name of the tag.
        context: pattern for the text after the tag; empty for any. It has asterisks at its ends, because versions of
            lintian differ in where they put brackets.
        reason: explanation for readers.
    """

    tag: str
    context: str
    reason: str


def render_overrides(
    spec: PackageSpec, pages: Iterable[PurePosixPath], *, multiarch: str = "", zstd: bool = False
) -> bytes:
    """Return the file of the package's overrides, each below its reason; empty if there are none.

    Args:
        spec: the package.
        pages: manual pages that are added to the payload.
        multiarch: the target's tuple, ``x86_64-linux-gnu``.
        zstd: whether the package is compressed with zstd.

    Source:
        Lintian User's Manual 2.4.
    """
    entries = [
        {"reason": textwrap.wrap(each.reason, _WIDTH), "line": f"{spec.name}: {each.tag} {each.context}".rstrip()}
        for each in overrides(spec, pages, multiarch=multiarch, zstd=zstd)
    ]
    values = {"package": spec.name, "overrides": entries}
    text = render("deb", "lintian-overrides.j2", values, spec.project_files.templates)
    return text.encode() if text.strip() else b""


def overrides(spec: PackageSpec, pages: Iterable[PurePosixPath], *, multiarch: str, zstd: bool) -> Iterator[Override]:
    """Yield an override for each tag that this payload causes, and no others; for ``render_overrides``."""
    prefix, paths = spec.staged.prefix, spec.staged.payload.paths
    # Tested with lintian 2.116 (Debian 12) and 2.122 (Debian 13).
    if zstd:
        yield Override(
            "malformed-deb-archive",
            "*.tar.zst not *",
            "A package may be compressed with zstd (deb(5)); the dpkg of the release that this one is for reads it."
            " Lintian does not know it yet.",
        )
    if prefix.parts[1] == "opt":
        yield Override(
            "dir-or-file-in-opt",
            "",
            "This package comes from outside the distribution: /opt is for such software (FHS 3.0, 3.13), and keeps its"
            " Python libraries apart from the distribution's.",
        )
    if any(each.path.name == "__pycache__" for each in paths):
        yield Override(
            "package-installs-python-pycache-dir",
            "",
            "The bytecode is for exactly the interpreter in Depends. Shipping it lets dpkg verify it, and takes no time"
            " at installation.",
        )
    yield from _script_overrides(prefix, paths)
    yield from _wheel_overrides(spec, multiarch)
    shipped = (each.path for each in paths if each.path.is_relative_to(MANUAL))
    documented = {page.name.rsplit(".", 2)[0] for page in (*pages, *shipped)}
    if any(link.name not in documented for link, _ in spec.links):
        yield Override("no-manual-page", "", "The application's distribution has no manual page of it.")


@dataclass(frozen=True, slots=True)
class _Script:
    """A script, as lintian sees it.

    Attributes:
        is_executable: whether the file is executable.
        interpreter: interpreter as lintian prints it; without a directory if env(1) looks for it.
        is_found: whether the kernel can find the interpreter, by an absolute path or with env(1).
    """

    is_executable: bool
    interpreter: str
    is_found: bool


def _script_overrides(prefix: PurePosixPath, paths: Sequence[PayloadPath]) -> Iterator[Override]:
    scripts = [_parse_shebang(each) for each in paths if each.shebang]
    own = f"{prefix}/bin/python"
    below = _context_below(prefix)
    if any(each.interpreter.startswith(own) for each in scripts):
        yield Override(
            "unusual-interpreter",
            f"{own}*",
            "The environment's own interpreter, a link to the distribution's: with it Python finds the environment's"
            " libraries.",
        )
    for interpreter in sorted({"python", "/usr/bin/python"} & {each.interpreter for each in scripts}):
        yield Override("unusual-interpreter", f"{interpreter} {below}", _MODULES)
    if any(not each.is_executable and each.is_found for each in scripts):
        yield Override("script-not-executable", below, _MODULES)
    if any(each.is_executable and PurePosixPath(each.interpreter).name == "python3" for each in scripts):
        yield Override(
            "python3-script-but-no-python3-dep",
            "*python3 " + below,
            "Modules that their authors made executable. The application's commands run in the environment's"
            " interpreter, which is in Depends by its exact version.",
        )


def _wheel_overrides(spec: PackageSpec, multiarch: str) -> Iterator[Override]:
    """Yield overrides for files of wheels. Files that the packager adds get none: they can be fixed."""
    prefix, owners = spec.staged.prefix, spec.staged.owners()
    below = _context_below(prefix)
    files = [each for each in spec.staged.payload.files() if each.path in owners]
    objects = [each for each in (*spec.elf.objects, *spec.elf.foreign) if each.path in owners]
    if any(each.has_symbol_table and each.path.suffix not in _OBJECT_FILES for each in objects):
        yield Override(
            "unstripped-binary-or-object",
            below,
            "A file of a publisher's wheel, packed as it came: its hash in RECORD says that it is the publisher's own."
            " What is compiled for this package is stripped, unless strip would spoil it.",
        )
    trusted = _trusted_directories(multiarch)
    for section, directory in sorted(_absolute_search_paths(objects) & {(s, d) for s in _SECTIONS for d in trusted}):
        yield Override(
            "custom-library-search-path",
            f"{section} {directory} {below}",
            "Written by the library's own build. The loader looks there for every program anyway (ld.so(8)): it leads"
            " to the libraries that Depends name, and nowhere else.",
        )
    if any(_VCS_FILE.fullmatch(each.path.name) for each in files):
        yield Override(
            "package-contains-vcs-control-file",
            below,
            "Left from the sources by the authors of a wheel, whose RECORD names every file: without it, tools that"
            " verify the environment would miss it.",
        )


def _absolute_search_paths(objects: Iterable[ElfObject]) -> set[tuple[str, str]]:
    """Return section and directory of the absolute search paths, as lintian prints them."""
    return {
        (section, str(PurePosixPath(directory)))
        for each in objects
        for section, directories in zip(_SECTIONS, (each.rpath, each.runpath), strict=True)
        for directory in directories
        if directory.startswith("/")
    }


def _trusted_directories(multiarch: str) -> frozenset[str]:
    """Return the default directories of the loader; see ld.so(8) and Debian's libc."""
    return frozenset(
        f"{lib}{below}" for lib in ("/lib", "/usr/lib") for below in ("", f"/{multiarch}" * bool(multiarch))
    )


def _context_below(prefix: PurePosixPath) -> str:
    return f"*{str(prefix).removeprefix('/')}/*"


def _parse_shebang(path: PayloadPath) -> _Script:
    first, *rest = path.shebang.split()
    by_env = first in _ENV and bool(rest)
    return _Script(path.is_executable, rest[0] if by_env else first, by_env or first.startswith("/"))
