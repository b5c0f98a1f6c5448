"""Which place wins, what families and single releases say, and what contradicts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unit.lock.samples import target as a_target
from venvpkg.config.settings import Configuration, read_configuration
from venvpkg.model.project import Project
from venvpkg.model.target import Release

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvpkg.model.project import Settings

OPTION = {"section": "of-option"}
VARIABLE = {"VENVPKG_SECTION": "of-variable"}
FAMILY = {"deb": {"section": "of-family"}}
RELEASE = {**FAMILY, "debian-13": {"section": "of-release"}}
TABLE = {"section": "of-table"}


def read(
    table: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, str] | None = None,
) -> Configuration:
    return read_configuration(table or {}, "tool.venvpkg", environment or {}, overrides or {})


def on(found: Configuration, family: str, release: str) -> Settings:
    project = Project("app", None, None, Path(), Path(), found.settings, targets=found.targets)
    identity, _, version = release.rpartition("-")
    return project.on(replace(a_target(), family=family, release=Release(identity, version, ""))).settings


@pytest.mark.parametrize(
    ("table", "environment", "overrides", "section"),
    [
        ({}, {}, {}, "misc"),
        (TABLE, {}, {}, "of-table"),
        ({**TABLE, "target": FAMILY}, {}, {}, "of-family"),
        ({**TABLE, "target": RELEASE}, {}, {}, "of-release"),
        ({**TABLE, "target": RELEASE}, VARIABLE, {}, "of-variable"),
        ({**TABLE, "target": RELEASE}, VARIABLE, OPTION, "of-option"),
    ],
)
def test_option_variable_release_family_table_default_in_this_order(
    table: dict[str, object], environment: dict[str, str], overrides: dict[str, str], section: str
) -> None:
    found = read(table, environment, overrides)

    assert (on(found, "deb", "debian-13").section, found.problems) == (section, ())


def test_the_table_of_a_release_changes_what_it_names_and_only_there() -> None:
    found = read({
        "depends": ["aa"],
        "wheels": {"binary": ["x"]},
        "target": {"debian-13": {"wheels": {"default": "compile"}}, "ubuntu-24.04": {"depends": ["bb"]}},
    })  # fmt: skip

    trixie, noble = (on(found, "deb", name) for name in ("debian-13", "ubuntu-24.04"))
    assert (trixie.depends, trixie.wheels.binary, trixie.wheels.default) == (("aa",), ("x",), "compile")
    assert (noble.depends, noble.wheels.default) == (("bb",), "prefer-compile")
    assert found.settings.depends == ("aa",)


def test_the_table_of_a_family_changes_every_release_of_it_and_no_other() -> None:
    found = read(
        {
            "build-depends": ["libpq-dev"],
            "target": {
                "rpm": {"build-depends": ["pkgconfig(libpq)"], "depends": ["nginx"]},
                "fedora-43": {"depends": ["httpd"]},
            },
        }
    )

    bookworm, nine = on(found, "deb", "debian-12"), on(found, "rpm", "rocky-9")
    fedora = on(found, "rpm", "fedora-43")
    assert (bookworm.build_depends, bookworm.depends) == (("libpq-dev",), ())
    assert (nine.build_depends, nine.depends) == (("pkgconfig(libpq)",), ("nginx",))
    assert (fedora.build_depends, fedora.depends) == (("pkgconfig(libpq)",), ("httpd",))


def test_a_release_that_has_no_number_has_a_table_too() -> None:
    found = read({"target": {"opensuse-tumbleweed": {"depends": ["aa"]}}})

    assert on(found, "rpm", "opensuse-tumbleweed").depends == ("aa",)


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("debian-13", "tool.venvpkg.target: must be a table, not a string"),
        ({"trixie": {}}, "tool.venvpkg.target.trixie: 'trixie' is not a family (deb, rpm) or a release such as "),
        ({"debian-13": []}, "tool.venvpkg.target.debian-13: must be a table, not an array"),
        ({"debian-13": {"nam": "x"}}, "tool.venvpkg.target.debian-13.nam: unknown key; did you mean 'name'?"),
        ({"debian-13": {"target": {}}}, "tool.venvpkg.target.debian-13.target: unknown key; "),
        (
            {"debian-13": {"wheels": {"defalt": "x"}}},
            "tool.venvpkg.target.debian-13.wheels.defalt: unknown key; did you mean 'default'?",
        ),
    ],
)
def test_a_bad_table_of_a_release_is_told_with_its_path(target: object, problem: str) -> None:
    assert read({"target": target}).problems[0].startswith(problem)


def test_an_empty_variable_counts_as_none() -> None:
    assert read(TABLE, {"VENVPKG_SECTION": " "}).settings.section == "of-table"


def test_a_variable_that_is_nearly_a_key_s_is_a_problem_and_others_are_not_ours() -> None:
    found = read({}, {"VENVPKG_SECTON": "x", "VENVPKG_OUR_CI_STAGE": "x", "SECTION": "x"})

    assert found.problems == ("VENVPKG_SECTON: unknown variable; did you mean VENVPKG_SECTION?",)


def test_a_contradiction_between_places_is_told_once() -> None:
    found = read({"wheels": {"binary": ["a"]}, "target": RELEASE}, {"VENVPKG_WHEELS_COMPILE": "A"})

    assert found.problems == ("tool.venvpkg.wheels.binary: a is also in compile",)


def test_a_package_cannot_be_added_and_left_out() -> None:
    assert read({"depends": ["aa", "!aa"]}).problems == ("tool.venvpkg.depends: aa is both added and left out",)


def test_only_relations_among_depends_are_declared_ones() -> None:
    settings = read({"depends": ["$auto", "aa (>= 1)", "!bb"]}).settings

    assert settings.declared_depends == ("aa (>= 1)",)
