"""The target: where the package will be installed, and therefore where native code is compiled; and build roots."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


_USR: Final = PurePosixPath("/usr")
# EXT_SUFFIX of CPython and of PyPy; the flags mark a debug (d) or a free-threaded build (t).
_CPYTHON: Final = re.compile(r"\.cpython-(?P<version>\d+)(?P<flags>[a-z]*)-")
_PYPY: Final = re.compile(r"\.(?P<python>pypy\d+)-(?P<abi>pp\d+)-")


@dataclass(frozen=True, slots=True)
class Release:
    """An operating system release, from os-release(5).

    Attributes:
        id: ``debian``.
        version: version within which packages are binary compatible: ``12``, ``24.04``; ``9`` for every 9.x of RHEL.
            ``sid`` for Debian testing and unstable, which have no number yet.
        codename: empty if there is none.
        like: ids of related distributions (ID_LIKE), closest first.
        upcoming: future number of an unreleased version, ``14``; empty for a released one.
    """

    id: str
    version: str
    codename: str
    like: tuple[str, ...] = ()
    upcoming: str = ""

    @property
    def name(self) -> str:
        """``debian-12``, as in the configuration's tables."""
        return f"{self.id}-{self.version}"

    @property
    def tag(self) -> str:
        """``debian_12``, as in the platform tag of a vendor wheel."""
        return f"{self.id}_{self.version}".replace(".", "_").replace("-", "_").lower()

    @property
    def suffix(self) -> str:
        """``debian12``, as in a package version; ``debian14~sid`` sorts before the future ``debian14``."""
        return f"{self.id}{self.upcoming}~{self.version}" if self.upcoming else f"{self.id}{self.version}"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The target's interpreter, according to its own report.

    Attributes:
        path: its path on the target, ``/usr/bin/python3.11``.
        version: major, minor, patch of the language.
        ext_suffix: ``.cpython-311-x86_64-linux-gnu.so``; the ABI of extension modules.
        include: directory for its C headers on the target; contains Python.h if python3-dev is installed.
        marker_environment: values of the environment markers (PEP 508) on the target.
        glibc: major, minor of the target's glibc; None for another C library.
        prefix: its installation prefix; ``/usr``, ``/usr/local``, ``/opt/pypy``.
        identity: identifies this build of it; empty for the release's own, which its packages identify.
        distributions: normalised name and version of bundled distributions, such as PyPy's cffi; sorted.
    """

    path: PurePosixPath
    version: tuple[int, int, int]
    ext_suffix: str
    include: PurePosixPath
    marker_environment: Mapping[str, str]
    glibc: tuple[int, int] | None
    prefix: PurePosixPath = _USR
    identity: str = ""
    distributions: tuple[tuple[str, str], ...] = ()

    @property
    def minor(self) -> str:
        """``3.11``."""
        return f"{self.version[0]}.{self.version[1]}"

    @property
    def is_pypy(self) -> bool:
        """Whether it is PyPy rather than CPython."""
        return self.marker_environment.get("implementation_name") == "pypy"

    @property
    def is_default(self) -> bool:
        """Whether it is the release's own interpreter."""
        return not self.identity

    @property
    def name(self) -> str:
        """``python3.11``, ``python3.13t`` or ``pypy3.9``: name of the program and of its directory in ``lib``."""
        return f"{'pypy' if self.is_pypy else 'python'}{self.series}"

    @property
    def series(self) -> str:
        """``3.11``; ``3.13t`` for a free-threaded build."""
        return f"{self.minor}{'t' if 't' in self._flags else ''}"

    @property
    def tag(self) -> str:
        """``cp311`` or ``pp39``, the interpreter part of a wheel tag."""
        return f"{'pp' if self.is_pypy else 'cp'}{self.version[0]}{self.version[1]}"

    @property
    def abi(self) -> str:
        """``cp311``, ``cp313t``, ``cp311d`` or ``pypy39_pp73``, the ABI part of a wheel tag."""
        if found := _PYPY.match(self.ext_suffix):
            return f"{found['python']}_{found['abi']}"
        return f"{self.tag}{self._flags}"

    @property
    def title(self) -> str:
        """``Python 3.11.2``, or ``PyPy 7.3.11 with Python 3.9.16``, for messages."""
        version = f"Python {'.'.join(map(str, self.version))}{self._flags}"
        return f"PyPy {self.marker_environment['implementation_version']} with {version}" if self.is_pypy else version

    @property
    def _flags(self) -> str:
        found = _CPYTHON.match(self.ext_suffix)
        return found["flags"] if found else ""


