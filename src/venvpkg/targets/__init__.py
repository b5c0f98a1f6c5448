"""Targets: the systems that packages are built for, and how to run programs in them."""
