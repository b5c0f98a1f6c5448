"""Find the files that may stand where an earlier version of a package has a directory. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from venvpkg.families.rpm.files import LICENSES
from venvpkg.model.staged import PathKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import PurePosixPath

    from venvpkg.model.staged import PayloadPath


# Of names that are not given to directories. Without them the list would have every module of the package.
_SUFFIXES: Final = """
a bz2 c cc cfg conf cpp crt css csv cu cuh dat db desktop dll dylib eot exe f90 gif gz h hpp htm html ico in inc
ini ipynb j2 jar jinja jinja2 jpeg jpg js json key less lock log lua map md mjs mo mount npy npz o otf pc pdf pem
path php pkl png po pot proto ps1 pth pxd pxi py pyc pyd pyf pyi pyo pyx r rs rst rules scss service sh slice so
socket sql sqlite svg target tcl tex tif tiff timer tmpl toml ts ttf txt typed typ wasm whl woff woff2 xml xsd xsl
yaml yml zip
"""
_OF_FILES: Final = frozenset(f".{each}" for each in _SUFFIXES.split())
_METADATA: Final = (".dist-info", ".egg-info")


def replaceable(paths: Iterable[PayloadPath], prefix: PurePosixPath) -> Iterator[PurePosixPath]:
    """Yield the files that may replace a directory, in the order of the payload.

    What an earlier version had at a path is not known when this one is built. So they are all files but those whose
    name, or place, a directory would not have. rpm still refuses, by name, to replace the others.

    Source:
        Fedora Packaging Guidelines, "Scriptlets to replace a directory".
    """
    for each in paths:
        path = each.path
        is_named = path.suffix in _OF_FILES or ".so." in path.name or path.parent.suffix in _METADATA
        is_placed = path.parent == prefix / "bin" or path.is_relative_to(LICENSES)
        if each.kind is PathKind.FILE and not is_named and not is_placed:
            yield path


def lua_string(path: PurePosixPath) -> str:
    """Return a path as a string of Lua."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
