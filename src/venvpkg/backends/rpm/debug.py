"""Write the package NAME-debuginfo: debug information of what was compiled here, where debuggers look by build-id."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from venvpkg.backends.debug import paths_below, place_debug
from venvpkg.backends.rpm.escape import pattern
from venvpkg.backends.rpm.files import owned
from venvpkg.backends.rpm.metadata import rendered
from venvpkg.backends.rpm.pack import pack
from venvpkg.host.tree import normalise_modes
from venvpkg.model.staged import PathKind

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.backends.rpm.metadata import Composed
    from venvpkg.host.runner import Runner
    from venvpkg.model.package import PackageSpec
    from venvpkg.model.target import Target


def assemble_debug(spec: PackageSpec, of: Composed, target: Target, directory: Path, runner: Runner) -> Path:
    """Write the package into ``directory`` and return its path; directories ``debuginfo*`` in there are made and used.

    A package of its own, not one of rpm's that rpmbuild makes with the other: what it would put there is what it strips
    off, and wheels are stripped when they are compiled. A project's template of the spec file is for the package
    itself, and not used.

    Raises:
        AssembleError, MissingToolError, MachineError: as ``pack`` does.

    Source:
        rpm's manual, "Debuginfo packages", for name and places.
    """
    destdir = directory / "debuginfo"
    place_debug(spec, destdir)
    normalise_modes(destdir)
    paths = owned(paths_below(destdir))
    debug = debug_of(of, target.isa)
    files = (f"%dir {pattern(each.path)}" if each.kind is PathKind.DIRECTORY else pattern(each.path) for each in paths)
    packed = pack(
        destdir, directory / "debuginfo-rpm", rendered(debug, files), (debug.header(), paths), runner,
        architecture=target.architecture, source_date_epoch=spec.source_date_epoch,
    )  # fmt: skip
    return packed.path.rename(directory / debug.filename())


def debug_of(of: Composed, isa: str) -> Composed:
    """Return what the spec file says: the package in this very version, and what this one is."""
    return replace(
        of,
        name=f"{of.name}-debuginfo",
        summary=f"Debug information of {of.name}",
        description=f"Debug information of the Python extension modules that were compiled for {of.name}.",
        relations=(("Requires", (f"{of.name}{isa} = {of.changelog.version}",)),),
        scripts=(),
    )
