"""The record of a build: enough to repeat it."""
