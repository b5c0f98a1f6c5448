"""Which operating system release a root holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import distro  # noqa: TID251

from venvpkg.errors import ConfigurationError
from venvpkg.model.target import Release

if TYPE_CHECKING:
    from pathlib import Path

# Values that end up in file names, wheel tags and package versions.
_SAFE = re.compile(r"[a-z0-9][a-z0-9._-]*")
# Oracle's and Amazon's say that they are like Fedora.
_ENTERPRISE = frozenset({"rhel", "centos", "almalinux", "rocky", "ol"})


def read_release(root: Path) -> Release:
    """Return the release of ``root`` from its os-release file.

    Raises:
        ConfigurationError: there is no such file, or it does not name a numbered release (Debian testing and sid).

    Source:
        os-release(5).
    """
    # include_lsb and include_uname off: they would run programs of this machine for a root that may be another's.
    info = distro.LinuxDistribution(include_lsb=False, include_uname=False, root_dir=str(root))
    fields = info.os_release_info()
    identity, version = fields.get("id", "").lower(), fields.get("version_id", "")
    problems = []
    if not _SAFE.fullmatch(identity):
        problems.append(f"ID is {identity!r}; a lower-case name such as 'debian' is expected")
    if not _SAFE.fullmatch(version):
        problems.append(f"VERSION_ID is {version!r}; a number such as '12' is expected")
    if problems:
        raise ConfigurationError(
            root / "etc/os-release",
            problems,
            resolution="Build on a numbered release; testing and unstable releases have no number to build for.",
        )
    like = tuple(name for name in fields.get("id_like", "").lower().split() if _SAFE.fullmatch(name))
    codename = fields.get("codename") or fields.get("version_codename", "")
    return Release(*_compatible(identity, version, like), codename, like)


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
