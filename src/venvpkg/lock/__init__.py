"""Resolve, pin and download distributions."""
