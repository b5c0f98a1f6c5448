"""The order of versions, and how Python's are spelled; the differential tests ask rpm itself."""

from __future__ import annotations

import itertools

import pytest
from packaging.version import Version

from venvpkg.errors import AssembleError
from venvpkg.families.rpm.versions import is_higher, to_rpm, version_key, without_release
from versions import VERSIONS

IN_ORDER = (
    "1.0.dev1", "1.0a1.dev2", "1.0a1", "1.0a1.post1", "1.0b2", "1.0rc1", "1.0", "1.0+local", "1.0.post1.dev1",
    "1.0.post1", "1.0.1", "1.0.10", "1.1", "2024.1", "1!0.1",
)  # fmt: skip


def test_spelled_versions_keep_the_order_of_python() -> None:
    assert sorted(IN_ORDER, key=Version) == list(IN_ORDER)

    for lower, higher in itertools.pairwise(IN_ORDER):
        assert is_higher(to_rpm(higher), to_rpm(lower)), (lower, higher)


@pytest.mark.parametrize(
    ("version", "spelled"),
    [
        ("1.2rc1", "1.2~rc1"),
        ("1.0rc1", "1~rc1"),
        ("1.0.dev1", "1~~dev1"),
        ("1.0.post1", "1.0.0.0+post1"),
        ("1.0+ubuntu.1", "1.0.0.0^ubuntu.1"),
        ("1!2.0", "1:2.0"),
        ("v1.0", "1.0"),
    ],
)
def test_a_version_is_spelled_for_rpm(version: str, spelled: str) -> None:
    assert to_rpm(version) == spelled


def test_the_packages_epoch_wins() -> None:
    assert to_rpm("1!2.0", epoch=3) == "3:2.0"


def test_what_is_no_version_is_refused() -> None:
    with pytest.raises(AssembleError, match="PEP 440"):
        to_rpm("%{lua:print(1)}")


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("1.0~rc1", "1.0"), ("1.0", "1.0^git1"), ("1.0^git1", "1.0.1"), ("1.0a", "1.0.1"), ("1.9", "1.10"),
        ("1.0-1.el9", "1.0-2.el9"), ("9.0", "1:0.1"), ("1.0", "1.0a"), ("1.0~", "1.0"), ("1.0^~", "1.0^"),
    ],
)  # fmt: skip
def test_the_order_is_rpms(lower: str, higher: str) -> None:
    assert is_higher(higher, lower)
    assert not is_higher(lower, higher)


@pytest.mark.parametrize(("one", "other"), [("1.0", "1_0"), ("1.00", "1.0"), ("0:1.0", "1.0"), ("1.0.", "1.0")])
def test_what_parts_segments_and_leading_zeros_do_not_count(one: str, other: str) -> None:
    assert version_key(one) == version_key(other)


def test_a_release_is_taken_away() -> None:
    assert (without_release("2:1.0-1.el9"), without_release("1.0")) == ("2:1.0", "1.0")


def test_zeros_that_pep_440_does_not_count_change_no_order() -> None:
    """Over all pairs; equal versions may be two spellings, but then nothing lies between them."""
    parsed = {each: Version(each) for each in VERSIONS}
    keys = {each: version_key(to_rpm(each)) for each in VERSIONS}

    wrong = [
        (lower, higher)
        for lower, higher in itertools.product(VERSIONS, VERSIONS)
        if parsed[lower] < parsed[higher] and not keys[lower] < keys[higher]
    ]

    assert wrong == []
