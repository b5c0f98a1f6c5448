"""Write outside values into a spec file so that rpm reads them as they are. Pure.

Source:
    rpm's manual, "Macro syntax" and "Spec file format".
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import PurePosixPath

_WIDTH: Final = 78
# Line breaks and controls of every reader.
UNFIT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PLAIN: Final = re.compile(r"[^A-Za-z0-9._+@,:=~/\x80-\U0010ffff-]")


def literal(text: str) -> str:
    """Return text that no macro is expanded in: neither ``%{lua:…}`` nor ``%(…)``."""
    return text.replace("%", "%%")


def prose(paragraphs: str) -> str:
    """Return wrapped paragraphs as they stand in a %description, still to be made ``literal``.

    rpm looks for directives (``%if``, ``%include``, ``%files``) in what a line is after macros were expanded, where
    ``%%include`` is ``%include``, and leaves lines out that begin with ``#``. No line begins so here: words that do are
    kept on the line of the word before, and a paragraph that does is made an item of a list.
    """
    blocks = []
    for paragraph in re.split(r"\n\s*\n", paragraphs):
        text = " ".join(paragraph.split())
        if text:
            text = f"- {text}" if text[0] in "%#" else text
            # A no-break space is no place to wrap at.
            held = re.sub(r" (?=[%#])", "\u00a0", text)
            blocks.append("\n".join(_wrapped(held)).replace("\u00a0", " "))
    return "\n\n".join(blocks)


def _wrapped(text: str) -> list[str]:
    # Not break_on_hyphens: a line could begin with what follows one.
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def pattern(path: PurePosixPath) -> str:
    """Return a pattern for %files that matches ``path``, whatever characters are in it.

    How quotes, backslashes and brackets are read there has changed from release to release of rpm; that a question
    mark stands for one character has not. A pattern that matches a second path does no harm: everything in the
    buildroot is packed anyway, and what was packed is compared with what was to be.
    """
    return _PLAIN.sub("?", str(path))
