"""Copy files to a machine and back, in tar archives through ssh; the machine only needs tar and find."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import threading
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Final

from venvpkg.errors import TargetError
from venvpkg.host.archive import Budget, tar_members
from venvpkg.host.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.host.command import Bind, Completed, Stream
    from venvpkg.targets.machine.connection import Connection


@dataclass(frozen=True, slots=True)
class Copy:
    """The copy of a bind mount's source on the machine.

    Attributes:
        bind: the bind mount, whose source is on this machine.
        place: directory on the machine that contains only the copy.
        name: name of the copy in it; ``.`` for a directory, whose copy is ``place`` itself.
    """

    bind: Bind
    place: PurePosixPath
    name: str

    @property
    def there(self) -> PurePosixPath:
        """Path of the copy on the machine."""
        return self.place / self.name


class Exchange:
    """Copies files to and from a machine."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._kept: dict[tuple[Path, int, int, int], Copy] = {}
        self._lock = threading.Lock()

    def send(self, bind: Bind, place: PurePosixPath) -> Copy:
        """Copy the source of a bind mount to ``place``; a read-only file is copied only once for all jobs.

        Raises:
            TargetError: it could not be copied.
        """
        if bind.source.is_dir():
            return self._send_from(bind.source, Copy(bind, place, "."))
        copy = Copy(bind, place, f"./{bind.source.name}")
        if bind.writable:
            return self._send_from(bind.source.parent, copy)
        status = bind.source.stat()
        state = (bind.source, status.st_ino, status.st_size, status.st_mtime_ns)
        with self._lock:
            if state not in self._kept:
                kept = self._connection.place / f"kept-{len(self._kept)}"
                self._kept[state] = self._send_from(bind.source.parent, Copy(bind, kept, copy.name))
            return Copy(bind, self._kept[state].place, copy.name)

    def write(self, content: bytes, place: PurePosixPath, name: str) -> None:
        """Write a file on the machine that only the administrator can read.

        Raises:
            TargetError: it could not be written.
        """
        script = 'umask 077; mkdir -p "$1"; cat > "$1/$2"'
        argv = self._connection.inside("sh", "-euc", script, "sh", str(place), name)
        self._require_success(self._connection.host.run(Command(argv, stdin=content)), "could not send a command to")

    def take_back(self, copy: Copy) -> None:
        """Update the source of a copy with the changes that a job made to the copy.

        Raises:
            TargetError: the archive from the machine cannot be read, or contains paths outside of the copy.
        """
        source, host = copy.bind.source, self._connection.host
        if source.is_dir():
            listing = host.run(Command(self._connection.inside("find", str(copy.place), "-printf", r"%y %P\0")))
            self._require_success(listing, "could not list files on")
            _remove_others(source, _parse_listing(listing.stdout))
        pack_changed = self._connection.inside("sh", "-euc", _PACK_CHANGED, "sh", str(copy.place), copy.name)
        with host.stream(Command(pack_changed)) as stream:
            problem = ""
            try:
                unpack(stream, source if source.is_dir() else source.parent)
                stream.read(_PADDING_BYTES)  # padding after the end of the archive
            except (tarfile.TarError, EOFError, ValueError) as error:
                problem = str(error) or type(error).__name__
            self._require_success(stream.finish(), "could not copy files from", problem)

    def _send_from(self, directory: Path, copy: Copy) -> Copy:
        # Files of this user belong to the administrator there, as in a root; git refuses files of other users.
        owner = () if os.geteuid() == 0 else ("--owner=0", "--group=0")
        pack = ("tar", "-C", str(directory), "--format=posix", *owner, "-cf", "-", "--", copy.name)
        receive = self._connection.inside("sh", "-euc", _RECEIVE, "sh", str(copy.place))
        argv = ("bash", "-euo", "pipefail", "-c", _PIPE, "bash", str(len(pack)), *pack, *receive)
        self._require_success(self._connection.host.run(Command(argv)), f"could not copy {copy.bind.source} to")
        return copy

    def _require_success(self, done: Completed, failure: str, problem: str = "") -> None:
        if problem or not done.ok:
            self._connection.require()
            details = (problem, done.errors.strip()[-1000:])
            raise TargetError(
                f"{failure} {self._connection.selection}: {done.outcome()}.",
                details="\n".join(each for each in details if each),
                resolution="Check that the machine has tar and find, and free space in /var/tmp.",
            )


