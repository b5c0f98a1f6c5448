"""Targets whose packages are .deb files."""

from venvpkg.targets.deb.flags import read_flags
from venvpkg.targets.deb.identity import read_identity
from venvpkg.targets.deb.needs import headers_package, install_command, interpreter_packages, programs
from venvpkg.targets.deb.packages import all_packages, build_packages, not_installed

__all__ = [
    "all_packages",
    "build_packages",
    "headers_package",
    "install_command",
    "interpreter_packages",
    "not_installed",
    "programs",
    "read_flags",
    "read_identity",
]
