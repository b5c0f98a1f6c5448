"""Run a project's prepare commands on a copy of its source, and keep the files that they create."""

from __future__ import annotations

import os
import re
import shutil
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from venvpkg.errors import MachineError, PrepareError
from venvpkg.host.files import keep_log, open_atomic, read_log_end
from venvpkg.host.oserrors import is_environment_error, require_no_environment_error
from venvpkg.sources.build_sandbox import MOUNTPOINT, BuildSandbox
from venvpkg.sources.diagnose import last_lines
from venvpkg.sources.source_tree import copy_file, copy_tree, tree_problems, with_prepared
from venvpkg.sources.unpack import EARLIEST_TIME
from venvpkg.store.directories import DirectoryStore, publish
from venvpkg.store.filecache import key_of
from venvpkg.text import NO_SECRETS, Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from venvpkg.console import Reporter
    from venvpkg.host.command import Completed, Runner
    from venvpkg.model.project import PrepareStep
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import SourceTree


# Increment it when venvpkg changes how it runs the commands.
_FORMAT: Final = 1
# Variables with proxies, certificates and registries, for commands with network access.
_NETWORK_VARIABLES: Final = re.compile(
    r"(ALL|HTTPS?|NO)_PROXY|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|NPM_CONFIG_\w+|YARN_\w+|COREPACK_\w+", re.IGNORECASE
)
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_LOG_END_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Preparations:
    """Store of the files that prepare commands created, by the inputs of the commands.

    The inputs are the source tree, the commands, the target and every installed package. A command with network access
    is expected to fetch only files that the source pins.

    Attributes:
        store: directory with the outputs in ``files/SHA256/``, and the SHA256 for each key in ``keys/KEY``.
        target: the commands are its programs.
        packages: packages installed on the target, names and versions.
        runner: runs programs on the target.
        reporter: receives events.
        environ: the user's environ; commands with network access get its proxies, certificates and registries.
        logs: directory for the logs of the commands.
        offline: whether no command may use the network.
        secrets: passwords to keep out of the logs.
    """

    store: Path
    target: Target
    packages: tuple[tuple[str, str], ...]
    runner: Runner
    reporter: Reporter
    environ: Mapping[str, str]
    logs: Path
    offline: bool = False
    secrets: Secrets = NO_SECRETS

    def find(self, tree: SourceTree, steps: tuple[PrepareStep, ...]) -> SourceTree | None:
        """Return the tree with the outputs of an earlier run of the commands; None without one or if damaged."""
        try:
            sha256 = self._key(tree, steps).read_text("ascii")
            place = self._place(sha256)
            names = tuple(_files_below(place, ""))
            found = with_prepared(tree, place, names)
        except (OSError, ValueError):
            return None
        if found.sha256 == sha256:
            count = len(names)
            self.reporter.detail(f"prepared before from the same files: {count} file{'s' * (count != 1)}")
            return found
        self.reporter.warn(f"{place} was changed after it was stored; the prepare commands run again")
        return None

    def run(self, tree: SourceTree, steps: tuple[PrepareStep, ...], name: str, work: Path) -> SourceTree:
        """Run the commands in order in a copy of the tree, and return the tree with their outputs.

        The project's own directory is not touched. The commands see the release's programs, not those of the
        administrator or a user. They have no network access unless their step requests it.

        Args:
            tree: the project's source.
            steps: the commands; at least one.
            name: the project's name, for the log.
            work: private directory of this run.

        Raises:
            PrepareError: a command failed, or did not produce its declared outputs.
            MachineError: a command had no space or no permission, or a file became too large.
            CompileError: the source changed meanwhile.
        """
        start = time.monotonic()
        log = work / "logs" / "prepare.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        kept_log = self.logs / f"{name}-prepare-{self.target.abi_name}.log"
        sandbox = BuildSandbox(work / "prepare", log, self.runner, self._variables(network=False), lambda: False)
        try:
            copy_tree(tree, sandbox / "src", EARLIEST_TIME)
            for each in ("home", "tmp"):
                sandbox.recreate(each)
            for step in steps:
                self._run_step(step, sandbox, kept_log)
            outputs = _list_outputs(steps, sandbox / "src")
            place = self._store_outputs(tree, steps, sandbox / "src", outputs)
        except OSError as error:
            kind = MachineError if is_environment_error(error) else PrepareError
            raise kind(
                f"could not run the prepare commands: {error.strerror or error}.",
                details=f"  {error}",
                resolution="Give the cache space and permissions, or choose another with --cache.",
            ) from error
        finally:
            keep_log(log, kept_log, self.secrets)
            shutil.rmtree(sandbox.path, ignore_errors=True)
        count = len(outputs)
        self.reporter.step(f"prepared {count} file{'s' * (count != 1)} in {time.monotonic() - start:.1f} s")
        return with_prepared(tree, place, outputs)

    def _run_step(self, step: PrepareStep, sandbox: BuildSandbox, kept_log: Path) -> None:
        command = " ".join(step.run)
        if step.network and self.offline:
            raise PrepareError(
                f"the prepare command {command!r} needs the network, but --offline is set.",
                resolution="Run once without --offline; its outputs are kept.",
            )
        self.reporter.step(f"preparing: {command}{' (with network)' if step.network else ''}")
        sandbox = BuildSandbox(
            sandbox.path, sandbox.log, sandbox.runner, self._variables(network=step.network), sandbox.is_stopping
        )
        done = sandbox.run(step.run, inside="src", network=step.network)
        if not done.ok:
            end = read_log_end(sandbox.log, self.secrets, _LOG_END_BYTES)
            require_no_environment_error(end, is_sandboxed=True)
            raise _step_failed(step, done, end, kept_log)
        missing = [name for name in step.outputs if not os.path.lexists(sandbox / "src" / name)]
        if missing:
            raise PrepareError(
                f"the prepare command {command!r} did not create {', '.join(missing)}.",
                details=f"  The full log: {kept_log}",
                resolution="Fix its outputs; they are paths relative to the project, in which it runs.",
            )

    def _variables(self, *, network: bool) -> Mapping[str, str]:
        passed_on = {key: value for key, value in self.environ.items() if _NETWORK_VARIABLES.fullmatch(key)}
        return (passed_on if network else {}) | {
            "PATH": "/usr/bin:/bin",
            "HOME": f"{MOUNTPOINT}/home",
            "TMPDIR": str(MOUNTPOINT / "tmp"),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "SOURCE_DATE_EPOCH": str(EARLIEST_TIME),
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def _store_outputs(
        self, tree: SourceTree, steps: tuple[PrepareStep, ...], made: Path, names: tuple[str, ...]
    ) -> Path:
        """Store the files atomically, and return their directory."""
        store = DirectoryStore(self.store)
        store.sweep()
        with store.unfinished() as unfinished:
            fresh = unfinished / "files"
            for each in names:
                copy_file(made, each, fresh, EARLIEST_TIME)
            sha256 = with_prepared(tree, fresh, names).sha256
            place = self._place(sha256)
            store.remove(place)  # the same files, or modified ones
            publish(fresh, place)
        with open_atomic(self._key(tree, steps)) as file:
            file.write(sha256.encode("ascii"))
        return place

    def _place(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is not a valid sha256")
        return self.store / "files" / sha256

    def _key(self, tree: SourceTree, steps: tuple[PrepareStep, ...]) -> Path:
        return self.store / "keys" / key_of({
            "recipe": _FORMAT,
            "source": tree.sha256,
            "steps": [{"run": each.run, "outputs": each.outputs, "network": int(each.network)} for each in steps],
            "target": self.target.abi_name,
            "packages": dict(self.packages),
        })  # fmt: skip


def _list_outputs(steps: tuple[PrepareStep, ...], source: Path) -> tuple[str, ...]:
    """Return the names of all files that the commands created, sorted.

    Raises:
        PrepareError: there are none, one is neither a file nor a link, or a link leaves the project.
    """
    names: set[str] = set()
    for output in dict.fromkeys(output for step in steps for output in step.outputs):
        path = source / output
        is_directory = path.is_dir() and not path.is_symlink()
        names.update(_files_below(source, output) if is_directory else (os.path.normpath(output),))
    problems = tree_problems(source, sorted(names))
    if problems or not names:
        raise PrepareError(
            "the prepare commands created invalid files." if problems else "the prepare commands created no files.",
            details="\n".join(f"  {problem}" for problem in problems),
            resolution="Outputs must be files, or directories with files and links that stay in the project.",
        )
    return tuple(sorted(names))


def _files_below(top: Path, directory: str) -> Iterator[str]:
    """Yield the files and links below a directory, relative to ``top``.

    Raises:
        OSError: it cannot be read.
    """
    with os.scandir(top / directory) as entries:
        for entry in entries:
            name = os.path.normpath(f"{directory}/{entry.name}" if directory else entry.name)
            if stat.S_ISDIR(entry.stat(follow_symlinks=False).st_mode):
                yield from _files_below(top, name)
            else:
                yield name


def _step_failed(step: PrepareStep, done: Completed, end: str, kept_log: Path) -> PrepareError:
    program, command = step.run[0], " ".join(step.run)
    details = "\n".join((*(f"  {line}" for line in last_lines(end)), f"  The full log: {kept_log}"))
    resolution = "Fix the problem that its log reports."
    if done.not_found and "/" not in program:
        resolution = (
            f"Install the package that ships {program}, and add it to build-depends under [tool.venvpkg]; programs in"
            " /usr/local and in home directories are not visible."
        )
    elif not step.network:
        resolution += " It has no network access; if it must fetch files, set network = true."
    return PrepareError(f"the prepare command {command!r} failed: {done.outcome()}.", details=details,
                        resolution=resolution)  # fmt: skip