@dataclass(frozen=True, slots=True)
class Target:
    """A release with its architecture, root and interpreter.

    Attributes:
        family: name of its package family, ``deb``; see ``families.registry``.
        release: operating system release.
        architecture: the family's name for the architecture, ``amd64``.
        machine: the kernel's name for the architecture, ``x86_64``.
        multiarch: Debian multiarch tuple, ``x86_64-linux-gnu``; empty where the release has none.
        root: its root filesystem on this machine.
        interpreter: the interpreter that runs the application: the release's own, or another one that the user chose.
        vendor_tag: platform tag for wheels compiled for it; empty for the default.
        accepts: platform tags of other releases whose wheels it accepts, best first.
        marks: names and texts that only the family's own modules know and read, such as rpm's ``dist``, ``.el9``.
    """

    family: str
    release: Release
    architecture: str
    machine: str
    multiarch: str
    root: Path
    interpreter: Interpreter
    vendor_tag: str = ""
    accepts: tuple[str, ...] = ()
    marks: tuple[tuple[str, str], ...] = ()

    def mark(self, name: str) -> str:
        """Return the text of one of ``marks``; empty when there is none."""
        return dict(self.marks).get(name, "")

    @property
    def is_host(self) -> bool:
        """Whether it is this machine."""
        return self.root.parent == self.root

    @property
    def name(self) -> str:
        """``debian-12-amd64``."""
        return f"{self.release.id}-{self.release.version}-{self.architecture}"

    @property
    def abi_name(self) -> str:
        """``debian-12-amd64-cp311``: identifies the ABI of wheels with native code."""
        return f"{self.name}-{self.interpreter.tag if self.interpreter.is_pypy else self.interpreter.abi}"

    @property
    def platform_tag(self) -> str:
        """``linux_x86_64_debian_12``, the platform tag of a vendor wheel."""
        return self.vendor_tag or f"linux_{self.machine}_{self.release.tag}"

    def on_host(self, path: PurePosixPath) -> Path:
        """Return the path on this machine of a path on the target. Nothing else converts between the two."""
        return self.root / path.relative_to("/")


@dataclass(frozen=True, slots=True)
class TagRule:
    """A site's rule for one platform tag.

    Attributes:
        build: tag to give to wheels compiled there instead; None for the tag itself.
        install: tags of other wheels that are accepted there, best first.
    """

    build: str | None = None
    install: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compatibility:
    """The effective rules, sorted by tag. Tags match exactly, without wildcards, and rules are not chained."""

    rules: tuple[tuple[str, TagRule], ...] = ()

    def apply_to(self, target: Target) -> Target:
        """Return the target with its vendor tag and accepted tags set by the rules."""
        rule = dict(self.rules).get(target.platform_tag)
        if rule is None:
            return target
        tag = rule.build or target.platform_tag
        # Wheels with the target's own tag are looked up in the wheelhouse by key, not by tag.
        accepts = tuple(dict.fromkeys(each for each in rule.install if each != tag))
        return replace(target, vendor_tag=rule.build or "", accepts=accepts)


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository of rpm packages.

    Attributes:
        name: its id.
        url: parent of its ``repodata``; ``$releasever`` stands for the release and ``{snapshot}`` for the date; dnf
            itself replaces ``$basearch``.
        keys: URLs of the keys that sign its packages. Without a key, signatures are not checked, with a warning.
    """

    name: str
    url: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BuildRootSettings:
    """The user's settings for one build root; empty values are filled in from this machine or by venvpkg.

    Attributes:
        sources: lines of sources.list(5), instead of lines derived from this machine's own; ``{snapshot}`` in them
            stands for the date.
        snapshot: a date as the snapshot mirror writes it.
        keyring: file or directory with the archive's keys; empty for the keys that apt trusts on this machine.
        options: lines of apt.conf(5), or ``key=value`` of dnf.conf(5).
        packages: packages to install in addition to those that every build needs.
        repositories: repositories of rpm packages.
    """

    sources: tuple[str, ...] = ()
    snapshot: str = ""
    keyring: str = ""
    options: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    repositories: tuple[Repository, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that determines the content of a build root, except the day it is bootstrapped.

    Attributes:
        target: the user's name for it, ``debian:trixie``.
        release: its release, ``trixie``.
        packages: packages to install, sorted.
        sources: lines of sources.list(5), for a deb release.
        repositories: repositories, for an rpm release.
        options: options of the package manager.
        keyring: see ``BuildRootSettings``.
        architecture: the family's name for the architecture; empty for this machine's.
        certificates: names and texts of this machine's local certificate authorities, trusted in the build root too.
    """

    target: str
    release: str
    packages: tuple[str, ...]
    sources: tuple[str, ...] = ()
    repositories: tuple[Repository, ...] = ()
    options: tuple[str, ...] = ()
    keyring: str = ""
    architecture: str = ""
    certificates: tuple[tuple[str, str], ...] = ()

    @property
    def digest(self) -> str:
        """Hexadecimal sha256 over all attributes."""
        return hashlib.sha256(json.dumps(dataclasses.asdict(self), sort_keys=True).encode()).hexdigest()
