"""Write the package NAME-debuginfo: debug information of what was compiled here, where debuggers look by build-id."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from venvpkg.backends.debug import paths_below, place_debug
from venvpkg.backends.rpm.escape import pattern
from venvpkg.backends.rpm.files import owned
from venvpkg.backends.rpm.metadata import rendered
from venvpkg.backends.rpm.pack import Expected, pack
from venvpkg.host.tree import normalise_modes
from venvpkg.model.staged import PathKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from venvpkg.backends.packed import PackedPackages
    from venvpkg.backends.rpm.metadata import Composed
    from venvpkg.host.runner import Runner
    from venvpkg.model.package import PackageSpec
    from venvpkg.model.target import Target


def assemble_debug(  # noqa: PLR0913 - as assemble
    spec: PackageSpec, of: Composed, target: Target, directory: Path, runner: Runner, *, earlier: PackedPackages
) -> Path:
    """Write the package into ``directory`` and return its path; directories ``debuginfo*`` in there are made and used.

    A package of its own, not one of rpm's that rpmbuild makes with the other: what it would put there is what it strips
    off, and wheels are stripped when they are compiled. A project's template of the spec file is for the package
    itself, and not used.

    Raises:
        AssembleError, MissingToolError, MachineError: as ``pack`` does.

    Source:
        rpm's macros file, ``_debuginfo_template``, for the name and what it requires; debuginfo.attr, for what it
        provides and where files are.
    """
    destdir = directory / "debuginfo"
    place_debug(spec, destdir)
    normalise_modes(destdir)
    paths = owned(paths_below(destdir))
    debug = debug_of(of, (build_id for build_id, _ in spec.debug))
    files = (f"%dir {pattern(each.path)}" if each.kind is PathKind.DIRECTORY else pattern(each.path) for each in paths)
    packed = pack(
        destdir, directory / "debuginfo-rpm", rendered(debug, files), Expected(debug.header(), paths), runner,
        earlier=earlier, architecture=target.architecture, source_date_epoch=spec.source_date_epoch,
    )  # fmt: skip
    return packed.path.rename(directory / debug.filename())


def debug_of(of: Composed, build_ids: Iterable[str]) -> Composed:
    """Return what the spec file says of it.

    It requires nothing, as rpm's own do: one that wanted the package in this very version would hold up the package's
    next update, and be of no use where only a core dump is. It provides each build-id, because that is what gdb and
    zypper tell people to install.
    """
    return replace(
        of,
        name=f"{of.name}-debuginfo",
        summary=f"Debug information of {of.name}",
        description=f"Debug information of the Python extension modules that were compiled for {of.name}.",
        relations=(("Provides", tuple(f"debuginfo(build-id) = {each}" for each in sorted(set(build_ids)))),),
        scripts=(),
    )
