"""The Description of a package: a synopsis and folded paragraphs, out of what the application says of itself. Pure."""

from __future__ import annotations

import textwrap

from venvpkg.backends.synopsis import bare, synopsis_and_paragraphs

_WIDTH = 78
# When the first line below would repeat the synopsis, the paragraph is wrapped at the next of these.
_NARROWER = (66, 54, 42)
# Debian Policy 3.4.1.
_LONGEST_SYNOPSIS = 80


def folded_description(summary: str, text: str, package: str) -> str:
    """Return the value of Description: a synopsis, then folded lines.

    Args:
        summary: one line. When it is too long for a synopsis it is cut, and given whole below.
        text: paragraphs, parted by empty lines; may be empty.
        package: its name.

    Source:
        Debian Policy 3.4.1 and 5.6.13: a continuation line begins with a space; an empty line is a space and a full
        stop; a space, a full stop and more is reserved; two spaces mean verbatim.
    """
    synopsis, paragraphs = synopsis_and_paragraphs(summary, text, package, longest=_LONGEST_SYNOPSIS)
    lines: list[str] = []
    for paragraph in paragraphs:
        wrapped = _wrapped(paragraph, unlike="" if lines else synopsis)
        if lines:
            lines.append(" .")
        lines.extend(f"  {line}" if line.startswith(".") else f" {line}" for line in wrapped)
    return "\n".join((synopsis, *lines))


def _wrapped(paragraph: str, unlike: str) -> list[str]:
    """Return the paragraph's lines; readers of a synopsis that is repeated below it see it twice."""
    tried = [
        textwrap.wrap(paragraph, width, break_long_words=False, break_on_hyphens=False)
        for width in (_WIDTH, *_NARROWER)
    ]
    return next((lines for lines in tried if lines and bare(lines[0]) != bare(unlike)), tried[0])