def _parse_listing(listing: bytes) -> dict[str, str]:
    """Return the files that ``find`` lists: relative path → ``f``, ``d``, ``l`` or another letter."""
    entries = (os.fsdecode(entry) for entry in listing.split(b"\0") if entry)
    return {entry[2:]: entry[0] for entry in entries}


def _remove_others(directory: Path, kinds: dict[str, str]) -> None:
    """Remove the files that are not in the listing, or have another kind there."""
    for path, kind in list(_walk(directory)):
        if kinds.get(path) != kind:
            here = directory / path
            if kind == "d":
                shutil.rmtree(here, ignore_errors=True)
            else:
                here.unlink(missing_ok=True)


def _walk(directory: Path, above: str = "") -> Iterator[tuple[str, str]]:
    """Yield relative path and kind of everything below a directory, each directory after its content."""
    with os.scandir(directory / above) as entries:
        for entry in entries:
            path = f"{above}/{entry.name}" if above else entry.name
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                yield from _walk(directory, path)
            yield path, _LETTERS.get(stat.S_IFMT(mode), "?")


_LETTERS: Final = {stat.S_IFDIR: "d", stat.S_IFREG: "f", stat.S_IFLNK: "l"}
_PADDING_BYTES: Final = 1 << 20
# Runs a pipeline of two commands: the number of words of the first one, its words, the words of the second one.
_PIPE: Final = """\
count=$1
shift
"${@:1:count}" | "${@:count+1}"
"""
# find -cnewer ignores files with the same time as the mark. The job starts later, so that its changes are found.
_RECEIVE: Final = """\
mkdir -p "$1"
tar -C "$1" -xpf - --numeric-owner
: > "$1.sent"
"""
_PACK_CHANGED: Final = """\
cd "$1"
find "$2" -cnewer "$1.sent" -print0 | tar --null --no-recursion --format=posix -T - -cf -
"""


_PIECE_BYTES: Final = 1 << 20


def unpack(stream: Stream, directory: Path) -> None:
    """Unpack the files, directories and links of a tar archive below a directory, replacing existing ones.

    Links are created as they are, wherever they lead, and never followed. Set-user-ID bits are dropped. Owners are set
    only if this process runs as root.

    Raises:
        tarfile.TarError, EOFError: the archive is damaged, or exceeds a limit.
        ValueError: a member is outside of the directory, or is a device.
    """
    top = Path(os.path.realpath(directory))
    directories = []
    for member, content in tar_members(stream, Budget.of_tree()):
        path = _inside(top, member.name)
        if member.isdir():
            if path.is_symlink() or not path.is_dir():
                _remove(path)
                path.mkdir()
            directories.append((path, member))
        else:
            _remove(path)
            _write(path, member, content, top)
    for path, member in reversed(directories):
        if not path.is_symlink():
            _set_metadata(path, member)


def _write(path: Path, member: tarfile.TarInfo, content: IO[bytes] | None, top: Path) -> None:
    if member.issym():
        path.symlink_to(member.linkname)
    elif member.islnk():
        os.link(_inside(top, member.linkname), path, follow_symlinks=False)
        return
    elif content is not None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            shutil.copyfileobj(content, file, _PIECE_BYTES)
    else:
        raise ValueError(f"{member.name} is neither file, directory nor link")
    _set_metadata(path, member)


def _set_metadata(path: Path, member: tarfile.TarInfo) -> None:
    if os.geteuid() == 0:
        os.chown(path, member.uid, member.gid, follow_symlinks=False)
    if not member.issym():
        path.chmod(member.mode & 0o777)
    os.utime(path, (member.mtime, member.mtime), follow_symlinks=False)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _inside(top: Path, name: str) -> Path:
    """Return the path of a member.

    Raises:
        ValueError: it is not below ``top``.
    """
    parts = PurePosixPath(name).parts
    if not parts:
        return top
    parent = Path(os.path.realpath(top.joinpath(*parts[:-1])))
    if ".." in parts or not parent.is_relative_to(top):
        raise ValueError(f"{name} leads out of the directory")
    return parent / parts[-1]
