"""Packages for other processors: compiled in a system of theirs, installed and run there.

i386 runs on the kernel of amd64 by itself; arm64 by qemu, where this machine has it.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.cleanroot import codename, debian_sources, read_sources
from acceptance.packages import BUILD_TIMEOUT_S
from acceptance.releases import CACHE, RELEASE, VERSION
from venvpkg.targets.processor import PROCESSORS, emulation_problem

if TYPE_CHECKING:
    from acceptance.packages import Venvpkg

pytestmark = pytest.mark.full
TALLY = Path(__file__).parents[1] / "data/projects/tally"
# What the shell reads as standard input is the package.
INSTALL_AND_RUN = "cat >/tmp/tally.deb && dpkg --install /tmp/tally.deb >&2 && tally 1 2 && uname -m"


@pytest.mark.parametrize(("architecture", "machine"), [("i386", "i686"), ("arm64", "aarch64")])
@pytest.mark.usefixtures("clean_root")  # only where this machine can have roots at all
def test_a_package_for_another_processor_is_compiled_and_runs_there(
    architecture: str, machine: str, venvpkg: Venvpkg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if advice := emulation_problem(PROCESSORS[architecture], platform.machine()):
        pytest.skip(advice)
    monkeypatch.setenv("VENVPKG_TARGETS", str(_targets(tmp_path / "targets.toml", architecture)))
    target = f"debian:{RELEASE}/{architecture}"
    places = (f"--cache={CACHE}", f"--wheelhouse={tmp_path / 'wheelhouse'}", f"--out={tmp_path / 'out'}")

    built = venvpkg.run("build", str(shutil.copytree(TALLY, tmp_path / "tally")), f"--target={target}", *places)
    assert built.code == 0, built.transcript
    package = Path(built.stdout.strip())
    with package.open("rb") as stdin:
        shell = (venvpkg.program, "target", "shell", f"--cache={CACHE}", target, "--", "sh", "-c", INSTALL_AND_RUN)
        ran = subprocess.run(shell, stdin=stdin, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S, check=False)

    assert package.name == f"tally_1.0-1~debian{VERSION}_{architecture}.deb"
    assert [each.stem.rpartition("-")[2] for each in (tmp_path / "wheelhouse").rglob("*.whl")] == [
        f"linux_{machine}_debian_{VERSION}"
    ]
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-2:] == ["3", machine]


def _targets(file: Path, architecture: str) -> Path:
    """Write where the system comes from: the release alone, because updates come to some architectures sooner."""
    here = codename()
    (source, *_) = (each for each in debian_sources(read_sources(), here) if each.suite == here)
    line = str(source).replace(f" {here} ", f" {RELEASE} ")
    file.write_text(f"[\"debian:{RELEASE}/{architecture}\"]\nsources = ['{line}']\n")
    return file
