"""venvpkg: native OS packages from Python applications."""
