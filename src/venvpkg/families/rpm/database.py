"""Separate rpm's errors about its database from its warnings. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvpkg.host.command import Completed


def errors_of(done: Completed) -> str:
    """Return rpm's standard error without the warnings.

    With a warning, the answer is still complete; for example, the database may not have the configured format.
    """
    return "\n".join(line for line in done.errors.splitlines() if not line.lstrip().startswith("warning:")).strip()
