"""Units, accounts and directories of a package come and go as those of the release's own packages do, in both families.

Nothing is booted: what enables and disables units works without, and a running systemd does the rest by itself.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.packages import shown
from acceptance.smallproject import write_project
from rpmworld.flavours import Flavour

if TYPE_CHECKING:
    from collections.abc import Callable

    from acceptance.cleanroot import CleanRoot, Outcome
    from acceptance.packages import Venvpkg
    from rpmworld.world import World

# What a build asks for, though nothing is compiled here.
BUILD = ("gcc", "gcc-c++", "make", "python3-devel", "rpm-build")
CONFIGURATION = """\
files = [
    { source = "units/ringbell.service", target = "/usr/lib/systemd/system/ringbell.service" },
    { source = "units/ringbell.timer", target = "/usr/lib/systemd/system/ringbell.timer" },
    { source = "units/once.service", target = "/usr/lib/systemd/system/ringbell-once.service" },
    { source = "units/ringbell.sysusers", target = "/usr/lib/sysusers.d/ringbell.conf" },
    { source = "units/ringbell.tmpfiles", target = "/usr/lib/tmpfiles.d/ringbell.conf" },
]
[tool.venvpkg.scripts]
postinst = "units/postinst"
"""
UNITS = {
    "ringbell.service": "[Service]\nExecStart=/usr/bin/ringbell\n[Install]\nWantedBy=multi-user.target\n",
    "ringbell.timer": "[Timer]\nOnCalendar=daily\nUnit=ringbell-once.service\n[Install]\nWantedBy=timers.target\n",
    "once.service": "[Service]\nType=oneshot\nExecStart=/usr/bin/ringbell\n",
    "ringbell.sysusers": "u ringbell - 'A bell' /var/lib/ringbell\n",
    "ringbell.tmpfiles": "d /var/lib/ringbell 0750 ringbell ringbell -\n",
    "postinst": "chown ringbell /var/lib/ringbell\n",
}
CHECKS = """\
set -eu
wants=/etc/systemd/system/multi-user.target.wants/ringbell.service
timer=/etc/systemd/system/timers.target.wants/ringbell.timer
there() { test -L "$1"; }
gone() { ! test -L "$1"; }
installed() {
    getent passwd ringbell | cut -d: -f5,6
    stat -c '%U %a' /var/lib/ringbell
}
"""
DEB = """\
apt() { apt-get -qq -y --no-install-recommends "$@" > /dev/null; }
apt update
apt install "$1"
installed
there "$wants" && there "$timer" && echo enabled
systemctl -q disable ringbell.service
gone "$wants" && there "$timer" && echo disabled by the administrator
apt install "$2"
gone "$wants" && there "$timer" && echo still disabled
apt remove ringbell
apt install "$2"
gone "$wants" && there "$timer" && echo disabled all the same
apt purge ringbell
gone "$wants" && gone "$timer" && echo no link is left
! find /etc/systemd /var/lib/systemd -name '*ringbell*' | grep . && echo nothing at all
"""
DNF = 'manage() { dnf -y -q "$@" > /dev/null; }\n'
ZYPPER = """\
manage() {
    local what=$1
    shift
    if test "$what" = install; then set -- --no-recommends --allow-unsigned-rpm "$@"; fi
    zypper --non-interactive "$what" "$@" > /dev/null
}
"""
RPM = """\
manage install systemd
echo 'enable ringbell.*' > /usr/lib/systemd/system-preset/10-bell.preset
manage install "$1"
installed
there "$wants" && there "$timer" && echo enabled
systemctl -q disable ringbell.service
gone "$wants" && there "$timer" && echo disabled by the administrator
manage install "$2"
gone "$wants" && there "$timer" && echo still disabled
rpm -V ringbell
manage remove ringbell
gone "$wants" && gone "$timer" && echo no link is left
printf 'disable *\\n' > /usr/lib/systemd/system-preset/10-bell.preset
manage install "$2"
gone "$wants" && gone "$timer" && echo not enabled against the presets
! find /etc/systemd -name '*ringbell*' | grep . && echo nothing at all
"""
# From rpm 4.19 on: what rpm does by the package's Provides, and what its own generator makes of the same table.
ACCOUNTS = """\
set -eu
dnf -y -q --setopt=install_weak_deps=False install "$1" >&2
cat /tmp/before
provides() { rpm -q --provides "$@" | grep -e '^user(' -e '^group(' | sort; }
cat > /tmp/own.spec <<'SPEC'
Name: own
Version: 1
Release: 1
Summary: The same table
License: MIT
BuildArch: noarch
%description
%install
install -D -m 644 /usr/lib/sysusers.d/ringbell.conf %{buildroot}/usr/lib/sysusers.d/own.conf
%files
/usr/lib/sysusers.d/own.conf
SPEC
rpmbuild -bb --quiet --define '_topdir /tmp/top' /tmp/own.spec >&2
diff <(provides -p /tmp/top/RPMS/noarch/own-1-1.noarch.rpm) <(provides ringbell)
rpm -q --whatprovides 'user(ringbell)'
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    directory = tmp_path_factory.mktemp("units")

    def project(version: str) -> Path:
        written = write_project(directory / version, version, native=False, configuration=CONFIGURATION)
        (written / "units").mkdir()
        for name, content in UNITS.items():
            (written / "units" / name).write_text(content)
        return written

    return project("1.0.0"), project("1.1.0")


