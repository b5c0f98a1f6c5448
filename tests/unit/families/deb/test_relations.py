"""Relations: which implies which, and the fewest that say all."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from venvpkg.depends.derive import Claim
from venvpkg.families.deb.relations import fewest, implies, parse_relation, with_floor
from venvpkg.model.depends import Evidence, Source


def claim(template: str, floor: str | None = None, file: str = "/opt/x.so") -> Claim:
    return Claim(template, Evidence(Source.SYMBOLS, "libx.so", PurePosixPath(file), floor=floor))


def texts(*claims: Claim) -> list[str]:
    return [each.relation for each in fewest(claims)]


def is_implied(stronger: str, weaker: str) -> bool:
    first, second = parse_relation(stronger), parse_relation(weaker)
    return first is not None and second is not None and implies(first, second)


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        ("a (>= 2)", "a"),
        ("a (>= 2)", "a (>= 1)"),
        ("a (>> 1)", "a (>= 1)"),
        ("a (>= 2)", "a (>> 1)"),
        ("a (= 2)", "a (>= 1)"),
        ("a (= 2)", "a (<< 3)"),
        ("a (<< 2)", "a (<= 2)"),
        ("a (<= 1)", "a (<< 2)"),
        ("a", "a | b"),
        ("a (>= 2) | b", "b | a | c"),
    ],
)
def test_a_stronger_relation_implies_a_weaker_one_and_not_the_other_way(stronger: str, weaker: str) -> None:
    assert is_implied(stronger, weaker)
    assert not is_implied(weaker, stronger)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a (>= 1)", "b (>= 1)"),
        ("a (>= 1)", "a (<< 2)"),
        ("a (>> 1)", "a (>> 2)"),
        ("a | b", "a"),
        ("a (>= 1)", "a (= 1)"),
    ],
)
def test_other_relations_imply_nothing(one: str, other: str) -> None:
    assert not is_implied(one, other)


def test_several_floors_of_a_package_collapse_to_the_highest_and_keep_all_evidence() -> None:
    (only,) = fewest(
        [
            claim("libc6 #MINVER#", "2.4", "/a"),
            claim("libc6 #MINVER#", "2.34", "/b"),
            claim("libc6 (>= 2.2)", None, "/c"),
        ]
    )

    assert only.relation == "libc6 (>= 2.34)"
    assert [str(each.needed_by) for each in only.evidence] == ["/b", "/a", "/c"]


def test_a_range_stays_a_range() -> None:
    private = [claim("libc6 (>> 2.36)", "0"), claim("libc6 (<< 2.37)", "0"), claim("libc6 #MINVER#", "2.34")]

    assert texts(*private) == ["libc6 (<< 2.37)", "libc6 (>> 2.36)"]


def test_alternatives_stay_together() -> None:
    assert texts(claim("libblas3 | libblas.so.3"), claim("libgl1 | libgl1-mesa #MINVER#", "7")) == [
        "libblas3 | libblas.so.3",
        "libgl1 | libgl1-mesa (>= 7)",
    ]


@pytest.mark.parametrize("floor", [None, "", "0"])
def test_a_floor_of_nothing_is_no_bound(floor: str | None) -> None:
    assert with_floor("libyaml-0-2 #MINVER#", floor) == "libyaml-0-2"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "a (>= ${binary:Version})",
        "${shlibs:Depends}",
        "A",
        "a (>= 1), b",
        "a [amd64]",
        "a\nb",
        "a |",
        "a (~ 1)",
    ],
)
def test_what_is_no_relation_is_told_from_one(text: str) -> None:
    assert parse_relation(text) is None


def test_what_is_no_relation_never_gets_into_a_package() -> None:
    with pytest.raises(ValueError, match="Version"):
        fewest([claim("a (= ${binary:Version})")])
