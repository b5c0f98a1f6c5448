"""Query a target with rpm: macros, compiler flags, architecture, programs, installed packages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from venvpkg.errors import MissingToolError, PackageDatabaseError
from venvpkg.families.base import Identity, Program, Purpose
from venvpkg.families.rpm.database import errors_of
from venvpkg.host.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from venvpkg.families.base import Packages
    from venvpkg.host.command import Completed, Runner
    from venvpkg.model.target import Interpreter, Release, Target


# Separates the expansions, each of which may have several lines.
_MARK: Final = "@venvpkg@"


def expand_macros(macros: Sequence[str], runner: Runner, defined: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the expansion of each of ``macros``, with white space collapsed.

    Args:
        macros: such as ``%{?dist}``.
        runner: runs rpm on the target.
        defined: macros to override.

    Raises:
        MissingToolError: rpm is not installed, or failed to expand them.

    Source:
        rpm(8), --eval and --define.
    """
    options = [word for name, value in (defined or {}).items() for word in ("--define", f"{name} {value}")]
    words = [word for macro in macros for word in ("--eval", macro, "--eval", _MARK)]
    done = runner.run(Command(("rpm", *options, *words), timeout_s=60))
    parts = done.text.split(f"{_MARK}\n")
    if not done.ok or len(parts) != len(macros) + 1:
        raise MissingToolError(
            [f"an rpm that expands macros: {done.outcome()} {done.errors.strip()[-300:]}".rstrip()],
            resolution="The target must have rpm itself, as every release with .rpm packages has.",
        )
    return tuple(" ".join(part.split()) for part in parts[:-1])


# What %set_build_flags exports, and what stands for it where a release (SUSE) does not set it apart from %optflags.
_MACROS: Final = {
    "CFLAGS": "%{?build_cflags}%{!?build_cflags:%{?optflags}}",
    "CXXFLAGS": "%{?build_cxxflags}%{!?build_cxxflags:%{?optflags}}",
    "FFLAGS": "%{?build_fflags}%{!?build_fflags:%{?optflags}}",
    "FCFLAGS": "%{?build_fflags}%{!?build_fflags:%{?optflags}}",
    "LDFLAGS": "%{?build_ldflags}",
}
# Fedora's linker flags describe the package in variables that only rpmbuild sets, and gcc fails without them.
_DEFINED: Final = {"_package_note_file": "%{nil}", "_package_note_flags": "%{nil}"}


def read_flags(runner: Runner) -> dict[str, str]:
    """Return what ``%set_build_flags`` would export; see ``families.base``.

    Source:
        rpm's macros.in; redhat-rpm-config's buildflags.md.
    """
    values = expand_macros(tuple(_MACROS.values()), runner, _DEFINED)
    flags = dict(zip(_MACROS, values, strict=True))
    if not flags["CFLAGS"].startswith("-") or not "".join(values).isprintable():
        raise MissingToolError(
            [f"an rpm that knows the release's compiler flags; its %build_cflags are {flags['CFLAGS'][:200]!r}"],
            install=["rpm-build"],
        )
    return flags


# Marks of a target: of the release in a package's release, ``.el9``; of the architecture in a dependency, ``(x86-64)``.
DIST: Final = "dist"
ISA: Final = "isa"

_ARCHITECTURE = re.compile(r"[a-z0-9_]+")
# It becomes part of a package's release, which must not contain a hyphen.
_DIST = re.compile(r"(\.[A-Za-z0-9_+~^.]+)?")
_ISA = re.compile(r"(\([a-z0-9_-]+\))?")


def read_identity(release: Release, multiarch: str, runner: Runner, kernel: str = "") -> Identity:
    """Return the target's architecture, ``%dist`` and ``%_isa``; see ``families.base``.

    There are no multiarch directories, whatever the interpreter says: Fedora's was told at its build.

    openSUSE's rpm has no ``%dist``; there the mark is made of the release's own words. Without any, packages for two
    releases would have one name, and the one for the later release would not be the newer.

    Source:
        rpm's macros ``_target_cpu``, ``_isa`` and ``dist``; Fedora's Packaging Guidelines, DistTag.
    """
    del multiarch
    architecture, isa, dist = expand_macros(("%{_target_cpu}", "%{?_isa}", "%{?dist}"), runner)
    shapes = ((_ARCHITECTURE, architecture), (_ISA, isa), (_DIST, dist))
    if not all(shape.fullmatch(text) for shape, text in shapes):
        raise MissingToolError(
            [f"an rpm with a valid architecture; the installed one reports {(architecture, isa, dist)!r}"],
            resolution=f"Repair the macros of rpm on {release.id} {release.version}.",
        )
    if kernel and _kernel_word(architecture) != kernel:
        raise MissingToolError(
            [f"an rpm for {kernel}, like its programs; the installed one builds packages for {architecture}"],
            resolution="If /etc/rpm/platform on the target sets the architecture, remove that file.",
        )
    own = "." + re.sub(r"[^a-z0-9.]", "", f"{release.id}{release.version}")
    return Identity(architecture, marks=((DIST, dist or own), (ISA, isa)))


def _kernel_word(architecture: str) -> str:
    """Return the kernel's name for the processor of an rpm architecture: i686 for i586, x86_64 for x86_64_v2."""
    plain = re.sub(r"_v\d$", "", architecture)
    return re.sub(r"^armv.*", "arm", re.sub(r"^i[3-6]86$|^athlon$|^geode$", "i686", plain))


