"""Write the .deb: the payload, what Debian wants beside it, the control files; pack, read back, move into place."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.backends.copyright import rendered_copyright
from venvpkg.backends.deb.changelog import compressed_changelog
from venvpkg.backends.deb.conffiles import conffiles
from venvpkg.backends.deb.debug import assemble_debug
from venvpkg.backends.deb.licenses import COMMON_LICENSES
from venvpkg.backends.deb.lintian import OVERRIDES, rendered_overrides
from venvpkg.backends.deb.md5sums import md5sums
from venvpkg.backends.deb.metadata import control_fields, package_architecture, package_version, rendered_control
from venvpkg.backends.deb.pack import CONTROL, compression, pack, uses_zstd
from venvpkg.backends.deb.scripts import maintainer_scripts
from venvpkg.backends.destdir import add_files, move_whole, records_of, write_file
from venvpkg.backends.manpages import manual_pages

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.backends.packed import PackedPackages
    from venvpkg.console import Report
    from venvpkg.host.runner import Runner
    from venvpkg.model.package import Artifact, PackageSpec
    from venvpkg.model.staged import PayloadPath
    from venvpkg.model.target import Target


def artifact_name(spec: PackageSpec, target: Target) -> str:
    """Return ``guestbook_1.0.0-1~debian12_amd64.deb``; the epoch is no part of it.

    Source:
        Debian Policy 5.6.12; dpkg-name(1).
    """
    return f"{spec.name}_{package_version(spec, target, epoch=False)}_{package_architecture(spec, target)}.deb"


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

    The staged payload gets the links, the documentation and the control files, and the time of the sources. The
    package is packed beside the destdir and appears in ``destination`` when it is whole and was read back. That of its
    debug information, where there is any, stays beside the destdir.

    Raises:
        AssembleError: what would be written is not what was composed, the payload has a path of ours, or dpkg-deb
            failed.
        MissingToolError: there is no dpkg-deb.
        MachineError: no space, or no permission, there or where the package is packed.
    """
    destdir = spec.staged.destdir
    shutil.rmtree(destdir / CONTROL, ignore_errors=True)
    paths = (*spec.staged.payload.paths, *_add_files(spec, target))
    fields = control_fields(spec, target, paths)
    write_file(
        destdir, PurePosixPath("/", CONTROL, "control"), rendered_control(fields, spec.inclusions.templates).encode()
    )
    write_file(destdir, PurePosixPath("/", CONTROL, "md5sums"), md5sums(paths))
    if listed := "".join(f"{each.path}\n" for each in conffiles(paths)):
        write_file(destdir, PurePosixPath("/", CONTROL, "conffiles"), listed.encode())
    for name, content in maintainer_scripts(spec):
        write_file(destdir, PurePosixPath("/", CONTROL, name), content, mode=0o755)
    packed = destdir.with_name(artifact_name(spec, target))
    pack(
        destdir, packed, fields, runner,
        earlier=earlier, options=compression(target.release), source_date_epoch=spec.source_date_epoch,
    )  # fmt: skip
    artifact = move_whole(packed, destination.absolute() / packed.name, spec)
    if spec.debug:
        companion = assemble_debug(spec, target, destdir.parent, runner, earlier=earlier)
        artifact = replace(artifact, companions=(companion,))
    report.detail(f"{artifact.path.name}: {artifact.size_bytes} bytes, {len(paths)} paths, sha256 {artifact.sha256}")
    return artifact


def _add_files(spec: PackageSpec, target: Target) -> tuple[PayloadPath, ...]:
    """Write what is not of the environment; return it with the directories that it needs.

    Source:
        Debian Policy 12.5, 12.7: files in /usr/share/doc.
    """
    documents = PurePosixPath("/usr/share/doc") / spec.name
    pages = manual_pages(spec)
    files = {
        documents / "changelog.Debian.gz": compressed_changelog(spec, target),
        documents / "copyright": rendered_copyright(spec, target.family, COMMON_LICENSES).encode(),
        **records_of(spec),
        **pages,
    }
    if text := rendered_overrides(spec, pages, multiarch=target.multiarch, zstd=uses_zstd(target.release)):
        files[OVERRIDES / spec.name] = text
    return add_files(spec, files, [PurePosixPath("/", CONTROL)])
