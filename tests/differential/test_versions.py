"""Our order of versions is dpkg's."""

from __future__ import annotations

import itertools
import random
import shutil
import subprocess

import pytest
from packaging.version import Version

from venvpkg.families.deb.versions import to_debian, version_key
from versions import VERSIONS

NASTY = (
    "0", "0~", "0~~", "00", "0-0", "0.", "0+", "0a", "0~a", "0a~", "1", "1-1", "1-1~", "1-1+b1", "1:0", "0:1", "1~rc1",
    "1.0", "1.00", "1..0", "1.0.", "1.0+dfsg", "1.0+~x", "1.0~~dev1", "10~~", "2.36-9+deb12u14", "1:1.2.13.dfsg-1",
    "0123456789", "123456789", "99999999999999999999", "100000000000000000000", "1a1", "1A1", "1z", "1+z", "1.a",
    "1-a-b", "1-~", "1--1", "1.0-0~", "0-1", "00:1",
)  # fmt: skip
PAIRS = 700

pytestmark = pytest.mark.skipif(shutil.which("dpkg") is None, reason="needs dpkg")


def generated(count: int) -> list[str]:
    dice = random.Random(440)  # noqa: S311
    return [
        dice.choice(["", "", "1:"])
        + str(dice.randrange(3))
        + "".join(dice.choice("0019aAz~~+.-") for _ in range(dice.randrange(7))).rstrip(
            "-"
        )  # an empty revision is none
        for _ in range(count)
    ]


def dpkg_says(one: str, other: str) -> int:
    """Return -1, 0 or 1."""
    for result, operator in ((-1, "lt"), (0, "eq")):
        done = subprocess.run(["dpkg", "--compare-versions", one, operator, other], capture_output=True, check=False)
        if done.returncode == 0:
            return result
    return 1


def test_every_pair_compares_as_dpkg_compares_it() -> None:
    nasty = list(itertools.combinations(NASTY, 2))
    random.Random(7).shuffle(nasty)  # noqa: S311
    pool = generated(PAIRS)
    pairs = nasty[: PAIRS // 2] + list(zip(pool[::2], pool[1::2], strict=True))

    wrong = [
        (one, other)
        for one, other in pairs
        if (version_key(one) > version_key(other)) - (version_key(one) < version_key(other)) != dpkg_says(one, other)
    ]

    assert wrong == []


def test_python_versions_are_upgrades_for_dpkg_where_they_are_for_python() -> None:
    """Each with the next higher one, in every spelling of both, and a sample of all other pairs."""
    parsed = {each: Version(each) for each in VERSIONS}
    order = sorted(set(parsed.values()))
    spellings = {version: [each for each in VERSIONS if parsed[each] == version] for version in order}
    neighbours = [
        pair for low, high in itertools.pairwise(order) for pair in itertools.product(spellings[low], spellings[high])
    ]
    others = [pair for pair in itertools.combinations(VERSIONS, 2) if parsed[pair[0]] != parsed[pair[1]]]
    pairs = [*neighbours, *random.Random(440).sample(others, PAIRS)]  # noqa: S311
    calls = "".join(
        f"dpkg --compare-versions '{to_debian(low)}-1~d' lt '{to_debian(high)}-1~d' || echo '{low} {high}'\n"
        for low, high in (sorted(pair, key=Version) for pair in pairs)
    )

    done = subprocess.run(["sh"], input=calls, capture_output=True, text=True, check=True)

    assert done.stdout == ""
