"""Resolve distributions and build requirements, and pin them with hashes."""
