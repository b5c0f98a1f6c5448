"""The packages that make a world a system of some family: its directories, accounts, identity, macros, repositories."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from rpmworld.layout import SHARED_DIRECTORIES
from rpmworld.recipes import RELEASE_SUFFIX, Directory, Recipe, Text
from rpmworld.tables import HERE, Addition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rpmworld.layout import Layout

# Where each root has the repository, for its own dnf or zypper.
REPOSITORY_IN_ROOT = "/srv/rpm-world/repo"
_RELEASE = f"1{RELEASE_SUFFIX}"
_CONFIG = "%config(noreplace)"
# As Fedora: its administrator and its programs write into it.
_EDITED = "%config(noreplace) %verify(not md5 size mtime mode)"
_FILES = HERE / "files"


class Flavour(StrEnum):
    """The family that a root belongs to."""

    FEDORA = "fedora"
    SUSE = "suse"


@dataclass(frozen=True, slots=True)
class Identity:
    """How a root of one flavour presents itself.

    Attributes:
        identifier, like: ID and ID_LIKE of os-release.
        version: VERSION_ID.
        database: the rpm database's directory, without leading slash.
        macros: what only this family defines.
        manager: the rpm package of its package manager.
        repositories: the directory of its repository files.
        configuration: the name of its package of build macros.
    """

    identifier: str
    like: str
    name: str
    version: str
    database: str
    macros: str
    manager: str
    repositories: str
    configuration: str

    @property
    def base(self) -> tuple[str, ...]:
        """The packages of our own that make a root this flavour, and its package manager."""
        return (f"{self.identifier}-release", f"{self.identifier}-repos", self.manager)


def identity(flavour: Flavour, suite: str) -> Identity:
    """Return how a flavour presents itself on the libraries of a Debian suite."""
    match flavour:
        case Flavour.FEDORA:
            major = {"bookworm": "9", "trixie": "10"}.get(suite, "11")
            macros = f"%rhel {major}\n%el{major} 1\n%dist .el{major}\n%_vendor redhat\n"
            return Identity(
                *("testrpm", "rhel centos fedora", "Test RPM Linux", f"{major}.0", "var/lib/rpm"),
                *(macros, "dnf", "etc/yum.repos.d", "redhat-rpm-config"),
            )
        case Flavour.SUSE:
            major, minor = {"bookworm": ("15", "6")}.get(suite, ("16", "0"))
            sle = f"%sle_version {major}0{minor}00\n" if major == "15" else ""  # Leap 16 has it no more
            macros = f"%suse_version {major}00\n{sle}%is_opensuse 1\n%_vendor suse\n"
            return Identity(
                *("testsuse", "suse opensuse", "Test SUSE Leap", f"{major}.{minor}", "usr/lib/sysimage/rpm"),
                *(macros, "zypper", "etc/zypp/repos.d", "rpm-config-SUSE"),
            )


def own_recipes(suite: str, layout: Layout) -> tuple[Recipe, ...]:
    """Return the packages of a suite's repository that no Debian package becomes, for all flavours."""
    made = [_filesystem(layout), _setup()]
    for flavour in Flavour:
        who = identity(flavour, suite)
        made += [_release(who, suite), _repositories(who), _configuration(who)]
    return tuple(made)


def _own(  # noqa: PLR0913  # each is one tag or kind of payload
    name: str,
    version: str,
    summary: str,
    texts: Mapping[str, Text],
    *,
    links: Mapping[str, str] | None = None,
    directories: Mapping[str, Directory] | None = None,
    provides: tuple[str, ...] = (),
    requires: tuple[str, ...] = ("filesystem",),
    conflicts: tuple[str, ...] = (),
) -> Recipe:
    return Recipe(
        *(name, version, _RELEASE, summary),
        is_noarch=True,
        texts=texts,
        links=links or {},
        directories=directories or {},
        addition=Addition({}, {}, provides, requires, conflicts),
    )


def _filesystem(layout: Layout) -> Recipe:
    return Recipe(
        *("filesystem", "3", _RELEASE, "The basic directory layout"),
        links=layout.shared_links,
        directories={path: Directory(mode) for path, mode in SHARED_DIRECTORIES.items()},
        addition=Addition({}, {}, ("filesystem(unmerged-sbin-symlinks)",)),
        owns_shared=True,
    )


