"""Targets that packages are built for: detect them, and run programs on them."""
