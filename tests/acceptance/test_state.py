"""What an application makes when it runs goes with its package, in both families, and nothing else does."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from acceptance.packages import shown
from acceptance.smallproject import write_project

if TYPE_CHECKING:
    from pathlib import Path

    from acceptance.cleanroot import CleanRoot, Outcome
    from acceptance.packages import Venvpkg
    from rpmworld.world import World

# What a build asks for, though nothing is compiled here.
BUILD = ("gcc", "gcc-c++", "make", "python3-devel", "rpm-build")
CONFIGURATION = (
    'state-paths = ["/var/lib/ringbell/", "/var/lib/ringbell/count", "/var/log/ringbell.log", "/var/cache/ringbell/"]'
)
RUN = """\
set -eu
run() {
    mkdir -p /var/lib/ringbell /var/cache/ringbell
    chown 65534 /var/lib/ringbell
    echo 3 > /var/lib/ringbell/count
    echo ringing > /var/log/ringbell.log
    echo kept > /var/cache/ringbell/of-the-administrator
}
left() { find /var -name '*ringbell*' -not -path '/var/lib/dpkg/*' -not -path '/var/cache/apt/*' | sort; }
"""
DEB = """\
apt-get update -qq
apt-get install -qq -y --no-install-recommends "$1" > /dev/null
run
apt-get install -qq -y --reinstall --no-install-recommends "$1" > /dev/null
apt-get remove -qq -y ringbell > /dev/null
left
echo purged
apt-get purge -qq -y ringbell > /dev/null
left
"""
RPM = """\
dnf -y -q --setopt=install_weak_deps=False install "$1" >&2
left
echo installed
run
rpm -V ringbell
dnf -y -q reinstall "$1" >&2
cat /var/lib/ringbell/count
left
echo removed
dnf -y -q remove ringbell >&2
left
"""
# $1, $2: packages of an earlier venvpkg, of which $2 has another name; $3: one that names the state, $4: one that no
# longer does, $5: that one under another name.
UPGRADES = """\
manage() { dnf -y -q --setopt=install_weak_deps=False "$@" >&2; }
told() { cat /var/lib/ringbell/count; left | grep -v ringbell.log; manage remove ringbell; rm -rf /var/*/*ringbell*; }
for packages in "$3 $4" "$1 $3" "$1 $3 $4" "$2 $3"; do
    for package in $packages; do
        manage install $package
        run
        rm -f /var/cache/ringbell/of-the-administrator
    done
    told
done
manage install "$3"
run
manage install "$5"
cat /var/lib/ringbell/count
manage remove doorbell
cat /var/lib/ringbell/count
"""
# What an earlier venvpkg made of CONFIGURATION.
GHOSTS = """\
Name: {name}
Version: 0.9
Release: 1
Summary: It owns its state
License: MIT
BuildArch: noarch
%description
%files
%ghost %attr(0755, root, root) %dir /var/lib/ringbell
%ghost %attr(0644, root, root) /var/lib/ringbell/count
%ghost %attr(0644, root, root) /var/log/ringbell.log
%ghost %attr(0755, root, root) %dir /var/cache/ringbell
"""
BOOTSTRAPPED = ["/var/cache/ringbell", "/var/lib/ringbell", "/var/log/ringbell.log"]


def life(script: str, root: CleanRoot, package: Path) -> Outcome:
    return root.run(RUN + script, binds={package: shown(package)}, arguments=[str(shown(package))])


def test_at_purge_of_a_deb(venvpkg: Venvpkg, clean_root: CleanRoot, tmp_path: Path) -> None:
    package = venvpkg.build(str(write_project(tmp_path / "sources", native=False, configuration=CONFIGURATION)))

    outcome = life(DEB, clean_root, package)

    assert outcome.code == 0, outcome.transcript
    assert outcome.stdout.splitlines() == [*BOOTSTRAPPED, "purged", "/var/cache/ringbell"]


def test_at_removal_of_an_rpm_which_does_not_ask_what_it_is(venvpkg: Venvpkg, rpm_world: World, tmp_path: Path) -> None:
    project = write_project(tmp_path / "sources", native=False, configuration=CONFIGURATION)
    package, _ = venvpkg.built(str(project), "-t", f"root:{rpm_world.root(*BUILD).base}")

    outcome = life(RPM, rpm_world.root(), package)

    assert outcome.code == 0, outcome.transcript
    assert outcome.stdout.splitlines() == [
        "installed", "3", *BOOTSTRAPPED, "removed", "/var/cache/ringbell",
    ]  # fmt: skip


def test_an_upgrade_deletes_no_state_whatever_either_package_names(
    venvpkg: Venvpkg, rpm_world: World, tmp_path: Path
) -> None:
    target = f"root:{rpm_world.root(*BUILD).base}"
    configurations = {
        "1.0": f'{CONFIGURATION}\nreplaces = ["oldbell"]',
        "2.0": "",
        "3.0": 'name = "doorbell"\nreplaces = ["ringbell"]',
    }
    packages = [ghosts(name, tmp_path / name) for name in ("ringbell", "oldbell")]
    for version, configuration in configurations.items():
        project = write_project(tmp_path / version, version, native=False, configuration=configuration)
        packages.append(venvpkg.built(str(project), "-t", target, out=str(tmp_path / f"out-{version}"))[0])

    binds = {each: shown(each) for each in packages}
    outcome = rpm_world.root().run(RUN + UPGRADES, binds=binds, arguments=[str(each) for each in binds.values()])

    assert outcome.code == 0, outcome.transcript
    kept = ["3", "/var/cache/ringbell", "/var/lib/ringbell"]
    assert outcome.stdout.splitlines() == [*kept * 4, "3", "3"]


def ghosts(name: str, directory: Path) -> Path:
    """Make a package that owns its state."""
    directory.mkdir()
    (directory / "x.spec").write_text(GHOSTS.format(name=name))
    defined = [f"--define={each} {directory}" for each in ("_topdir", "_rpmdir")]
    subprocess.run(["rpmbuild", "-bb", "--quiet", *defined, str(directory / "x.spec")], check=True, capture_output=True)
    (package,) = directory.rglob("*.rpm")
    return package
