"""The Description of a package: a synopsis and folded paragraphs, out of what the application says of itself. Pure."""

from __future__ import annotations

import re
import textwrap

_WIDTH = 78
# When the first line below would repeat the synopsis, the paragraph is wrapped at the next of these.
_NARROWER = (66, 54, 42)
# Debian Policy 3.4.1.
_LONGEST_SYNOPSIS = 80

_ARTICLE = re.compile(r"(?:an?|the)\s+(?=\S)", re.IGNORECASE)
_NO_WORD = re.compile(r"[^a-z0-9]+")


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
    synopsis = synopsis_of(summary, package)
    paragraphs = [paragraph.strip() for paragraph in re.split(r"\n\s*\n", text) if paragraph.strip()]
    if len(synopsis) > _LONGEST_SYNOPSIS:
        if not paragraphs or not paragraphs[0].startswith(summary.rstrip(". ")):
            paragraphs.insert(0, summary)
        synopsis = re.sub(r"\W*…$", "…", textwrap.shorten(synopsis, _LONGEST_SYNOPSIS, placeholder="…"))
    elif paragraphs and _bare(paragraphs[0]) == _bare(synopsis):
        del paragraphs[0]
    lines: list[str] = []
    for paragraph in paragraphs:
        wrapped = _wrapped(paragraph, unlike="" if lines else synopsis)
        if lines:
            lines.append(" .")
        lines.extend(f"  {line}" if line.startswith(".") else f" {line}" for line in wrapped)
    return "\n".join((synopsis, *lines))


def synopsis_of(summary: str, package: str) -> str:
    """Return the summary as a synopsis: no full stop, no article, and not the package's name, which stands beside it.

    Source:
        Debian Policy 3.4.1; Debian Developer's Reference 6.2.2.
    """
    name = re.escape(package)
    synopsis = summary.rstrip(". ") or summary
    synopsis = re.sub(rf"^{name}(?:\s*[:,\u2013\u2014]|\s+-+|\s+is\b)\s*(?=\S)", "", synopsis, flags=re.IGNORECASE)
    synopsis = _ARTICLE.sub("", synopsis, count=1) if _ARTICLE.match(synopsis) else synopsis
    if re.match(rf"{name}(?!\w)", synopsis, re.IGNORECASE) or " " not in synopsis:
        return f"Python application: {synopsis}"
    return synopsis


def _wrapped(paragraph: str, unlike: str) -> list[str]:
    """Return the paragraph's lines; readers of a synopsis that is repeated below it see it twice."""
    tried = [
        textwrap.wrap(paragraph, width, break_long_words=False, break_on_hyphens=False)
        for width in (_WIDTH, *_NARROWER)
    ]
    return next((lines for lines in tried if lines and _bare(lines[0]) != _bare(unlike)), tried[0])


def _bare(text: str) -> str:
    return _NO_WORD.sub("", text.lower())
