"""PEP 440 versions in Debian's spelling. Pure."""

from __future__ import annotations

from packaging.version import Version


def to_debian(version: str) -> str:
    """Return the upstream version whose order under dpkg is that of PEP 440.

    Pre-releases get ``~``, development releases ``~~`` (one would sort after an alpha), post-releases and local
    versions ``+``, the latter with ``~`` so that ``1.0+x`` comes before ``1.0+post1``. Digits are kept as spelled:
    dpkg tells ``1.0`` and ``1.0.0`` apart.

    Source:
        Debian Policy 5.6.12; PEP 440.
    """
    parsed = Version(version)
    text = ".".join(map(str, parsed.release))
    if parsed.pre:
        text += "~" + "".join(map(str, parsed.pre))
    if parsed.post is not None:
        text += f"+post{parsed.post}"
    if parsed.dev is not None:
        text += f"~~dev{parsed.dev}"
    if parsed.local:
        text += f"+~{parsed.local}"
    return text
