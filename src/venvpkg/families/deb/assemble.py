"""Assemble a .deb and its -dbgsym: add documents and control files, pack, read back, move into place."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.families.common.destdir import (
    DEBUG_DIRECTORY,
    add_files,
    move_whole,
    own_documents,
    paths_below,
    place_debug,
    write_file,
)
from venvpkg.families.common.documents import manual_pages, render_copyright
from venvpkg.families.deb.control import control_fields, maintainer_scripts, package_architecture, render_control
from venvpkg.families.deb.deb822 import require_same
from venvpkg.families.deb.documents import COMMON_LICENSES, compressed_changelog, conffiles, installed_size, md5sums
from venvpkg.families.deb.lintian import OVERRIDES, render_overrides
from venvpkg.families.deb.pack import CONTROL, XZ, PackInputs, compression, pack, uses_zstd
from venvpkg.families.deb.versions import package_version
from venvpkg.host.tree import normalise_modes
from venvpkg.templates import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from venvpkg.families.base import TargetContext
    from venvpkg.families.common.artifact_cache import ArtifactCache
    from venvpkg.model.package import Artifact, PackageSpec
    from venvpkg.model.staged import PayloadPath
    from venvpkg.model.target import Target


_DOCUMENTS = PurePosixPath("/usr/share/doc")
_DEBUG_OF_PACKAGES = PurePosixPath("/usr/lib/debug/.venvpkg")


def assemble_debug(spec: PackageSpec, directory: Path, earlier: ArtifactCache, context: TargetContext) -> Path:
    """Write the debug package into ``directory`` and return its path; its files are staged in ``dbgsym`` there.

    Applications that use the same wheel of the wheelhouse have the same build-ids, but only one package may ship a
    path. So each package ships the files in its own directory, and alternatives link them to where gdb looks.

    Raises:
        AssembleError, MissingToolError, MachineError: as ``pack`` does.

    Source:
        Output of debhelper's dh_strip; gdb's manual, Separate Debug Files; Debian Policy 12.3 (the link in
        /usr/share/doc needs a dependency on the same version); update-alternatives(1).
    """
    target, destdir = context.target, directory / "dbgsym"
    place_debug(spec, destdir, _DEBUG_OF_PACKAGES / spec.name)
    for build_id, _ in spec.debug:
        destdir.joinpath(*DEBUG_DIRECTORY.parts[1:], build_id[:2]).mkdir(parents=True, exist_ok=True)
    documents = destdir.joinpath(*_DOCUMENTS.parts[1:])
    documents.mkdir(parents=True)
    (documents / f"{spec.name}-dbgsym").symlink_to(spec.name)
    normalise_modes(destdir)
    paths = tuple(paths_below(destdir))
    fields = debug_fields(spec, target, paths)
    text = render(
        "deb",
        "control-dbgsym.j2",
        {name.lower().replace("-", "_"): value for name, value in fields.items()},
        spec.project_files.templates,
    )
    require_same(fields, text, "the rendered control file of the debug symbols")
    control = destdir / CONTROL
    control.mkdir(mode=0o755)
    for name, content in (("control", text.encode()), ("md5sums", md5sums(paths))):
        (control / name).write_bytes(content)
    control.chmod(0o755)
    for file in control.iterdir():
        file.chmod(0o644)
    for name in ("postinst", "prerm"):
        write_file(destdir, PurePosixPath("/", CONTROL, name), debug_script(spec, name), mode=0o755)
    packed = directory / f"{fields['Package']}_{package_version(spec, target, epoch=False)}_{target.architecture}.deb"
    # Debug sections are already compressed, so zstd would gain nothing, and lintian in Debian 12 rejects it.
    pack(PackInputs(destdir, fields, XZ, spec.source_date_epoch), packed, context.runner, earlier)
    return packed


def debug_script(spec: PackageSpec, name: str) -> bytes:
    """Return the postinst or prerm. They add and remove the package's files as alternatives for their build-ids."""
    values = {
        "name": name,
        "package": spec.name,
        "build_ids": " ".join(build_id for build_id, _ in spec.debug),
        "place": DEBUG_DIRECTORY,
        "own_place": _DEBUG_OF_PACKAGES / spec.name,
    }
    return render("deb", "maintainer-script-dbgsym.j2", values, spec.project_files.templates).encode()


