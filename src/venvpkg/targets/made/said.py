"""What a program said at last. Pure."""

from __future__ import annotations

_MOST_LINES = 12


def last_words(text: str) -> str:
    """Return the last lines of a program's standard error, indented, with nothing that a terminal would act on."""
    lines = [line for line in text.splitlines() if line.strip()][-_MOST_LINES:]
    return "\n".join("  " + "".join(char if char.isprintable() else "?" for char in line) for line in lines)
