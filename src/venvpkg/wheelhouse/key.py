"""The wheelhouse key: a hash over everything that can change a wheel, including the target's toolchain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import parse_sdist_filename

from venvpkg.families.registry import FAMILIES
from venvpkg.model.wheels import SourceTree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from venvpkg.host.command import Runner
    from venvpkg.model.lock import BuildPins, RemoteFile
    from venvpkg.model.target import Target
    from venvpkg.store.filecache import Json


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Everything on the target, apart from the interpreter, that can change the output of a compile.

    Attributes:
        flags: variables with the compiler flags that the release builds its own packages with, sorted.
        packages: names and versions of installed build packages, sorted.
    """

    flags: tuple[tuple[str, str], ...]
    packages: tuple[tuple[str, str], ...]


def read_toolchain(target: Target, runner: Runner) -> Toolchain:
    """Return the toolchain of a target.

    Args:
        target: the target.
        runner: runs programs on it.

    Raises:
        MissingToolError: the tool that prints the flags is not installed.
        PackageDatabaseError: the package database is damaged.
    """
    host = FAMILIES[target.family].host
    return Toolchain(tuple(sorted(host.read_flags(runner).items())), host.build_packages(target, runner))


# Increment it when venvpkg creates other bytes from the same inputs: flags, environ, repacking.
RECIPE = 2


def key_inputs(  # noqa: PLR0913 -- each is a separate input
    *,
    name: str,
    version: str,
    source: str,
    requirements: Iterable[RemoteFile],
    target: Target,
    toolchain: Toolchain,
) -> dict[str, Json]:
    """Return the inputs of a wheel's key as a JSON object.

    The environ and config settings of the build are not included: they follow from these inputs and ``RECIPE``.

    Args:
        name: normalised name of the distribution.
        version: locked version; empty for the application's own tree.
        source: identity of the source; see ``source_id``.
        requirements: files of the build environment, with the build requirements of its sdists.
        target: target that the wheel is compiled for.
        toolchain: the target's toolchain.
    """
    # The release's own interpreter has no identity: the versions of its packages suffice.
    identity = {"interpreter": target.interpreter.identity} if target.interpreter.identity else {}
    return identity | {
        "recipe": RECIPE,
        "name": name,
        "version": version,
        "source": source,
        "requirements": sorted({f"{file.sha256} {file.filename}" for file in requirements}),
        "python": ".".join(str(part) for part in target.interpreter.version),
        "ext_suffix": target.interpreter.ext_suffix,
        "platform_tag": target.platform_tag,
        "flags": dict(toolchain.flags),
        "packages": dict(toolchain.packages),
    }


def is_sdist(file: RemoteFile) -> bool:
    """Return whether a pinned build requirement must be compiled."""
    return not file.filename.endswith(".whl")


def sdist_name(sdist: RemoteFile) -> tuple[str, str]:
    """Return the normalised name and the version in an sdist's file name."""
    name, version = parse_sdist_filename(sdist.filename)
    return name, str(version)


def with_their_requirements(
    files: Iterable[RemoteFile], pins_of: Callable[[RemoteFile], BuildPins | None]
) -> tuple[RemoteFile, ...]:
    """Return build requirements and, recursively, the pinned requirements of their sdists; each once, sorted.

    Args:
        files: wheels and sdists.
        pins_of: returns the pins of an sdist, or None if they are not known.
    """
    found: set[RemoteFile] = set()
    left = list(files)
    while left:
        file = left.pop()
        if file not in found:
            found.add(file)
            pins = pins_of(file) if is_sdist(file) else None
            left.extend(pins.files if pins else ())
    return tuple(sorted(found, key=lambda file: (file.filename, file.sha256)))


def source_id(source: RemoteFile | SourceTree) -> str:
    """Return a string that identifies a source, for ``key_inputs``."""
    subdirectory = "" if isinstance(source, SourceTree) else source.subdirectory
    return f"{source.sha256} {subdirectory}".rstrip()


def same_but_for_target(one: Mapping[str, Json], other: Mapping[str, Json]) -> bool:
    """Whether two wheels were built from the same source for the same interpreter ABI, perhaps on different releases.

    Differences of the release do not count: platform tag, flags, packages, the interpreter's patch release, and the
    build requirements, which are pinned for each target separately.
    """
    return all(one.get(key) == other.get(key) for key in ("recipe", "name", "version", "source", "ext_suffix"))