def debug_fields(spec: PackageSpec, target: Target, paths: Iterable[PayloadPath]) -> Mapping[str, str]:
    """Return the fields of the debug package's control file, in debhelper's order; the description has one line."""
    version = package_version(spec, target)
    return {
        "Package": f"{spec.name}-dbgsym",
        "Source": spec.name,
        "Version": version,
        "Auto-Built-Package": "debug-symbols",
        "Architecture": package_architecture(spec, target),
        "Maintainer": spec.maintainer,
        "Installed-Size": str(installed_size(paths)),
        "Depends": f"{spec.name} (= {version})",
        "Section": "debug",
        "Priority": "optional",
        "Description": f"debug symbols for {spec.name}",
        "Build-Ids": " ".join(build_id for build_id, _ in spec.debug),
    }


def artifact_name(spec: PackageSpec, target: Target) -> str:
    """Return the file name of the package without the epoch, ``guestbook_1.0.0-1~debian12_amd64.deb``.

    Source:
        Debian Policy 5.6.12; dpkg-name(1).
    """
    return f"{spec.name}_{package_version(spec, target, epoch=False)}_{package_architecture(spec, target)}.deb"


def assemble(spec: PackageSpec, destination: Path, earlier: ArtifactCache, context: TargetContext) -> Artifact:
    """Write the package into the directory ``destination``.

    Links, documentation and control files are added to the staged payload, and all times become that of the sources.
    The package is packed next to the destdir, and moved to ``destination`` once it has been read back. A debug package
    stays next to the destdir.

    Raises:
        AssembleError: a rendered file differs from the spec, the payload already has one of the added paths, or
            dpkg-deb failed.
        MissingToolError: dpkg-deb is not installed.
        MachineError: there is no space, or no permission to write.
    """
    target, destdir = context.target, spec.staged.destdir
    shutil.rmtree(destdir / CONTROL, ignore_errors=True)
    paths = (*spec.staged.payload.paths, *_add_files(spec, target))
    fields = control_fields(spec, target, paths)
    write_file(
        destdir, PurePosixPath("/", CONTROL, "control"), render_control(fields, spec.project_files.templates).encode()
    )
    write_file(destdir, PurePosixPath("/", CONTROL, "md5sums"), md5sums(paths))
    if listed := "".join(f"{each.path}\n" for each in conffiles(paths)):
        write_file(destdir, PurePosixPath("/", CONTROL, "conffiles"), listed.encode())
    for name, content in maintainer_scripts(spec):
        write_file(destdir, PurePosixPath("/", CONTROL, name), content, mode=0o755)
    packed = destdir.with_name(artifact_name(spec, target))
    inputs = PackInputs(destdir, fields, compression(target.release), spec.source_date_epoch)
    pack(inputs, packed, context.runner, earlier)
    artifact = move_whole(packed, destination.absolute() / packed.name, spec)
    if spec.debug:
        debug_package = assemble_debug(spec, destdir.parent, earlier, context)
        artifact = replace(artifact, debug_packages=(debug_package,))
    context.reporter.detail(
        f"{artifact.path.name}: {artifact.size_bytes} bytes, {len(paths)} paths, sha256 {artifact.sha256}"
    )
    return artifact


def _add_files(spec: PackageSpec, target: Target) -> tuple[PayloadPath, ...]:
    """Write the files outside the virtual environment, and return their paths with the directories that they need.

    Source:
        Debian Policy 12.5, 12.7: files in /usr/share/doc.
    """
    documents = PurePosixPath("/usr/share/doc") / spec.name
    pages = manual_pages(spec)
    files = {
        documents / "changelog.Debian.gz": compressed_changelog(spec, target),
        documents / "copyright": render_copyright(spec, target.family, COMMON_LICENSES).encode(),
        **own_documents(spec),
        **pages,
    }
    if text := render_overrides(spec, pages, multiarch=target.multiarch, zstd=uses_zstd(target.release)):
        files[OVERRIDES / spec.name] = text
    return add_files(spec, files, [PurePosixPath("/", CONTROL)])
