"""Real publishers' wheels: what is bundled in them hides nothing, and nothing is needed that is bundled.

They come from the index, some hundred megabytes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from differential.shlibdeps import CONTROL, relations_of_ours, unexplained
from unit.fakes import RecordingReporter
from unit.samples import PREFIX, SITE, on_target
from venvpkg.families.deb.dependencies import derive_dependencies
from venvpkg.host.runner import SubprocessRunner
from venvpkg.host.tools import find_uv
from venvpkg.linking.loader import resolve_needs
from venvpkg.linking.tree import scan
from venvpkg.model.elf import Found
from venvpkg.model.project import Settings, SonameRule
from venvpkg.model.staged import ApplicationMetadata, StagedVenv
from venvpkg.targets.host import resolve_host

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from venvpkg.model.depends import DependencySet
    from venvpkg.model.elf import ElfReport, ResolvedNeed
    from venvpkg.model.target import Target

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(shutil.which("dpkg-shlibdeps") is None, reason="needs dpkg-dev"),
    pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc"),
]

# Grafted by auditwheel under names of their own: libgfortran, libquadmath, libpq, OpenSSL, FFmpeg, and so on; Arrow has
# libraries that it did not rename.
GRAFTED = ("opencv-python-headless==5.0.0.93", "psycopg2-binary==2.9.13", "pyarrow==26.0.1", "scipy==1.17.1")
# Brings libraries under their own sonames, among them libgomp.so.1, in a directory that only its own files search.
UNCHANGED_NAMES = ("pymeshlab==2025.7.post1",)

AT_LEAST = 200

OPENMP = """\
#include <omp.h>
int threads(void) {
    int found = 0;
    #pragma omp parallel reduction(+ : found)
    found += 1;
    return found + omp_get_max_threads();
}
"""


@pytest.fixture(scope="module")
def runner() -> SubprocessRunner:
    return SubprocessRunner(os.environ)


@pytest.fixture(scope="module")
def host(runner: SubprocessRunner) -> Target:
    return resolve_host(runner)


@pytest.fixture(scope="module")
def grafted(host: Target, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_wheels(GRAFTED, host, tmp_path_factory.mktemp("grafted"))


@pytest.fixture(scope="module")
def mixed(host: Target, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheels that bring a libgomp.so.1, and a neighbour that is compiled here and uses the release's."""
    work = with_wheels(UNCHANGED_NAMES, host, tmp_path_factory.mktemp("mixed"))
    (work / "threads.c").write_text(OPENMP)
    module = site_of(work) / "threads.so"
    command = ["gcc", "-shared", "-fPIC", "-fopenmp", "-o", str(module), str(work / "threads.c")]
    subprocess.run(command, check=True)
    return work


def site_of(work: Path) -> Path:
    return destdir_of(work) / SITE.relative_to("/")


def destdir_of(work: Path) -> Path:
    return work / "debian/app"


def with_wheels(requirements: Sequence[str], host: Target, work: Path) -> Path:
    """Return a directory that dpkg-shlibdeps takes for a source package, with the wheels below the prefix."""
    (destdir_of(work) / "DEBIAN").mkdir(parents=True)
    (work / "debian/control").write_text(CONTROL)
    argv = [str(find_uv()), "--no-config", "pip", "install", "--quiet", "--only-binary", ":all:"]
    subprocess.run(
        [*argv, "--python", str(host.interpreter.path), "--target", str(site_of(work)), *requirements], check=True
    )
    return work


def scanned(work: Path, host: Target) -> tuple[ElfReport, tuple[ResolvedNeed, ...]]:
    elf = scan(destdir_of(work), host, RecordingReporter())
    return elf, resolve_needs(elf, destdir_of(work), host).needs


def derived(work: Path, elf: ElfReport, host: Target, runner: SubprocessRunner, ignore: set[str]) -> DependencySet:
    application = ApplicationMetadata("app", "1", "", "", "", "", "", ())
    staged = StagedVenv(destdir_of(work), PREFIX, application, (), "3.9.0")
    rules = [SonameRule(soname, reason="not on this machine") for soname in sorted(ignore)]
    return derive_dependencies(
        elf, staged, Settings(sonames=tuple(rules)), on_target(host, runner, RecordingReporter())
    )


def test_a_venv_of_publishers_wheels_has_the_relations_of_dpkg_shlibdeps(
    grafted: Path, host: Target, runner: SubprocessRunner
) -> None:
    elf, _ = scanned(grafted, host)

    ours = relations_of_ours(derived(grafted, elf, host, runner, set()))

    files = [str(grafted.joinpath("debian/app", each.path.relative_to("/"))) for each in elf.objects]
    # It does not know that a search path is inherited (scipy's libquadmath), and has to be told where to look.
    told = [f"-l{directory}" for directory in sorted({os.path.dirname(file) for file in files})]  # noqa: PTH120
    command = ["dpkg-shlibdeps", "-O", "--ignore-missing-info", *told, *files]
    said = subprocess.run(command, cwd=grafted, capture_output=True, text=True, check=True).stdout
    assert len(files) >= AT_LEAST
    assert unexplained(ours, set(said.strip().removeprefix("shlibs:Depends=").split(", "))) == []


def test_what_only_an_inherited_search_path_leads_to_is_bundled_and_needs_no_package(
    grafted: Path, host: Target, runner: SubprocessRunner
) -> None:
    elf, needs = scanned(grafted, host)

    found = {each.found for each in needs if each.need.soname.startswith(("libquadmath", "libgfortran"))}

    assert found == {Found.SELF}
    assert not [each for each in needs if each.found in {Found.MISSING, Found.PRELOAD}]
    relations = derived(grafted, elf, host, runner, set()).relations()
    assert not [each for each in relations if each.startswith(("libquadmath", "libgfortran", "libpq", "libssl"))]


def test_a_bundled_library_does_not_hide_the_releases_from_a_neighbour_that_cannot_see_it(
    mixed: Path, host: Target, runner: SubprocessRunner
) -> None:
    elf, needs = scanned(mixed, host)

    needing = {each.need.needed_by: each.found for each in needs if each.need.soname == "libgomp.so.1"}

    neighbour = SITE / "threads.so"
    assert needing.pop(neighbour) is Found.TARGET
    assert set(needing.values()) == {Found.SELF}
    lacking = {each.need.soname for each in needs if each.found is Found.MISSING}
    (libgomp,) = (
        each for each in derived(mixed, elf, host, runner, lacking).dependencies if "libgomp1" in each.relation
    )
    assert [evidence.needed_by for evidence in libgomp.evidence] == [PurePosixPath(neighbour)]
