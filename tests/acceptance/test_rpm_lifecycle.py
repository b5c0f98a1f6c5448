"""An application's .rpm, from the build to its removal: made for a root of the rpm world, used in a clean one."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.packages import Venvpkg, shown
from acceptance.rpms import (
    BUILDERS,
    errors_of_rpmlint,
    payload_of,
    provides_of,
    requires_of,
    write_postgresql_project,
)
from acceptance.smallproject import NAME, write_project
from rpmdata import RealRelease, soname_capability
from rpmworld.flavours import Flavour

if TYPE_CHECKING:
    from collections.abc import Callable

    from acceptance.cleanroot import CleanRoot, Outcome
    from rpmworld.world import World

HERE = Path(__file__).parent
LIFECYCLE = (HERE / "lifecycle_in_root.sh").read_text()
PREFIX = f"/opt/venvs/{NAME}"
# dnf brings what is required; what the administrator wrote stays, and what the new package has comes beside it.
CONFIGURED = """\
set -eu
manage() { dnf -y -q --setopt=install_weak_deps=False "$@" >&2; }
if rpm -q libpq >&2; then exit 1; fi
manage install "$1"
rpm -q --qf '%{name} came\\n' libpq
ringbell
rpm -q --configfiles ringbell
echo 'tone = "high"' > /etc/ringbell/bell.toml
rpm -V ringbell || true
manage install "$2"
ringbell
cat /etc/ringbell/bell.toml /etc/ringbell/bell.toml.rpmnew
manage remove ringbell
cat /etc/ringbell/bell.toml.rpmsave
! rpm -q libpq
find / -xdev -path /proc -prune -o -path /sys -prune -o -name '*ringbell*' -not -path '/mnt/*' -print
find /opt -mindepth 1
"""
# rpm's own generator on what was installed.
GENERATED = f"""\
set -eu
dnf -y -q --setopt=install_weak_deps=False install "$1" >&2
find {PREFIX} -name '*.so' | /usr/lib/rpm/elfdeps --requires | sort -u
"""
STUB = """\
import subprocess
from setuptools import setup

