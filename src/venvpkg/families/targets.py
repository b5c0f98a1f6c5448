"""Which family a release belongs to, and what that family is like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from venvpkg.errors import MissingToolError
from venvpkg.families.deb import host as deb
from venvpkg.families.rpm import host as rpm
from venvpkg.host.layers import LayeredRoot
from venvpkg.model.target import Family

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.families.base import Traits
    from venvpkg.model.target import Release, Target


_TRAITS: Final[dict[Family, Traits]] = {Family.DEB: deb, Family.RPM: rpm}
# ID or ID_LIKE of os-release: of the release itself, or of what it is made from.
_NAMES: Final = {
    Family.DEB: frozenset({"debian", "ubuntu"}),
    Family.RPM: frozenset({
        "almalinux", "amzn", "azurelinux", "centos", "fedora", "mageia", "mariner", "ol", "opensuse", "rhel", "rocky",
        "sle", "sles", "suse",
    }),
}  # fmt: skip
_DATABASES: Final = {
    Family.DEB: ("/var/lib/dpkg/status",),
    Family.RPM: ("/usr/lib/sysimage/rpm", "/var/lib/rpm"),
}


def traits_of(family: Family) -> Traits:
    """Return what a family is like."""
    return _TRAITS[family]


def family_of(release: Release, root: Path) -> Family:
    """Return the package family of a root.

    What the release says counts first: a machine may have the other family's tools, with a database of their own.

    Raises:
        MissingToolError: neither the release nor a package database tells.
    """
    for name in (release.id, *release.like):
        for family, names in _NAMES.items():
            if name in names or (family is Family.RPM and name.startswith(("opensuse-", "sle-"))):
                return family
    view = LayeredRoot(root)
    for family, databases in _DATABASES.items():
        if any(view.find(database) for database in databases):
            return family
    raise MissingToolError(
        [f"a package database of dpkg or rpm in {root}"],
        resolution=f"{release.id} {release.version} is not a release whose packages are .deb or .rpm files.",
    )


def installer_of(family: Family, release: Release, root: Path) -> str:
    """Return the beginning of a command that installs packages in a root, typed on this machine."""
    command = traits_of(family).install_command(release)
    return command if root.parent == root else f"chroot {root} {command}"


def installer(target: Target) -> str:
    """Return the beginning of a command that installs packages on the target, typed on this machine."""
    return installer_of(target.family, target.release, target.root)
