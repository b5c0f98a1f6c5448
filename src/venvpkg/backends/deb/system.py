"""The distributions that packages of Debian and its derivatives install for the release's interpreter."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.backends.deb.collisions import in_index
from venvpkg.backends.deb.owners import list_files, native_package, read_owners
from venvpkg.backends.deb.relations import MINVER
from venvpkg.backends.deb.versions import to_debian, version_key, without_revision
from venvpkg.backends.system import Spelling, find_system
from venvpkg.errors import PackageDatabaseError
from venvpkg.host.layers import LayeredRoot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from venvpkg.host.runner import Runner
    from venvpkg.model.depends import NativePackage
    from venvpkg.model.system import SystemDistribution
    from venvpkg.model.target import Target

# Debian Python Policy 1.1, 2.5: public modules, for the default version and those built with it.
_DIRECTORY: Final = PurePosixPath("/usr/lib/python3/dist-packages")
_DEFAULT: Final = PurePosixPath("/usr/bin/python3")

SPELLING: Final = Spelling(to_debian, version_key, without_revision, MINVER)


def system_distributions(
    names: Sequence[str], target: Target, runner: Runner, cache: Path
) -> tuple[SystemDistribution, ...]:
    """Return the distributions of those normalised names, and all that they require and packages have; sorted.

    Raises:
        PackageDatabaseError: some are not installed, or belong to no package; or the interpreter is not the one that
            the release's packages are for.
    """
    if not names:
        return ()
    root = LayeredRoot(target.root)
    default = root.find(str(_DEFAULT))
    if default is None or default.path != str(target.interpreter.path):
        raise PackageDatabaseError(
            f"The release's packages python3-* do not serve {target.interpreter.path}.",
            details=f"  They are for {_DEFAULT}, which is {default.path if default else 'not there'}.",
            resolution="Build for the release's default interpreter, or take wheels.system out of the configuration.",
        )
    return find_system(names, target, _Packages(target, root, runner, cache))


class _Packages:
    """dpkg's database."""

    directories = (_DIRECTORY,)

    def __init__(self, target: Target, root: LayeredRoot, runner: Runner, cache: Path) -> None:
        self._target = target
        self._root = root
        self._runner = runner
        self._cache = cache

    def owner(self, path: PurePosixPath) -> NativePackage | None:
        owners = read_owners(self._target, self._root, [path], [], self._runner)
        several = (native_package(name, self._runner) for name in owners.of(path))
        return next((each for each in several if each is not None), None)

    def files(self, package: NativePackage) -> tuple[PurePosixPath, ...]:
        return list_files(package.name, self._runner)

    def advice(self, names: Sequence[str]) -> str:
        guesses = {name: _guesses(name) for name in names}
        known = {
            name: next((each for each in several if in_index(each, self._target, self._runner, self._cache)), "")
            for name, several in guesses.items()
        }
        install = " ".join(each for each in known.values() if each)
        lines = [f"Run: apt-get install --no-install-recommends {install}"] if install else []
        unknown = [name for name, package in known.items() if not package]
        if unknown:
            lines.append(f"Install the packages of {', '.join(unknown)}, or take them out of wheels.system.")
        return "\n".join(lines)


def _guesses(name: str) -> tuple[str, ...]:
    """Return the packages that a distribution can be expected in, likeliest first.

    Source:
        Debian Python Policy 4.3: ``python3-`` and the name of the module.
    """
    shorter = (name.removeprefix("python-"), name.removeprefix("py"), name.removesuffix("-python"))
    return tuple(dict.fromkeys(f"python3-{each}" for each in (name, *shorter, name.replace("-", ".")) if each))
