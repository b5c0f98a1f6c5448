"""What lintian would say of such a package in general, and why it is right all the same. Pure.

Only what follows from being a virtual environment in a package is here. What lintian finds in the application itself
(a page that loads a script from elsewhere, an embedded jquery) is for its packager to read.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.backends.manpages import MANUAL
from venvpkg.model.target import Family
from venvpkg.templates import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from venvpkg.model.package import PackageSpec
    from venvpkg.model.staged import PayloadPath

OVERRIDES = PurePosixPath("/usr/share/lintian/overrides")

_WIDTH = 78
_ENV = ("/usr/bin/env", "/bin/env")
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


def rendered_overrides(spec: PackageSpec, pages: Iterable[PurePosixPath], *, zstd: bool) -> bytes:
    """Return the package's overrides, each below its reason, and what the project adds; empty when there are none.

    Source:
        Lintian User's Manual 2.4.
    """
    entries = [
        {"reason": textwrap.wrap(each.reason, _WIDTH), "line": f"{spec.name}: {each.tag} {each.context}".rstrip()}
        for each in overrides(spec, pages, zstd=zstd)
    ]
    values = {"package": spec.name, "overrides": entries}
    text = render(Family.DEB, "lintian-overrides.j2", values, spec.inclusions.templates)
    return text.encode() if text.strip() else b""


def overrides(spec: PackageSpec, pages: Iterable[PurePosixPath], *, zstd: bool) -> Iterator[Override]:
    """Yield an override for each tag that this payload gives rise to, and for no other.

    Args:
        spec: the package.
        pages: manual pages that are added to the payload.
        zstd: whether it is packed with that.
    """
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
            "The bytecode is for exactly the interpreter in Depends. Shipping it needs no maintainer script, lets dpkg"
            " verify it, and leaves nothing behind at removal.",
        )
    yield from _of_scripts(prefix, paths)
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
    below = f"*{str(prefix).removeprefix('/')}/*"
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


def _script(path: PayloadPath) -> _Script:
    first, *rest = path.shebang.split()
    by_env = first in _ENV and bool(rest)
    return _Script(path.is_executable, rest[0] if by_env else first, by_env or first.startswith("/"))
