"""The bill of materials of a package."""
