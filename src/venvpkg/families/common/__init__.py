"""Code shared by all package families."""
