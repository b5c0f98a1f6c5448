"""One line that says what a package is, and what is left for its description. Pure."""

from __future__ import annotations

import re
import textwrap

_ARTICLE = re.compile(r"(?:an?|the)\s+(?=\S)", re.IGNORECASE)
_NO_WORD = re.compile(r"[^a-z0-9]+")


def synopsis_and_paragraphs(summary: str, text: str, package: str, *, longest: int) -> tuple[str, list[str]]:
    """Return a synopsis, and paragraphs that do not only repeat it.

    Args:
        summary: one line. When it is too long for a synopsis it is cut, and given whole as the first paragraph.
        text: paragraphs, parted by empty lines; may be empty.
        package: its name.
        longest: the most characters of a synopsis.
    """
    synopsis = synopsis_of(summary, package)
    paragraphs = [paragraph.strip() for paragraph in re.split(r"\n\s*\n", text) if paragraph.strip()]
    if len(synopsis) > longest:
        if not paragraphs or not paragraphs[0].startswith(summary.rstrip(". ")):
            paragraphs.insert(0, summary)
        synopsis = re.sub(r"\W*…$", "…", textwrap.shorten(synopsis, longest, placeholder="…"))
    elif paragraphs and bare(paragraphs[0]) == bare(synopsis):
        del paragraphs[0]
    return synopsis, paragraphs


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


def bare(text: str) -> str:
    """Return the letters and digits of a text, for comparing what two lines say."""
    return _NO_WORD.sub("", text.lower())
