"""Tell what rpm says of its database apart from mere warnings. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvpkg.host.command import Completed


def errors_of(done: Completed) -> str:
    """Return what rpm wrote to its standard error, without warnings.

    A warning comes with a whole answer, for example that the database has another format than the one configured.
    """
    return "\n".join(line for line in done.errors.splitlines() if not line.lstrip().startswith("warning:")).strip()
