"""Assemble the .rpm: add links and documents to the payload, write the spec file, pack, verify, move into place."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from venvpkg.families.common.destdir import add_files, move_whole, own_documents, paths_below, place_debug
from venvpkg.families.common.documents import manual_pages, render_copyright
from venvpkg.families.rpm.files import LICENSES, owned_paths, pattern
from venvpkg.families.rpm.pack import Expected, PackInputs, pack
from venvpkg.families.rpm.spec import compose_spec_file, render_spec, render_spec_file
from venvpkg.host.tree import normalise_modes
from venvpkg.model.staged import PathKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from venvpkg.families.base import TargetContext
    from venvpkg.families.common.artifact_cache import ArtifactCache
    from venvpkg.families.rpm.spec import SpecFile
    from venvpkg.model.package import Artifact, PackageSpec
    from venvpkg.model.staged import PayloadPath
    from venvpkg.model.target import Target


def assemble(spec: PackageSpec, destination: Path, earlier: ArtifactCache, context: TargetContext) -> Artifact:
    """Write the package into the directory ``destination``.

    The links and documents are added to the staged payload, which is packed in place, with the time of the sources. The
    package of its debug information, if any, stays next to the destdir.

    Raises:
        AssembleError: the package would differ from what was composed, the payload has a reserved path, or rpmbuild
            failed.
        MissingToolError: rpmbuild is not installed.
        MachineError: no space or permission there, or where the package is packed.
    """
    target, reporter = context.target, context.reporter
    work = spec.staged.destdir.with_name("rpm")
    paths = (*spec.staged.payload.paths, *_add_files(spec, target))
    of = compose_spec_file(spec, target)
    expected = Expected(of.header(), owned_paths(paths, spec.directories_of_others))
    text, scripts = render_spec(of, paths, spec), of.script_files()
    inputs = PackInputs(spec.staged.destdir, text, scripts, expected, target.architecture, spec.source_date_epoch)
    packed = pack(inputs, work, context.runner, earlier)
    reporter.detail(f"rpmbuild: {packed.said[-2000:]}")
    artifact = move_whole(packed.path, destination.absolute() / of.filename(), spec)
    shutil.rmtree(work, ignore_errors=True)
    if spec.debug:
        debug_package = assemble_debug(spec, of, spec.staged.destdir.parent, earlier, context)
        artifact = replace(artifact, debug_packages=(debug_package,))
    reporter.detail(f"{artifact.path.name}: {artifact.size_bytes} bytes, {len(paths)} paths, sha256 {artifact.sha256}")
    return artifact


def _add_files(spec: PackageSpec, target: Target) -> tuple[PayloadPath, ...]:
    """Write the files outside of the virtual environment; return them, and new directories."""
    copyright_file = LICENSES / spec.name / "copyright"
    files = {
        copyright_file: render_copyright(spec, target.family).encode(),
        **own_documents(spec),
        **manual_pages(spec),
    }
    return add_files(spec, files)


def assemble_debug(
    spec: PackageSpec, of: SpecFile, directory: Path, earlier: ArtifactCache, context: TargetContext
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
    paths = owned_paths(paths_below(destdir))
    debug = debug_of(of, (build_id for build_id, _ in spec.debug))
    files = (f"%dir {pattern(each.path)}" if each.kind is PathKind.DIRECTORY else pattern(each.path) for each in paths)
    expected = Expected(debug.header(), paths)
    text = render_spec_file(debug, files)
    inputs = PackInputs(destdir, text, {}, expected, context.target.architecture, spec.source_date_epoch)
    packed = pack(inputs, directory / "debuginfo-rpm", context.runner, earlier)
    return packed.path.rename(directory / debug.filename())


def debug_of(of: SpecFile, build_ids: Iterable[str]) -> SpecFile:
    """Return the spec of the package of debug information.

    Like rpm's own, it requires nothing: a dependency on the exact version of the package would hold back updates, and
    make it useless where there is only a core dump. It provides each build-id, because gdb and zypper suggest those to
    install.
    """
    return replace(
        of,
        name=f"{of.name}-debuginfo",
        summary=f"Debug information of {of.name}",
        description=f"Debug information of the Python extension modules that were compiled for {of.name}.",
        relations=(("Provides", tuple(f"debuginfo(build-id) = {each}" for each in sorted(set(build_ids)))),),
        scripts=(),
    )
