"""What earlier versions of a package and Python leave behind, and real dpkg in a root of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from unit.families.common.makers import spec_with
from unit.samples import PREFIX, SITE
from venvpkg.families.deb.control import maintainer_scripts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None or os.geteuid() != 0, reason="needs dpkg and root")

MODULES = {f"{SITE}/app/__init__.py": "", f"{SITE}/app/__pycache__/__init__.cpython-311.pyc": "shipped"}
CRON = "/etc/cron.d/app"
CONTROL = """\
Package: {name}
Version: {version}
Architecture: all
Maintainer: Jane Doe <jane@example.org>
Replaces: {replaces}
Description: One version
"""


class Root:
    """A root directory that real dpkg manages."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "root"
        for name in ("updates", "info"):
            (self.path / "var/lib/dpkg" / name).mkdir(parents=True)
        (self.path / "var/lib/dpkg/status").touch()

    def dpkg(self, *arguments: str) -> str:
        command = ("dpkg", f"--root={self.path}", "--force-script-chrootless", "--force-confold", *arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def __truediv__(self, path: object) -> Path:
        return self.path / str(path).lstrip("/")

    def files(self, below: str) -> list[str]:
        return sorted(f"/{each.relative_to(self.path)}" for each in (self / below).rglob("*") if not each.is_dir())


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path)


def packed(
    directory: Path, version: str, files: dict[str, str], name: str = "app", replaces: Sequence[str] = ("none",)
) -> str:
    """Pack a version with the scripts that venvpkg gives it."""
    tree = directory / f"{name}-{version}"
    spec = spec_with(tree, files)
    control = tree / "DEBIAN"
    control.mkdir()
    (control / "control").write_text(CONTROL.format(name=name, version=version, replaces=", ".join(replaces)))
    (control / "conffiles").write_text("".join(f"{each}\n" for each in files if each.startswith("/etc/")))
    for script, content in maintainer_scripts(spec) if name == "app" else ():
        (control / script).write_bytes(content)
        (control / script).chmod(0o755)
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, f"{tree}.deb"], check=True, capture_output=True)
    return f"{tree}.deb"


def test_a_file_in_etc_that_the_new_version_no_longer_has_goes(root: Root, tmp_path: Path) -> None:
    odd = "/etc/app/a b[1]*.conf"
    old = packed(tmp_path, "1", MODULES | {CRON: "a job\n", "/etc/app/stays": "1\n", "/etc/gone/x y": "1\n", odd: ""})
    new = packed(tmp_path, "2", MODULES | {"/etc/app/stays": "1\n"})

    root.dpkg("-i", old)
    root.dpkg("-i", new)

    assert root.files("/etc") == ["/etc/app/stays"]
    assert not (root / "/etc/gone").exists()


def test_what_the_administrator_made_of_it_is_kept_under_another_name(root: Root, tmp_path: Path) -> None:
    old, new = packed(tmp_path, "1", {CRON: "a job\n"}), packed(tmp_path, "2", MODULES)

    root.dpkg("-i", old)
    (root / CRON).write_text("another job\n")
    said = root.dpkg("-i", new)

    assert root.files("/etc") == [f"{CRON}.dpkg-bak"]
    assert f"renamed to {CRON}.dpkg-bak" in said


def test_what_another_package_has_taken_over_or_a_later_version_has_again_stays(root: Root, tmp_path: Path) -> None:
    one, two = (packed(tmp_path, version, {CRON: "a job\n"} if version == "1" else MODULES) for version in "12")
    other = packed(tmp_path, "1", {CRON: "a job\n"}, "other", ("app",))

    root.dpkg("-i", one)
    root.dpkg("-i", other)
    root.dpkg("-i", two)
    assert root.files("/etc") == [CRON]

    root.dpkg("-P", "other")
    root.dpkg("-i", one)
    assert root.files("/etc") == [CRON]


def test_bytecode_of_pythons_own_goes_at_removal(root: Root, tmp_path: Path) -> None:
    dropped = {f"{SITE}/app/old/__init__.py": ""}
    old, new = packed(tmp_path, "1", MODULES | dropped), packed(tmp_path, "2", MODULES)

    root.dpkg("-i", old)
    for package, tag in (("app", "opt-1"), ("app", "opt-2"), ("app/old", "opt-1"), ("app/old", "312")):
        written = root / SITE / package / f"__pycache__/__init__.cpython-311.{tag}.pyc"
        written.parent.mkdir(exist_ok=True)
        written.write_text("written by root")
    root.dpkg("-i", new)
    assert [each for each in root.files(str(PREFIX)) if ".opt-" in each] == []
    assert (root / SITE / "app/__pycache__/__init__.cpython-311.pyc").read_text() == "shipped"
    (root / SITE / "app/__pycache__/__init__.cpython-311.opt-1.pyc").write_text("again")
    (root / PREFIX / "notes").write_text("of the administrator")
    root.dpkg("-P", "app")

    assert root.files("/opt") == [f"{PREFIX}/notes"]
    (root / PREFIX / "notes").unlink()
    root.dpkg("-i", new)
    (root / SITE / "app/__pycache__/__init__.cpython-313.pyc").write_text("of another interpreter")
    root.dpkg("-r", "app")
    assert not (root / PREFIX).exists()


@pytest.mark.parametrize("paths", [("data", "data/f"), ("data/f", "data")])
def test_a_directory_becomes_a_file_and_a_file_a_directory(root: Root, tmp_path: Path, paths: tuple[str, str]) -> None:
    versions = [packed(tmp_path, str(n), MODULES | {f"{SITE}/app/{path}": str(n)}) for n, path in enumerate(paths)]

    for each in versions:
        root.dpkg("-i", each)

    assert (root / SITE / "app" / paths[1]).read_text() == "1"
