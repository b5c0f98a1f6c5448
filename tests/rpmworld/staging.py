"""The files of a recipe, laid out in a directory as in the rpm package."""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import subprocess  # a stream is read while it is written
import tarfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rpmworld.amend import amend
from rpmworld.tools import RpmWorldError, output
from rpmworld.tree import Entry, Kind, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rpmworld.archive import Deb
    from rpmworld.layout import Layout
    from rpmworld.recipes import Recipe

ELFDEPS = "/usr/lib/rpm/elfdeps"
_EXECUTABLE = 0o111
_SMALL_ARCHIVE_BYTES = 4096
_STATIC_LIBRARY = re.compile(r".*/(?:libpython[\d.]+(?:-pic)?|libstdc\+\+|libstdc\+\+fs|libsupc\+\+)\.a")


def staged(
    recipe: Recipe, files: Mapping[str, Path], dropped: re.Pattern[str], layout: Layout, directory: Path
) -> Tree:
    """Return the tree of a recipe, made in ``directory``.

    Args:
        recipe: what goes in.
        files: Debian package name to its file.
        dropped: paths that stay out.
        layout: where the others go.
        directory: does not exist yet.
    """
    directory.mkdir(parents=True)
    tree = Tree(directory)
    unpacking = _Unpacking(recipe.name, dropped, layout, tree)
    for deb in recipe.debs:
        unpacking.unpack(deb, files[deb.name])
    for path, text in recipe.texts.items():
        tree.write(path, text.content, text.mode, text.directive)
    for path, target in recipe.links.items():
        tree.link(path, target)
    for path, kept in recipe.directories.items():
        tree.make_directory(path, kept.mode, kept.owner)
    if recipe.debs:
        amend(recipe.name, tree)
    _drop_static_libraries(tree)
    _look_at_files(tree)
    return tree


@dataclass(frozen=True, slots=True)
class _Unpacking:
    """Debian packages on their way into a tree."""

    name: str
    dropped: re.Pattern[str]
    layout: Layout
    tree: Tree

    def unpack(self, deb: Deb, file: Path) -> None:
        configuration = {self.layout.moved(path) for path in _conffiles(file)}
        command = ["dpkg-deb", "--fsys-tarfile", str(file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process, _stream(process) as archive:
            for member in archive:
                path = self._destination(member)
                if path is None:
                    continue
                source = member.name.removeprefix("./")
                if re.match(r"s?bin/", source) or (deb.is_essential and re.match(r"usr/s?bin/", source)):
                    self.tree.aliases.add("/" + source.removeprefix("usr/"))
                self._take(archive, member, path, "%config(noreplace)" if path in configuration else "")
        if process.returncode != 0:
            raise RpmWorldError(f"dpkg-deb cannot read {file}")

    def _destination(self, member: tarfile.TarInfo) -> str | None:
        path = self.layout.moved(member.name)
        if path in {"", "."} or self.dropped.match(path):
            return None
        if path.startswith("usr/share/doc/"):  # of all documentation, only the copyright files
            return f"usr/share/licenses/{self.name}/{path.split('/')[3]}.copyright" if member.isfile() else None
        return path

    def _take(self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: str, directive: str) -> None:
        tree, owner = self.tree, (member.uname or "root", member.gname or "root")
        if member.isdir():
            (tree.directory / path).mkdir(parents=True, exist_ok=True)
            tree.entries.setdefault(path, Entry(path, Kind.DIRECTORY, member.mode, *owner))
        elif member.issym():
            target = self.layout.moved_link(member.name, member.linkname)
            if posixpath.normpath(posixpath.join("/", posixpath.dirname(path), target)) != f"/{path}":
                tree.add(Entry(path, Kind.LINK, 0o777, *owner)).symlink_to(target)
        elif member.islnk():
            first = tree.directory / self.layout.moved(member.linkname)
            if first.exists():
                tree.add(Entry(path, Kind.FILE, member.mode, *owner, directive)).hardlink_to(first)
        elif (content := archive.extractfile(member)) is not None:
            place = tree.add(Entry(path, Kind.FILE, member.mode, *owner, directive))
            with place.open("wb") as new:
                shutil.copyfileobj(content, new, 1 << 20)
            place.chmod(member.mode)
            os.utime(place, (member.mtime, member.mtime))


def _stream(process: subprocess.Popen[bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=process.stdout, mode="r|")


def _conffiles(file: Path) -> list[str]:
    has_some = re.search(r" conffiles\s*$", output("dpkg-deb", "--info", file), re.MULTILINE)
    lines = output("dpkg-deb", "--info", file, "conffiles").splitlines() if has_some else []
    return [line.split()[-1] for line in lines if line.strip()]


def _drop_static_libraries(tree: Tree) -> None:
    """Fedora has those with a shared library beside them in packages of their own."""
    for path in [path for path in tree.entries if path.endswith(".a")]:
        is_small = (tree.directory / path).lstat().st_size <= _SMALL_ARCHIVE_BYTES  # libpthread.a and the like: empty
        if _STATIC_LIBRARY.fullmatch(path) or (f"{path[:-2]}.so" in tree.entries and not is_small):
            tree.remove(path)


def _look_at_files(tree: Tree) -> None:
    """Set the modes that Fedora's files have, and ask rpm's generator what the ELF files need and give."""
    objects = []
    for path, entry in tree.entries.items():
        if entry.kind is not Kind.FILE:
            continue
        place = tree.directory / path
        with place.open("rb") as file:
            magic = file.read(4)
        mode = entry.mode
        if magic == b"\x7fELF":
            objects.append(f"{place}\n")
            mode = entry.mode | (_EXECUTABLE if ".so" in place.name else 0)
        elif re.match(r"usr/lib/python3\.\d+/.*\.py$", path):
            mode = entry.mode & ~_EXECUTABLE  # a module with a #! line of old
        elif magic[:2] == b"#!" and entry.mode & _EXECUTABLE:
            _without_dash(place)
        if mode != entry.mode:
            place.chmod(mode)
            tree.entries[path] = replace(entry, mode=mode)
    if objects:
        tree.needs = frozenset(output(ELFDEPS, "--requires", given="".join(objects)).splitlines())
        tree.gives = frozenset(output(ELFDEPS, "--provides", given="".join(objects)).splitlines())


def _without_dash(script: Path) -> None:
    text = script.read_bytes()
    new = re.sub(rb"\A#!(\s*)/bin/dash\b", rb"#!\1/bin/sh", text)
    if new != text:
        mode = script.stat().st_mode
        script.unlink()  # it may be a hard link
        script.write_bytes(new)
        script.chmod(mode)
