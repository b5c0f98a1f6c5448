"""A small project with its own dist, wheelhouse and cache, to build under misfortune."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess  # the tests run venvpkg as its users do
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from acceptance.cleanroot import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

TALLY = Path(__file__).parents[1] / "data" / "projects" / "tally"
TIMEOUT_S = 120
# A step of the report: seconds since the start, two blanks; or a line of the summary below it.
_STEP = re.compile(r" *\d+\.\ds  | {9}[a-z]")

# The commands of `mounts`, then venvpkg with its arguments; all of it in a mount namespace of its own.
_ALTERED = """\
set -eu
eval "$1"
shift
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where venvpkg is run.

    Attributes:
        program: the command under test.
        path: a directory of its own.
    """

    program: Path
    path: Path

    @classmethod
    def with_tally(cls, program: Path, path: Path) -> Workplace:
        """Return one whose project is a fresh copy of tally."""
        shutil.copytree(TALLY, path / "tally", ignore=shutil.ignore_patterns("pylock.toml", "venvpkg.lock"))
        for name in ("dist", "wheelhouse", "cache"):
            (path / name).mkdir()
        return cls(program, path)

    @property
    def project(self) -> Path:
        """The project's directory."""
        return self.path / "tally"

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that is in a file of the project."""
        path = self.project / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def knobs(self, table: str) -> None:
        """Let the project's build backend misbehave: text of its table ``[tool.tally]``."""
        with (self.project / "pyproject.toml").open("a") as file:
            file.write(f"[tool.tally]\n{table}\n")

    def start(
        self, *options: str, mounts: str = "", environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start a build.

        Args:
            options: further ones.
            mounts: shell commands that alter the machine for this build alone; they run in the workplace.
            environment: added to ours.
        """
        names = (f"--{name}={self.path / name}" for name in ("wheelhouse", "cache"))
        command = [str(self.program), "build", f"{self.project}/", f"--out={self.path / 'dist'}", *names, *options]
        altered = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _ALTERED, "sh", mounts]
        return subprocess.Popen(
            [*altered, *command] if mounts else command,
            cwd=self.path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )

    def build(self, *options: str, mounts: str = "", environment: Mapping[str, str] | None = None) -> Outcome:
        """Build to the end, as ``start`` does."""
        with self.start(*options, mounts=mounts, environment=environment) as process:
            return ended(process)

    def packages(self) -> tuple[Path, ...]:
        """Return the packages in dist, after a check that they and their records are whole; nothing else is there."""
        files = sorted((self.path / "dist").iterdir())
        found = tuple(file for file in files if file.suffix == ".deb")
        for record in set(files).difference(found):
            assert record.suffix == ".json"
            json.loads(record.read_bytes())
        for package in found:
            assert package.with_suffix(".build.json") in files
            command = ["dpkg-deb", "--fsys-tarfile", str(package)]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        return found

    def digests(self) -> dict[str, str]:
        """Return the sha256 of each package in dist."""
        return {package.name: hashlib.sha256(package.read_bytes()).hexdigest() for package in self.packages()}

    def forget(self, *names: str) -> None:
        """Empty directories of the workplace."""
        for name in names:
            shutil.rmtree(self.path / name)
            (self.path / name).mkdir()

    def leftovers(self) -> list[str]:
        """Return what runs that have ended should not have left: workspaces, unfinished entries, mounts, processes."""
        work, unfinished = self.path / "cache" / "work", self.path / "wheelhouse" / ".tmp"
        files = [str(path) for place in (work, unfinished) if place.is_dir() for path in place.iterdir()]
        mounts = [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(self.path) in line]
        return files + mounts + self.processes()

    def processes(self) -> list[str]:
        """Return the command lines of processes that work here: by an argument or their current directory."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # ended meanwhile
                arguments = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                where = str((process / "cwd").readlink())
                if str(self.path) in arguments or where.startswith(str(self.path)):
                    found.append(arguments)
        return found


def kill_after_events(process: subprocess.Popen[str], number: int) -> None:
    """Kill a build, started with ``--json``, when it has told so many events; it may have ended before."""
    assert process.stdout is not None
    for _ in itertools.islice(process.stdout, number):
        pass
    process.kill()
    process.communicate()


def ended(process: subprocess.Popen[str]) -> Outcome:
    """Return what a started build did; never a traceback, and never without an end."""
    try:
        stdout, stderr = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
    outcome = Outcome(process.returncode, stdout, stderr)
    assert "Traceback" not in stderr, outcome.transcript
    return outcome


def told(outcome: Outcome) -> str:
    """Return what a build said beside its steps and its summary."""
    return "".join(line for line in outcome.stderr.splitlines(keepends=True) if not _STEP.match(line)).strip()
