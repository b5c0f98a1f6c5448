"""The flags with which an rpm release compiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from venvpkg.errors import MissingToolError
from venvpkg.targets.rpm.macros import expanded

if TYPE_CHECKING:
    from venvpkg.host.runner import Runner

# What %set_build_flags exports, and what stands for it where a release (SUSE) does not set it apart from %optflags.
_MACROS: Final = {
    "CFLAGS": "%{?build_cflags}%{!?build_cflags:%{?optflags}}",
    "CXXFLAGS": "%{?build_cxxflags}%{!?build_cxxflags:%{?optflags}}",
    "FFLAGS": "%{?build_fflags}%{!?build_fflags:%{?optflags}}",
    "FCFLAGS": "%{?build_fflags}%{!?build_fflags:%{?optflags}}",
    "LDFLAGS": "%{?build_ldflags}",
}
# Fedora's linker flags name the package that is being built by variables that only rpmbuild sets; without them gcc
# refuses to link.
_DEFINED: Final = {"_package_note_file": "%{nil}", "_package_note_flags": "%{nil}"}


def read_flags(runner: Runner) -> dict[str, str]:
    """Return what ``%set_build_flags`` would export; see ``Traits``.

    Source:
        rpm's macros.in; redhat-rpm-config's buildflags.md.
    """
    values = expanded(tuple(_MACROS.values()), runner, _DEFINED)
    flags = dict(zip(_MACROS, values, strict=True))
    if not flags["CFLAGS"].startswith("-") or not "".join(values).isprintable():
        raise MissingToolError(
            [f"an rpm that knows the release's compiler flags; its %build_cflags are {flags['CFLAGS'][:200]!r}"],
            install=["rpm-build"],
        )
    return flags
