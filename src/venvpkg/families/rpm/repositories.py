"""Query the target's repositories with dnf or zypper, and cache the answers for each state of its metadata."""

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
from xml.etree import ElementTree as ET

from venvpkg.host.command import NOT_FOUND, Command, Completed
from venvpkg.host.layers import LayeredRoot
from venvpkg.model.depends import NativePackage
from venvpkg.store.filecache import FileCache, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import PurePosixPath

    from venvpkg.families.base import TargetContext
    from venvpkg.host.command import Runner


_TIMEOUT_S: Final = 600.0
NOTHING_MATCHES: Final = 104  # zypper(8), ZYPPER_EXIT_INF_CAP_NOT_FOUND
_FIELDS: Final = 3
_PACKAGE: Final = r"%{name}|%{evr}|%{arch}\n"
# Answers may have several lines; they are separated by characters that do not occur in text.
_NAMESAKE: Final = "%{evr}\x1f%{provides}\x1f%{description}\x1e"
_NAMESAKE_FIELDS: Final = 3
# What a package provides that venvpkg built. Those of its first version can only be known by their description.
BUILT_BY: Final = "built-by(venvpkg)"
_FIRST_VERSIONS_DESCRIPTION: Final = "the Python libraries that it needs, in a virtual environment"
_DNF: Final = ("dnf", "--quiet", "repoquery")
# Without a download: for optional queries, the known metadata is enough.
_DNF_AS_KNOWN: Final = ("dnf", "--quiet", "--cacheonly", "repoquery")
_ZYPPER: Final = ("zypper", "--non-interactive", "--quiet", "--xmlout")
_ZYPPER_AS_KNOWN: Final = ("zypper", "--non-interactive", "--quiet", "--no-refresh")
_VERSION: Final = re.compile(r"^Version +: (?P<version>\S+)$", re.MULTILINE)


def providers_in_repositories(capabilities: Sequence[str], runner: Runner) -> tuple[Mapping[str, NativePackage], str]:
    """Return the packages in repositories that provide capabilities, and why the repositories could not be queried.

    Args:
        capabilities: that no installed package provides.
        runner: runs the package manager on the target, with network.

    Returns:
        Capability → the first package by name; and the reason, empty when they were queried.
    """
    if not capabilities:
        return {}, ""
    wanted = [word for each in capabilities for word in ("--whatprovides", each)]
    done = runner.run(Command((*_DNF, "--queryformat", _PACKAGE, *wanted), timeout_s=_TIMEOUT_S))
    if done.not_found:
        return _providers_by_zypper(capabilities, runner)
    if not done.ok:
        return {}, _query_failure("dnf", done)
    found: dict[str, NativePackage] = {}
    for package in _parse_dnf_packages(done.text):
        listed = runner.run(Command((*_DNF, "--provides", package.name), timeout_s=_TIMEOUT_S))
        provided = set(listed.text.splitlines()) if listed.ok else set()
        for each in capabilities:
            if each in provided:
                found.setdefault(each, package)
    return found, ""


def shippers_in_repositories(path: PurePosixPath, runner: Runner) -> tuple[str, ...]:
    """Return the names of the packages that ship ``path``, sorted; only metadata that is already known is used."""
    done = runner.run(Command((*_DNF_AS_KNOWN, "--queryformat", _PACKAGE, "--file", str(path)), timeout_s=_TIMEOUT_S))
    if done.not_found:
        done = runner.run(_zypper_search(str(path), ("--no-refresh",)))
        return tuple(sorted({each.name for each in _parse_zypper_packages(done)}))
    return tuple(sorted({each.name for each in _parse_dnf_packages(done.text)})) if done.ok else ()


def may_be_shipped_in_repositories(paths: Sequence[PurePosixPath], runner: Runner) -> bool:
    """Whether packages may ship some of ``paths``; only then is each of them worth a query.

    dnf takes half a second for every query, and an application may have thirty commands. dnf 4 accepts a list of files
    as words, dnf 5 separated by commas. Both treat the other spelling as names of packages or their files, so one query
    can contain both spellings.
    """
    if len(paths) < 2:  # noqa: PLR2004 (the question for one is as cheap)
        return bool(paths)
    words = [str(each) for each in paths]
    asked = (*_DNF_AS_KNOWN, "--queryformat", _PACKAGE, "--file", ",".join(words), *words)
    done = runner.run(Command(asked, timeout_s=_TIMEOUT_S))
    return not done.ok or bool(_parse_dnf_packages(done.text))


def versions_of_others_in_repositories(name: str, runner: Runner) -> tuple[str, ...]:
    """Return the versions of the packages with a name that venvpkg did not build; only known metadata is used."""
    done = runner.run(Command((*_DNF_AS_KNOWN, "--queryformat", _NAMESAKE, name), timeout_s=_TIMEOUT_S))
    if done.not_found:
        done = runner.run(Command((*_ZYPPER_AS_KNOWN, "info", "--provides", "--", name), timeout_s=_TIMEOUT_S))
        found = _VERSION.search(done.text) if done.ok else None
        return (found["version"],) if found and not _is_built_by_venvpkg(done.text, done.text) else ()
    entries = (entry.strip("\n").split("\x1f") for entry in done.text.split("\x1e")) if done.ok else ()
    return tuple(
        entry[0] for entry in entries if len(entry) == _NAMESAKE_FIELDS and not _is_built_by_venvpkg(entry[1], entry[2])
    )


