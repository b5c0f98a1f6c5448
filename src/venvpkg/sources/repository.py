"""The git repository that a build sees: HEAD, its history and its tags, the same from each clone.

Tools that derive a version from git use different facts: the nearest tag, the messages of commits, the changed files.
So they get a repository, rather than answers tailored to known tools.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
import tomllib
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from venvpkg.errors import CompileError, ConfigurationError, MissingToolError
from venvpkg.host.files import read_regular
from venvpkg.model.wheels import Repository
from venvpkg.sources.git import changed_files, git, git_lists

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvpkg.host.command import Completed, Runner
    from venvpkg.model.wheels import SourceTree


_DECLARED_IN = ("pyproject.toml", "setup.py", "setup.cfg")
# Only two decisions depend on names of tools: whether a project with a static version still asks git for its list of
# files, and whether a shallow clone is rejected, which most tools treat as one without tags.
_ASKS_FOR_FILES = re.compile(r"setuptools[-_.]scm|hatch[-_]vcs|flit[-_]scm|vcs-versioning|setuptools[-_]git|\bpbr\b")
_ASKS_FOR_TAGS = re.compile(
    r"setuptools[-_.](scm|git)|hatch[-_]vcs|flit[-_]scm|vcs-versioning|source\s*=\s*[\"']scm|dynamic-versioning"
    r"|versioneer|versioningit|dunamai|setupmeta|\bpbr\b"
)
_LARGEST_BYTES = 4 << 20
# Files that a build leaves in its source are not changes, even if no .gitignore of the copy lists them.
_LEFT_BY_BUILDS = ("*.egg-info/", ".eggs/", "/build/", "/dist/", "__pycache__/")
_SPECIAL = re.compile(r"([\\*?\[\] !#])")


def read_repository(directory: Path, runner: Runner) -> Repository | None:
    """Return the state of the repository that the build of ``directory`` may see.

    Returns:
        None outside a repository, before its first commit, and for a project whose ``[project]`` has the version, so
        that a commit alone changes nothing there.

    Raises:
        ConfigurationError: the clone is shallow and has no tag, and the project takes its version from tags.
        MissingToolError: there is a repository, but git is not installed.
    """
    if _has_version(directory / "pyproject.toml") and not _mentions(directory, _ASKS_FOR_FILES):
        return None
    head = git(directory, runner, "rev-parse", "HEAD")
    if head.not_found and any((place / ".git").exists() for place in (directory, *directory.parents)):
        raise MissingToolError([f"git, because {directory} is in a git repository that may determine its version"])
    if not head.ok:
        return None
    tags = _tags(directory, runner)
    shallow = _shallow(directory, runner)
    if shallow and not tags and _mentions(directory, _ASKS_FOR_TAGS):
        raise ConfigurationError(
            directory,
            ["its version comes from git tags, but the clone is shallow and none of its commits has a tag"],
            resolution="Run 'git fetch --unshallow --tags'; in CI, check out the full history.",
        )
    prefix = os.fsdecode(git(directory, runner, "rev-parse", "--show-prefix").stdout).removesuffix("\n")
    changed = changed_files(directory, runner)
    return Repository(directory, head.text.strip(), tags, shallow, prefix.strip("/"), tuple(sorted(changed)))


def _tags(directory: Path, runner: Runner) -> tuple[tuple[str, str], ...]:
    done = git(directory, runner, "for-each-ref", "--merged=HEAD", "--format=%(refname) %(objectname)", "refs/tags")
    lines = (os.fsdecode(line).rpartition(" ") for line in done.stdout.split(b"\n") if line)
    return tuple(sorted((name, found) for name, _, found in lines)) if done.ok else ()


def _shallow(directory: Path, runner: Runner) -> tuple[str, ...]:
    """Return the commits at which the history was cut off."""
    path = os.fsdecode(git(directory, runner, "rev-parse", "--git-path", "shallow").stdout).removesuffix("\n")
    try:
        return tuple(sorted((directory / path).read_text("ascii").split())) if path else ()
    except (OSError, UnicodeDecodeError):
        return ()


def _has_version(path: Path) -> bool:
    try:
        document = tomllib.loads(read_regular(path, _LARGEST_BYTES).decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return False
    project = document.get("project")
    return isinstance(project, dict) and isinstance(project.get("version"), str)


def _mentions(directory: Path, tools: re.Pattern[str]) -> bool:
    def mentions(path: Path) -> bool:
        try:
            content = read_regular(path, _LARGEST_BYTES)
            return len(content) <= _LARGEST_BYTES and tools.search(content.decode("utf-8")) is not None
        except (OSError, UnicodeDecodeError):
            return False

    return any(mentions(directory / name) for name in _DECLARED_IN)


@dataclass(frozen=True, slots=True)
class Repositories:
    """Creates the repositories that builds see.

    Attributes:
        work: private directory of this run.
        runner: runs git on this machine.
    """

    work: Path
    runner: Runner
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def lay(self, tree: SourceTree, top: Path) -> None:
        """Write the repository of a copied tree to ``top``, the work tree's top; nothing for a tree without one.

        Raises:
            CompileError: git failed.
        """
        if tree.repository is None:
            return
        prepared = tuple(name for name, _ in tree.prepared.files) if tree.prepared else ()
        key = sha256("\0".join((tree.repository.identity, *prepared)).encode("utf-8", "surrogateescape")).hexdigest()
        kept = self.work / key
        with self._lock:  # several wheels of one repository are built at once
            if not kept.exists():
                self.work.mkdir(parents=True, exist_ok=True)
                unfinished = Path(tempfile.mkdtemp(dir=self.work))
                self._make(tree.repository, prepared, unfinished)
                unfinished.rename(kept)
        shutil.copytree(kept, top / ".git", symlinks=True)

    def _make(self, repository: Repository, prepared: tuple[str, ...], place: Path) -> None:
        """Create the repository's directory, without a work tree.

        HEAD is detached, because two clones of a commit are seldom on the same branch. The history is complete, but
        file contents are only those of HEAD. A file counts as unchanged, whether the build has it or not, unless it was
        changed in the source.
        """
        kind = "sha1" if len(repository.commit) == 40 else "sha256"  # noqa: PLR2004 -- hexadecimal digits of SHA-1
        self._git(place.parent, "init", "--quiet", "--bare", "--template=", f"--object-format={kind}", str(place))
        self._git(place, "config", "core.bare", "false")
        self._pack(repository, place)
        (place / "HEAD").write_text(f"{repository.commit}\n", "ascii")
        if repository.shallow:
            (place / "shallow").write_text("".join(f"{each}\n" for each in repository.shallow), "ascii")
        updates = "".join(f"create {name} {found}\n" for name, found in repository.tags)
        self._git(place, "update-ref", "--stdin", stdin=os.fsencode(updates))
        self._git(place, "pack-refs", "--all")
        prefix = f"{repository.prefix}/" if repository.prefix else ""
        index = {"GIT_DIR": str(place), "GIT_WORK_TREE": str(place / "info")}
        (place / "info").mkdir(exist_ok=True)
        self._git(place, "read-tree", "HEAD", env=index)
        changed = set(repository.changed) - {f"{prefix}{name}" for name in prepared}
        tracked = git_lists(place / "info", self.runner, "--full-name", env=index) or ()
        same = b"".join(os.fsencode(name) + b"\0" for name in tracked if name not in changed)
        self._git(place / "info", "update-index", "--assume-unchanged", "-z", "--stdin", stdin=same, env=index)
        excluded = (*_LEFT_BY_BUILDS, *(_SPECIAL.sub(r"\\\1", f"/{prefix}{name}") for name in prepared))
        (place / "info" / "exclude").write_bytes(b"".join(os.fsencode(each) + b"\n" for each in excluded))

    def _pack(self, repository: Repository, place: Path) -> None:
        """Write the objects into one pack, so that their number, and how far git shortens names, is always the same."""
        list_objects = ("rev-list", "--objects", "--no-object-names", "--stdin")
        names = "".join(f"{each}\n" for each in (repository.commit, *(found for _, found in repository.tags)))
        history = self._git(repository.directory, *list_objects, "--filter=blob:none", stdin=names.encode())
        files = self._git(repository.directory, *list_objects, stdin=f"{repository.commit}^{{tree}}\n".encode())
        objects = sorted({*history.stdout.split(), *files.stdout.split()})
        (place / "objects" / "pack").mkdir(exist_ok=True)
        self._git(
            repository.directory, "pack-objects", "--quiet", str(place / "objects" / "pack" / "pack"),
            stdin=b"".join(each + b"\n" for each in objects),
        )  # fmt: skip

    def _git(
        self, directory: Path, *arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> Completed:
        own = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
        done = git(directory, self.runner, *arguments, stdin=stdin, env=own | dict(env or {}))
        if not done.ok:
            raise CompileError(
                f"{directory}: git could not copy the repository that may determine the version.",
                details=f"  git {arguments[0]}: {done.outcome()}\n  {done.errors.strip()}",
                resolution="Run 'git fsck' there; in a partial clone, run 'git fetch --refetch'.",
            )
        return done