def _setup() -> Recipe:
    users, groups = ((_FILES / name).read_text() for name in ("passwd", "group"))
    shadow, gshadow = (
        "".join(f"{line.partition(':')[0]}:*::::::\n" for line in users.splitlines()),
        "".join(f"{line.partition(':')[0]}:::\n" for line in groups.splitlines()),
    )
    profile = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin\nexport PATH\n"
    services = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n"
    texts = {
        "etc/passwd": Text(users, directive=_EDITED),
        "etc/group": Text(groups, directive=_EDITED),
        "etc/shadow": Text(shadow, 0o000, _EDITED),
        "etc/gshadow": Text(gshadow, 0o000, _EDITED),
        "etc/hosts": Text("127.0.0.1 localhost localhost.localdomain\n::1 localhost\n", directive=_EDITED),
        "etc/shells": Text("/bin/sh\n/bin/bash\n/usr/bin/sh\n/usr/bin/bash\n", directive=_EDITED),
        "etc/host.conf": Text("multi on\n", directive=_CONFIG),
        "etc/nsswitch.conf": Text(services, directive=_CONFIG),
        "etc/profile": Text(profile, directive=_CONFIG),
        "etc/ld.so.conf": Text("include ld.so.conf.d/*.conf\n", directive=_CONFIG),
        # first, so that ldd and the loader's cache say /lib64 as on Fedora
        "etc/ld.so.conf.d/00-lib64.conf": Text("/lib64\n/usr/local/lib64\n/usr/local/lib\n"),
    }
    return _own("setup", "2", "A set of system configuration files", texts)


def _release(who: Identity, suite: str) -> Recipe:
    major = who.version.partition(".")[0]
    platform = f'PLATFORM_ID="platform:el{major}"\n' if who.manager == "dnf" else ""
    os_release = (
        f'NAME="{who.name}"\nVERSION="{who.version}"\nID="{who.identifier}"\nID_LIKE="{who.like}"\n'
        f'VERSION_ID="{who.version}"\n{platform}PRETTY_NAME="{who.name} {who.version}"\n'
        f'CPE_NAME="cpe:/o:{who.identifier}:{who.identifier}:{who.version}"\nHOME_URL="https://example.invalid/"\n'
    )
    # Debian's rpm keeps its database in the home directory.
    macros = f"%_dbpath /{who.database}\n%_db_backend sqlite\n{who.macros}"
    provides: tuple[str, ...] = (f"system-release = {who.version}", f"distribution-release = {who.version}")
    links = {"etc/os-release": "../usr/lib/os-release"}
    texts = {"usr/lib/os-release": Text(os_release), "usr/lib/rpm/macros.d/macros.dist": Text(macros)}
    if who.manager == "dnf":
        provides += (f"redhat-release = {who.version}", f"system-release(releasever) = {major}")
        texts[f"etc/{who.identifier}-release"] = Text(f"{who.name} release {who.version} (Debian {suite} inside)\n")
        links |= {f"etc/{name}-release": f"{who.identifier}-release" for name in ("system", "redhat")}
    if who.database != "var/lib/rpm":
        links["var/lib/rpm"] = f"../../{who.database}"  # where some programs look all the same
    return _own(
        *(f"{who.identifier}-release", who.version, f"{who.name} release files", texts),
        links=links,
        directories={who.database: Directory()},
        provides=provides,
        conflicts=("distribution-release",),
    )


def _repositories(who: Identity) -> Recipe:
    text = (
        f"[rpm-world]\nname={who.name}\nbaseurl=file://{REPOSITORY_IN_ROOT}\nenabled=1\ngpgcheck=0\n"
        f"{'metadata_expire=-1' if who.manager == 'dnf' else 'autorefresh=0'}\n"
    )
    texts = {f"{who.repositories}/rpm-world.repo": Text(text, directive=_CONFIG)}
    requires = (f"{who.identifier}-release",)
    return _own(f"{who.identifier}-repos", who.version, f"{who.name} package repositories", texts, requires=requires)


def _configuration(who: Identity) -> Recipe:
    texts = {"usr/lib/rpm/macros.d/macros.build": Text((_FILES / "macros.build").read_text())}
    provides = ("system-rpm-config = 1",)
    requires = (f"{who.identifier}-release",)
    return _own(who.configuration, "1", f"{who.name} rpm configuration", texts, provides=provides, requires=requires)
