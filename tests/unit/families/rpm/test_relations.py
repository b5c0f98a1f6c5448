"""Relations: what rpm takes, and what may be written for Debian packages too."""

from __future__ import annotations

import pytest

from venvpkg.depends.derive import Claim
from venvpkg.families.rpm.relations import fewest, is_single, is_versioned_at_most_exactly, names_of, spell_relation
from venvpkg.model.depends import Dependency, Evidence, Source


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("postgresql", "postgresql"),
        ("postgresql>=13", "postgresql >= 13"),
        ("libpq.so.5()(64bit)", "libpq.so.5()(64bit)"),
        ("python(abi) = 3.11", "python(abi) = 3.11"),
        ("app(x86-64) = 1:1.0-1", "app(x86-64) = 1:1.0-1"),
        ("/usr/bin/psql", "/usr/bin/psql"),
        ("postgresql-client (>= 13) | pgcli", "(postgresql-client >= 13 or pgcli)"),
        ("foo (<< 2)", "foo < 2"),
        ("(a or b)", "(a or b)"),
        ("(a >= 1 or (b and pkgconfig(c) < 2))", "(a >= 1 or (b and pkgconfig(c) < 2))"),
        ("(a if b else c)", "(a if b else c)"),
    ],
)
def test_a_relation_is_spelled_for_rpm(text: str, spelled: str) -> None:
    assert spell_relation(text) == spelled


@pytest.mark.parametrize(
    "text",
    [
        "", "a b", "a >=", "a (>= 1", "a(", "(a)", "(a b)", "(a or)", "(a or b", "(a or b) c", "(a or b and c)", "()",
        "%{lua:print(1)}", "%(id)", "a, b", "a\nRequires: b", "a | ", "(" * 50 + "a or b" + ")" * 50, "(or or or)",
    ],
)  # fmt: skip
def test_what_is_no_relation_is_refused(text: str) -> None:
    assert spell_relation(text) is None


def test_provides_have_an_exact_version_or_none() -> None:
    assert [is_versioned_at_most_exactly(each) for each in ("a", "a = 1", "a >= 1")] == [True, True, False]
    assert (is_single("a = 1"), is_single("(a or b)")) == (True, False)


def test_claims_of_one_relation_become_one_with_the_highest_floor_and_all_evidence() -> None:
    low, high = Evidence(Source.CAPABILITY, floor="1.9"), Evidence(Source.CAPABILITY, floor="1.10")

    (only,) = fewest([Claim("libfoo #MINVER#", low), Claim("libfoo #MINVER#", high), Claim("libfoo #MINVER#", low)])

    assert only == Dependency("libfoo >= 1.10", (high, low))


def test_symbol_versions_are_all_listed_as_rpm_lists_them() -> None:
    evidence = Evidence(Source.CAPABILITY)

    relations = [each.relation for each in fewest(Claim(f"libc.so.6({v})(64bit)", evidence) for v in ("B", "A"))]

    assert relations == ["libc.so.6(A)(64bit)", "libc.so.6(B)(64bit)"]


def test_a_computed_relation_goes_by_capability_soname_and_owner() -> None:
    dependency = Dependency("libpq.so.5()(64bit)", (Evidence(Source.CAPABILITY, owner="libpq"),))

    assert {"libpq.so.5()(64bit)", "libpq.so.5", "libpq"} <= set(names_of(dependency))
