"""What an archive from outside may contain: names and sizes. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

# Far above any distribution on the index that is of use in a package, far below what fills a disk unnoticed.
MAX_MEMBERS = 200_000
MAX_TOTAL_BYTES = 8 << 30
# deflate reaches about 1000:1 on zeros alone; code, data tables and libraries stay below 50:1.
MAX_RATIO = 200
RATIO_COUNTS_ABOVE_BYTES = 256 << 20
MAX_NAME_LENGTH = 1024


def name_problem(name: str) -> str | None:
    """Return why a member's name cannot be used as a relative path with forward slashes, or None.

    The name of a directory comes without its trailing slash.
    """
    checks = (
        (name.startswith("/"), "is an absolute path"),
        ("\\" in name, "has a backslash in its name"),
        (any(part in {"", ".", ".."} for part in name.split("/")), "leaves the tree or is not a plain path"),
        (any(unicodedata.category(each) in {"Cc", "Cs"} for each in name), "has control characters or broken text"),
        (len(name) > MAX_NAME_LENGTH, "has a name that is too long"),
    )
    return next((problem for is_so, problem in checks if is_so), None)


@dataclass(slots=True)
class Budget:
    """Counts what an archive unpacks to, while it is read."""

    packed_bytes: int
    members: int = 0
    total_bytes: int = 0

    def excess(self, size_bytes: int) -> str | None:
        """Count one more member; return what is too much, or None."""
        self.members += 1
        self.total_bytes += size_bytes
        if self.members > MAX_MEMBERS:
            return f"has more than {MAX_MEMBERS} members"
        if self.total_bytes > MAX_TOTAL_BYTES:
            return f"unpacks to more than {MAX_TOTAL_BYTES >> 30} GiB"
        if self.total_bytes > RATIO_COUNTS_ABOVE_BYTES and self.total_bytes > MAX_RATIO * self.packed_bytes:
            return f"unpacks to more than {MAX_RATIO} times its size"
        return None
