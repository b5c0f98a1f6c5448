"""Add files to the destdir that are not part of the payload, and move the finished package into place."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.errors import AssembleError, MachineError
from venvpkg.host.files import open_atomic
from venvpkg.host.tree import entries_below
from venvpkg.model.package import Artifact
from venvpkg.model.staged import PathKind, PayloadPath

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from venvpkg.model.package import PackageSpec


# Below the prefix; `venvpkg explain` and `venvpkg inspect` find them there.
EVIDENCE = PurePosixPath("share/venvpkg/dependencies.json")
SBOM = PurePosixPath("share/venvpkg/sbom.cdx.json")
_COPY_BYTES = 1 << 20


def own_documents(spec: PackageSpec) -> dict[PurePosixPath, bytes]:
    """Return the documents that venvpkg adds to every package: path on the target → content."""
    files = {spec.staged.prefix / EVIDENCE: spec.evidence}
    return files | {spec.staged.prefix / SBOM: spec.sbom} if spec.sbom else files


def add_files(
    spec: PackageSpec, files: Mapping[PurePosixPath, bytes], reserved: Iterable[PurePosixPath] = ()
) -> tuple[PayloadPath, ...]:
    """Write the package's links and ``files``; return them, and new directories.

    Args:
        spec: the package.
        files: path on the target → content.
        reserved: further paths that the payload must not have.

    Raises:
        AssembleError: the payload already has one of these paths, or a file names a path of this machine.

    Source:
        Debian Policy 10.5: a link between two top-level directories is absolute.
    """
    _require_free_paths(spec, files, reserved)
    destdir = spec.staged.destdir
    added = [write_file(destdir, path, content) for path, content in files.items()]
    added.extend(_write_link(destdir, link, points_to) for link, points_to in spec.links)
    known = {each.path for each in spec.staged.payload.paths}
    directories = {above for each in added for above in each.path.parents} - known - {PurePosixPath("/")}
    return (*added, *(PayloadPath(each, PathKind.DIRECTORY, 0o755) for each in sorted(directories)))


def write_file(destdir: Path, path: PurePosixPath, content: bytes, mode: int = 0o644) -> PayloadPath:
    """Write a file of the package, creating its directories."""
    file = _make_parents(destdir, path)
    file.write_bytes(content)
    file.chmod(mode)
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return PayloadPath(path, PathKind.FILE, mode, len(content), digest)


def move_whole(packed: Path, path: Path, spec: PackageSpec) -> Artifact:
    """Move the package into place, whole or not at all; the workspace may be on another filesystem.

    Raises:
        MachineError: no space or permission there.
    """
    digest = hashlib.sha256()
    size = 0
    try:
        with packed.open("rb") as source, open_atomic(path) as file:
            while chunk := source.read(_COPY_BYTES):
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
    except OSError as error:
        raise MachineError.of(
            error, resolution="Make space or grant permission there, or choose another directory with --out."
        ) from error
    packed.unlink()
    return Artifact(path, digest.hexdigest(), size, spec)


def _require_free_paths(
    spec: PackageSpec, files: Mapping[PurePosixPath, bytes], reserved: Iterable[PurePosixPath]
) -> None:
    wanted = dict.fromkeys((*files, *reserved), "written by venvpkg")
    wanted |= dict.fromkeys((link for link, _ in spec.links), "the link to a command")
    paths = sorted(each.path for each in spec.staged.payload.paths if each.path in wanted)
    duplicates = [f"{path}: also {wanted[path]}" for path in paths]
    leaks = [str(path) for path, content in files.items() if str(spec.staged.destdir).encode() in content]
    if duplicates or leaks:
        raise AssembleError(
            "the package would contain a path twice, or name a path of this machine.",
            details="\n".join(f"  {path}" for path in (*duplicates, *leaks)),
            resolution="Choose another target under files in [tool.venvpkg], or leave the command out with commands."
            if duplicates
            else "",
        )


def _write_link(destdir: Path, path: PurePosixPath, points_to: PurePosixPath) -> PayloadPath:
    link = _make_parents(destdir, path)
    link.unlink(missing_ok=True)
    link.symlink_to(points_to)
    return PayloadPath(path, PathKind.LINK, 0o777, len(str(points_to)))


def _make_parents(destdir: Path, path: PurePosixPath) -> Path:
    """Return the place of ``path`` in the destdir; missing parents are created, all get the mode to pack."""
    current = destdir
    for part in path.parts[1:-1]:
        current /= part
        current.mkdir(exist_ok=True)
        current.chmod(0o755)
    return current / path.name


# gdb looks there, wherever the object itself is. Source: gdb's manual, Separate Debug Files.
DEBUG_DIRECTORY: Final = PurePosixPath("/usr/lib/debug/.build-id")


def place_debug(spec: PackageSpec, destdir: Path, directory: PurePosixPath = DEBUG_DIRECTORY) -> None:
    """Copy the package's debug information into ``directory`` of ``destdir``, which is emptied first."""
    shutil.rmtree(destdir, ignore_errors=True)
    for build_id, file in spec.debug:
        place = destdir.joinpath(*directory.parts[1:], build_id[:2], f"{build_id[2:]}.debug")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)


def paths_below(destdir: Path) -> Iterator[PayloadPath]:
    """Yield every path in ``destdir``, with the mode to pack."""
    for path, entry in entries_below(destdir):
        if entry.is_symlink():
            yield PayloadPath(path, PathKind.LINK, 0o777, len(str(Path(entry.path).readlink())))
        elif entry.is_dir():
            yield PayloadPath(path, PathKind.DIRECTORY, 0o755)
        else:
            with Path(entry.path).open("rb") as file:
                digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
            yield PayloadPath(path, PathKind.FILE, 0o644, entry.stat().st_size, digest)
