"""Frozen values that stages pass on to each other. No I/O."""
