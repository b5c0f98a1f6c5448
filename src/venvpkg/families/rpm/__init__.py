"""Everything that is particular to rpm packages and their releases."""
