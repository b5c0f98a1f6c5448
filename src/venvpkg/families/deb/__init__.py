"""Everything that is particular to Debian packages and their releases."""
