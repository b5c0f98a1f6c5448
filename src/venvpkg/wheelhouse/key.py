"""The wheelhouse key: a hash over everything that can change a wheel, including the target's toolchain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvpkg.families.registry import FAMILIES
from venvpkg.model.wheels import SourceTree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from venvpkg.host.command import Runner
    from venvpkg.model.lock import RemoteFile
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
        requirements: wheels of the build environment.
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
