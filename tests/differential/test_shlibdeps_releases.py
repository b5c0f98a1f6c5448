"""500 files of two releases: our relations equal those of the release's own dpkg-shlibdeps.

Where they do not, the file is listed under tests/golden/shlibdeps with what is different and why. There are three
causes. dpkg before 1.22.22 (bookworm's) does not see versions that a file requires without using any symbol of theirs
(Debian bug 1122107). dpkg-shlibdeps gives up where only the search path of whoever loads a file leads to what it needs,
and where a package says nothing of its private library; there we take the installed version. And it hands on
substitution variables that a package forgot in its symbols file.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import pytest

from acceptance.cleanroot import emulation_problem
from differential.samples import payload_in, root_of, sample_of, shlibdeps_in
from differential.shlibdeps import is_of_a_bare_version, relations_of_ours
from unit.fakes import RecordingReporter
from unit.golden import golden
from venvpkg.depends.derive import derive
from venvpkg.errors import UnownedSonameError
from venvpkg.families.deb.libraries import DebLibraries
from venvpkg.families.deb.owners import read_owners
from venvpkg.families.deb.relations import implies, parse_relation
from venvpkg.host.layers import LayeredRoot
from venvpkg.host.runner import SubprocessRunner
from venvpkg.linking.loader import resolve_needs
from venvpkg.linking.tree import scan
from venvpkg.targets.host import resolve_host
from venvpkg.targets.root import RootRunner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from differential.samples import Said
    from venvpkg.model.depends import Dependency, DependencySet

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(emulation_problem() is not None, reason=str(emulation_problem())),
]

SAMPLE = 560
AT_LEAST = 500
RELEASES = ("bookworm", "trixie")

BARE_VERSION = "a version that no symbol is bound to"
GIVES_UP = "dpkg-shlibdeps gives up"
VARIABLE = "the owner's version for a variable"
CAUSES = {"bookworm": {BARE_VERSION, GIVES_UP, VARIABLE}, "trixie": {GIVES_UP, VARIABLE}}

_VARIABLE = re.compile(r"\$\{binary:Version\}")
_MISSING = re.compile(r"cannot find library (\S+)|no dependency information found for (\S+)")


class Both(NamedTuple):
    """What both said of each file of the sample."""

    release: str
    ours: Mapping[PurePosixPath, DependencySet]
    theirs: Mapping[PurePosixPath, Said]


@pytest.fixture(scope="module", params=RELEASES)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    root = root_of(request.param)
    work = tmp_path_factory.mktemp(request.param)
    places = sample_of(root.base, SAMPLE)
    return Both(request.param, of_ours(root.base, places, work), shlibdeps_in(root, places, work))


def of_ours(root: Path, places: Sequence[PurePosixPath], work: Path) -> dict[PurePosixPath, DependencySet]:
    """Return what we say of each file alone, asking the root's own dpkg; nothing of those that lack a library."""
    runner, reporter = RootRunner(root, SubprocessRunner(os.environ), os.environ), RecordingReporter()
    target = resolve_host(runner, root)
    payloads = {place: payload_in(work / str(number), root, place) for number, place in enumerate(places)}
    scans = {place: scan(payload, target, reporter) for place, payload in payloads.items()}
    needs = {place: resolve_needs(scans[place], payload, target).needs for place, payload in payloads.items()}
    found = [place for several in needs.values() for resolved_need in several for place in resolved_need.paths]
    libraries = DebLibraries(target, read_owners(target, LayeredRoot(root), found, (), runner))
    said = {}
    for place in places:
        with contextlib.suppress(UnownedSonameError):
            said[place] = derive(scans[place], needs[place], libraries, {})
    return said


