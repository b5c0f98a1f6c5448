"""Frozen values that cross a stage border. No I/O."""
