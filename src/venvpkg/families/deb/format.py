"""The package format of the family deb."""

from venvpkg.families.deb.assemble import assemble
from venvpkg.families.deb.collisions import avoid_collisions, warn_if_name_taken
from venvpkg.families.deb.dependencies import derive_dependencies
from venvpkg.families.deb.interpreter import system_distributions
from venvpkg.families.deb.owners import packages_shipping, packaging_tool_versions
from venvpkg.families.deb.read import differences, inspect, read_evidence
from venvpkg.families.deb.relations import problems

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
