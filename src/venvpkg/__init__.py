"""venvpkg: native OS packages from Python applications."""

from typing import Final

__version__: Final = "0.1.0"
