"""The neutral description: who wins, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from unit.samples import PREFIX, a_project, a_staged, an_application
from venvpkg.errors import ConfigurationError
from venvpkg.families.common.compose import PackageParts, compose_spec
from venvpkg.model.depends import DependencySet
from venvpkg.model.elf import ElfReport
from venvpkg.model.package import StatePath
from venvpkg.model.project import Project, ProjectFiles, Settings
from venvpkg.model.staged import PathKind, Payload, PayloadPath

if TYPE_CHECKING:
    from venvpkg.model.package import PackageSpec
    from venvpkg.model.staged import StagedVenv


def described(project: Project, staged: StagedVenv) -> PackageSpec:
    return compose_spec(project, ProjectFiles(), PackageParts(staged, ElfReport(()), DependencySet(), b"", b"", 0))


def problems_of(project: Project, staged: StagedVenv) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        described(project, staged)
    assert str(project.source) in caught.value.brief
    return tuple(caught.value.problems)


def test_the_configured_maintainer_wins_over_the_metadata() -> None:
    project = a_project(Settings(maintainer="Ops <ops@example.org>"))

    assert described(project, a_staged()).maintainer == "Ops <ops@example.org>"


def test_a_missing_maintainer_is_told_with_both_ways_to_give_one() -> None:
    (problem,) = problems_of(a_project(), a_staged(application=an_application(maintainer="")))

    assert "[tool.venvpkg] maintainer" in problem
    assert "--maintainer" in problem


def test_the_application_s_commands_are_linked_by_default() -> None:
    spec = described(a_project(), a_staged())

    assert spec.links == ((PurePosixPath("/usr/bin/app"), PREFIX / "bin/app"),)


def test_no_commands_means_no_links() -> None:
    assert described(a_project(Settings(commands=())), a_staged()).links == ()


def test_a_command_that_is_not_there_is_told_with_the_nearest_one() -> None:
    problems = problems_of(a_project(Settings(commands=("ap", "zzz"))), a_staged())

    assert problems == (
        "commands: the virtual environment has no program ap; did you mean app?",
        "commands: the virtual environment has no program zzz",
    )


def test_a_command_whose_name_is_no_name_is_told() -> None:
    strange = dataclasses.replace(an_application(), commands=("-rf", "a b"))

    problems = problems_of(a_project(), a_staged(application=strange))

    assert [problem.split(" is not a valid program name")[0] for problem in problems] == [
        "commands: '-rf'",
        "commands: 'a b'",
    ]


def test_an_application_without_a_summary_gets_one() -> None:
    assert described(a_project(), a_staged(application=an_application(summary=""))).summary == "Python application App"


def test_the_description_says_what_the_package_is_after_what_the_readme_says() -> None:
    staged = a_staged(application=an_application(description="# App\n\nApp keeps a list of many things.\n"))

    first, empty, last = described(a_project(), staged).description.split("\n")

    assert (first, empty) == ("App keeps a list of many things.", "")
    assert last.startswith("This package holds App 1.0")
    assert last.endswith("at /opt/venvs/app.")


def test_declared_relations_reach_the_description() -> None:
    spec = described(a_project(Settings(recommends=("aa | bb",), provides=("cc (= 1)",))), a_staged())

    assert (spec.relations.recommends, spec.relations.provides) == (("aa | bb",), ("cc (= 1)",))


def test_state_is_sorted_once_each_and_a_slash_at_the_end_says_directory() -> None:
    settings = Settings(
        maintainer="Ops <ops@example.org>", state_paths=("/var/log/app.log", "/var/lib/app/", "/var/lib/app")
    )

    assert described(a_project(settings), a_staged()).state == (
        StatePath(PurePosixPath("/var/lib/app"), is_directory=True),
        StatePath(PurePosixPath("/var/log/app.log")),
    )


def test_state_that_is_in_the_package_is_told() -> None:
    there = Payload((PayloadPath(PurePosixPath("/var/lib/app"), PathKind.DIRECTORY, 0o755),))
    settings = Settings(commands=(), state_paths=("/var/lib/app/", "/var/lib/app/db"))

    (problem,) = problems_of(a_project(settings), a_staged(payload=there))

    assert problem == "state-paths: /var/lib/app/ is in the package, so the application does not make it"
