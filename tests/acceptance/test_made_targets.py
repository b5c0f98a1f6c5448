"""From this machine, in one call, packages for it and for a release whose system venvpkg makes itself."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.cleanroot import CleanRoot
from acceptance.packages import depends_of, shown
from acceptance.releases import CACHE, PYTHON, RELEASE, VERSION
from acceptance.smallproject import NAME, write_project

if TYPE_CHECKING:
    from acceptance.cleanroot import Outcome
    from acceptance.packages import Venvpkg


@pytest.fixture(scope="module")
def project(venvpkg: Venvpkg) -> Path:
    return write_project(venvpkg.directory / "two" / NAME, configuration='build-depends = ["libpq-dev"]')


@pytest.fixture(scope="module")
def call(venvpkg: Venvpkg, project: Path, clean_root: CleanRoot) -> Outcome:
    """One call for two targets; only where this machine can have roots at all."""
    del clean_root
    return venvpkg.run(
        "build",
        str(project),
        f"--target=debian:{RELEASE}",
        "--target=host",
        f"--cache={CACHE}",
        f"--wheelhouse={venvpkg.directory / 'wheelhouse'}",
        f"--out={venvpkg.directory / 'two' / 'out'}",
    )


def test_each_target_has_its_package(call: Outcome) -> None:
    assert call.code == 0, call.transcript

    first, second = (Path(line) for line in call.stdout.splitlines())
    assert first.name.startswith(f"{NAME}_1.0.0-1~debian{VERSION}_")
    assert {"libc6", f"python{PYTHON}"} == depends_of(first).keys()
    assert f"~debian{VERSION}" not in second.name
    assert f"debian:{RELEASE}  {first.name}, " in call.stderr


def test_both_share_one_lock_that_names_them(call: Outcome, project: Path) -> None:
    assert call.code == 0, call.transcript

    (lock,) = project.glob("pylock*.toml")
    table = tomllib.loads(lock.read_text())["tool"]["venvpkg"]
    assert {each["python"] for each in table["targets"]} >= {PYTHON}
    assert len(table["targets"]) == 2


def test_what_was_pinned_for_one_is_kept_beside_what_was_pinned_for_the_other(call: Outcome, project: Path) -> None:
    assert call.code == 0, call.transcript

    pins = tomllib.loads((project / "venvpkg.lock").read_text())["build"]
    assert len({each["target"] for each in pins}) == 2


def test_it_runs_in_a_clean_root_of_that_release(call: Outcome) -> None:
    package = Path(call.stdout.splitlines()[0])
    outcome = CleanRoot.of_release(RELEASE, ()).run(
        f"apt-get -q update && apt-get -q -y install --no-install-recommends {shown(package)} && {NAME}",
        binds={package: shown(package)},
    )

    assert outcome.code == 0, outcome.transcript
    assert "3 rings of 1.0.0\n" in outcome.stdout


def test_what_is_written_in_the_system_is_gone_with_the_command(venvpkg: Venvpkg, call: Outcome) -> None:
    assert call.code == 0, call.transcript
    shell = ("target", "shell", f"--cache={CACHE}", f"debian:{RELEASE}", "--")

    first = venvpkg.run(*shell, "sh", "-c", "cat /usr/bin/ls >/usr/bin/mark && exit 7")
    second = venvpkg.run(*shell, "test", "-e", "/usr/bin/mark")

    assert (first.code, second.code) == (7, 1), first.transcript


def test_the_list_has_it(venvpkg: Venvpkg, call: Outcome) -> None:
    assert call.code == 0, call.transcript

    listed = venvpkg.run("target", "list", f"--cache={CACHE}")

    assert re.search(rf"^debian:{RELEASE} +\d{{4}}-\d\d-\d\d +[\d.]+ MB +\d+$", listed.stdout, re.MULTILINE)
