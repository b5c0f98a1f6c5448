"""Debian's own grammar is checked, and every problem is told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit.samples import a_project, a_staged, an_application, needing
from venvpkg.backends.deb.compose import check, compose
from venvpkg.backends.deb.relations import parse_relation, spelled
from venvpkg.errors import ConfigurationError
from venvpkg.model.depends import DependencySet
from venvpkg.model.project import Inclusions, Settings, SonameRule

if TYPE_CHECKING:
    from pathlib import Path


def test_every_problem_is_told_at_once_with_the_file_that_has_it() -> None:
    project = a_project(Settings(depends=("libpq5 >= 1", "fine")), name="_")

    with pytest.raises(ConfigurationError) as caught:
        compose(project, a_staged(application=an_application(maintainer="")), DependencySet(), 0, evidence=b"")

    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["maintainer", "name", "depends"]
    assert "/srv/build/checkout/app/pyproject.toml" in caught.value.brief


def test_a_sound_project_is_composed() -> None:
    spec = compose(a_project(), a_staged(), needing("libc6"), 5, evidence=b"{}")

    assert (spec.name, spec.source_date_epoch, spec.evidence) == ("app", 5, b"{}")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("libpq5", "libpq5"),
        ("libpq5(>=13~~)", "libpq5 (>= 13~~)"),
        ("aa (<< 1:2.0-1+b1)|b2", "aa (<< 1:2.0-1+b1) | b2"),
        ("python3:any", "python3:any"),
    ],
)
def test_a_relation_gets_one_spelling(text: str, canonical: str) -> None:
    relation = parse_relation(text)

    assert relation is not None
    assert spelled(relation) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A1",
        "aa (>=)",
        "aa (>= 1",
        "aa >= 1",
        "aa [amd64]",
        "aa <!x>",
        "aa|",
        "aa\nbb",
        "aa, bb",
        "aa (>= ${x})",
    ],
)
def test_what_is_no_relation_is_refused(text: str) -> None:
    assert parse_relation(text) is None


def test_every_declared_relation_is_checked_by_debians_grammar() -> None:
    settings = Settings(
        depends=("$auto", "!libfoo1", "a b"),
        recommends=("c d",),
        suggests=("e f",),
        conflicts=("gg | hh",),
        breaks=("i j",),
        replaces=("kk | ll",),
        provides=("mm (>= 1)",),
        sonames=(SonameRule("libx.so", relation="n o"), SonameRule("liby.so", reason="because")),
    )

    with pytest.raises(ConfigurationError) as caught:
        check(a_project(settings))

    keys = ["depends", "recommends", "suggests", "conflicts", "breaks", "replaces", "provides", 'sonames."libx.so"']
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == keys


def test_sound_relations_reach_the_description() -> None:
    settings = Settings(recommends=("aa | bb",), provides=("cc (= 1)",))

    spec = compose(a_project(settings), a_staged(), DependencySet(), 0, evidence=b"")

    assert (spec.relations.recommends, spec.relations.provides) == (("aa | bb",), ("cc (= 1)",))


def test_a_template_that_shadows_none_of_ours_is_a_slip(tmp_path: Path) -> None:
    for name in ("control.j2", "copyrigth.j2", "_part.j2"):
        (tmp_path / name).touch()

    with pytest.raises(ConfigurationError) as caught:
        check(a_project(), Inclusions(templates=tmp_path))

    assert caught.value.problems == ("templates: copyrigth.j2 shadows no template of venvpkg's",)
