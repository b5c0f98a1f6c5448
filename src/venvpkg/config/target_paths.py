"""Which paths on the target a package may have. Pure patterns, in the words that Python and ECMA 262 share."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

# Debian Policy 9.1.1, 9.1.2, 9.1.4 (FHS 3.0): places of the administrator, of users, of the kernel, of one boot; and
# the old names of directories in /usr, under which dpkg would not recognise the file again.
_FOREIGN: Final = (
    "bin|boot|dev|home|lib|lib32|lib64|libx32|media|mnt|proc|root|run|sbin|sys|tmp|usr/local|var/run|var/lock|var/tmp"
    "|DEBIAN"
)
# Written into activate scripts and shebangs as it is, so it may hold nothing that a shell would quote. What is in /etc
# is configuration, each module a conffile, and directories of programs have no directories in them (FHS 3.0, 4.4).
PREFIX: Final = rf"(?!/(?:{_FOREIGN}|etc|usr/bin|usr/sbin)(?:/|$))(/(?!\.\.?(/|$))[A-Za-z0-9._+-]+){{2,}}"
FILE_TARGET: Final = rf"/(?!(?:{_FOREIGN})(?:/|$))((?!\.\.?(/|$))[^/\x00-\x1f\x7f]+/)+((?!\.\.?$)[^/\x00-\x1f\x7f]+)?"

# What programs make when they run (FHS 3.0, chapter 5): something of the package's own in there, in words that neither
# shell nor spec file reads anything into, and not what the package managers keep.
STATE: Final = (
    r"/var/(?:cache|lib|log|opt|spool)/(?!(?:apt|dnf|dpkg|private|rpm|zypp)(?:/|$))"
    r"[A-Za-z0-9_][A-Za-z0-9_.+-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*/?"
)


def target_path(text: str) -> PurePosixPath:
    """Return the path that a string is."""
    return PurePosixPath(text)
