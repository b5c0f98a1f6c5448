"""Copy files into a machine and back, in tar archives through ssh; nothing but tar and find is needed there."""

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
    """What a job is shown, in the machine.

    Attributes:
        bind: what it is here.
        place: directory there that has nothing else in it.
        name: of the copy in that directory: ``.`` for a directory, which is the place itself.
    """

    bind: Bind
    place: PurePosixPath
    name: str

    @property
    def there(self) -> PurePosixPath:
        """The copy."""
        return self.place / self.name


class Exchange:
    """Copies files to and from a machine."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._kept: dict[tuple[Path, int, int, int], Copy] = {}
        self._lock = threading.Lock()

    def sent(self, bind: Bind, place: PurePosixPath) -> Copy:
        """Copy what a job is shown to a place of its own. A file that it may only read is copied once for all jobs.

        Raises:
            TargetError: it cannot be copied.
        """
        if bind.source.is_dir():
            return self._copied(bind, bind.source, Copy(bind, place, "."))
        copy = Copy(bind, place, f"./{bind.source.name}")
        if bind.writable:
            return self._copied(bind, bind.source.parent, copy)
        status = bind.source.stat()
        state = (bind.source, status.st_ino, status.st_size, status.st_mtime_ns)
        with self._lock:
            if state not in self._kept:
                kept = self._connection.place / f"kept-{len(self._kept)}"
                self._kept[state] = self._copied(bind, bind.source.parent, Copy(bind, kept, copy.name))
            return Copy(bind, self._kept[state].place, copy.name)

    def write(self, content: bytes, place: PurePosixPath, name: str) -> None:
        """Write a file of ours, for the administrator alone.

        Raises:
            TargetError: it cannot be written.
        """
        script = 'umask 077; mkdir -p "$1"; cat > "$1/$2"'
        argv = self._connection.inside("sh", "-euc", script, "sh", str(place), name)
        self._require(self._connection.host.run(Command(argv, stdin=content)), "A command cannot be sent to")

    def take_back(self, copy: Copy) -> None:
        """Make what a job was shown here as it is there now.

        Raises:
            TargetError: what comes back cannot be read, or would be written somewhere else.
        """
        source, host = copy.bind.source, self._connection.host
        if source.is_dir():
            listed = host.run(Command(self._connection.inside("find", str(copy.place), "-printf", r"%y %P\0")))
            self._require(listed, "Files cannot be asked for in")
            _remove_others(source, _kinds(listed.stdout))
        changed = self._connection.inside("sh", "-euc", _CHANGED, "sh", str(copy.place), copy.name)
        with host.stream(Command(changed)) as stream:
            problem = ""
            try:
                unpack(stream, source if source.is_dir() else source.parent)
                stream.read(_PADDING_BYTES)  # an archive ends before its last block does
            except (tarfile.TarError, EOFError, ValueError) as error:
                problem = str(error) or type(error).__name__
            self._require(stream.finish(), "Files cannot be brought back from", problem)

    def _copied(self, bind: Bind, directory: Path, copy: Copy) -> Copy:
        # In a root, this machine's user is the administrator; programs such as git refuse other people's files.
        owner = () if os.geteuid() == 0 else ("--owner=0", "--group=0")
        pack = ("tar", "-C", str(directory), "--format=posix", *owner, "-cf", "-", "--", copy.name)
        receive = self._connection.inside("sh", "-euc", _RECEIVE, "sh", str(copy.place))
        argv = ("bash", "-euo", "pipefail", "-c", _PIPE, "bash", str(len(pack)), *pack, *receive)
        self._require(self._connection.host.run(Command(argv)), f"{bind.source} cannot be copied to")
        return copy

    def _require(self, done: Completed, what: str, problem: str = "") -> None:
        if problem or not done.ok:
            self._connection.require()
            details = (problem, done.errors.strip()[-1000:])
            raise TargetError(
                f"{what} {self._connection.selection}: {done.outcome()}.",
                details="\n".join(each for each in details if each),
                resolution="See whether the machine has tar and find, and space in /var/tmp.",
            )


def _kinds(listing: bytes) -> dict[str, str]:
    """Return what ``find`` found: relative path → ``f``, ``d``, ``l`` or another letter."""
    entries = (os.fsdecode(entry) for entry in listing.split(b"\0") if entry)
    return {entry[2:]: entry[0] for entry in entries}


def _remove_others(directory: Path, kinds: dict[str, str]) -> None:
    """Remove what is not in the listing, or is something else there."""
    for path, kind in list(_walked(directory)):
        if kinds.get(path) != kind:
            here = directory / path
            if kind == "d":
                shutil.rmtree(here, ignore_errors=True)
            else:
                here.unlink(missing_ok=True)


def _walked(directory: Path, above: str = "") -> Iterator[tuple[str, str]]:
    """Yield relative path and kind of everything below a directory, a directory after what is in it."""
    with os.scandir(directory / above) as entries:
        for entry in entries:
            path = f"{above}/{entry.name}" if above else entry.name
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                yield from _walked(directory, path)
            yield path, _LETTERS.get(stat.S_IFMT(mode), "?")


_LETTERS: Final = {stat.S_IFDIR: "d", stat.S_IFREG: "f", stat.S_IFLNK: "l"}
_PADDING_BYTES: Final = 1 << 20
# Both ends as arguments, with the number of the first one's words before them.
_PIPE: Final = """\
count=$1
shift
"${@:1:count}" | "${@:count+1}"
"""
# Files of the same tick of the clock as the mark do not count as changed after it, and a job begins later than that.
_RECEIVE: Final = """\
mkdir -p "$1"
tar -C "$1" -xpf - --numeric-owner
: > "$1.sent"
"""
_CHANGED: Final = """\
cd "$1"
find "$2" -cnewer "$1.sent" -print0 | tar --null --no-recursion --format=posix -T - -cf -
"""


_PIECE_BYTES: Final = 1 << 20


def unpack(stream: Stream, directory: Path) -> None:
    """Write the files, directories and links of a tar archive below a directory, in place of what is there.

    Links are made as they are, whatever they lead to, and never followed. Set-user-id bits are dropped; the owner is
    this process' user, unless that is root.

    Raises:
        tarfile.TarError, EOFError: it is no whole archive, or absurdly large.
        ValueError: something would be written outside of the directory, or is a device.
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
            _set(path, member)


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
    _set(path, member)


def _set(path: Path, member: tarfile.TarInfo) -> None:
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
    """Return where a member is to be.

    Raises:
        ValueError: not below ``top``.
    """
    parts = PurePosixPath(name).parts
    if not parts:
        return top
    parent = Path(os.path.realpath(top.joinpath(*parts[:-1])))
    if ".." in parts or not parent.is_relative_to(top):
        raise ValueError(f"{name} leads out of the directory")
    return parent / parts[-1]
