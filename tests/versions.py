"""Python versions that PEP 440 calls equal up to zeros, and all that comes before and after each."""

from __future__ import annotations

RELEASES = ("0", "0.0", "0.0.1", "1", "1.0", "1.0.0", "1.0.0.0", "1.0.0.0.0", "1.0.0.1", "1.0.0.0.1", "1.0.1", "1.1",
            "1.1.0", "1.10", "10", "10.0", "2024.1")  # fmt: skip
SUFFIXES = ("", ".dev1", "a1.dev2", "a1", "a1.post1", "rc1", "rc1+l", "+l", "+l.1", ".post1.dev1", ".post1",
            ".post1+l", ".post2", ".post10")  # fmt: skip
VERSIONS = tuple(f"{release}{suffix}" for release in RELEASES for suffix in SUFFIXES)
