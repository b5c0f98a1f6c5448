"""Which operating system release a root holds."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Final

import distro  # noqa: TID251

from venvpkg.errors import ConfigurationError
from venvpkg.host.layers import LayeredRoot
from venvpkg.model.target import Release

# Values that end up in file names, wheel tags and package versions.
_SAFE = re.compile(r"[a-z0-9][a-z0-9._-]*")
_DISTRO_INFO: Final = "/usr/share/distro-info/debian.csv"
# Oracle's and Amazon's say that they are like Fedora.
_ENTERPRISE = frozenset({"rhel", "centos", "almalinux", "rocky", "ol"})


def read_release(root: Path) -> Release:
    """Return the release of ``root`` from its os-release file.

    Debian's testing and unstable have no number, and one os-release: both are ``sid`` until the next release has one.

    Raises:
        ConfigurationError: there is no such file, or it names neither a numbered release nor Debian's next one.

    Source:
        os-release(5); /usr/share/distro-info/debian.csv of the package distro-info-data.
    """
    # include_lsb and include_uname off: they would run programs of this machine for a root that may be another's.
    info = distro.LinuxDistribution(include_lsb=False, include_uname=False, root_dir=str(root))
    fields = info.os_release_info()
    identity, version = fields.get("id", "").lower(), fields.get("version_id", "")
    codename = fields.get("codename") or fields.get("version_codename", "")
    problems = []
    if identity == "debian" and not version and codename:
        upcoming = _number_of(codename, root)
        if upcoming:
            return Release(identity, "sid", codename, upcoming=upcoming)
        problems.append(f"the number that {codename} will have is not known; the package distro-info-data tells it")
    if not _SAFE.fullmatch(identity):
        problems.append(f"ID is {identity!r}; a lower-case name such as 'debian' is expected")
    if not _SAFE.fullmatch(version):
        problems.append(f"VERSION_ID is {version!r}; a number such as '12' is expected")
    if problems:
        raise ConfigurationError(
            root / "etc/os-release",
            problems,
            resolution="Build for a numbered release; for Debian's testing, install distro-info-data there.",
        )
    like = tuple(name for name in fields.get("id_like", "").lower().split() if _SAFE.fullmatch(name))
    return Release(*_compatible(identity, version, like), codename, like)


def _number_of(codename: str, root: Path) -> str:
    """Return the number of a Debian release, by the table of the root or else of this machine; empty when unknown."""
    for layer in (root, Path("/")):
        view = LayeredRoot(layer)
        place = view.find(_DISTRO_INFO)
        if place is None or not place.is_file:
            continue
        lines = Path(view.on_host(place)).read_text(encoding="utf-8", errors="replace").splitlines()
        for row in csv.DictReader(lines):
            if row.get("series") == codename and (row.get("version") or "").isdecimal():
                return row["version"]
    return ""


def _compatible(identity: str, version: str, like: tuple[str, ...]) -> tuple[str, str]:
    """Return ID and the part of VERSION_ID up to which packages are binary compatible.

    A minor release of RHEL and its rebuilds comes as an ordinary update; all of them have one ``%{?dist}``. A service
    pack of SUSE is another release. Tumbleweed has no releases, and its VERSION_ID is the day.

    Source:
        Red Hat's Application Compatibility Guide; openSUSE wiki, Portal:Tumbleweed.
    """
    if identity == "opensuse-tumbleweed":
        return "opensuse", "tumbleweed"
    if _ENTERPRISE & {identity, *like}:
        return identity, version.partition(".")[0]
    return identity, version
