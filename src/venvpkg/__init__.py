"""venvpkg: native OS packages from Python applications."""

__version__ = "0.1.0"
