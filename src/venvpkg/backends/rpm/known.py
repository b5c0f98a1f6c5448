"""What the package manager said of metadata that is still the same: it need not be asked again."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from venvpkg.backends.rpm.repositories import NOTHING_MATCHES
from venvpkg.host.kept import KeptFiles
from venvpkg.host.layers import LayeredRoot
from venvpkg.host.runner import NOT_FOUND, Completed
from venvpkg.wheelhouse.key import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.host.runner import Command, Runner
    from venvpkg.model.target import Target

_RECIPE: Final = 1
_MOST_BYTES: Final = 64 * 2**20
# Where dnf 4, dnf 5 and zypper keep metadata; a copy of a machine's filesystem has none of them.
_METADATA: Final = ("var/cache/dnf", "var/cache/libdnf5", "var/cache/zypp")
_SETTINGS: Final = (
    "etc/dnf", "etc/yum.conf", "etc/yum", "etc/yum.repos.d", "etc/distro.repos.d", "etc/zypp", "usr/share/dnf5",
)  # fmt: skip
# The release decides which repositories are meant, and zypper finds what is installed, too.
_STATE: Final = (
    "etc/os-release", "usr/lib/os-release", "var/lib/dnf", "var/lib/rpm", "usr/lib/sysimage",
    "usr/bin/dnf", "usr/bin/dnf-3", "usr/bin/dnf4", "usr/bin/dnf5", "usr/bin/zypper",
)  # fmt: skip
# Settings by which they would read something else: cachedir, reposdir, pluginpath, include, and more of their kind.
_READS_ELSEWHERE: Final = re.compile(rb"^[ \t]*(\w*dir|\w*path|include)[ \t]*=", re.MULTILINE)
_SAID: Final = frozenset({0, NOTHING_MATCHES, NOT_FOUND})


class KnownMetadata:
    """Asks the package manager of a target for what it knows without a download; each question once.

    An answer is kept by the question and by the size and time of every file that it may depend on. Fedora's metadata
    takes dnf a second to read, and every build has the same questions. Where those files cannot be known, as on a
    machine that is reached by ssh, it is asked each time.

    Args:
        target: whose package manager is asked.
        runner: runs programs there.
        cache: venvpkg's.
    """

    def __init__(self, target: Target, runner: Runner, cache: Path) -> None:
        self._root = target.root
        self._runner = runner
        self._files = KeptFiles(cache / "metadata", _MOST_BYTES)

    @functools.cached_property
    def _state(self) -> str | None:
        return _state_of(self._root)

    def run(self, command: Command) -> Completed:
        """Return what the program says, or has said."""
        if self._state is None:
            return self._runner.run(command)
        key = key_of({"recipe": _RECIPE, "state": self._state, "question": command.argv})
        done = self._known(key)
        if done is None:
            done = self._runner.run(command)
            if done.returncode in _SAID:
                self._keep(key, done)
        return done

    def _known(self, key: str) -> Completed | None:
        with self._files.opened(key) as stream:
            if stream is None:
                return None
            try:
                digest, _, text = stream.read(_MOST_BYTES).partition(b"\n")
            except OSError:
                return None
            if digest != _digest(key, text):
                return None
        returncode, stdout = json.loads(text)
        return Completed(returncode, base64.b64decode(stdout))

    def _keep(self, key: str, done: Completed) -> None:
        text = json.dumps([done.returncode, base64.b64encode(done.stdout).decode("ascii")]).encode("ascii")
        try:
            with self._files.written(key) as stream:
                stream.write(_digest(key, text) + b"\n" + text)
        except OSError:  # it costs time only
            return
        self._files.sweep()


def _digest(key: str, text: bytes) -> bytes:
    return hashlib.sha256(key.encode() + text).hexdigest().encode()


def _state_of(root: Path) -> str | None:
    """Return what stands for everything that the answers depend on; None where that cannot be known."""
    if not any((root / each).is_dir() for each in _METADATA):
        return None
    view, digest = LayeredRoot(root), hashlib.sha256()
    try:
        for name in (*_METADATA, *_SETTINGS, *_STATE):
            for path, file in _files_of(f"/{name}", view, set()):
                status = file.stat(follow_symlinks=False)
                if name in _SETTINGS and stat.S_ISREG(status.st_mode) and _READS_ELSEWHERE.search(file.read_bytes()):
                    return None
                told = f"{path}\0{status.st_mode:o}\0{status.st_size}\0{status.st_mtime_ns}\0"
                digest.update(os.fsencode(told))
    except OSError:
        return None
    return digest.hexdigest()


def _files_of(path: str, view: LayeredRoot, above: set[str]) -> Iterator[tuple[str, Path]]:
    """Yield the file that ``path`` leads to, or those below it if it is a directory: path in the root, and here.

    Raises:
        OSError: it cannot be read.
    """
    place = view.find(path)
    if place is None or place.path in above:
        return
    here = Path(view.on_host(place))
    if place.is_file or not here.is_dir():
        yield path, here
    else:
        for each in sorted(os.listdir(here)):  # noqa: PTH208 - names
            yield from _files_of(f"{path}/{each}", view, above | {place.path})
