"""What compiles: the flags of the release and the packages that take part."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvpkg.errors import MissingToolError
from venvpkg.host.runner import Command
from venvpkg.wheelhouse.installed import build_packages

if TYPE_CHECKING:
    from venvpkg.host.runner import Runner
    from venvpkg.model.target import Target

# dpkg's own path features are switched off: they would map this process's directory, and so put it into the flags.
_OPTIONS = "hardening=+all reproducible=-fixfilepath,-fixdebugpath"
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Everything on the target, beside the interpreter, that can change what a compile makes.

    Attributes:
        flags: variable → flags, as dpkg-buildflags gives them, sorted.
        packages: name and version of installed build packages, sorted.
    """

    flags: tuple[tuple[str, str], ...]
    packages: tuple[tuple[str, str], ...]


def read_toolchain(target: Target, runner: Runner) -> Toolchain:
    """Return the toolchain of ``target``.

    Raises:
        MissingToolError: no dpkg-buildflags.
        PackageDatabaseError: dpkg's status file is damaged.

    Source:
        dpkg-buildflags(1).
    """
    done = runner.run(
        Command(
            ("/usr/bin/dpkg-buildflags", "--export=cmdline"),
            env={"DEB_BUILD_MAINT_OPTIONS": _OPTIONS, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            clean=True,
            timeout_s=60,
        )
    )
    if not done.ok:
        raise MissingToolError(
            [f"dpkg-buildflags, for compiling wheels: {done.outcome()} {done.errors.strip()[-300:]}".rstrip()],
            install=["dpkg-dev"],
        )
    return Toolchain(_flags(done.text), build_packages(target.root, target.interpreter.minor))


def _flags(text: str) -> tuple[tuple[str, str], ...]:
    try:
        words = shlex.split(text)
    except ValueError:
        words = [""]
    pairs = [word.partition("=") for word in words]
    if not pairs or not all(_VARIABLE.fullmatch(name) and equals for name, equals, _ in pairs):
        raise MissingToolError(
            [f"a dpkg-buildflags that answers with flags; this one says {text.strip()[:200]!r}"], install=["dpkg-dev"]
        )
    return tuple(sorted((name, flags) for name, _, flags in pairs))