def life(script: str, root: CleanRoot, packages: list[Path]) -> Outcome:
    arguments = [str(shown(each)) for each in packages]
    return root.run(CHECKS + script, binds={each: shown(each) for each in packages}, arguments=arguments)


def test_as_debians_own_packages(venvpkg: Venvpkg, clean_root: CleanRoot, sources: tuple[Path, Path]) -> None:
    packages = [venvpkg.build(str(each)) for each in sources]

    outcome = life(DEB, clean_root, packages)

    assert outcome.code == 0, outcome.transcript
    assert outcome.stdout.splitlines() == [
        "A bell:/var/lib/ringbell", "ringbell 750", "enabled", "disabled by the administrator", "still disabled",
        "disabled all the same", "no link is left", "nothing at all",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("flavour", "manager"),
    [
        pytest.param(Flavour.FEDORA, DNF, id="fedora"),
        pytest.param(Flavour.SUSE, ZYPPER, id="opensuse", marks=pytest.mark.full),
    ],
)
def test_as_the_own_packages_of_a_release_with_rpm(
    venvpkg: Venvpkg, rpm_world: World, sources: tuple[Path, Path], flavour: Flavour, manager: str
) -> None:
    target = f"root:{rpm_world.root(*BUILD, flavour=flavour).base}"
    packages = [venvpkg.built(str(each), "-t", target, out=f"units-{flavour}")[0] for each in sources]

    outcome = life(manager + RPM, rpm_world.root(flavour=flavour), packages)

    assert outcome.code == 0, outcome.transcript
    assert outcome.stdout.splitlines() == [
        "A bell:/var/lib/ringbell", "ringbell 750", "enabled", "disabled by the administrator", "still disabled",
        "no link is left", "not enabled against the presets", "nothing at all",
    ]  # fmt: skip


@pytest.mark.full
@pytest.mark.parametrize("suite", ["trixie", "forky"])
def test_newer_rpms_make_the_account_before_any_script_by_what_their_own_generator_would_provide(
    venvpkg: Venvpkg, rpm_worlds: Callable[[str | None], World], sources: tuple[Path, Path], tmp_path: Path, suite: str
) -> None:
    world = rpm_worlds(suite)
    project = Path(shutil.copytree(sources[0], tmp_path / "sources"))
    with (project / "pyproject.toml").open("a") as file:
        file.write('preinst = "units/preinst"\n')
    (project / "units/preinst").write_text("getent passwd ringbell | cut -d: -f5,6 > /tmp/before\n")
    package = venvpkg.built(str(project), "-t", f"root:{world.root(*BUILD).base}", out=f"accounts-{suite}")[0]

    outcome = life(ACCOUNTS, world.root("rpm-build"), [package])

    assert outcome.code == 0, outcome.transcript
    assert outcome.stdout.splitlines() == ["A bell:/var/lib/ringbell", package.name.removesuffix(".rpm")]
