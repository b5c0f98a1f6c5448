"""Check out locked git commits: each is fetched once into the cache, and verified in full whenever it is used."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from venvpkg.console import Work
from venvpkg.errors import DownloadError
from venvpkg.host.command import Command
from venvpkg.host.oserrors import is_environment_error, require_no_environment_error
from venvpkg.store.directories import DirectoryStore, publish
from venvpkg.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvpkg.console import Reporter
    from venvpkg.host.command import Completed, Runner
    from venvpkg.model.lock import LockedCommit


# Variables that give git access to private repositories; a fetch needs no others of the user's.
_PASSED_ON: Final = re.compile(
    r"SSH_AUTH_SOCK|SSH_AGENT_PID|XDG_CONFIG_HOME|GIT_(SSH(_COMMAND)?|ASKPASS|CONFIG_.*|SSL_.*)"
)
_TIMEOUT_S: Final = 3600.0
_SUBMODULE: Final = re.compile(rb"160000 ([0-9a-f]+) \d\t(.+)", re.DOTALL)
# info/attributes overrides a repository's own .gitattributes. So files are exactly the blobs: without conversion of
# line ends, and without filters, which are programs.
_ATTRIBUTES: Final = "* -text -eol -crlf -filter -ident -working-tree-encoding\n"
_LFS: Final = re.compile(rb"^[^#\n]*\bfilter=lfs\b", re.MULTILINE)


class _GitError(Exception):
    """Why git failed, as a message."""


@dataclass(frozen=True, slots=True)
class Checkouts:
    """Store of checkouts of locked commits; each is fetched once on this machine.

    Attributes:
        store: directory of the checkouts.
        runner: runs git.
        reporter: receives events.
        environ: the user's environ; git gets the variables that give access to repositories.
        offline: whether only existing checkouts may be used.
    """

    store: Path
    runner: Runner
    reporter: Reporter
    environ: Mapping[str, str]
    offline: bool = False

    def directory(self, origin: LockedCommit) -> Path:
        """Return a directory with exactly the files of the commit, including its submodules.

        All branches and tags are fetched: tools that take a version from git need them. No hook and no filter of the
        repository runs. A directory appears in the store only once it is complete.

        Raises:
            DownloadError: the commit could not be fetched, or its files do not match it.
        """
        place = self._place(origin)
        try:
            if place.is_dir() and not self._is_intact(place, origin.commit):
                self.reporter.warn(f"{place} was changed after it was stored; fetching it again")
                shutil.rmtree(place)
            if not place.is_dir():
                with self.reporter.task(Work.DOWNLOAD, f"fetching {origin.url}"):
                    self._fetch(origin, place)
        except (_GitError, OSError) as error:
            if is_environment_error(error):
                raise
            require_no_environment_error(str(error))
            raise DownloadError(
                f"could not fetch commit {origin.commit} from {origin.url}.",
                details="\n".join(f"  {line}" for line in str(error).splitlines()),
                resolution="Run once without --offline."
                if self.offline
                else "Make sure that git can fetch from there without asking for a password.",
            ) from error
        return place / origin.subdirectory

    def find(self, origin: LockedCommit) -> Path | None:
        """Return the directory of a commit that was fetched before; None if it would have to be fetched."""
        place = self._place(origin)
        try:
            is_intact = place.is_dir() and self._is_intact(place, origin.commit)
        except (_GitError, OSError):
            return None
        return place / origin.subdirectory if is_intact else None

    def _place(self, origin: LockedCommit) -> Path:
        return self.store / f"{sha256(origin.url.encode()).hexdigest()[:16]}-{origin.commit}"

    def _fetch(self, origin: LockedCommit, place: Path) -> None:
        if self.offline:
            raise _GitError("It is not on this machine, and --offline is set.")
        self.reporter.step(f"fetching {origin.url} at {origin.commit[:12]}")
        store = DirectoryStore(self.store)
        store.sweep()
        with store.unfinished() as unfinished:
            fresh = unfinished / "checkout"
            self._git(unfinished, "init", "--quiet", "--template=", f"--object-format={_object_format(origin.commit)}",
                      "--initial-branch=none", str(fresh))  # fmt: skip
            (fresh / ".git" / "info").mkdir(exist_ok=True)
            (fresh / ".git" / "info" / "attributes").write_text(_ATTRIBUTES, "utf-8")
            self._git(fresh, "remote", "add", "origin", origin.url)
            self._fetch_from(fresh, origin, "--tags", "+refs/heads/*:refs/remotes/origin/*")
            if not self._try_git(fresh, "cat-file", "-e", f"{origin.commit}^{{commit}}").ok:
                # On no branch and no tag, as for a pull request: servers send it if it is requested by its hash.
                self._fetch_from(fresh, origin, origin.commit)
            self._git(fresh, "checkout", "--quiet", "--detach", origin.commit)
            if (fresh / ".gitmodules").is_file():
                self._git_with_network(fresh, origin, "submodule", "--quiet", "update", "--init", "--recursive")
            _refuse_lfs(fresh)
            if not self._is_intact(fresh, origin.commit):
                raise _GitError("The fetched files do not match the commit.")
            publish(fresh, place)

    def _fetch_from(self, repository: Path, origin: LockedCommit, *arguments: str) -> None:
        options = [each for each in arguments if each.startswith("--")]
        refs = [each for each in arguments if not each.startswith("--")]
        options = ["--quiet", "--no-recurse-submodules", *options]
        self._git_with_network(repository, origin, "fetch", *options, "origin", *refs)

    def _is_intact(self, checkout: Path, commit: str) -> bool:
        """Return whether the files, hashed again, give the tree of the commit; the same for its submodules."""
        head = self._try_git(checkout, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        if head.text.strip() != commit:
            return False
        with DirectoryStore(self.store).unfinished() as unfinished:
            index = {"GIT_INDEX_FILE": str(unfinished / "index")}
            self._git(checkout, "add", "--all", "--force", ".", env=index)
            tree = self._git(checkout, "write-tree", env=index).text
            staged = self._git(checkout, "ls-files", "--stage", "-z", env=index).stdout
        if tree != self._git(checkout, "rev-parse", f"{commit}^{{tree}}").text:
            return False
        submodules = (found for entry in staged.split(b"\0") if (found := _SUBMODULE.fullmatch(entry)))
        return all(self._is_intact(checkout / found[2].decode(), found[1].decode()) for found in submodules)

    def _git_with_network(self, directory: Path, origin: LockedCommit, *arguments: str) -> None:
        """Run git with the user's own configuration, which may set a proxy, a credential helper or a mirror."""
        local = origin.url.startswith(("/", "file:"))
        env = {key: value for key, value in self.environ.items() if _PASSED_ON.fullmatch(key)} | {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_SSH_COMMAND": self.environ.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"),
            "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh" if local else "git:http:https:ssh",
        }
        done = self._run(directory, *arguments, env=env)
        if not done.ok:
            raise _GitError(_describe_failure(done, arguments[0]))

    def _git(self, directory: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Completed:
        done = self._try_git(directory, *arguments, env=env)
        if not done.ok:
            raise _GitError(_describe_failure(done, arguments[0]))
        return done

    def _try_git(self, directory: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Completed:
        own = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
        return self._run(directory, *arguments, env=own | dict(env or {}))

    def _run(self, directory: Path, *arguments: str, env: Mapping[str, str]) -> Completed:
        git = ("git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
               "-c", "transfer.fsckObjects=true", "-c", "gc.auto=0", "-c", "maintenance.auto=false",
               "-c", "core.autocrlf=false", "-c", "advice.addEmbeddedRepo=false", "-C", str(directory))  # fmt: skip
        return self.runner.run(Command((*git, *arguments), env=env, timeout_s=_TIMEOUT_S))


def _object_format(commit: str) -> str:
    return "sha1" if len(commit) == 40 else "sha256"  # noqa: PLR2004 -- hexadecimal digits of SHA-1


def _refuse_lfs(checkout: Path) -> None:
    """Refuse a repository that keeps files in Git LFS: only pointers to them were fetched."""
    for path in checkout.rglob(".gitattributes"):
        if path.is_file() and not path.is_symlink() and _LFS.search(path.read_bytes()):
            raise _GitError(
                f"{path.relative_to(checkout)} puts files in Git LFS, whose contents the commit does not hash."
            )


def _describe_failure(done: Completed, subcommand: str) -> str:
    # The remote decides what git prints here, and it is shown on a terminal.
    text = re.sub(r"://[^/\s]*@", "://***@", done.errors).strip()[-4000:]
    shown = printable(text, keep="\n")
    return f"git {subcommand}: {done.outcome()}\n{shown}" if not done.not_found else "git is not installed."
