"""Write the .deb: the payload, what Debian wants beside it, the control files; pack, read back, move into place."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.backends.deb.changelog import compressed_changelog
from venvpkg.backends.deb.conffiles import conffiles
from venvpkg.backends.deb.control import control_fields, package_architecture, package_version, rendered_control
from venvpkg.backends.deb.copyright import rendered_copyright
from venvpkg.backends.deb.debug import assemble_debug
from venvpkg.backends.deb.lintian import OVERRIDES, rendered_overrides
from venvpkg.backends.deb.manpages import manual_pages
from venvpkg.backends.deb.md5sums import md5sums
from venvpkg.backends.deb.pack import CONTROL, compression, pack, uses_zstd
from venvpkg.backends.deb.scripts import maintainer_scripts
from venvpkg.errors import AssembleError, MachineError
from venvpkg.host.files import written_whole
from venvpkg.model.package import Artifact
from venvpkg.model.staged import PathKind, PayloadPath

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvpkg.console import Report
    from venvpkg.host.runner import Runner
    from venvpkg.model.package import PackageSpec
    from venvpkg.model.target import Target

# Below the prefix; `venvpkg explain` and `venvpkg inspect` find them there.
EVIDENCE = PurePosixPath("share/venvpkg/dependencies.json")
SBOM = PurePosixPath("share/venvpkg/sbom.cdx.json")
_COPY_BYTES = 1 << 20


def artifact_name(spec: PackageSpec, target: Target) -> str:
    """Return ``guestbook_1.0.0-1~debian12_amd64.deb``; the epoch is no part of it.

    Source:
        Debian Policy 5.6.12; dpkg-name(1).
    """
    return f"{spec.name}_{package_version(spec, target, epoch=False)}_{package_architecture(spec, target)}.deb"


def assemble(spec: PackageSpec, target: Target, destination: Path, runner: Runner, report: Report) -> Artifact:
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
    _write(
        destdir, PurePosixPath("/", CONTROL, "control"), rendered_control(fields, spec.inclusions.templates).encode()
    )
    _write(destdir, PurePosixPath("/", CONTROL, "md5sums"), md5sums(paths))
    if listed := "".join(f"{each.path}\n" for each in conffiles(paths)):
        _write(destdir, PurePosixPath("/", CONTROL, "conffiles"), listed.encode())
    for name, content in maintainer_scripts(spec):
        _write(destdir, PurePosixPath("/", CONTROL, name), content, mode=0o755)
    packed = destdir.with_name(artifact_name(spec, target))
    pack(destdir, packed, fields, runner, options=compression(target.release), source_date_epoch=spec.source_date_epoch)
    artifact = _move_whole(packed, destination.absolute() / packed.name, spec)
    if spec.debug:
        companion = assemble_debug(spec, target, destdir.parent, runner)
        artifact = replace(artifact, companions=(companion,))
    report.detail(f"{artifact.path.name}: {artifact.size_bytes} bytes, {len(paths)} paths, sha256 {artifact.sha256}")
    return artifact


def _add_files(spec: PackageSpec, target: Target) -> tuple[PayloadPath, ...]:
    """Write what is not of the environment; return it with the directories that it needs.

    Source:
        Debian Policy 10.5: a link between two top-level directories is absolute. 12.5, 12.7: files in /usr/share/doc.
    """
    documents = PurePosixPath("/usr/share/doc") / spec.name
    files = {
        documents / "changelog.Debian.gz": compressed_changelog(spec, target),
        documents / "copyright": rendered_copyright(spec).encode(),
        spec.staged.prefix / EVIDENCE: spec.evidence,
        **(pages := manual_pages(spec)),
    }
    if spec.sbom:
        files[spec.staged.prefix / SBOM] = spec.sbom
    if text := rendered_overrides(spec, pages, zstd=uses_zstd(target.release)):
        files[OVERRIDES / spec.name] = text
    _refuse_taken(spec, files)
    destdir = spec.staged.destdir
    added = [_write(destdir, path, content) for path, content in files.items()]
    added.extend(_link(destdir, link, points_to) for link, points_to in spec.links)
    known = {each.path for each in spec.staged.payload.paths}
    directories = {above for each in added for above in each.path.parents} - known - {PurePosixPath("/")}
    return (*added, *(PayloadPath(each, PathKind.DIRECTORY, 0o755) for each in sorted(directories)))


def _refuse_taken(spec: PackageSpec, files: Mapping[PurePosixPath, bytes]) -> None:
    wanted = {*files, *(link for link, _ in spec.links), PurePosixPath("/", CONTROL)}
    taken = sorted(str(each.path) for each in spec.staged.payload.paths if each.path in wanted)
    named = [str(path) for path, content in files.items() if str(spec.staged.destdir).encode() in content]
    if taken or named:
        raise AssembleError(
            "The package would hold a path twice, or name a path of this machine.",
            details="\n".join(f"  {path}" for path in (*taken, *named)),
        )


def _write(destdir: Path, path: PurePosixPath, content: bytes, mode: int = 0o644) -> PayloadPath:
    file = _made_parents(destdir, path)
    file.write_bytes(content)
    file.chmod(mode)
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return PayloadPath(path, PathKind.FILE, mode, len(content), digest)


def _link(destdir: Path, path: PurePosixPath, points_to: PurePosixPath) -> PayloadPath:
    link = _made_parents(destdir, path)
    link.unlink(missing_ok=True)
    link.symlink_to(points_to)
    return PayloadPath(path, PathKind.LINK, 0o777, len(str(points_to)))


def _made_parents(destdir: Path, path: PurePosixPath) -> Path:
    """Return where ``path`` is in the destdir; its parents are made, with the mode that is packed."""
    current = destdir
    for part in path.parts[1:-1]:
        current /= part
        current.mkdir(exist_ok=True)
        current.chmod(0o755)
    return current / path.name


def _move_whole(packed: Path, path: Path, spec: PackageSpec) -> Artifact:
    """Copy the package into place; the workspace may be on another filesystem."""
    digest = hashlib.sha256()
    size = 0
    try:
        with packed.open("rb") as source, written_whole(path) as file:
            while chunk := source.read(_COPY_BYTES):
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
    except OSError as error:
        raise MachineError.of(
            error, resolution="Give that directory space and permission, or name another with --out."
        ) from error
    packed.unlink()
    return Artifact(path, digest.hexdigest(), size, spec)
