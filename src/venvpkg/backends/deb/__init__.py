"""Debian packages: the backend of the family deb."""

from venvpkg.backends.deb.assemble import assemble
from venvpkg.backends.deb.collisions import avoid_collisions, warn_of_namesake
from venvpkg.backends.deb.compare import differences
from venvpkg.backends.deb.depends import derive_dependencies
from venvpkg.backends.deb.evidence import read_evidence
from venvpkg.backends.deb.inspect import inspect
from venvpkg.backends.deb.owners import packages_shipping
from venvpkg.backends.deb.packers import packers
from venvpkg.backends.deb.problems import problems
from venvpkg.backends.deb.system import system_distributions

__all__ = [
    "assemble",
    "avoid_collisions",
    "derive_dependencies",
    "differences",
    "inspect",
    "packages_shipping",
    "packers",
    "problems",
    "read_evidence",
    "system_distributions",
    "warn_of_namesake",
]
