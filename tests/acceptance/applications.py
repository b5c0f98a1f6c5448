"""The table ``applications.toml`` as values, and how each application is given to venvpkg."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE = Path(__file__).with_name("applications.toml")

_PROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "{name}-here"
version = "{version}"
description = "{name}, with what it does not ask for"
authors = [{{ name = "Packager", email = "packager@example.org" }}]
dependencies = [{dependencies}]

[tool.setuptools]
py-modules = []

[tool.venvpkg]
name = "{name}"
commands = ["{name}"]
"""


@dataclass(frozen=True, slots=True)
class Excuse:
    """What lintian says of an application, in its words, and why its packager lets it be."""

    tag: str
    context: str
    reason: str


@dataclass(frozen=True, slots=True)
class Application:
    """One entry; ``applications.toml`` explains each key."""

    requirement: str
    smoke: str
    expect: frozenset[str]
    optional: frozenset[str] = frozenset()
    fallback: tuple[str, ...] = ()
    build: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    lintian: tuple[Excuse, ...] = ()
    full: bool = False

    @property
    def name(self) -> str:
        """What its package is called."""
        return Requirement(self.requirement).name

    def argument(self, directory: Path) -> str:
        """Return what ``venvpkg build`` gets: the requirement, or a project made in ``directory``."""
        if not self.beside:
            return self.requirement
        (pin,) = Requirement(self.requirement).specifier
        dependencies = ", ".join(f'"{each}"' for each in (self.requirement, *self.beside))
        project = directory / self.name
        project.mkdir(exist_ok=True)
        text = _PROJECT.format(name=self.name, version=pin.version, dependencies=dependencies)
        (project / "pyproject.toml").write_text(text)
        return f"{project}/"

    def options(self, start: Path) -> tuple[str, ...]:
        """Return the packager's options for lintian's sake; what they name is made in ``start``, where paths start."""
        if not self.lintian:
            return ()
        templates = start / f"{self.name}-templates"
        templates.mkdir(exist_ok=True)
        text = '{% include "venvpkg/lintian-overrides.j2" %}\n'
        for each in self.lintian:
            text += f"\n# {each.reason}\n{{{{ package }}}}: {each.tag} {each.context}\n"
        (templates / "lintian-overrides.j2").write_text(text)
        return (f"--templates={templates.name}",)


def read_applications() -> tuple[Application, ...]:
    """Return every entry of the table, in its order."""
    entries = tomllib.loads(TABLE.read_text())["application"]
    return tuple(
        Application(
            requirement=entry["requirement"],
            smoke=entry["smoke"],
            expect=frozenset(entry["expect"]),
            optional=frozenset(entry.get("optional", ())),
            fallback=tuple(entry.get("fallback", ())),
            build=tuple(entry.get("build", ())),
            depends=tuple(entry.get("depends", ())),
            beside=tuple(entry.get("beside", ())),
            environment=entry.get("environment", {}),
            lintian=tuple(Excuse(**excuse) for excuse in entry.get("lintian", ())),
            full=entry.get("full", False),
        )
        for entry in entries
    )


def main() -> None:
    """Print the packages that building every application needs, for tests/full."""
    print("\n".join(sorted({package for each in read_applications() for package in each.build})))  # noqa: T201


if __name__ == "__main__":
    main()
