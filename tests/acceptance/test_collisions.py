"""An application whose name and command Debian has already."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from acceptance.packages import shown
from acceptance.smallproject import write_project

if TYPE_CHECKING:
    from pathlib import Path

    from acceptance.cleanroot import CleanRoot, Outcome
    from acceptance.packages import Venvpkg

# dpkg alone refuses, with nothing unpacked; apt takes the other one away.
SCRIPT = """
owner() { echo "it belongs to $(dpkg -S /usr/bin/make | cut -d: -f1)"; }
apt-get update -qq
apt-get install -qq -y make > /dev/null
dpkg --install "$1" > /dev/null
owner
apt-get install -qq -y --no-install-recommends "$1" > /dev/null
make
owner
"""


@pytest.fixture(scope="module")
def built(venvpkg: Venvpkg, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    sources = write_project(tmp_path_factory.mktemp("taken") / "sources", native=False, configuration='name = "hello"')
    pyproject = sources / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("scripts = {", 'scripts = { make = "ringbell.cli:main",'))
    return venvpkg.built(str(sources))


def test_the_name_is_told_with_what_follows(built: tuple[Path, Outcome]) -> None:
    if not subprocess.run(["apt-cache", "madison", "hello"], capture_output=True, check=False).stdout:
        pytest.skip("this machine's apt has no index")

    assert "has its own package hello " in built[1].stderr


def test_the_package_whose_command_it_is_becomes_a_conflict(built: tuple[Path, Outcome]) -> None:
    package, outcome = built
    field = subprocess.run(
        ["dpkg-deb", "--field", str(package), "Conflicts"], capture_output=True, text=True, check=True
    )

    assert "warning: the package make also ships /usr/bin/make" in outcome.stderr
    assert field.stdout.strip() == "make"


def test_apt_removes_the_other_one_or_refuses_before_unpacking(
    built: tuple[Path, Outcome], clean_root: CleanRoot
) -> None:
    package, _ = built
    outcome = clean_root.run(SCRIPT, binds={package: shown(package)}, arguments=[str(shown(package))])

    assert "conflicting packages - not installing hello" in outcome.stderr, outcome.transcript
    assert outcome.stdout.splitlines() == [
        "it belongs to make",
        "3 rings of 1.0.0",
        "it belongs to hello",
    ], outcome.transcript
