"""Compose the description of a package from the application's: a synopsis and a few sentences. Pure."""

from __future__ import annotations

import re
import textwrap

# A README is a web page: badges, headings, tables, code. A package's description is a paragraph or two.
_LONGEST_INPUT = 20_000
_MOST_PARAGRAPHS = 2
_LONGEST_PARAGRAPH = 600
_FEWEST_WORDS = 5

_FENCE = re.compile(r"\s*(```|~~~)")
_HEADING = re.compile(r"#{1,6}(\s|$)")
_UNDERLINE = re.compile(r"([=\-~^\"'`#*+.:_])\1{2,}\s*")
# Lists, tables, HTML, quotes, images, link definitions, directives, fields, indented code.
_NOT_PROSE = re.compile(r"[*+-]\s|\d+[.)]\s|[|<>!]|\[[^\]]*\]:|\[!\[|\.\.(\s|$)|:[\w -]+:|\s")

_INLINE = (
    (re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)"), ""),  # image
    (re.compile(r"\[([^\]\n]*)\]\([^)\n]*\)"), r"\1"),  # Markdown link
    (re.compile(r"\[([^\]\n]*)\]\[[^\]\n]*\]"), r"\1"),  # Markdown reference
    (re.compile(r":[a-z]+:`([^`\n]*)`"), r"\1"),  # reStructuredText role
    (re.compile(r"`([^`<\n]*)\s<[^>`\n]*>`__?"), r"\1"),  # reStructuredText link
    (re.compile(r"``?([^`\n]*)``?_?"), r"\1"),  # literal
    (re.compile(r"\*\*([^*\n]*)\*\*"), r"\1"),  # strong
)


def leading_prose(text: str) -> str:
    """Return the first paragraphs of prose in a Markdown, reStructuredText or plain text; often none.

    Args:
        text: without control characters except newlines.

    Returns:
        0 to 2 paragraphs of one line each, separated by an empty line. The first heading, list or code after prose ends
        them: later paragraphs may refer to it.
    """
    found: list[str] = []
    for paragraph in _paragraphs(text[:_LONGEST_INPUT]):
        prose = _plain_prose(paragraph)
        if prose:
            found.append(prose)
        elif found:
            break
        if len(found) == _MOST_PARAGRAPHS:
            break
    return "\n\n".join(found)


def _paragraphs(text: str) -> list[list[str]]:
    """Return the blocks between empty lines; a fenced block is one block, whatever empty lines it has."""
    blocks: list[list[str]] = [[]]
    fenced = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
            if fenced:
                blocks.append([])
            blocks[-1].append(line)
            if not fenced:
                blocks.append([])
        elif fenced or line.strip():
            blocks[-1].append(line)
        else:
            blocks.append([])
    return [block for block in blocks if block]


def _plain_prose(lines: list[str]) -> str:
    if (
        _FENCE.match(lines[0])
        or _HEADING.match(lines[0])
        or any(_UNDERLINE.fullmatch(line) or _NOT_PROSE.match(line) for line in lines)
    ):
        return ""
    text = " ".join(" ".join(lines).split())
    if len(text) > 4 * _LONGEST_PARAGRAPH:
        return ""
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    text = " ".join(text.split())
    # A sentence that introduces code or a list is incomplete without it.
    if text.endswith(":") or len(text) > _LONGEST_PARAGRAPH or len(text.split()) < _FEWEST_WORDS:
        return ""
    return text


_ARTICLE = re.compile(r"(?:an?|the)\s+(?=\S)", re.IGNORECASE)
_NON_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")


def synopsis_and_paragraphs(summary: str, text: str, package: str, *, longest: int) -> tuple[str, list[str]]:
    """Return a synopsis, and paragraphs that do not just repeat it.

    Args:
        summary: one line. When it is too long for a synopsis, it is shortened, and becomes the first paragraph as well.
        text: paragraphs, separated by empty lines; may be empty.
        package: its name.
        longest: maximum length of a synopsis, in characters.
    """
    synopsis = synopsis_of(summary, package)
    paragraphs = [paragraph.strip() for paragraph in re.split(r"\n\s*\n", text) if paragraph.strip()]
    if len(synopsis) > longest:
        if not paragraphs or not paragraphs[0].startswith(summary.rstrip(". ")):
            paragraphs.insert(0, summary)
        synopsis = re.sub(r"\W*…$", "…", textwrap.shorten(synopsis, longest, placeholder="…"))
    elif paragraphs and normalise_wording(paragraphs[0]) == normalise_wording(synopsis):
        del paragraphs[0]
    return synopsis, paragraphs


def synopsis_of(summary: str, package: str) -> str:
    """Return the summary as a synopsis: without full stop, article, or the package's name at the beginning.

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


def normalise_wording(text: str) -> str:
    """Return only the letters and digits of a text, in lower case, to compare the wording of two lines."""
    return _NON_ALPHANUMERIC.sub("", text.lower())
