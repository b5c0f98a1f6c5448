"""An application that uses Debian's own PyYAML: installed, updated under its feet, and vendored again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.packages import depends_of, shown
from acceptance.smallproject import write_project

if TYPE_CHECKING:
    from acceptance.cleanroot import CleanRoot, Outcome
    from acceptance.packages import Venvpkg

SITE = Path("/usr/lib/python3/dist-packages")
CLI = """\
import importlib.metadata
import importlib.util


def main():
    import yaml
    import yaml._yaml

    shown = [each.version for each in importlib.metadata.distributions() if each.metadata["Name"] == "PyYAML"]
    print(yaml.safe_load("version")[:1], yaml.__file__, *shown, importlib.util.find_spec("six"))
"""
# dpkg keeps a directory where a package has a link now, and writes through a link where it has a directory now.
LIFE = """\
set -eu
apt-get update -qq
cd /root
get() { apt-get install -qq -y --no-install-recommends "$@" > /dev/null; }
get python3-six
get "$1"
echo "vendored: $(ringbell)"
get "$2"
dpkg --verify ringbell python3-yaml
echo "system: $(ringbell)"

get --download-only --reinstall python3-yaml
dpkg-deb --raw-extract /var/cache/apt/archives/python3-yaml_*.deb newer
mv newer/usr/lib/python3/dist-packages/PyYAML-*.dist-info newer/usr/lib/python3/dist-packages/PyYAML-6.99.dist-info
sed -i 's/^Version: .*/Version: 6.99/' newer/usr/lib/python3/dist-packages/PyYAML-6.99.dist-info/METADATA
sed -i 's/^Version: .*/Version: 6.99-1/' newer/DEBIAN/control
rm newer/DEBIAN/md5sums
dpkg-deb --build newer newer.deb > /dev/null
dpkg --install newer.deb > /dev/null
echo "updated: $(ringbell)"

get "$3"
dpkg --verify ringbell python3-yaml
echo "vendored again: $(ringbell)"
get "$2" --allow-downgrades
apt-get purge -qq -y ringbell > /dev/null
dpkg --verify python3-yaml
test ! -e /opt/venvs
echo gone
"""


def released() -> str:
    """Return the version that this machine's release has."""
    found = [path.name.removesuffix(".dist-info").partition("-")[2] for path in SITE.glob("PyYAML-*.dist-info")]
    if not found:
        pytest.skip("python3-yaml is not installed here")
    return found[0]


def project(directory: Path, version: str, requirement: str, configuration: str) -> str:
    sources = write_project(directory / version, version, native=False, configuration=configuration)
    pyproject = sources / "pyproject.toml"
    pyproject.write_text(
        pyproject.read_text().replace("scripts = {", f'dependencies = ["{requirement}"]\nscripts = {{')
    )
    (sources / "ringbell/cli.py").write_text(CLI)
    return str(sources)


@pytest.fixture(scope="module")
def packages(venvpkg: Venvpkg, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    released()
    here = tmp_path_factory.mktemp("system")
    system = 'wheels = { system = ["PyYAML"] }'
    return tuple(
        venvpkg.build(project(here, version, "PyYAML>=5.4", configuration))
        for version, configuration in (("1.0.0", ""), ("2.0.0", system), ("3.0.0", ""))
    )


@pytest.fixture(scope="module")
def life(packages: tuple[Path, ...], clean_root: CleanRoot) -> Outcome:
    return clean_root.run(
        LIFE, binds={each: shown(each) for each in packages}, arguments=[str(shown(each)) for each in packages]
    )


@pytest.mark.full
def test_the_package_of_the_release_is_a_dependency_with_the_requirement_s_floor(packages: tuple[Path, ...]) -> None:
    _, system, _ = packages

    assert depends_of(system)["python3-yaml"] == "(>= 5.4)"
    assert system.name.endswith("_all.deb")


@pytest.mark.full
def test_the_release_s_own_module_is_imported_and_nothing_else_of_it(life: Outcome) -> None:
    lines = life.stdout.splitlines()

    assert f"system: v {SITE}/yaml/__init__.py {released()} None" in lines, life.transcript


@pytest.mark.full
def test_an_update_of_the_release_s_package_counts_at_once(life: Outcome) -> None:
    assert f"updated: v {SITE}/yaml/__init__.py 6.99 None" in life.stdout.splitlines(), life.transcript


@pytest.mark.full
def test_vendoring_it_again_leaves_the_release_s_files_alone_and_a_purge_leaves_nothing(life: Outcome) -> None:
    lines = life.stdout.splitlines()

    assert life.code == 0, life.transcript
    assert [line.split(" v ")[0] for line in lines] == ["vendored:", "system:", "updated:", "vendored again:", "gone"]
    assert "/opt/venvs/ringbell/lib/python3" in lines[3], life.transcript


def test_a_version_of_the_release_that_the_application_does_not_accept_is_refused(
    venvpkg: Venvpkg, tmp_path: Path
) -> None:
    version = released()
    sources = project(tmp_path, "1.0.0", f"PyYAML!={version}", 'wheels = { system = ["PyYAML"] }')

    outcome = venvpkg.run("build", sources, f"--wheelhouse={tmp_path / 'w'}", f"--cache={tmp_path / 'c'}")

    assert outcome.code == 9, outcome.transcript
    assert f"ringbell requires PyYAML!={version}: the release has {version} of python3-yaml" in outcome.stderr
    assert "is locked" in outcome.stderr
