"""Objects that this machine's gcc links, against this machine's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.samples import PREFIX, SITE, on_target
from venvpkg.errors import UnownedSonameError
from venvpkg.families.deb.dependencies import derive_dependencies
from venvpkg.linking.tree import scan
from venvpkg.model.project import Settings
from venvpkg.model.staged import ApplicationMetadata, StagedVenv

if TYPE_CHECKING:
    from venvpkg.host.runner import SubprocessRunner
    from venvpkg.model.depends import DependencySet
    from venvpkg.model.target import Target

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")

# Many words to relocate, or the linker packs nothing.
RELOCATED = """\
#include <stdlib.h>
static int one, two, three;
int *table[] = {&one, &two, &three, &one, &two, &three};
int size(void) { return *table[0] + rand(); }
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """Where a module of the payload goes; the payload is all that is below the directory ``destdir``."""
    module = tmp_path / "destdir" / SITE.relative_to("/") / "m2.so"
    module.parent.mkdir(parents=True)
    return module


def link(module: Path, source: str, *options: str) -> None:
    command = ["gcc", "-shared", "-fPIC", "-o", str(module), "-x", "c", "-", "-x", "none", *options]
    subprocess.run(command, input=source, text=True, check=True)


def derived(module: Path, target: Target, runner: SubprocessRunner) -> DependencySet:
    (destdir,) = (parent for parent in module.parents if parent.name == "destdir")
    staged = StagedVenv(destdir, PREFIX, ApplicationMetadata("app", "1", "", "", "", "", "", ()), (), "3.9.0")
    reporter = RecordingReporter()
    return derive_dependencies(scan(destdir, target, reporter), staged, Settings(), on_target(target, runner, reporter))


def test_packed_relative_relocations_need_the_libc_whose_loader_knows_them(
    module: Path, target: Target, runner: SubprocessRunner
) -> None:
    link(module, RELOCATED, "-Wl,-z,pack-relative-relocs")

    (libc,) = (each for each in derived(module, target, runner).dependencies if each.relation.startswith("libc6 "))

    assert libc.relation == "libc6 (>= 2.36)"
    assert libc.evidence[0].symbol == "GLIBC_ABI_DT_RELR@GLIBC_ABI_DT_RELR"


@pytest.fixture
def local(tmp_path: Path, target: Target) -> Target:
    """This machine's interpreter, C library, loader configuration and package database, and a ``/usr/local/lib``."""
    root = tmp_path / "root"
    library = Path(f"/usr/lib/{target.multiarch}/libc.so.6")
    for path in (Path(target.interpreter.path), library, Path("/etc/ld.so.conf")):
        (root / path.parent.relative_to("/")).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / path.relative_to("/"))
    shutil.copytree("/etc/ld.so.conf.d", root / "etc/ld.so.conf.d")
    (root / "lib").symlink_to("usr/lib")
    (root / "usr/local/lib").mkdir(parents=True)
    (root / "var/lib").mkdir(parents=True)
    (root / "var/lib/dpkg").symlink_to("/var/lib/dpkg")
    return replace(target, root=root)


def test_a_library_in_usr_local_hides_no_packaged_one_and_alone_is_an_error_that_names_it(
    module: Path, local: Target, runner: SubprocessRunner
) -> None:
    packaged = local.root / "usr/lib" / local.multiarch / "libz.so.1"
    shadow = local.root / "usr/local/lib/libz.so.1"
    shutil.copy(os.path.realpath(f"/usr/lib/{local.multiarch}/libz.so.1"), packaged)
    shutil.copy(packaged, shadow)
    link(module, "const char *zlibVersion(void); const char *f(void) { return zlibVersion(); }", str(packaged))

    relations = derived(module, local, runner).relations()
    packaged.unlink()
    with pytest.raises(UnownedSonameError) as error:
        derived(module, local, runner)

    assert any(each.startswith("zlib1g ") for each in relations)
    assert "libz.so.1" in str(error.value)
    assert "/usr/local/lib/libz.so.1" in str(error.value)
