"""Targets whose packages are .rpm files."""

from venvpkg.targets.rpm.flags import read_flags
from venvpkg.targets.rpm.identity import read_identity
from venvpkg.targets.rpm.needs import headers_package, install_command, interpreter_packages, programs
from venvpkg.targets.rpm.packages import all_packages, build_packages, not_installed

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
