"""Recognise the system in a root, this machine's own or another's."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import distro  # noqa: TID251

from venvpkg.errors import ConfigurationError, VenvpkgError
from venvpkg.families.registry import family_of_release, installer_of
from venvpkg.host.layers import LayeredRoot
from venvpkg.model.target import Release, Target
from venvpkg.targets.interpreter import read_interpreter
from venvpkg.targets.processor import processor_of

if TYPE_CHECKING:
    from venvpkg.host.command import Runner
    from venvpkg.targets.interpreter import Choice
    from venvpkg.targets.processor import Processor


# What a kernel of 64 bits calls itself → what wheels for programs of 32 bits there are marked with.
# Source: packaging.tags, which pip and uv follow.
_NARROW: Final = {"x86_64": "i686", "aarch64": "armv8l"}


def release_own(family: str, release: Release) -> None:
    """Choose the release's own interpreter."""
    del family, release


def resolve_host(runner: Runner, root: Path = Path("/"), choice: Choice = release_own) -> Target:
    """Return release, family, architecture and interpreter of this machine, or of another root.

    Args:
        runner: runs programs there.
        root: its filesystem.
        choice: which interpreter the user wants there.

    Raises:
        ConfigurationError: the release cannot be told.
        MissingToolError: it has no tools of its family, or no interpreter.
    """
    release = read_release(root)
    family = family_of_release(release, root)
    wanted = choice(family.name, release)
    packages = family.host.interpreter_packages(wanted, release)[:1] if wanted is not None else ("python3",)
    interpreter, multiarch = read_interpreter(runner, root, wanted, packages, installer_of(family, release, root))
    processor = processor_of(root)
    identity = family.host.read_identity(release, multiarch, runner, processor.kernel if processor else "")
    return Target(
        family=family.name,
        release=release,
        architecture=identity.architecture,
        machine=_machine(interpreter.marker_environment["platform_machine"], processor),
        multiarch=identity.multiarch,
        root=root,
        interpreter=interpreter,
        marks=identity.marks,
    )


def installer_here(root: Path = Path("/")) -> str:
    """Return the beginning of a command that installs packages on this machine; empty where its release is not known.

    For the programs that venvpkg itself runs here, whatever the target is.
    """
    try:
        release = read_release(root)
        return installer_of(family_of_release(release, root), release, Path("/"))
    except VenvpkgError:
        return ""


def _machine(kernel: str, processor: Processor | None) -> str:
    """Return the machine of the system's programs, which is not the kernel's own on a Raspberry Pi of 32 bits."""
    narrow = processor is not None and processor.bits == 32  # noqa: PLR2004
    return _NARROW.get(kernel, kernel) if narrow else kernel


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