def differences(both: Both) -> Iterator[tuple[str, str]]:
    """Yield the cause of each difference, and a line that tells all of it."""
    for place, said in both.theirs.items():
        if said.refusal:
            # A plug-in may need what its package only recommends: then neither can tell.
            if place in both.ours:
                missing = _MISSING.search(said.refusal)
                yield GIVES_UP, f"{place}: {GIVES_UP}: {missing[0] if missing else said.refusal}"
            continue
        if place not in both.ours:
            yield "unexplained", f"{place}: we give up"
            continue
        ours = relations_of_ours(both.ours[place])
        relations = {each.relation for each in ours}
        left = sorted(said.relations - relations)
        for dependency in ours:
            if dependency.relation not in said.relations:
                instead = [text for text in left if same_packages(text, dependency.relation)]
                left = [text for text in left if text not in instead]
                cause = cause_of(dependency, instead)
                yield cause, f"{place}: {dependency.relation} for {' and '.join(instead) or 'nothing'}: {cause}"
        yield from (("missing", f"{place}: no {text}") for text in left if not is_implied(text, relations))


def cause_of(ours: Dependency, theirs: Sequence[str]) -> str:
    """Return why our relation is stricter, or that nothing explains it."""
    mine = parse_relation(ours.relation)
    if is_of_a_bare_version(ours) and all(is_implied(each, {ours.relation}) for each in theirs):
        return BARE_VERSION
    if mine and any(_VARIABLE.sub(mine[0].version or "", each) == ours.relation for each in theirs):
        return VARIABLE
    return "unexplained"


def same_packages(one: str, other: str) -> bool:
    return one.partition(" ")[0] == other.partition(" ")[0]


def is_implied(text: str, by: set[str]) -> bool:
    wanted = parse_relation(text)
    given = [relation for each in by if (relation := parse_relation(each))]
    return wanted is not None and any(implies(each, wanted) for each in given)


def test_every_difference_is_listed_and_has_one_of_the_known_causes(both: Both) -> None:
    found = sorted(differences(both), key=lambda each: each[1])

    text = "".join(f"{line}\n" for _, line in found)
    assert {cause for cause, _ in found} <= CAUSES[both.release], text
    assert text == golden(f"shlibdeps/{both.release}", text)


def test_enough_files_were_compared(both: Both) -> None:
    compared = [place for place in both.ours if not both.theirs[place].refusal]

    assert len(compared) >= AT_LEAST


def test_no_relation_has_an_architecture_or_a_variable(both: Both) -> None:
    relations = {relation for each in both.ours.values() for relation in each.relations()}

    assert not [each for each in relations if ":amd64" in each or "${" in each]


def test_a_library_by_alternatives_is_what_its_owner_says_of_it(both: Both) -> None:
    needing = [
        each.relations()
        for each in both.ours.values()
        for dependency in each.dependencies
        for evidence in dependency.evidence
        if evidence.soname == "libblas.so.3"
    ]

    assert needing
    assert all("libblas3 | libblas.so.3" in relations for relations in needing)


def test_a_variable_that_a_package_forgot_in_its_symbols_file_becomes_its_own_version(tmp_path: Path) -> None:
    root = root_of("trixie")
    libraries = sorted((root.base / "usr/lib").glob("*/libkrb5.so.3.*"))
    (place,) = (PurePosixPath("/") / path.relative_to(root.base) for path in libraries)

    ours = of_ours(root.base, [place], tmp_path)[place].relations()
    theirs = shlibdeps_in(root, [place], tmp_path)[place].relations

    (said,) = (each for each in ours if each.startswith("libkrb5support0 "))
    assert "libkrb5support0 (= ${binary:Version})" in theirs
    assert said in {f"libkrb5support0 (= {version})" for version in installed(root.base, "libkrb5support0")}


def installed(root: Path, package: str) -> list[str]:
    """Return the version of an installed package, as the status file has it."""
    status = (root / "var/lib/dpkg/status").read_text()
    (stanza,) = (text for text in status.split("\n\n") if text.startswith(f"Package: {package}\n"))
    return re.findall(r"^Version: (.+)$", stanza, re.MULTILINE)
