"""RPM packages: the backend of the family rpm."""

from venvpkg.families.rpm.assemble import assemble
from venvpkg.families.rpm.collisions import avoid_collisions, warn_if_name_taken
from venvpkg.families.rpm.dependencies import derive_dependencies
from venvpkg.families.rpm.interpreter import system_distributions
from venvpkg.families.rpm.owners import packages_shipping, packaging_tool_versions
from venvpkg.families.rpm.read import differences, inspect, read_evidence
from venvpkg.families.rpm.relations import problems

__all__ = [
    "assemble",
    "avoid_collisions",
    "derive_dependencies",
    "differences",
    "inspect",
    "packages_shipping",
    "packaging_tool_versions",
    "problems",
    "read_evidence",
    "system_distributions",
    "warn_if_name_taken",
]
