"""Assembling with the real dpkg-deb: same bytes from anywhere, and what it reads back is what was composed."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from differential.packing import assemble_in, output
from unit.samples import needing
from venvpkg.host.runner import SubprocessRunner

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.model.target import Target


def test_two_packages_from_different_places_umasks_and_zones_are_the_same_bytes(
    tmp_path: Path, target: Target, runner: SubprocessRunner
) -> None:
    first = assemble_in(tmp_path / "one", target, runner)
    before = os.umask(0o077)
    try:
        elsewhere = SubprocessRunner({**os.environ, "TMPDIR": str(tmp_path)})
        second = assemble_in(tmp_path / "two/much/deeper", target, elsewhere)
    finally:
        os.umask(before)

    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == second.sha256


def test_the_zone_of_the_machine_does_not_matter(
    tmp_path: Path, target: Target, runner: SubprocessRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = assemble_in(tmp_path / "one", target, runner)
    monkeypatch.setenv("TZ", "Asia/Tokyo")

    second = assemble_in(tmp_path / "two", target, SubprocessRunner(os.environ))

    assert first.sha256 == second.sha256


def test_dpkg_deb_reads_the_fields_back(tmp_path: Path, target: Target, runner: SubprocessRunner) -> None:
    artifact = assemble_in(
        tmp_path,
        target,
        runner,
        epoch=2,
        maintainer="Jörg Müller <j@example.org>",
        dependencies=needing("bash (>= 5)", "libc6"),
        description="First.\n\n.second",
    )

    fields = {
        name: output(runner, "dpkg-deb", "--field", str(artifact.path), name).rstrip("\n")
        for name in ("Version", "Maintainer", "Depends", "Description", "Architecture")
    }
    assert fields == {
        "Version": f"2:1.0-1~{target.release.suffix}",
        "Maintainer": "Jörg Müller <j@example.org>",
        "Depends": "bash (>= 5), libc6",
        "Description": "Keeps a list of things\n First.\n .\n  .second",
        "Architecture": target.architecture,
    }


def test_everything_belongs_to_root_and_has_one_time(tmp_path: Path, target: Target, runner: SubprocessRunner) -> None:
    artifact = assemble_in(tmp_path, target, runner)

    lines = output(runner, "dpkg-deb", "--contents", str(artifact.path)).splitlines()

    assert {line.split()[1] for line in lines} == {"root/root"}
    assert len({tuple(line.split()[3:5]) for line in lines}) == 1
    assert {line.split()[0] for line in lines} == {"drwxr-xr-x", "-rwxr-xr-x", "-rw-r--r--", "lrwxrwxrwx"}


def test_an_installed_package_verifies_and_its_purge_leaves_nothing(
    tmp_path: Path, target: Target, runner: SubprocessRunner
) -> None:
    if os.geteuid() != 0 or shutil.which("dpkg") is None:
        pytest.skip("dpkg installs as root only")
    artifact = assemble_in(tmp_path, target, runner)
    root = tmp_path / "root"
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    dpkg = ("dpkg", f"--root={root}", "--force-script-chrootless", "--log=/dev/null")

    output(runner, *dpkg, "--install", str(artifact.path))
    verified = output(runner, *dpkg, "--verify", "app")
    installed = (root / "usr/bin/app").readlink()
    output(runner, *dpkg, "--purge", "app")

    assert verified == ""
    assert str(installed) == "/opt/venvs/app/bin/app"
    assert {path.name for path in root.iterdir()} == {"var"}
