"""The wheelhouse key: one hash over everything that can change a wheel, the toolchain of the target among it."""

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
    """Everything on the target, beside the interpreter, that can change what a compile makes.

    Attributes:
        flags: variable → flags, as the release builds its own packages, sorted.
        packages: name and version of installed build packages, sorted.
    """

    flags: tuple[tuple[str, str], ...]
    packages: tuple[tuple[str, str], ...]


def read_toolchain(target: Target, runner: Runner) -> Toolchain:
    """Return the toolchain of ``target``.

    Args:
        target: whose.
        runner: runs programs there.

    Raises:
        MissingToolError: the flags cannot be had.
        PackageDatabaseError: the package database is damaged.
    """
    host = FAMILIES[target.family].host
    return Toolchain(tuple(sorted(host.read_flags(runner).items())), host.build_packages(target, runner))


# Raise it when venvpkg itself begins to make other bytes from the same inputs: flags, environment, repacking.
FORMAT = 2


def key_inputs(  # noqa: PLR0913 -- each is an input of its own
    *,
    name: str,
    version: str,
    source: str,
    requirements: Iterable[RemoteFile],
    target: Target,
    toolchain: Toolchain,
) -> dict[str, Json]:
    """Return the inputs of one wheel as canonical JSON can hold them.

    Environment and config settings of the build are not among them: they follow from these inputs and the format.

    Args:
        name: normalised name of the distribution.
        version: as locked; empty for the application's own tree.
        source: sha256 of the sdist or tree; see ``source_id``.
        requirements: the wheels of the build environment.
        target: where it is compiled.
        toolchain: of the target.
    """
    # The release's own has none, because the versions of its packages say the same.
    identity = {"interpreter": target.interpreter.identity} if target.interpreter.identity else {}
    return identity | {
        "recipe": FORMAT,
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
    """Return what tells a source from every other one, for ``key_inputs``."""
    subdirectory = "" if isinstance(source, SourceTree) else source.subdirectory
    return f"{source.sha256} {subdirectory}".rstrip()


def same_but_for_target(one: Mapping[str, Json], other: Mapping[str, Json]) -> bool:
    """Whether two wheels were made of the same source for the same interpreter ABI, on whatever release.

    What may differ is the release's: platform tag, flags, packages, the interpreter's patch release, and the build
    requirements, which are pinned for each target on its own.
    """
    return all(one.get(key) == other.get(key) for key in ("recipe", "name", "version", "source", "ext_suffix"))
