"""Detect release, family, architecture and interpreter of this machine or of another root."""

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


# Machine name of a 64-bit kernel → machine in the wheel tags of 32-bit programs.
# Source: packaging.tags, which pip and uv follow.
_NARROW: Final = {"x86_64": "i686", "aarch64": "armv8l"}


def choose_release_python(family: str, release: Release) -> None:
    """Choose the release's own interpreter, which is None."""
    del family, release


def resolve_host(runner: Runner, root: Path = Path("/"), choice: Choice = choose_release_python) -> Target:
    """Return the target that this machine is, or that another root is.

    Args:
        runner: runs programs in the root.
        root: directory of its filesystem.
        choice: returns the interpreter that the user wants.

    Raises:
        ConfigurationError: the release cannot be detected.
        MissingToolError: the tools of the family or the interpreter are missing.
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
        machine=_machine_of_programs(interpreter.marker_environment["platform_machine"], processor),
        multiarch=identity.multiarch,
        root=root,
        interpreter=interpreter,
        marks=identity.marks,
    )


def installer_here(root: Path = Path("/")) -> str:
    """Return the command that installs packages on this machine, without the packages; empty if it is not known.

    It is for programs that venvpkg itself runs on this machine, whatever the target is.
    """
    try:
        release = read_release(root)
        return installer_of(family_of_release(release, root), release, Path("/"))
    except VenvpkgError:
        return ""


def _machine_of_programs(kernel: str, processor: Processor | None) -> str:
    """Return the machine of the root's programs; it differs from the kernel's on a 32-bit Raspberry Pi OS."""
    narrow = processor is not None and processor.bits == 32  # noqa: PLR2004
    return _NARROW.get(kernel, kernel) if narrow else kernel


# The values become parts of file names, wheel tags and package versions.
_SAFE = re.compile(r"[a-z0-9][a-z0-9._-]*")
_DISTRO_INFO: Final = "/usr/share/distro-info/debian.csv"
# By name, because Oracle Linux has ID_LIKE=fedora, and so has Amazon Linux, which is not a rebuild.
_ENTERPRISE = frozenset({"rhel", "centos", "almalinux", "rocky", "ol"})


def read_release(root: Path) -> Release:
    """Return the release of ``root`` from its os-release file.

    Debian testing and unstable share an os-release without a number. Both are ``sid`` until testing gets its number.

    Raises:
        ConfigurationError: the file does not exist, or names neither a numbered release nor Debian's next one.

    Source:
        os-release(5); /usr/share/distro-info/debian.csv of the package distro-info-data.
    """
    # Without include_lsb and include_uname, which would run programs of this machine although the root may be another.
    info = distro.LinuxDistribution(include_lsb=False, include_uname=False, root_dir=str(root))
    fields = info.os_release_info()
    identity, version = fields.get("id", "").lower(), fields.get("version_id", "")
    codename = fields.get("codename") or fields.get("version_codename", "")
    problems = []
    if identity == "debian" and not version and codename:
        upcoming = _number_of(codename, root)
        if upcoming:
            return Release(identity, "sid", codename, upcoming=upcoming)
        problems.append(f"the version number of {codename} is not known; the package distro-info-data lists it")
    if not _SAFE.fullmatch(identity):
        problems.append(f"ID is {identity!r}; expected a lower-case name such as 'debian'")
    if not _SAFE.fullmatch(version):
        problems.append(f"VERSION_ID is {version!r}; expected a number such as '12'")
    if problems:
        raise ConfigurationError(
            root / "etc/os-release",
            problems,
            resolution="Build for a numbered release; for Debian testing, install distro-info-data there.",
        )
    like = tuple(name for name in fields.get("id_like", "").lower().split() if _SAFE.fullmatch(name))
    return Release(*_compatible(identity, version, like), codename, like)


def _number_of(codename: str, root: Path) -> str:
    """Return the version number of a Debian release from the root's table, or this machine's; empty if unknown."""
    for layer in (root, Path("/")):
        view = LayeredRoot(layer)
        table = view.find(_DISTRO_INFO)
        if table is None or not table.is_file:
            continue
        lines = Path(view.on_host(table)).read_text(encoding="utf-8", errors="replace").splitlines()
        for row in csv.DictReader(lines):
            if row.get("series") == codename and (row.get("version") or "").isdecimal():
                return row["version"]
    return ""


def _compatible(identity: str, version: str, like: tuple[str, ...]) -> tuple[str, str]:
    """Return ID, and the part of VERSION_ID within which packages are binary compatible.

    Minor releases of RHEL and its rebuilds are ordinary updates, and share one ``%{?dist}``. A service pack of SUSE is
    a release of its own. Tumbleweed has no releases; its VERSION_ID is a date.

    Source:
        Red Hat's Application Compatibility Guide; openSUSE wiki, Portal:Tumbleweed.
    """
    if identity == "opensuse-tumbleweed":
        return "opensuse", "tumbleweed"
    if _ENTERPRISE & {identity, *like}:
        return identity, version.partition(".")[0]
    return identity, version
