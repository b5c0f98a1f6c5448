"""What writes the bytes of a package, beside venvpkg itself: dpkg, the compressors, the interpreter's compiler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.backends.deb.owners import installed_versions

if TYPE_CHECKING:
    from venvpkg.host.runner import Runner
    from venvpkg.model.target import Target

# dpkg-deb starts tar, and links the compressors.
_PACKERS = ("dpkg", "liblzma5", "libzstd1", "tar", "zlib1g")


def packers(target: Target, runner: Runner) -> tuple[tuple[str, str], ...]:
    """Return name and version of the installed packages that pack and compile bytecode; sorted by name."""
    minor = target.interpreter.minor
    compiler = [f"{each}{minor}-minimal" for each in ("python", "libpython")]
    names = [*_PACKERS, *(("pypy3", "pypy3-lib") if target.interpreter.is_pypy else compiler)]
    versions = installed_versions(names, runner)
    return tuple(sorted((name, versions[name]) for name in names if name in versions))
