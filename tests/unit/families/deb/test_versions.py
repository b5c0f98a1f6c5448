"""Debian versions: order, and the spelling of Python's."""

from __future__ import annotations

import itertools

import pytest
from packaging.version import Version

from venvpkg.errors import AssembleError
from venvpkg.families.deb.versions import is_higher, to_debian, version_key, without_revision
from versions import VERSIONS

# deb-version(7): a tilde before the end, the end before letters, letters before the rest; numbers as numbers.
IN_ORDER = [
    "0~~", "0~~a", "0~", "0", "0a", "0+", "0.", "1~rc1-1", "1-1~deb12u1", "1-1", "1-1+b1", "1-1.1", "1-10", "1.2",
    "1.10", "10~~", "10", "1:0", "2:0~", "10:0",
]  # fmt: skip
PEP_440_IN_ORDER = [
    "1.0.dev1", "1.0a1.dev1", "1.0a1", "1.0a1.post1.dev1", "1.0a1.post1", "1.0a2", "1.0b1", "1.0rc1.dev2", "1.0rc1",
    "1.0rc2", "1.0", "1.0+deb12", "1.0+local.2", "1.0+local.10", "1.0.post1.dev1", "1.0.post1", "1.0.post1+x",
    "1.0.post2", "1.0.1.dev1", "1.0.1", "1.1", "1.10", "2", "1!0.1.dev1", "1!0.1",
]  # fmt: skip


def test_versions_sort_as_the_manual_says() -> None:
    for lower, higher in itertools.combinations(IN_ORDER, 2):
        assert is_higher(higher, lower), (lower, higher)
        assert not is_higher(lower, higher), (lower, higher)


@pytest.mark.parametrize(
    ("one", "other"), [("1.0", "1.0-0"), ("0:1", "1"), ("1.00", "1.0"), ("1.", "1.0"), ("007", "7")]
)
def test_some_spellings_are_one_version(one: str, other: str) -> None:
    assert version_key(one) == version_key(other)


def test_an_absurdly_long_number_is_compared_all_the_same() -> None:
    assert is_higher("1" * 6000, "9" * 5999)


def test_the_order_of_python_versions_is_kept() -> None:
    assert sorted(PEP_440_IN_ORDER, key=Version) == PEP_440_IN_ORDER

    spelled = [to_debian(each) for each in PEP_440_IN_ORDER]

    assert sorted(spelled, key=version_key) == spelled
    assert sorted((f"{each}-1~debian12" for each in spelled), key=version_key) == [
        f"{each}-1~debian12" for each in spelled
    ]


@pytest.mark.parametrize(
    ("python", "debian"),
    [
        ("1.2.3", "1.2.3"),
        ("1.2rc1", "1.2~rc1"),
        ("1.0rc1", "1~rc1"),
        ("1.0-RC.1", "1~rc1"),
        ("1.0.dev3", "1~~dev3"),
        ("0.0.0.dev3", "0~~dev3"),
        ("1.0.post1.dev2", "1.0.0.0+post1~~dev2"),
        ("1.0rc1.post1", "1~rc1+post1"),
        ("1.2.3.4.5.post1", "1.2.3.4.5+post1"),
        ("1.0.0.0.0", "1.0.0.0"),
        ("1.2.0.0", "1.2.0.0"),
        ("1.0.post2", "1.0.0.0+post2"),
        ("1.0+Ubuntu-1", "1.0.0.0+~ubuntu.1"),
        ("1.0.0", "1.0.0"),
        ("v1!2.0", "1:2.0"),
    ],
)
def test_a_python_version_is_spelled_for_debian(python: str, debian: str) -> None:
    assert to_debian(python) == debian


def test_the_packages_epoch_wins_over_the_versions_own() -> None:
    assert to_debian("1!2.0", epoch=3) == "3:2.0"


@pytest.mark.parametrize("text", ["", "one", "1.0\nDepends: evil", "1.0 ; rm"])
def test_what_is_no_python_version_is_an_error(text: str) -> None:
    with pytest.raises(AssembleError):
        to_debian(text)


def test_the_revision_is_what_follows_the_last_hyphen() -> None:
    assert [without_revision(each) for each in ("1:2.3-4+deb12u1", "2.3-rc-1", "2.3")] == ["1:2.3", "2.3-rc", "2.3"]


def test_zeros_that_pep_440_does_not_count_change_no_order() -> None:
    """Over all pairs; equal versions may be two spellings, but then nothing lies between them."""
    parsed = {each: Version(each) for each in VERSIONS}
    keys = {each: version_key(to_debian(each)) for each in VERSIONS}

    wrong = [
        (lower, higher)
        for lower, higher in itertools.product(VERSIONS, VERSIONS)
        if parsed[lower] < parsed[higher] and not keys[lower] < keys[higher]
    ]

    assert wrong == []
