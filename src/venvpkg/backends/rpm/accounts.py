"""What a package says of the accounts that it makes: ``user(…)`` and ``group(…)``. Pure."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_KINDS: Final = {"u": "user", "u!": "user", "g": "group"}
_WORDS: Final = 2
# Three bytes become four characters. Ends are filled with NUL, because the "=" that base64 has for them would be read
# as part of the relation.
_GROUP: Final = 3
# The one character of base64 that may not stand in a spec file's versions.
_UNFIT: Final = "/"


def account_provides(lines: Iterable[str]) -> Iterator[str]:
    """Yield ``user(app) = dSBhcHAgLSAt`` and ``group(app)`` for lines of sysusers.d(5), as rpm's own generator does.

    Other packages, and files of theirs, can then require the account; and rpm, from 4.19 on, makes it by what is
    encoded there before it unpacks anything. Older ones leave that to %post. Members of groups are left to %post by
    all of them: to require an account of another package by such a name would keep the package out of releases in
    which nothing has these names yet.

    Source:
        rpm-sysusers(7); rpm's macros file, ``add_sysuser``, for the spelling.
    """
    for line in lines:
        words = line.split()
        kind = _KINDS.get(words[0]) if len(words) >= _WORDS else None
        if kind is None or not _NAME.fullmatch(words[1]):
            continue
        encoded = _encoded(" ".join(words))
        yield f"{kind}({words[1]})" if _UNFIT in encoded else f"{kind}({words[1]}) = {encoded}"
        if kind == "user":
            yield f"group({words[1]})"


def _encoded(line: str) -> str:
    data = line.encode()
    return base64.b64encode(data.ljust(-(-len(data) // _GROUP) * _GROUP, b"\0")).decode()
