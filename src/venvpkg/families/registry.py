"""The registry of package families: how each is recognised, and where its modules are.

This is the only list of families. Their modules are imported by name on first use. So any layer can use the registry
without depending on a family, and a build of a .deb never loads the code for .rpm packages.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from venvpkg.errors import MissingToolError, NotAPackageError
from venvpkg.host.layers import LayeredRoot

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.families.base import Bootstrapper, BuildHost, PackageFormat
    from venvpkg.model.target import Release, Target


@dataclass(frozen=True, slots=True)
class Family:
    """A package family.

    Attributes:
        name: name in the configuration, in package URLs and of the templates: ``deb``.
        module: Python package with the modules ``host``, ``format`` and ``bootstrap``; see ``families.base``.
        suffix: suffix of its package files: ``.deb``.
        magic: first bytes of its package files.
        release_ids: values of ID or ID_LIKE in os-release(5) for releases of the family.
        release_prefixes: prefixes of further such values.
        databases: possible paths of the package database, to recognise a root whose release is unknown.
        state_directories: directories of ``/var`` that its tools read to query installed packages.
        bootstraps: distributions that venvpkg bootstraps: ``debian`` in ``debian:trixie``.
        bootstraps_foreign: whether build roots can be for another processor.
        bootstrap_packages: Debian packages with the tools for bootstrapping, apart from mmdebstrap.
        templates: directory of its templates in a checkout; empty for a family without templates.
        epoch_is_qualifier: whether a package URL has the epoch as a qualifier (definition of the purl type).
    """

    name: str
    module: str
    suffix: str
    magic: bytes
    release_ids: frozenset[str]
    release_prefixes: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    state_directories: tuple[str, ...] = ()
    bootstraps: tuple[str, ...] = ()
    bootstraps_foreign: bool = False
    bootstrap_packages: tuple[str, ...] = ()
    templates: str = ""
    epoch_is_qualifier: bool = False

    @property
    def host(self) -> BuildHost:
        """Module that reads facts about targets."""
        return cast("BuildHost", importlib.import_module(f"{self.module}.host"))

    @property
    def format(self) -> PackageFormat:
        """Module that writes and reads packages."""
        return cast("PackageFormat", importlib.import_module(f"{self.module}.format"))

    @property
    def bootstrap(self) -> Bootstrapper:
        """Module that creates build roots."""
        return cast("Bootstrapper", importlib.import_module(f"{self.module}.bootstrap"))

    def has_release(self, release_id: str) -> bool:
        """Whether an ID or ID_LIKE value of os-release(5) belongs to the family."""
        return release_id in self.release_ids or release_id.startswith(self.release_prefixes or ("\0",))


# Source for magic: deb(5); rpm's manual, "Package format", the lead.
FAMILIES: Final[dict[str, Family]] = {
    "deb": Family(
        name="deb",
        module="venvpkg.families.deb",
        suffix=".deb",
        magic=b"!<arch>\n",
        release_ids=frozenset({"debian", "ubuntu"}),
        databases=("/var/lib/dpkg/status",),
        state_directories=("/var/lib/dpkg",),
        bootstraps=("debian", "ubuntu"),
        bootstraps_foreign=True,
        templates="debian-templates",
    ),
    "rpm": Family(
        name="rpm",
        module="venvpkg.families.rpm",
        suffix=".rpm",
        magic=b"\xed\xab\xee\xdb",
        release_ids=frozenset({
            "almalinux", "amzn", "azurelinux", "centos", "fedora", "mageia", "mariner", "ol", "opensuse", "rhel",
            "rocky", "sle", "sles", "suse",
        }),
        release_prefixes=("opensuse-", "sle-"),
        databases=("/usr/lib/sysimage/rpm", "/var/lib/rpm"),
        state_directories=("/var/lib/rpm",),
        bootstraps=("fedora", "el", "opensuse"),
        bootstrap_packages=("dnf",),
        templates="rpm-templates",
        epoch_is_qualifier=True,
    ),
}  # fmt: skip


def family_of_release(release: Release, root: Path) -> Family:
    """Return the package family of a root.

    The release takes precedence: a machine may also have another family's tools, with their own database.

    Raises:
        MissingToolError: neither the release nor a package database determines the family.
    """
    for name in (release.id, *release.like):
        for family in FAMILIES.values():
            if family.has_release(name):
                return family
    view = LayeredRoot(root)
    for family in FAMILIES.values():
        if any(view.find(database) for database in family.databases):
            return family
    kinds = " or ".join(f"{each.suffix} files" for each in FAMILIES.values())
    raise MissingToolError(
        [f"a package database of {' or '.join(FAMILIES)} in {root}"],
        resolution=f"{release.id} {release.version} is not a release whose packages are {kinds}.",
    )


def family_of_file(artifact: Path) -> Family:
    """Return the family of a package file, by its first bytes; its name does not matter.

    Raises:
        NotAPackageError: the file is not a package of any family.
    """
    if not artifact.is_file():  # never open a pipe or a device
        raise NotAPackageError(f"{artifact} is not a file.", resolution="Give the path of a package.")
    longest = max(len(family.magic) for family in FAMILIES.values())
    try:
        with artifact.open("rb") as file:
            beginning = file.read(longest)
    except OSError as error:
        raise NotAPackageError(
            f"{artifact} cannot be read: {error.strerror}.", resolution="Give the path of a package."
        ) from error
    for family in FAMILIES.values():
        if beginning.startswith(family.magic):
            return family
    raise NotAPackageError(
        f"{artifact} is not a package of a known format ({', '.join(FAMILIES)}).",
        resolution="Give the path of a package.",
    )


def family_of_build_root(name: str) -> Family | None:
    """Return the family that bootstraps build roots of a distribution, ``debian``; None if none does."""
    return next((family for family in FAMILIES.values() if name in family.bootstraps), None)


def build_root_names(*, foreign: bool = False) -> tuple[str, ...]:
    """Return the distributions that venvpkg bootstraps; with ``foreign``, those possible for other processors."""
    families = (family for family in FAMILIES.values() if family.bootstraps_foreign or not foreign)
    return tuple(name for family in families for name in family.bootstraps)


def installer_of(family: Family, release: Release, root: Path) -> str:
    """Return the beginning of a command that installs packages in a root, for use on this machine."""
    command = family.host.install_command(release)
    return command if root.parent == root else f"chroot {root} {command}"


def installer(target: Target) -> str:
    """Return the beginning of a command that installs packages on the target, for use on this machine."""
    return installer_of(FAMILIES[target.family], target.release, target.root)
