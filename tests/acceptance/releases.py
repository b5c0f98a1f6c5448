"""The other release of Debian that packages are made for, what its root has, and what is kept of it between runs."""

from __future__ import annotations

from acceptance.cleanroot import codename, default_cache

RELEASE, VERSION, PYTHON = ("bookworm", "12", "3.11") if codename() == "trixie" else ("trixie", "13", "3.13")
COMPILERS = ("g++", "gcc", "make", "dpkg-dev", "python3-dev", "libpq-dev", "libxml2-dev", "libxslt1-dev")
# For building natively there, with a venvpkg of its own.
PACKAGES = (*COMPILERS, "python3-venv")
# A cache of venvpkg that is kept between runs, as a user's is: a system takes half a minute to make.
CACHE = default_cache() / "made"
