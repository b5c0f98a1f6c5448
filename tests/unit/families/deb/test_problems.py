"""Debian's own grammar is checked before anything is built."""

from __future__ import annotations

import pytest

from unit.samples import a_project
from venvpkg.families.deb.relations import parse_relation, problems, spell_relation
from venvpkg.model.project import Settings, SonameRule


def test_a_name_that_debian_would_not_accept_is_told() -> None:
    (problem,) = problems(a_project(name="_"))

    assert problem.startswith("name: '_' is not a valid package name")


def test_a_sound_project_has_none() -> None:
    settings = Settings(depends=("$auto", "!libfoo1"), recommends=("aa | bb",), provides=("cc (= 1)",))

    assert list(problems(a_project(settings))) == []


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
    assert spell_relation(relation) == canonical


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

    told = problems(a_project(settings))

    keys = ["depends", "recommends", "suggests", "conflicts", "breaks", "replaces", "provides", 'sonames."libx.so"']
    assert [problem.partition(": ")[0] for problem in told] == keys
