"""Debian's own grammar is checked, and every problem is told at once."""

from __future__ import annotations

import pytest

from unit.samples import a_project, a_staged, an_application, needing
from venvpkg.backends.deb.compose import compose
from venvpkg.backends.deb.relations import parse_relation, spelled
from venvpkg.errors import ConfigurationError
from venvpkg.model.depends import DependencySet
from venvpkg.model.project import Settings


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