def programs() -> tuple[Program, ...]:
    """Return what a build runs; see ``families.base``.

    Where the release keeps its compiler flags in a package of their own (redhat-rpm-config), rpm-build brings it.
    """
    return (
        Program("rpm", "rpm", Purpose.ALWAYS),
        Program("rpmbuild", "rpm-build", Purpose.ALWAYS),
        Program("gcc", "gcc", Purpose.COMPILE),
        Program("g++", "gcc-c++", Purpose.COMPILE),
        Program("make", "make", Purpose.COMPILE),
        Program("strip", "binutils", Purpose.COMPILE),
    )


def headers_package(interpreter: Interpreter, release: Release) -> str | None:
    """Return ``python3-devel``, as every family member names that of its default interpreter; see ``families.base``."""
    if interpreter.is_default:
        return "python3-devel"
    if not interpreter.path.is_relative_to("/usr/bin"):
        return None
    return interpreter_packages(interpreter.name, release)[1]


def interpreter_packages(wanted: str, release: Release) -> tuple[str, ...]:
    """Return ``python3.12`` and ``python3.12-devel``; of SUSE ``python312-base`` and ``python312-devel``.

    Source:
        The spec files python3.12 of Fedora and of EL 9, whose free-threaded builds are in python3.13-freethreading,
        and python312 of openSUSE.
    """
    if wanted.startswith("/"):
        return ()
    name = wanted if wanted[0].isalpha() else f"python{wanted}"
    if _is_suse(release):
        plain = name.replace(".", "")
        return (f"{plain}-base" if plain != "python3" and plain.startswith("python") else plain, f"{plain}-devel")
    if name.endswith("t"):
        return (f"{name[:-1]}-freethreading", f"{name[:-1]}-freethreading-devel")
    return (name, f"{name}-devel")


def install_command(release: Release) -> str:
    """Return dnf's, or zypper's where the release is SUSE's."""
    return "zypper install --no-recommends" if _is_suse(release) else "dnf install --setopt=install_weak_deps=False"


def _is_suse(release: Release) -> bool:
    return any(name.startswith(("opensuse", "suse", "sle")) for name in (release.id, *release.like))


_FORMAT: Final = r"%{NAME}.%{ARCH}\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\n"
_LINE: Final = re.compile(r"[^\s\t]+\.[^\s.]+\t\d+:[^\s]+")
# Imported signing keys are listed like packages, but have no effect on a build.
_NO_PACKAGE: Final = "gpg-pubkey."
# Headers, compilers, the libraries they always link, and the macros with the flags, but no debuginfo. SUSE puts a
# number into the names of compilers (gcc13-c++) and an underscore before that of libgcc_s1.
_NAMES: Final = re.compile(
    r".*-(devel|headers|static)(-.*)?|(kernel|glibc)-.*|glibc|libgcc(_s1)?|libstdc\+\+\d*|libxcrypt|libcrypt1"
    r"|(gcc|cpp|clang|llvm|lld|libgfortran|rust|cargo|golang|binutils|make|cmake|ninja-build|ninja|meson|swig"
    r"|patchelf|annobin|pkgconf|pkg-config|autoconf|automake|libtool)[\d.]*(-.*)?"
    r"|(redhat|openEuler|suse|almalinux|amazon)-rpm-config|rpm-config-SUSE|.*-rpm-macros|.*-srpm-macros"
)
_PYPY: Final = re.compile(r"pypy3?(\.\d+)?(-libs)?")
_PYTHON: Final = re.compile(r"python(\d)\.?(\d*)(-.*)?")


def build_packages(target: Target, runner: Runner) -> Packages:
    """Return name (``libpq-devel.x86_64``) and version of what can change a compile; see ``families.base``.

    Other minors of Python than the target's interpreter are not listed.
    """
    return tuple(
        each
        for each in all_packages(target, runner)
        if _affects_compile(each[0].rpartition(".")[0], target.interpreter)
    )


def all_packages(target: Target, runner: Runner) -> Packages:
    """Return name and version of every installed package. Several of one name are one, with all versions.

    Source:
        rpm(8), Query Options.
    """
    done = runner.run(Command(("rpm", "--query", "--all", "--queryformat", _FORMAT), timeout_s=120))
    lines = done.text.splitlines()
    if not done.ok or not all(map(_LINE.fullmatch, lines)) or not lines:
        raise _database_error(f"rpm could not list the packages of {target.name}", done)
    found: dict[str, list[str]] = {}
    for line in lines:
        name, _, version = line.partition("\t")
        if not name.startswith(_NO_PACKAGE):
            found.setdefault(name, []).append(version)
    return tuple(sorted((name, " ".join(sorted(versions))) for name, versions in found.items()))


def not_installed(wanted: Iterable[str], runner: Runner) -> tuple[str, ...]:
    """Return those that no installed package is or provides; see ``families.base``."""
    missing = []
    for name in dict.fromkeys(wanted):
        done = runner.run(Command(("rpm", "--query", "--whatprovides", "--", name), timeout_s=60))
        if not done.ok:
            if done.returncode != 1 or errors_of(done):
                raise _database_error(f"rpm could not determine whether {name} is installed", done)
            missing.append(name)
    return tuple(missing)


def _affects_compile(name: str, interpreter: Interpreter) -> bool:
    if interpreter.is_pypy and _PYPY.fullmatch(name):
        return True
    python = _PYTHON.fullmatch(name)
    if python is not None:
        major, own = interpreter.minor.split(".")
        part = python[3] or ""
        is_own = python[1] == major and python[2] in {"", own}
        return is_own and part in {"", "-libs", "-devel", "-base", "-debug", "-minimal"}
    return _NAMES.fullmatch(name) is not None


def _database_error(what: str, done: Completed) -> PackageDatabaseError:
    return PackageDatabaseError(
        f"{what}: {done.outcome()}.",
        details="\n".join(f"  {line}" for line in done.errors.strip()[-1000:].splitlines()),
        resolution="Repair its database: rpm --rebuilddb.",
    )
