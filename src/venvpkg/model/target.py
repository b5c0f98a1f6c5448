"""Where the package will be installed, and therefore where native code is compiled."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


_USR: Final = PurePosixPath("/usr")
# EXT_SUFFIX of CPython, and of PyPy; the flags are those of a debug (d) or a free-threaded build (t).
_CPYTHON: Final = re.compile(r"\.cpython-(?P<version>\d+)(?P<flags>[a-z]*)-")
_PYPY: Final = re.compile(r"\.(?P<python>pypy\d+)-(?P<abi>pp\d+)-")


class Family(StrEnum):
    """Package family."""

    DEB = "deb"
    RPM = "rpm"


@dataclass(frozen=True, slots=True)
class Release:
    """An operating system release, from os-release(5).

    Attributes:
        id: ``debian``.
        version: the number whose packages are binary compatible: ``12``, ``24.04``; ``9`` for every 9.x of RHEL.
            ``sid`` for Debian's testing and unstable, which have none yet.
        codename: empty where there is none.
        like: the releases that it says it is like, nearest first.
        upcoming: the number that it will have, ``14``; empty for a release that has one.
    """

    id: str
    version: str
    codename: str
    like: tuple[str, ...] = ()
    upcoming: str = ""

    @property
    def name(self) -> str:
        """``debian-12``, as tables of the configuration name it."""
        return f"{self.id}-{self.version}"

    @property
    def tag(self) -> str:
        """``debian_12``, as in the platform tag of a vendor wheel."""
        return f"{self.id}_{self.version}".replace(".", "_").replace("-", "_").lower()

    @property
    def suffix(self) -> str:
        """``debian12``, as in a package version; ``debian14~sid`` sorts before the ``debian14`` that it will become."""
        return f"{self.id}{self.upcoming}~{self.version}" if self.upcoming else f"{self.id}{self.version}"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The target's interpreter, as it describes itself.

    Attributes:
        path: its place on the target, ``/usr/bin/python3.11``.
        version: major, minor, patch of the language.
        ext_suffix: ``.cpython-311-x86_64-linux-gnu.so``; the ABI of extension modules.
        include: directory of its C headers on the target; Python.h is there when python3-dev is installed.
        marker_environment: values of the environment markers (PEP 508) on the target.
        glibc: major, minor of the target's C library; None when it is another one.
        prefix: directory that holds all of it; ``/usr``, ``/usr/local``, ``/opt/pypy``.
        identity: tells its build from every other one; empty for the release's own, whose packages tell that.
        distributions: normalised name and version of those that come with it, such as PyPy's own cffi; sorted.
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
        """Whether it is PyPy; else it is CPython."""
        return self.marker_environment.get("implementation_name") == "pypy"

    @property
    def is_default(self) -> bool:
        """Whether it is the release's own."""
        return not self.identity

    @property
    def name(self) -> str:
        """``python3.11``, ``python3.13t`` or ``pypy3.9``: of the program, and of its directory below ``lib``."""
        return f"{'pypy' if self.is_pypy else 'python'}{self.series}"

    @property
    def series(self) -> str:
        """``3.11``; ``3.13t`` for a free-threaded build."""
        return f"{self.minor}{'t' if 't' in self._flags else ''}"

    @property
    def tag(self) -> str:
        """``cp311`` or ``pp39``, the first part of a wheel's tag."""
        return f"{'pp' if self.is_pypy else 'cp'}{self.version[0]}{self.version[1]}"

    @property
    def abi(self) -> str:
        """``cp311``, ``cp313t``, ``cp311d`` or ``pypy39_pp73``, the second part of a wheel's tag."""
        if found := _PYPY.match(self.ext_suffix):
            return f"{found['python']}_{found['abi']}"
        return f"{self.tag}{self._flags}"

    @property
    def title(self) -> str:
        """``Python 3.11.2``, or ``PyPy 7.3.11 with Python 3.9.16``, for people."""
        version = f"Python {'.'.join(map(str, self.version))}{self._flags}"
        return f"PyPy {self.marker_environment['implementation_version']} with {version}" if self.is_pypy else version

    @property
    def _flags(self) -> str:
        found = _CPYTHON.match(self.ext_suffix)
        return found["flags"] if found else ""


@dataclass(frozen=True, slots=True)
class Target:
    """A release with its architecture, root, interpreter.

    Attributes:
        family: package family.
        release: operating system release.
        architecture: the family's word for it, ``amd64``.
        machine: the kernel's word for it, ``x86_64``.
        multiarch: Debian multiarch tuple, ``x86_64-linux-gnu``; empty for the family rpm.
        root: its filesystem, on this machine.
        interpreter: what runs the application: the release's own, or another one that the user wants.
        vendor_tag: the platform tag of wheels that are compiled here; empty for the release's own.
        accepts: platform tags of other releases whose wheels serve here too, best first.
        dist: the family rpm's mark of the release in a package's release, ``.el9``; empty in other families.
        isa: the family rpm's mark of the architecture in a dependency, ``(x86-64)``.
    """

    family: Family
    release: Release
    architecture: str
    machine: str
    multiarch: str
    root: Path
    interpreter: Interpreter
    vendor_tag: str = ""
    accepts: tuple[str, ...] = ()
    dist: str = ""
    isa: str = ""

    @property
    def is_host(self) -> bool:
        """Whether it is this machine itself."""
        return self.root.parent == self.root

    @property
    def name(self) -> str:
        """``debian-12-amd64``."""
        return f"{self.release.id}-{self.release.version}-{self.architecture}"

    @property
    def abi_name(self) -> str:
        """``debian-12-amd64-cp311``: what wheels with native code are for."""
        return f"{self.name}-{self.interpreter.tag if self.interpreter.is_pypy else self.interpreter.abi}"

    @property
    def platform_tag(self) -> str:
        """``linux_x86_64_debian_12``, the mark of a vendor wheel."""
        return self.vendor_tag or f"linux_{self.machine}_{self.release.tag}"

    def on_host(self, path: PurePosixPath) -> Path:
        """Return where a target path is on this machine; the only place where the two kinds of path meet."""
        return self.root / path.relative_to("/")


@dataclass(frozen=True, slots=True)
class TagRule:
    """What a site decided for one platform tag.

    Attributes:
        build: the tag that wheels compiled there get instead; None for its own.
        install: tags whose wheels serve there too, best first.
    """

    build: str | None = None
    install: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compatibility:
    """The rules in force, sorted by tag. A tag is matched exactly: no wildcards, and no rule leads to another."""

    rules: tuple[tuple[str, TagRule], ...] = ()

    def applied_to(self, target: Target) -> Target:
        """Return the target with the tag that its wheels get, and the tags that it accepts beside that."""
        rule = dict(self.rules).get(target.platform_tag)
        if rule is None:
            return target
        tag = rule.build or target.platform_tag
        # The target's own builds lie under its own tag, and are found by everything that can change them.
        accepts = tuple(dict.fromkeys(each for each in rule.install if each != tag))
        return replace(target, vendor_tag=rule.build or "", accepts=accepts)