def _is_built_by_venvpkg(provides: str, description: str) -> bool:
    return BUILT_BY in provides.split() or _FIRST_VERSIONS_DESCRIPTION in " ".join(description.split())


def _parse_dnf_packages(text: str) -> list[NativePackage]:
    """Return the packages that dnf listed, sorted; some versions of dnf put empty lines between them."""
    lines = (line.split("|") for line in text.splitlines())
    return sorted({NativePackage(*fields) for fields in lines if len(fields) == _FIELDS})


def _providers_by_zypper(capabilities: Sequence[str], runner: Runner) -> tuple[Mapping[str, NativePackage], str]:
    found: dict[str, NativePackage] = {}
    for each in capabilities:
        done = runner.run(_zypper_search(each))
        if done.returncode not in {0, NOTHING_MATCHES}:
            return found, _query_failure("dnf and zypper" if done.not_found else "zypper", done)
        packages = _parse_zypper_packages(done)
        if packages:
            found[each] = packages[0]
    return found, ""


def _zypper_search(capability: str, options: tuple[str, ...] = ()) -> Command:
    search = ("search", "--details", "--match-exact", "--provides", "--type", "package", "--", capability)
    return Command((*_ZYPPER, *options, *search), timeout_s=_TIMEOUT_S)


def _parse_zypper_packages(done: Completed) -> list[NativePackage]:
    """Return the packages that zypper listed, sorted; none when its output is not XML."""
    try:
        tree = ET.fromstring(done.stdout)  # noqa: S314 - the package manager's own output, without a DTD
    except ET.ParseError:
        return []
    solvables = (each.attrib for each in tree.iter("solvable"))
    return sorted({NativePackage(each["name"], each.get("edition", ""), each.get("arch", "")) for each in solvables})


def _query_failure(program: str, done: Completed) -> str:
    return f"{program} could not be asked about the repositories: {done.outcome()}: {done.errors.strip()[-300:]}"


_FORMAT: Final = 1
_MOST_BYTES: Final = 64 * 2**20
# Metadata of dnf 4, dnf 5 and zypper; a copy of a remote machine's filesystem has none of them.
_METADATA: Final = ("var/cache/dnf", "var/cache/libdnf5", "var/cache/zypp")
_SETTINGS: Final = (
    "etc/dnf", "etc/yum.conf", "etc/yum", "etc/yum.repos.d", "etc/distro.repos.d", "etc/zypp", "usr/share/dnf5",
)  # fmt: skip
# The release determines the repositories, and zypper also finds installed packages.
_STATE: Final = (
    "etc/os-release", "usr/lib/os-release", "var/lib/dnf", "var/lib/rpm", "usr/lib/sysimage",
    "usr/bin/dnf", "usr/bin/dnf-3", "usr/bin/dnf4", "usr/bin/dnf5", "usr/bin/zypper",
)  # fmt: skip
# Settings that make them read other files: cachedir, reposdir, pluginpath, include, and others of the kind.
_READS_ELSEWHERE: Final = re.compile(rb"^[ \t]*(\w*dir|\w*path|include)[ \t]*=", re.MULTILINE)
_SAID: Final = frozenset({0, NOTHING_MATCHES, NOT_FOUND})


class CachedRepositoryQueries:
    """Runner for queries of a target's package manager that need no download; answers are cached.

    An answer is keyed by the query, and by size and time of every file that it may depend on. dnf takes a second to
    read Fedora's metadata, and every build has the same queries. When those files are not accessible, as on a machine
    reached by ssh, answers are not cached.

    Args:
        context: whose package manager is asked.
    """

    def __init__(self, context: TargetContext) -> None:
        self._root = context.target.root
        self._runner = context.runner
        self._files = FileCache(context.cache / "metadata", _MOST_BYTES)

    @functools.cached_property
    def _state(self) -> str | None:
        return _state_of(self._root)

    def run(self, command: Command) -> Completed:
        """Return the cached answer, or run the command."""
        if self._state is None:
            return self._runner.run(command)
        key = key_of({"recipe": _FORMAT, "state": self._state, "question": command.argv})
        done = self._cached_answer(key)
        if done is None:
            done = self._runner.run(command)
            if done.returncode in _SAID:
                self._store_answer(key, done)
        return done

    def _cached_answer(self, key: str) -> Completed | None:
        with self._files.open(key) as stream:
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

    def _store_answer(self, key: str, done: Completed) -> None:
        text = json.dumps([done.returncode, base64.b64encode(done.stdout).decode("ascii")]).encode("ascii")
        try:
            with self._files.replace(key) as stream:
                stream.write(_digest(key, text) + b"\n" + text)
        except OSError:  # only costs time
            return
        self._files.sweep()


def _digest(key: str, text: bytes) -> bytes:
    return hashlib.sha256(key.encode() + text).hexdigest().encode()


def _state_of(root: Path) -> str | None:
    """Return a hash of the state of all files that answers depend on; None when it cannot be determined."""
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
    """Yield the file at ``path``, or all files below it if it is a directory: path in the root, path on this machine.

    Raises:
        OSError: a directory could not be read.
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
