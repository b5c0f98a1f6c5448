"""Make text from outside safe for a line of a control file, or for a terminal; keep secrets out of it. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final, TypeVar, cast

# Characters that end a line for some reader: dpkg knows only the newline, Python's str.splitlines all of them.
_BREAKS = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")

# Cc: controls; Cs: halves of surrogate pairs, which cannot be encoded. Characters that this Python does not know yet
# (Cn) stay: the package must not depend on the Unicode version of the interpreter that runs venvpkg.
_UNFIT = {"Cc", "Cs"}

# Invisible, or change the writing direction, so that text is not what it looks like (Unicode TR 36, 2.5).
_DECEPTIVE = {
    *map(chr, range(0x202A, 0x202F)),
    *map(chr, range(0x2066, 0x206A)),
    *map(chr, range(0xE0000, 0xE0080)),
    "\u061c", "\u200b", "\u200e", "\u200f", "\u2060", "\ufeff",
}  # fmt: skip


def one_line(value: str, longest: int = 500) -> str:
    """Return the text as one line: white space becomes single spaces, unprintable and deceptive characters are dropped.

    Args:
        value: text from outside.
        longest: maximum number of characters; a longer text is cut and ends in an ellipsis.
    """
    line = " ".join(_drop_unfit(_BREAKS.sub(" ", value)).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def plain_text(value: str, longest: int = 100_000) -> str:
    """Return the text with the newline as its only line break and control character, and no trailing white space."""
    lines = (_drop_unfit(line.expandtabs()).rstrip() for line in _BREAKS.split(value[:longest]))
    return "\n".join(lines).strip("\n")


def _drop_unfit(line: str) -> str:
    if line.isascii() and line.isprintable():
        return line
    return "".join(
        " " if character.isspace() else character
        for character in line
        if character.isspace() or (unicodedata.category(character) not in _UNFIT and character not in _DECEPTIVE)
    )


def is_printable_path(path: str) -> bool:
    """Return whether a path can be written to a line-based list such as dpkg's md5sums.

    It must be valid UTF-8 without control characters.
    """
    if path.isascii():
        return path.isprintable()
    return not any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in path)


# Colours and cursor movements (CSI), and what sets titles and links (OSC), as programs write them for terminals.
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printable(text: str, *, keep: str = "") -> str:
    """Return the text with a question mark for every character that a terminal would act on instead of showing it.

    Args:
        text: from the outside.
        keep: characters that stay as they are: the newline, where the text has several lines.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in keep else "?" for each in text)


def escaped(text: str) -> str:
    """Return the text with such characters as Python spells them in a literal, for people who look for them."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def without_terminal_codes(line: str) -> str:
    """Return a line of a program's output without colours and control characters, but with its tabs."""
    return _CONTROL.sub("", _TERMINAL.sub("", line))


# Greedy up to the last @ before the path, because an @ in a password is not always percent-encoded. No word boundary
# before the scheme, because it may follow an escape sequence in a program's output.
_USERINFO: Final = re.compile(r"(://)[^/\s]*@")
# In an http URL a user alone can be a token. The user of an ssh URL is needed, and is not a secret.
_SECRET: Final = re.compile(r"(https?://)[^/\s]*@|(://[^/\s:@]+):[^/\s]*@", re.IGNORECASE)


def redact(text: str) -> str:
    """Return ``text`` with the user and password of each URL replaced by ``***``."""
    return _USERINFO.sub(r"\1***@", text)


def hide_passwords(text: str) -> str:
    """Return ``text`` with the user and password of each http URL, and the password of any other, as asterisks."""
    return _SECRET.sub(lambda match: f"{match[1]}***@" if match[1] else f"{match[2]}:***@", text)


def strip_credentials(text: str) -> str:
    """Return ``text`` without the user and password of each http URL, and without the password of any other."""
    return _SECRET.sub(lambda match: match[1] or f"{match[2]}@", text)


def has_credentials(url: str) -> bool:
    """Return whether a URL contains a password, or an http URL a user."""
    return strip_credentials(url) != url


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Passwords and tokens known to a run, to keep out of its output.

    Attributes:
        spellings: everything to search for, each in UTF-8; see ``index.secrets``.
    """

    spellings: tuple[bytes, ...] = field(default=(), repr=False)

    def are_in(self, content: bytes) -> bool:
        """Return whether any of them occurs."""
        return any(each in content for each in self.spellings)

    def hide(self, text: str) -> str:
        """Return ``text`` with the secrets, and the credentials of any URL, as asterisks."""
        for each in self.spellings:
            text = text.replace(each.decode(), "***")
        return hide_passwords(text)

    def hide_in(self, value: _T) -> _T:
        """Return a JSON value after applying ``hide`` to every text in it."""
        return cast("_T", self._hide_in(value))

    def _hide_in(self, value: object) -> object:
        match value:
            case str():
                return self.hide(value)
            case dict():
                return {key: self._hide_in(each) for key, each in value.items()}
            case list() | tuple():
                return [self._hide_in(each) for each in value]
            case _:
                return value


NO_SECRETS: Final = Secrets()
