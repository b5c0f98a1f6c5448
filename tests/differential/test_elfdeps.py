"""Our capabilities equal those of rpm's own generator, file by file, and leave out what a payload brings itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from differential.elfdeps import ELFDEPS, elfdeps
from differential.shlibdeps import system_elf_files
from unit.fakes import RecordingReporter
from venvpkg.families.rpm.libraries import required_by, required_of_system
from venvpkg.linking.loader import resolve_needs
from venvpkg.linking.read import read_object
from venvpkg.linking.tree import scan

if TYPE_CHECKING:
    from venvpkg.model.target import Target

AT_LEAST = 300
SAMPLE = 400
# What auditwheel makes of a library's name.
MANGLED = re.compile(r"-[0-9a-f]{8}\.")

pytestmark = pytest.mark.skipif(not ELFDEPS.exists(), reason="needs rpm's dependency generators (package rpm)")


def elfdeps_if_executable(file: Path, copy: Path) -> list[str]:
    """Return what rpm says of a program that may be executed.

    Of one that may not, rpm says nothing, and takes a library that is a program too, such as pam_cap.so, for one of
    those. It is loaded all the same, so that ours requires what it needs.
    """
    shutil.copyfile(file, copy)
    copy.chmod(0o755)
    return elfdeps(copy)


def test_each_system_file_requires_what_rpm_says(tmp_path: Path) -> None:
    files = system_elf_files(SAMPLE)

    facts = {file: read_object(file, PurePosixPath(file)) for file in files}

    assert len(files) >= AT_LEAST
    assert {file: list(required_by(each)) for file, each in facts.items()} == {
        file: elfdeps_if_executable(file, tmp_path / file.name)
        if each.interpreter and not os.access(file, os.X_OK)
        else elfdeps(file)
        for file, each in facts.items()
    }


def as_rpm(target: Target) -> Target:
    return replace(target, family="rpm", architecture="x86_64")


@pytest.mark.full
def test_wheels_with_bundled_libraries_require_what_is_outside_and_nothing_mangled(
    tmp_path: Path, target: Target
) -> None:
    wanted = ("psycopg2-binary==2.9.10", "opencv-python-headless==4.11.0.86")
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*download, "--dest", tmp_path / "wheels", *wanted], check=True)
    destdir = tmp_path / "destdir"
    for wheel in (tmp_path / "wheels").glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(destdir / "opt/venvs/app/lib/python3.11/site-packages")
    elf = scan(destdir, as_rpm(target), RecordingReporter())

    required = set(required_of_system(elf.objects, resolve_needs(elf, destdir, as_rpm(target)).needs))

    everything = {name for each in elf.objects for name in elfdeps(destdir / str(each.path)[1:])}
    assert any(MANGLED.search(name) for name in everything)
    assert not any(MANGLED.search(name) for name in required)
    assert required <= everything
    assert {name.partition("(")[0] for name in everything - required if not MANGLED.search(name)} == set()
