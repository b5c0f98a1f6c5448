"""Write the .rpm: the payload, what rpm wants beside it, the spec file; pack, read back, move into place."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from venvpkg.backends.copyright import rendered_copyright
from venvpkg.backends.destdir import add_files, move_whole, records_of
from venvpkg.backends.manpages import manual_pages
from venvpkg.backends.rpm.debug import assemble_debug
from venvpkg.backends.rpm.files import LICENSES, owned
from venvpkg.backends.rpm.metadata import composed, rendered_spec
from venvpkg.backends.rpm.pack import Expected, pack

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.backends.packed import PackedPackages
    from venvpkg.console import Report
    from venvpkg.host.runner import Runner
    from venvpkg.model.package import Artifact, PackageSpec
    from venvpkg.model.staged import PayloadPath
    from venvpkg.model.target import Target


def assemble(  # noqa: PLR0913 - a stage: package, place, effects
    spec: PackageSpec,
    target: Target,
    destination: Path,
    runner: Runner,
    report: Report,
    *,
    earlier: PackedPackages,
) -> Artifact:
    """Write the package into the directory ``destination``.

    The staged payload gets the links and the documentation, and the time of the sources; it is packed where it is. The
    package of its debug information, where there is any, stays beside the destdir.

    Raises:
        AssembleError: what would be written is not what was composed, the payload has a path of ours, or rpmbuild
            failed.
        MissingToolError: there is no rpmbuild.
        MachineError: no space, or no permission, there or where the package is packed.
    """
    work = spec.staged.destdir.with_name("rpm")
    paths = (*spec.staged.payload.paths, *_add_files(spec, target))
    of = composed(spec, target)
    packed = pack(
        spec.staged.destdir, work, rendered_spec(of, paths, spec),
        Expected(of.header(), owned(paths), spec.state), runner,
        earlier=earlier, architecture=target.architecture, source_date_epoch=spec.source_date_epoch,
    )  # fmt: skip
    report.detail(f"rpmbuild: {packed.said[-2000:]}")
    artifact = move_whole(packed.path, destination.absolute() / of.filename(), spec)
    shutil.rmtree(work, ignore_errors=True)
    if spec.debug:
        companion = assemble_debug(spec, of, target, spec.staged.destdir.parent, runner, earlier=earlier)
        artifact = replace(artifact, companions=(companion,))
    report.detail(f"{artifact.path.name}: {artifact.size_bytes} bytes, {len(paths)} paths, sha256 {artifact.sha256}")
    return artifact


def _add_files(spec: PackageSpec, target: Target) -> tuple[PayloadPath, ...]:
    """Write what is not of the environment; return it with the directories that it needs."""
    copyright_file = LICENSES / spec.name / "copyright"
    files = {
        copyright_file: rendered_copyright(spec, target.family).encode(),
        **records_of(spec),
        **manual_pages(spec),
    }
    return add_files(spec, files)
