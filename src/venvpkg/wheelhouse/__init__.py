"""Plan, compile, repack and keep vendor wheels."""
