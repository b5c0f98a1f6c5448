"""What an application makes when it runs goes with its package, in both families, and nothing else does."""

from __future__ import annotations

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
rpm -qf --qf '%{name}\\n' /var/lib/ringbell/count
cat /var/lib/ringbell/count
left
echo removed
dnf -y -q remove ringbell >&2
left
"""
BOOTSTRAPPED = ["/var/cache/ringbell", "/var/lib/ringbell", "/var/log/ringbell.log"]


def life(script: str, root: CleanRoot, package: Path) -> Outcome:
    return root.run(RUN + script, binds={package: shown(package)}, arguments=[str(shown(package))])


def test_at_purge_of_a_deb(venvpkg: Venvpkg, clean_root: CleanRoot, tmp_path: Path) -> None:
    package = venvpkg.build(str(write_project(tmp_path / "sources", native=False, configuration=CONFIGURATION)))

    outcome = life(DEB, clean_root, package)

    assert outcome.code == 0, outcome.transcript
    assert outcome.stdout.splitlines() == [*BOOTSTRAPPED, "purged", "/var/cache/ringbell"]


def test_at_removal_of_an_rpm_which_owns_it_and_does_not_ask_what_it_is(
    venvpkg: Venvpkg, rpm_world: World, tmp_path: Path
) -> None:
    project = write_project(tmp_path / "sources", native=False, configuration=CONFIGURATION)
    package, _ = venvpkg.built(str(project), "-t", f"root:{rpm_world.root(*BUILD).base}")

    outcome = life(RPM, rpm_world.root(), package)

    assert outcome.code == 0, outcome.transcript
    assert outcome.stdout.splitlines() == [
        "installed", "ringbell", "3", *BOOTSTRAPPED, "removed", "/var/cache/ringbell",
    ]  # fmt: skip