words = "gcc -shared -Wl,-soname,libnobody.so.9 -o libnobody.so -x c /dev/null"
subprocess.run(words.split(), check=True)
setup()
"""
NEEDS_STUB = 'extra-link-args = ["-L.", "-Wl,--no-as-needed", "-lnobody"]\n'


@dataclass(frozen=True, slots=True)
class Releases:
    """Two versions of one application, made for one kind of rpm system.

    Attributes:
        command: that made them, with places of its own.
        build_root: what they were made in.
        root: a clean one of the same kind.
        project: the sources of the older.
        old, new: the packages.
    """

    command: Venvpkg
    build_root: CleanRoot
    root: CleanRoot
    project: Path
    old: Path
    new: Path

    @property
    def target(self) -> str:
        return f"--target=root:{self.build_root.base}"

    def run(self, script: str, *arguments: str, root: CleanRoot | None = None) -> Outcome:
        """Run a script in the clean root with both packages as its last arguments, and without network."""
        packages = (self.old, self.new)
        return (root or self.root).run(
            script,
            binds={each: shown(each) for each in packages},
            arguments=[*arguments, *(str(shown(each)) for each in packages)],
            network=False,
        )


def made(venvpkg: Venvpkg, world: World, flavour: Flavour, *managers: str) -> Releases:
    directory = venvpkg.directory / f"rpm-{world.suite}-{flavour}"
    directory.mkdir()
    command = Venvpkg(venvpkg.program, directory)
    build_root = world.root(*BUILDERS, flavour=flavour)
    old = write_postgresql_project(directory / "old", "1.0.0", {"gone.py": "", "moved/__init__.py": ""})
    new = write_postgresql_project(directory / "new", "1.1.0", {"moved.py": "", "data/fresh.txt": "new\n"})
    packages = [command.built(str(each), f"--target=root:{build_root.base}")[0] for each in (old, new)]
    return Releases(command, build_root, world.root(*managers, flavour=flavour), old, *packages)


@pytest.fixture(scope="module")
def releases(venvpkg: Venvpkg, rpm_world: World) -> Releases:
    return made(venvpkg, rpm_world, Flavour.FEDORA)


def test_the_whole_life_goes_well(releases: Releases) -> None:
    require_well(releases.run(LIFECYCLE, NAME, PREFIX))


@pytest.mark.full
@pytest.mark.parametrize(
    ("suite", "flavour", "managers"),
    [
        pytest.param("bookworm", Flavour.SUSE, (), id="zypper"),
        pytest.param("trixie", Flavour.FEDORA, (), id="rpm-4.20"),
        pytest.param("forky", Flavour.FEDORA, ("dnf5",), id="rpm-6-dnf5"),
    ],
)
def test_it_goes_well_with_other_versions_of_the_tools(
    venvpkg: Venvpkg,
    rpm_worlds: Callable[[str | None], World],
    suite: str,
    flavour: Flavour,
    managers: tuple[str, ...],
) -> None:
    there = made(venvpkg, rpm_worlds(suite), flavour, *managers)

    require_well(there.run(LIFECYCLE, NAME, PREFIX))


def test_dnf_brings_the_library_and_the_administrator_s_configuration_is_kept(releases: Releases) -> None:
    outcome = releases.run(CONFIGURED)

    assert outcome.code == 0, outcome.transcript
    assert outcome.stdout.splitlines() == [
        "libpq came",
        "3 rings of 1.0.0",
        "/etc/ringbell/bell.toml",
        "S.5....T.  c /etc/ringbell/bell.toml",
        "3 rings of 1.1.0",
        'tone = "high"',
        'tone = "deep"  # of 1.1.0',
        'tone = "high"',
        "package libpq is not installed",
        "/etc/ringbell",
    ]


def test_it_is_named_for_the_release_and_offers_nothing_of_its_libraries(releases: Releases) -> None:
    version, _, rest = releases.old.name.removeprefix(f"{NAME}-").partition("-")

    assert (version, rest.partition(".")[0]) == ("1.0.0", "1")
    assert re.fullmatch(r"1\.el\d+\.\w+\.rpm", rest)
    assert not any(".so" in each for each in provides_of(releases.old))
    assert "bundled(python3dist(psycopg2))" in " ".join(provides_of(releases.old))
    assert not any(".build-id" in path for path in payload_of(releases.old))


def test_it_requires_what_rpm_s_own_generator_says_the_interpreter_and_the_shell_of_its_scriptlet(
    releases: Releases,
) -> None:
    outcome = releases.run(GENERATED, root=releases.build_root)

    assert outcome.code == 0, outcome.transcript
    required = requires_of(releases.old)
    interpreter = {each for each in required if "python" in each}
    assert required - interpreter == {*outcome.stdout.splitlines(), "/bin/sh"}
    assert {re.sub(r"3\.\d+", "3.X", each) for each in interpreter} == {"/usr/bin/python3.X", "python(abi) = 3.X"}


def test_real_releases_have_what_it_requires_under_that_spelling(releases: Releases, rpm_world: World) -> None:
    libraries = {each for each in requires_of(releases.old) if each.endswith("(64bit)") or each.startswith("rtld")}
    sonames = {soname_capability(each.partition("(")[0]) for each in libraries if ".so" in each}

    assert soname_capability("libpq.so.5") in libraries
    if rpm_world.suite == "bookworm":  # whose C library is older than theirs
        assert RealRelease.el10().missing_prerequisites(libraries) == ()
    assert RealRelease.el10().missing_prerequisites(sonames) == ()
    assert RealRelease.tumbleweed().missing_prerequisites(sonames) == ()


def test_a_second_build_elsewhere_compiles_nothing_and_gives_the_same_bytes(releases: Releases) -> None:
    elsewhere = Path(shutil.copytree(releases.project, releases.command.directory / "some/other/place"))

    package, outcome = releases.command.built(str(elsewhere), releases.target, out="out-2", cache="cache-2")

    assert "building" not in outcome.stderr
    assert package.read_bytes() == releases.old.read_bytes()


def test_a_recorded_build_is_repeated_with_every_wheel_compiled_anew(releases: Releases) -> None:
    record = releases.old.with_name(releases.old.name.removesuffix(".rpm") + ".build.json")
    places = [f"--{name}={releases.command.directory / f'again-{name}'}" for name in ("wheelhouse", "cache")]

    outcome = releases.command.run("rebuild", str(record), str(releases.project), releases.target, *places)

    assert outcome.code == 0, outcome.transcript
    assert json.loads(record.read_bytes())["artifact"]["sha256"] in outcome.stdout


def test_explain_walks_from_the_capability_to_owner_file_and_distribution(releases: Releases) -> None:
    outcome = releases.command.run("explain", str(releases.old), "libpq.so.5()(64bit)")

    assert outcome.code == 0, outcome.transcript
    assert "/libpq.so.5 of libpq" in outcome.stdout
    assert f"psycopg2  {PREFIX}/lib/" in outcome.stdout


def test_inspect_tells_what_is_inside(releases: Releases) -> None:
    outcome = releases.command.run("inspect", str(releases.old), "--json")

    assert outcome.code == 0, outcome.transcript
    result = json.loads(outcome.stdout.splitlines()[-1])["result"]
    assert dict(result["fields"])["Name"] == NAME
    assert {each["name"] for each in result["distributions"]} == {NAME, "psycopg2"}


def test_rpmlint_finds_no_error_beyond_those_with_a_reason(releases: Releases) -> None:
    assert errors_of_rpmlint(releases.old) == []


def test_a_wheel_of_this_world_is_not_one_for_the_machine(releases: Releases) -> None:
    wheelhouse = releases.command.directory / "wheelhouse"
    wheels = [path.name for path in wheelhouse.rglob("*.whl") if path.name.startswith("psycopg2")]

    outcome = releases.command.run("plan", str(releases.project), f"--wheelhouse={wheelhouse}")

    assert outcome.code == 0, outcome.transcript
    assert [name for name in wheels if "_testrpm_" not in name] == []
    actions = {line.split()[1]: line.split()[0] for line in outcome.stdout.splitlines()}
    assert (actions["psycopg2"], len(wheels)) == ("compile", 1)


def test_a_library_that_nobody_provides_is_an_error_by_its_name(releases: Releases, tmp_path: Path) -> None:
    project = write_project(tmp_path / "lonely")
    (project / "setup.py").write_text(STUB)
    path = project / "pyproject.toml"
    path.write_text(path.read_text().replace("[tool.venvpkg]", f"{NEEDS_STUB}[tool.venvpkg]"))
    (project / "MANIFEST.in").write_text("include setup.py\n")

    outcome = releases.command.run("build", str(project), releases.target, f"--out={tmp_path / 'out'}")

    assert outcome.code == 11, outcome.transcript
    assert "libnobody.so.9" in outcome.stderr
    assert not list(tmp_path.glob("out/*"))


def require_well(outcome: Outcome) -> None:
    assert outcome.code == 0, outcome.transcript
    assert outcome.stdout.count("  yes  ") == LIFECYCLE.count("\ncheck '"), outcome.transcript
    assert "  NO " not in outcome.stdout
