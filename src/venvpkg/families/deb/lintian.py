"""What lintian would say of such a package in general, and why it is right all the same. Pure.

Only what follows from being a virtual environment of wheels in a package is here. What lintian finds in the application
itself (a page that loads a script from elsewhere, an embedded jquery) is for its packager to read.
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
# Lintian's data/files/vcs-control-files, which see a compressed one, too.
_VCS_FILE = re.compile(
    r"\.(?:arch-inventory|hgtags|hg_archival\.txt|(?:cvs|git|hg)_?ignore|git_?(?:modules|attributes))"
    r"(?:\.(?:bz2?|t?gz|xz|[zZ]))?"
)
_OBJECT_FILES = (".o", ".ko", ".gox")
_SECTIONS = ("RPATH", "RUNPATH")
_MODULES = "Modules with a first line for running them from a source tree. Python imports them."


@dataclass(frozen=True, slots=True)
class Override:
    """A tag that is not wrong here.

    Attributes:
        tag: lintian's name of it.
        context: pattern of what follows the tag; empty for all of it. Asterisks at its ends, because versions of
            lintian differ in where they put brackets.
        reason: for people.
    """

    tag: str
    context: str
    reason: str


def rendered_overrides(
    spec: PackageSpec, pages: Iterable[PurePosixPath], *, multiarch: str = "", zstd: bool = False
) -> bytes:
    """Return the package's overrides, each below its reason, and what the project adds; empty when there are none.

    Args:
        spec: the package.
        pages: manual pages that are added to the payload.
        multiarch: the target's tuple, ``x86_64-linux-gnu``.
        zstd: whether it is packed with that.

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
    """Yield an override for each tag that this payload gives rise to, and for no other; for ``rendered_overrides``."""
    prefix, paths = spec.staged.prefix, spec.staged.payload.paths
    # Seen with lintian 2.116 (Debian 12) and 2.122 (Debian 13).
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
    yield from _of_scripts(prefix, paths)
    yield from _of_wheels(spec, multiarch)
    shipped = (each.path for each in paths if each.path.is_relative_to(MANUAL))
    documented = {page.name.rsplit(".", 2)[0] for page in (*pages, *shipped)}
    if any(link.name not in documented for link, _ in spec.links):
        yield Override("no-manual-page", "", "The application's distribution has no manual page of it.")


@dataclass(frozen=True, slots=True)
class _Script:
    """What lintian sees in a file's first line.

    Attributes:
        is_executable: whether the file is.
        interpreter: as lintian tells it; what env(1) looks for is without a directory.
        is_found: whether the kernel can start it: by a whole path, or by env(1).
    """

    is_executable: bool
    interpreter: str
    is_found: bool


def _of_scripts(prefix: PurePosixPath, paths: Sequence[PayloadPath]) -> Iterator[Override]:
    scripts = [_script(each) for each in paths if each.shebang]
    own = f"{prefix}/bin/python"
    below = _below(prefix)
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


def _of_wheels(spec: PackageSpec, multiarch: str) -> Iterator[Override]:
    """Yield what wheels bring along. Files that the packager adds are left out: they can be mended."""
    prefix, owners = spec.staged.prefix, spec.staged.owners()
    below = _below(prefix)
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
    """Return section and directory of all that lintian asks about, in its words."""
    return {
        (section, str(PurePosixPath(directory)))
        for each in objects
        for section, directories in zip(_SECTIONS, (each.rpath, each.runpath), strict=True)
        for directory in directories
        if directory.startswith("/")
    }


def _trusted_directories(multiarch: str) -> frozenset[str]:
    """Return where the loader looks when nothing tells it to; ld.so(8) and Debian's libc."""
    return frozenset(
        f"{lib}{below}" for lib in ("/lib", "/usr/lib") for below in ("", f"/{multiarch}" * bool(multiarch))
    )


def _below(prefix: PurePosixPath) -> str:
    return f"*{str(prefix).removeprefix('/')}/*"


def _script(path: PayloadPath) -> _Script:
    first, *rest = path.shebang.split()
    by_env = first in _ENV and bool(rest)
    return _Script(path.is_executable, rest[0] if by_env else first, by_env or first.startswith("/"))
