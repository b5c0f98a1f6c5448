"""Packages of the family rpm, as the acceptance tests make and look at them: in roots of the rpm world."""

from __future__ import annotations

import subprocess  # independent of what it tests
from pathlib import Path
from typing import TYPE_CHECKING

from acceptance.smallproject import write_project

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a root must have to build the guestbook, and anything smaller: one list, so that one root serves all.
BUILDERS = (
    *("gcc", "gcc-c++", "make", "rpm-build", "python3-devel"),
    *("libpq-devel", "libxml2-devel", "libxslt-devel"),
)
_REASONS = Path(__file__).parents[2] / "docs/rpmlint.toml"
# Both families' names, so that one project serves both.
CONFIGURATION = """\
build-depends = ["libpq-dev"]
files = [{ source = "bell.toml", target = "/etc/ringbell/bell.toml" }]

[tool.venvpkg.target.rpm]
build-depends = ["pkgconfig(libpq)"]
"""
_CLI = """\
import psycopg2
from ringbell._bell import ring


def main():
    assert psycopg2.extensions.libpq_version() >= 130000
    print(ring(3))
"""


def write_postgresql_project(directory: Path, version: str, files: Mapping[str, str] | None = None) -> Path:
    """Write a project with native code of its own, a distribution that needs libpq, and a configuration file."""
    write_project(directory, version, configuration=CONFIGURATION, files={**(files or {}), "cli.py": _CLI})
    path = directory / "pyproject.toml"
    text = path.read_text().replace('license = "MIT"\n', 'license = "MIT"\ndependencies = ["psycopg2"]\n')
    path.write_text(text)
    (directory / "bell.toml").write_text(f'tone = "deep"  # of {version}\n')
    return directory


def requires_of(package: Path) -> frozenset[str]:
    """Return the Requires of a package, but for what rpm itself must be able to do."""
    return frozenset(each for each in _query(package, "--requires") if not each.startswith("rpmlib("))


def provides_of(package: Path) -> frozenset[str]:
    """Return the Provides of a package."""
    return frozenset(_query(package, "--provides"))


def payload_of(package: Path) -> frozenset[str]:
    """Return the paths in a package."""
    return frozenset(_query(package, "--list"))


def errors_of_rpmlint(package: Path) -> list[str]:
    """Return what rpmlint calls an error, but for what docs/rpmlint.toml gives a reason for."""
    command = ["rpmlint", "--config", str(_REASONS), str(package)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert "packages: 1" in said
    return [line for line in said.splitlines() if ": E: " in line]


def _query(package: Path, what: str) -> list[str]:
    command = ["rpm", "--query", what, "--package", str(package)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
