"""Packages as the acceptance tests make and look at them."""

from __future__ import annotations

import os
import subprocess  # the tests run venvpkg as its users do
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from acceptance.cleanroot import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILD_TIMEOUT_S = 1500


@dataclass(frozen=True, slots=True)
class Venvpkg:
    """The command ``venvpkg``, with caches of its own."""

    program: Path
    directory: Path

    @property
    def here(self) -> Path:
        """The directory that it is run in, with nothing but what it writes and tests put there."""
        where = self.directory / "elsewhere"
        where.mkdir(exist_ok=True)
        return where

    def run(
        self, *arguments: str, timeout_s: float = BUILD_TIMEOUT_S, environment: Mapping[str, str] | None = None
    ) -> Outcome:
        """Run it ``here``, with some variables set."""
        completed = subprocess.run(
            [str(self.program), *arguments],
            cwd=self.here,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return Outcome(completed.returncode, completed.stdout, completed.stderr)

    def build(self, what: str) -> Path:
        """Return the package that ``venvpkg build`` made of a project's directory or a requirement."""
        return self.built(what)[0]

    def built(
        self,
        what: str,
        *options: str,
        out: str = "out",
        cache: str = "cache",
        environment: Mapping[str, str] | None = None,
    ) -> tuple[Path, Outcome]:
        """Return the package, and what the build said. All builds share one wheelhouse."""
        places = {"wheelhouse": "wheelhouse", "cache": cache, "out": out}
        where = (f"--{name}={self.directory / place}" for name, place in places.items())
        outcome = self.run("build", what, *where, *options, environment=environment)

        assert outcome.code == 0, outcome.transcript
        (line,) = outcome.stdout.splitlines()
        package = Path(line)
        assert package.is_file(), outcome.transcript
        return package, outcome


@dataclass(frozen=True, slots=True)
class Visit:
    """One use of a package in a clean root, of which several tests look at the traces."""

    package: Path
    outcome: Outcome


def shown(package: Path) -> PurePosixPath:
    """Return where a clean root shows a package."""
    return PurePosixPath("/mnt") / package.name


def depends_of(package: Path) -> dict[str, str]:
    """Return the package's Depends: name to the restriction on its version, which may be empty."""
    command = ["dpkg-deb", "--field", str(package), "Depends"]
    field = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    relations = (relation.strip().partition(" ") for relation in field.replace("\n", " ").split(","))
    return {name: restriction for name, _, restriction in relations}
