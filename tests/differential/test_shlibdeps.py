"""Our relations equal dpkg-shlibdeps' for each of many system files, or are stricter for a reason it misses.

dpkg before 1.22.22 does not see symbol versions that no symbol is bound to (Debian bug 1122107). Those relations, and
no others, may be stricter. Private libraries, of which their package says nothing, are relations of ours alone; where
another library needs the same package (PulseAudio's), they raise its floor to the installed version.
"""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from differential.shlibdeps import (
    PROGRAMS_AND_MODULES,
    payload_of,
    relations_of_ours,
    shlibdeps,
    system_elf_files,
    unexplained,
)
from unit.fakes import RecordingReporter
from unit.samples import on_target
from venvpkg.depends.derive import derive
from venvpkg.errors import UnownedSonameError
from venvpkg.families.deb.dependencies import derive_dependencies
from venvpkg.families.deb.libraries import DebLibraries
from venvpkg.families.deb.owners import read_owners
from venvpkg.host.layers import LayeredRoot
from venvpkg.host.runner import SubprocessRunner
from venvpkg.linking.loader import resolve_needs
from venvpkg.linking.tree import scan
from venvpkg.model.project import Settings
from venvpkg.model.staged import ApplicationMetadata, StagedVenv
from venvpkg.targets.host import resolve_host

if TYPE_CHECKING:
    from venvpkg.model.target import Target

SAMPLE = 110
AT_LEAST = 100

pytestmark = pytest.mark.skipif(shutil.which("dpkg-shlibdeps") is None, reason="needs dpkg-dev")


@pytest.fixture(scope="module")
def runner() -> SubprocessRunner:
    return SubprocessRunner(os.environ)


@pytest.fixture(scope="module")
def host(runner: SubprocessRunner) -> Target:
    return resolve_host(runner)


def test_each_system_file_has_the_relations_of_dpkg_shlibdeps(
    tmp_path: Path, host: Target, runner: SubprocessRunner
) -> None:
    files = system_elf_files(SAMPLE)
    reporter = RecordingReporter()
    scans = {
        file: scan(payload_of([file], tmp_path / str(number)), host, reporter) for number, file in enumerate(files)
    }
    needs = {
        file: resolve_needs(scans[file], tmp_path / str(number) / "debian/app", host).needs
        for number, file in enumerate(files)
    }
    places = [place for each in needs.values() for resolved_need in each for place in resolved_need.paths]
    libraries = DebLibraries(host, read_owners(host, LayeredRoot(host.root), places, (), runner))

    differences: dict[str, list[str]] = {}
    compared = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        theirs = pool.map(shlibdeps, [tmp_path / str(number) for number in range(len(files))])
        for file, expected in zip(files, theirs, strict=True):
            if expected is None:  # it gives up on private libraries that only an inherited path leads to
                continue
            compared += 1
            try:
                ours = relations_of_ours(derive(scans[file], needs[file], libraries, {}))
            except UnownedSonameError as error:
                differences[str(file)] = [str(error)]
                continue
            if wrong := unexplained(ours, expected):
                differences[str(file)] = wrong

    assert differences == {}
    assert compared >= min(AT_LEAST, len(files))


def test_a_payload_of_many_files_has_the_relations_of_dpkg_shlibdeps(
    tmp_path: Path, host: Target, runner: SubprocessRunner
) -> None:
    # No libraries: one in the payload that another file of it needs is internal to us, and to dpkg-shlibdeps the
    # system's, whose copy alone has a symbols file.
    destdir = payload_of(system_elf_files(40, seed=7, places=PROGRAMS_AND_MODULES), tmp_path)
    reporter = RecordingReporter()
    application = ApplicationMetadata("app", "1", "", "", "", "", "", ())
    staged = StagedVenv(destdir, PurePosixPath("/opt/venvs/app"), application, (), "3.9.0")

    result = derive_dependencies(scan(destdir, host, reporter), staged, Settings(), on_target(host, runner, reporter))

    expected = shlibdeps(tmp_path)
    assert expected is not None
    assert unexplained(relations_of_ours(result), expected) == []
    assert f"python{host.interpreter.minor} (>= 3.9.0)" in result.relations()
    assert not any(":amd64" in each or "${" in each for each in result.relations())
