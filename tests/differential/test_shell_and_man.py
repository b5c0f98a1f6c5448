"""What real programs make of the completion scripts, the manual page and the scripts of packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from unit.families.common.makers import ENABLED, STATIC, SYSTEM, spec_with
from venvpkg.families.deb.control import maintainer_scripts
from venvpkg.families.rpm.scripts import scriptlets
from venvpkg.model.package import StatePath

PAGE = Path(__file__).parents[2] / "docs" / "venvpkg.1"
# As bash's readline does it: the function gets the command, and the words in variables.
COMPLETE = """\
eval "$(venvpkg completion bash)" || exit 3
complete -p venvpkg || exit 4
COMP_WORDS=(venvpkg "$@") COMP_CWORD=$#
_venvpkg_completion venvpkg
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> str:
    """A PATH on which venvpkg is this one."""
    program = tmp_path / "venvpkg"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m venvpkg "$@"\n')
    program.chmod(0o755)
    return f"{tmp_path}:{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["wheelh"], ["wheelhouse"]),
        (["wheelhouse", "e"], ["export"]),
        (["build", "--wheels-de"], ["--wheels-default"]),
        (["completion", ""], ["bash", "fish", "zsh"]),
    ],
)
def test_bash_completes(words: list[str], expected: list[str], path: str) -> None:
    command = ["bash", "--norc", "-c", COMPLETE, "bash", *words]

    done = subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)

    registered, *completed = done.stdout.splitlines()
    assert (completed, done.stderr) == (expected, "")
    assert "_venvpkg_completion venvpkg" in registered


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_can_read_their_script(shell: str, path: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell}")
    environment = {**os.environ, "PATH": path}
    script = tmp_path / "script"
    with script.open("w") as file:
        subprocess.run(["venvpkg", "completion", shell], env=environment, stdout=file, check=True)

    done = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_man_shows_the_page_without_a_warning() -> None:
    if shutil.which("man") is None:
        pytest.skip("no man")
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "100"}

    done = subprocess.run(
        ["man", "--warnings", "-l", str(PAGE)], env=environment, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "venvpkg wheelhouse export [OPTIONS] DIR" in done.stdout
    assert "--wheels-default compile|prefer-compile|binary" in done.stdout


def test_mandoc_finds_nothing_but_that_the_page_has_no_date() -> None:
    if shutil.which("mandoc") is None:
        pytest.skip("no mandoc")

    done = subprocess.run(["mandoc", "-T", "lint", str(PAGE)], capture_output=True, text=True, check=False)

    assert [line for line in done.stdout.splitlines() if "missing date" not in line] == []


def test_every_script_is_shell(tmp_path: Path) -> None:
    files = {
        f"{SYSTEM}/app.service": ENABLED,
        f"{SYSTEM}/job.service": STATIC,
        "/usr/lib/sysusers.d/app.conf": "u app - -\n",
        "/usr/lib/tmpfiles.d/app.conf": "d /run/app\n",
    }
    state = (StatePath(PurePosixPath("/var/lib/app"), is_directory=True), StatePath(PurePosixPath("/var/log/app.log")))
    made = replace(spec_with(tmp_path, files, prerm="echo own\n"), state=state)
    texts = [content.decode() for _, content in maintainer_scripts(made)] + [each.text for each in scriptlets(made)]

    assert len(texts) == 8
    for text in texts:
        done = subprocess.run(["/bin/sh", "-n"], input=text, text=True, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), text
