"""Compile vendor wheels: PEP 517, repack, debug symbols, diagnosis of failures."""
