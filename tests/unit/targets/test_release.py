"""The release of a root is read from os-release, for each distribution as it ships the file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from unit.targets.makers import root_with, target_of
from venvpkg.config.compatibility import read_compatibility
from venvpkg.errors import ConfigurationError, MissingToolError
from venvpkg.families.registry import family_of_release
from venvpkg.model.target import Release
from venvpkg.targets.host import read_release

if TYPE_CHECKING:
    from pathlib import Path

BOOKWORM = """\
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
"""
FEDORA = """\
NAME="Fedora Linux"
VERSION="42 (Forty Two)"
ID=fedora
VERSION_ID=42
VERSION_CODENAME=""
PLATFORM_ID="platform:f42"
PRETTY_NAME="Fedora Linux 42 (Forty Two)"
"""
RHEL = """\
NAME="Red Hat Enterprise Linux"
VERSION="10.0 (Coughlan)"
ID="rhel"
ID_LIKE="centos fedora"
VERSION_ID="10.0"
PLATFORM_ID="platform:el10"
"""
ALMALINUX = """\
NAME="AlmaLinux"
VERSION="9.2 (Turquoise Kodkod)"
ID="almalinux"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.2"
PLATFORM_ID="platform:el9"
"""
ROCKY = """\
NAME="Rocky Linux"
VERSION="9.6 (Blue Onyx)"
ID="rocky"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.6"
PLATFORM_ID="platform:el9"
"""
CENTOS_STREAM = """\
NAME="CentOS Stream"
VERSION="9"
ID="centos"
ID_LIKE="rhel fedora"
VERSION_ID="9"
PLATFORM_ID="platform:el9"
"""
ORACLE = """\
NAME="Oracle Linux Server"
VERSION="9.4"
ID="ol"
ID_LIKE="fedora"
VARIANT="Server"
VARIANT_ID="server"
VERSION_ID="9.4"
PLATFORM_ID="platform:el9"
"""
AMAZON = """\
NAME="Amazon Linux"
VERSION="2023"
ID="amzn"
ID_LIKE="fedora"
VERSION_ID="2023"
PLATFORM_ID="platform:al2023"
PRETTY_NAME="Amazon Linux 2023.8.20250808"
"""
LEAP = """\
NAME="openSUSE Leap"
VERSION="15.6"
ID="opensuse-leap"
ID_LIKE="suse opensuse"
VERSION_ID="15.6"
"""
TUMBLEWEED = """\
NAME="openSUSE Tumbleweed"
# VERSION="20250527"
ID="opensuse-tumbleweed"
ID_LIKE="opensuse suse"
VERSION_ID="20250527"
"""
SLES = """\
NAME="SLES"
VERSION="15-SP6"
VERSION_ID="15.6"
PRETTY_NAME="SUSE Linux Enterprise Server 15 SP6"
ID="sles"
ID_LIKE="suse"
"""


FORKY = 'PRETTY_NAME="Debian GNU/Linux forky/sid"\nNAME="Debian GNU/Linux"\nVERSION_CODENAME=forky\nID=debian\n'


def test_debian_without_a_number_is_sid_before_the_next_one(tmp_path: Path) -> None:
    (tmp_path / "usr/share/distro-info").mkdir(parents=True)
    (tmp_path / "usr/share/distro-info/debian.csv").write_text(
        "version,codename,series,created\n13,Trixie,trixie,2023-06-10\n14,Forky,forky,2025-08-09\n,Sid,sid,1993-08-16\n"
    )

    release = read_release(root_with(FORKY, tmp_path))

    assert (release.name, release.tag, release.suffix) == ("debian-sid", "debian_sid", "debian14~sid")


def test_a_release_without_a_known_number_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the version number of zurg is not known"):
        read_release(root_with(FORKY.replace("forky", "zurg"), tmp_path))


@pytest.mark.parametrize(
    ("text", "name", "tag", "family"),
    [
        (BOOKWORM, "debian-12", "debian_12", "deb"),
        ('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n', "ubuntu-24.04", "ubuntu_24_04", "deb"),
        (FEDORA, "fedora-42", "fedora_42", "rpm"),
        (RHEL, "rhel-10", "rhel_10", "rpm"),
        (ALMALINUX, "almalinux-9", "almalinux_9", "rpm"),
        (ROCKY, "rocky-9", "rocky_9", "rpm"),
        (CENTOS_STREAM, "centos-9", "centos_9", "rpm"),
        (ORACLE, "ol-9", "ol_9", "rpm"),
        (AMAZON, "amzn-2023", "amzn_2023", "rpm"),
        (LEAP, "opensuse-leap-15.6", "opensuse_leap_15_6", "rpm"),
        (TUMBLEWEED, "opensuse-tumbleweed", "opensuse_tumbleweed", "rpm"),
        (SLES, "sles-15.6", "sles_15_6", "rpm"),
    ],
)
def test_a_release_is_named_up_to_what_is_binary_compatible(
    tmp_path: Path, text: str, name: str, tag: str, family: str
) -> None:
    release = read_release(root_with(text, tmp_path))

    assert (release.name, release.tag) == (name, tag)
    assert family_of_release(release, tmp_path).name == family


def test_the_family_of_an_unknown_release_is_detected_by_its_package_database(tmp_path: Path) -> None:
    release = read_release(root_with("ID=homegrown\nVERSION_ID=7\n", tmp_path))
    (tmp_path / "usr/lib/sysimage/rpm").mkdir(parents=True)

    assert family_of_release(release, tmp_path).name == "rpm"


def test_the_release_counts_more_than_the_other_familys_tools(tmp_path: Path) -> None:
    release = read_release(root_with(BOOKWORM, tmp_path))
    (tmp_path / "var/lib/rpm").mkdir(parents=True)

    assert family_of_release(release, tmp_path).name == "deb"


def test_a_root_without_any_package_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="homegrown 7 is not a release whose packages are"):
        family_of_release(Release("homegrown", "7", ""), tmp_path)


def test_a_site_may_accept_wheels_of_rhel_on_its_rebuilds(tmp_path: Path) -> None:
    (tmp_path / "binary-compatibility.cfg").write_text(
        '{"linux_x86_64_almalinux_9": {"build": "linux_x86_64_rhel_9"},'
        ' "linux_x86_64_rocky_9": {"install": ["linux_x86_64_rhel_9"]}}'
    )
    rules = read_compatibility({}, tmp_path, None, machine=tmp_path / "none")
    (tmp_path / "almalinux").mkdir()
    (tmp_path / "rocky").mkdir()
    almalinux = target_of(read_release(root_with(ALMALINUX, tmp_path / "almalinux")))
    rocky = target_of(read_release(root_with(ROCKY, tmp_path / "rocky")))

    assert rules.apply_to(almalinux).platform_tag == "linux_x86_64_rhel_9"
    assert rules.apply_to(rocky) == replace(rocky, accepts=("linux_x86_64_rhel_9",))
