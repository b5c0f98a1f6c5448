"""The licence texts that every Debian system has."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

_PLACE: Final = PurePosixPath("/usr/share/common-licenses")

# SPDX identifier, without what it says of later versions → file. Source: Debian Policy 12.5.
COMMON_LICENSES: Final = {
    "Apache-2.0": _PLACE / "Apache-2.0",
    "Artistic-1.0-Perl": _PLACE / "Artistic",
    "CC0-1.0": _PLACE / "CC0-1.0",
    "GFDL-1.2": _PLACE / "GFDL-1.2",
    "GFDL-1.3": _PLACE / "GFDL-1.3",
    "GPL-1.0": _PLACE / "GPL-1",
    "GPL-2.0": _PLACE / "GPL-2",
    "GPL-3.0": _PLACE / "GPL-3",
    "LGPL-2.0": _PLACE / "LGPL-2",
    "LGPL-2.1": _PLACE / "LGPL-2.1",
    "LGPL-3.0": _PLACE / "LGPL-3",
    "MPL-1.1": _PLACE / "MPL-1.1",
    "MPL-2.0": _PLACE / "MPL-2.0",
}
