"""RPM packages: the backend of the family rpm."""

from venvpkg.backends.rpm.assemble import assemble
from venvpkg.backends.rpm.collisions import avoid_collisions, warn_of_namesake
from venvpkg.backends.rpm.compare import differences
from venvpkg.backends.rpm.depends import derive_dependencies
from venvpkg.backends.rpm.evidence import read_evidence
from venvpkg.backends.rpm.inspect import inspect
from venvpkg.backends.rpm.owners import packages_shipping
from venvpkg.backends.rpm.packers import packers
from venvpkg.backends.rpm.problems import problems
from venvpkg.backends.rpm.system import system_distributions

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
