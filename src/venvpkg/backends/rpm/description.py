"""The Summary and %description of a package, out of what the application says of itself. Pure."""

from __future__ import annotations

from typing import Final

from venvpkg.backends.rpm.escape import prose
from venvpkg.backends.synopsis import synopsis_and_paragraphs

# What rpmlint takes for too long a line.
_LONGEST_SUMMARY: Final = 79


def summary_and_description(summary: str, text: str, package: str) -> tuple[str, str]:
    """Return both, not yet made literal; the description is never empty.

    Args:
        summary: one line.
        text: paragraphs, parted by empty lines; may be empty.
        package: its name.

    Source:
        Fedora Packaging Guidelines, "Summary and description": a capital letter, no full stop, not the name.
    """
    synopsis, paragraphs = synopsis_and_paragraphs(summary, text, package, longest=_LONGEST_SUMMARY)
    capital = synopsis[:1].upper() + synopsis[1:]
    return capital, prose("\n\n".join(paragraphs or [summary]))
