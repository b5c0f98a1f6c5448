"""What an administrator does with a package, by apt and dpkg: everything between install and purge."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.packages import Visit, depends_of, shown
from acceptance.smallproject import NAME, write_project

if TYPE_CHECKING:
    from acceptance.cleanroot import CleanRoot
    from acceptance.packages import Venvpkg

LIFECYCLE = (Path(__file__).parent / "lifecycle_in_root.sh").read_text()
CONFIGURED = """\
set -eu
apt-get update -qq
apt-get install -qq -y --no-install-recommends "$1"
echo 'tone = "high"' > /etc/ringbell/bell.toml
apt-get install -qq -y --no-install-recommends "$2"
echo
grep -q high /etc/ringbell/bell.toml && echo kept over the upgrade
apt-get remove -qq -y ringbell > /dev/null
test ! -e /opt/venvs
grep -q high /etc/ringbell/bell.toml && echo kept over the removal
apt-get purge -qq -y ringbell > /dev/null
test ! -e /etc/ringbell
! find /etc /opt /var -name '*ringbell*' ! -path '/var/log/*' ! -path '/var/cache/apt/*' | grep . && echo gone
"""
PREFIX = f"/opt/venvs/{NAME}"


@pytest.fixture(scope="module")
def visit(venvpkg: Venvpkg, clean_root: CleanRoot, tmp_path_factory: pytest.TempPathFactory) -> Visit:
    sources = tmp_path_factory.mktemp("sources")
    old = write_project(sources / "old", "1.0.0", files={"gone.py": "", "moved/__init__.py": ""})
    new = write_project(sources / "new", "1.1.0", files={"moved.py": "", "data/fresh.txt": "new\n"})
    packages = [venvpkg.build(str(each)) for each in (old, new)]
    outcome = clean_root.run(
        LIFECYCLE,
        binds={package: shown(package) for package in packages},
        arguments=[NAME, PREFIX, *(str(shown(package)) for package in packages)],
    )
    return Visit(packages[0], outcome)


@pytest.fixture(scope="module")
def pure(venvpkg: Venvpkg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return venvpkg.build(str(write_project(tmp_path_factory.mktemp("pure") / "sources", "1.2.0", native=False)))


def test_the_whole_life_goes_well(visit: Visit) -> None:
    assert visit.outcome.code == 0, visit.outcome.transcript
    assert visit.outcome.stdout.count("  yes  ") == LIFECYCLE.count("\ncheck '"), visit.outcome.transcript
    assert "  NO " not in visit.outcome.stdout


def test_an_application_with_native_code_is_for_one_architecture(visit: Visit) -> None:
    architecture = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout

    assert field(visit.package, "Architecture") == architecture.strip()
    assert set(depends_of(visit.package)) == {"libc6", interpreter_package()}


def test_a_pure_application_is_for_every_architecture_and_one_minor_of_the_interpreter(pure: Path) -> None:
    assert field(pure, "Architecture") == "all"
    assert pure.name.endswith("_all.deb")
    assert set(depends_of(pure)) == {interpreter_package()}


def test_a_pure_application_installs_and_runs(pure: Path, clean_root: CleanRoot) -> None:
    outcome = clean_root.run(
        f'apt-get update -qq && apt-get install -qq -y --no-install-recommends "$1" && dpkg --verify {NAME} && {NAME}',
        binds={pure: shown(pure)},
        arguments=[str(shown(pure))],
    )

    assert outcome.stdout.endswith("\n3 rings of 1.2.0\n"), outcome.transcript


def test_configuration_stays_as_the_administrator_made_it_until_the_purge(
    venvpkg: Venvpkg, clean_root: CleanRoot, tmp_path: Path
) -> None:
    packages = []
    for version in ("1.3.0", "1.4.0"):
        configuration = 'files = [{ source = "bell.toml", target = "/etc/ringbell/bell.toml" }]'
        project = write_project(tmp_path / version, version, native=False, configuration=configuration)
        (project / "bell.toml").write_text('tone = "deep"\n')
        packages.append(venvpkg.build(str(project)))

    outcome = clean_root.run(
        CONFIGURED,
        binds={package: shown(package) for package in packages},
        arguments=[str(shown(package)) for package in packages],
    )

    assert outcome.stdout.endswith("\nkept over the upgrade\nkept over the removal\ngone\n"), outcome.transcript


def field(package: Path, name: str) -> str:
    command = ["dpkg-deb", "--field", str(package), name]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def interpreter_package() -> str:
    return Path("/usr/bin/python3").resolve().name
