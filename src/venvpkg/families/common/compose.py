"""Compose the description of a package, without the words of a family. Pure."""

from __future__ import annotations

import difflib
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from venvpkg.errors import ConfigurationError
from venvpkg.families.common.description import leading_prose
from venvpkg.model.package import PackageSpec, Relations, StatePath

if TYPE_CHECKING:
    from venvpkg.model.depends import DependencySet
    from venvpkg.model.elf import ElfReport
    from venvpkg.model.project import Project, ProjectFiles, Settings
    from venvpkg.model.staged import ApplicationMetadata, StagedVenv


PROGRAMS = PurePosixPath("/usr/bin")

NO_MAINTAINER = (
    "maintainer: not given, and the application's metadata has no author or maintainer with an address;"
    " set [tool.venvpkg] maintainer, or give --maintainer 'Name <address@example.org>'"
)

_COMMAND = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


class PackageParts(NamedTuple):
    """What was made and found out for a package.

    Attributes:
        staged: the payload.
        elf: every ELF file of the payload.
        dependencies: what was derived for it.
        evidence: of the dependencies, as it will be shipped.
        sbom: the bill of materials, as it will be shipped; empty for none.
        source_date_epoch: seconds since 1970 UTC.
    """

    staged: StagedVenv
    elf: ElfReport
    dependencies: DependencySet
    evidence: bytes
    sbom: bytes
    source_date_epoch: int


def compose_spec(project: Project, project_files: ProjectFiles, parts: PackageParts) -> PackageSpec:
    """Return the package's description.

    Args:
        project: what the user declared; wins over the application's metadata.
        project_files: the project's own files that shape the package.
        parts: what was made and found out for it.

    Raises:
        ConfigurationError: no package of any family can be described; every problem is given.
    """
    staged, dependencies = parts.staged, parts.dependencies
    problems = _spec_problems(project, staged)
    if problems:
        raise ConfigurationError(project.source, problems)
    application = staged.application
    settings = project.settings
    return PackageSpec(
        name=project.package_name,
        epoch=settings.epoch,
        upstream_version=application.version,
        revision=settings.revision,
        maintainer=_maintainer(project, staged),
        summary=application.summary or f"Python application {application.name}",
        description=_description(application, staged.prefix),
        homepage=application.homepage,
        license_expression=application.license_expression,
        section=settings.section,
        dependencies=dependencies,
        evidence=parts.evidence,
        sbom=parts.sbom,
        links=tuple(
            (PROGRAMS / command, staged.prefix / "bin" / command) for command in sorted(_commands(project, staged))
        ),
        source_date_epoch=parts.source_date_epoch,
        staged=staged,
        relations=Relations(
            recommends=(*settings.recommends, *(each.relation for each in dependencies.recommends)),
            suggests=settings.suggests,
            conflicts=settings.conflicts,
            breaks=settings.breaks,
            replaces=settings.replaces,
            provides=settings.provides,
        ),
        project_files=project_files,
        target_revision=settings.target_revision,
        elf=parts.elf,
        state=_state_paths(settings),
    )


def _spec_problems(project: Project, staged: StagedVenv) -> tuple[str, ...]:
    """Return the reasons why no package of any family can be composed, one sentence each."""
    problems = []
    if not _maintainer(project, staged):
        problems.append(NO_MAINTAINER)
    for command in _commands(project, staged):
        problem = _command_problem(command, staged)
        if problem:
            problems.append(f"commands: {problem}")
    payload = {each.path for each in staged.payload.paths}
    problems += [
        f"state-paths: {each} is in the package, so the application does not make it"
        for each in project.settings.state_paths
        if PurePosixPath(each) in payload
    ]
    return tuple(problems)


def _command_problem(command: str, staged: StagedVenv) -> str:
    if not _COMMAND.fullmatch(command):
        return f"{command!r} is not a valid program name in {PROGRAMS}; list the wanted ones in [tool.venvpkg] commands"
    programs = {each.path.name for each in staged.payload.paths if each.path.parent == staged.prefix / "bin"}
    if command in programs:
        return ""
    near = difflib.get_close_matches(command, programs, n=1)
    return f"the virtual environment has no program {command}" + (f"; did you mean {near[0]}?" if near else "")


def _maintainer(project: Project, staged: StagedVenv) -> str:
    return project.settings.maintainer or staged.application.maintainer


def _commands(project: Project, staged: StagedVenv) -> tuple[str, ...]:
    return staged.application.commands if project.settings.commands is None else project.settings.commands


def _state_paths(settings: Settings) -> tuple[StatePath, ...]:
    """Return each path once; it is a directory when one of its entries ends in a slash."""
    directories = {PurePosixPath(each) for each in settings.state_paths if each.endswith("/")}
    return tuple(StatePath(each, each in directories) for each in sorted({*map(PurePosixPath, settings.state_paths)}))


def _description(application: ApplicationMetadata, prefix: PurePosixPath) -> str:
    """Return paragraphs of one line each: from the application's own description, then about the package."""
    packaged = (
        f"This package holds {application.name} {application.version} and the Python libraries that it needs,"
        f" in a virtual environment at {prefix}."
    )
    prose = leading_prose(application.description)
    return f"{prose}\n\n{packaged}" if prose else packaged
