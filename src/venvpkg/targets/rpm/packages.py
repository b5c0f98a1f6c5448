"""The installed packages of a target, from rpm's database."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from venvpkg.errors import PackageDatabaseError
from venvpkg.host.runner import Command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvpkg.host.runner import Completed, Runner
    from venvpkg.model.target import Interpreter, Target
    from venvpkg.targets.traits import Packages

_FORMAT: Final = r"%{NAME}.%{ARCH}\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\n"
_LINE: Final = re.compile(r"[^\s\t]+\.[^\s.]+\t\d+:[^\s]+")
# Keys that are imported for signatures are in the database like packages; they come and go without a change.
_NO_PACKAGE: Final = "gpg-pubkey."
# Headers, compilers, what they link without being asked, and the macros that hold the flags. Debuginfo is not among
# them. SUSE puts a number into the names of compilers (gcc13-c++) and an underscore before that of libgcc_s1.
_NAMES: Final = re.compile(
    r".*-(devel|headers|static)(-.*)?|(kernel|glibc)-.*|glibc|libgcc(_s1)?|libstdc\+\+\d*|libxcrypt|libcrypt1"
    r"|(gcc|cpp|clang|llvm|lld|libgfortran|rust|cargo|golang|binutils|make|cmake|ninja-build|ninja|meson|swig"
    r"|patchelf|annobin|pkgconf|pkg-config|autoconf|automake|libtool)[\d.]*(-.*)?"
    r"|(redhat|openEuler|suse|almalinux|amazon)-rpm-config|rpm-config-SUSE|.*-rpm-macros|.*-srpm-macros"
)
_PYPY: Final = re.compile(r"pypy3?(\.\d+)?(-libs)?")
_PYTHON: Final = re.compile(r"python(\d)\.?(\d*)(-.*)?")


def build_packages(target: Target, runner: Runner) -> Packages:
    """Return name (``libpq-devel.x86_64``) and version of what can change a compile; see ``Traits``.

    Other minors of Python than the target's interpreter are not listed.
    """
    return tuple(
        each for each in all_packages(target, runner) if _takes_part(each[0].rpartition(".")[0], target.interpreter)
    )


def all_packages(target: Target, runner: Runner) -> Packages:
    """Return name and version of every installed package; see ``Traits``. Several of one name are one, all versions.

    Source:
        rpm(8), Query Options.
    """
    done = runner.run(Command(("rpm", "--query", "--all", "--queryformat", _FORMAT), timeout_s=120))
    lines = done.text.splitlines()
    if not done.ok or not all(map(_LINE.fullmatch, lines)) or not lines:
        raise _unreadable(f"rpm cannot list the packages of {target.name}", done)
    found: dict[str, list[str]] = {}
    for line in lines:
        name, _, version = line.partition("\t")
        if not name.startswith(_NO_PACKAGE):
            found.setdefault(name, []).append(version)
    return tuple(sorted((name, " ".join(sorted(versions))) for name, versions in found.items()))


def not_installed(wanted: Iterable[str], runner: Runner) -> tuple[str, ...]:
    """Return those that no installed package is or provides; see ``Traits``."""
    lacking = []
    for name in dict.fromkeys(wanted):
        done = runner.run(Command(("rpm", "--query", "--whatprovides", "--", name), timeout_s=60))
        if not done.ok:
            if done.returncode != 1 or done.errors.strip():
                raise _unreadable(f"rpm cannot tell whether {name} is installed", done)
            lacking.append(name)
    return tuple(lacking)


def _takes_part(name: str, interpreter: Interpreter) -> bool:
    if interpreter.is_pypy and _PYPY.fullmatch(name):
        return True
    python = _PYTHON.fullmatch(name)
    if python is not None:
        major, own = interpreter.minor.split(".")
        part = python[3] or ""
        is_own = python[1] == major and python[2] in {"", own}
        return is_own and part in {"", "-libs", "-devel", "-base", "-debug", "-minimal"}
    return _NAMES.fullmatch(name) is not None


def _unreadable(what: str, done: Completed) -> PackageDatabaseError:
    return PackageDatabaseError(
        f"{what}: {done.outcome()}.",
        details="\n".join(f"  {line}" for line in done.errors.strip()[-1000:].splitlines()),
        resolution="Repair its database: rpm --rebuilddb.",
    )
