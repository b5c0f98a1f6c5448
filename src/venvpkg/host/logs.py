"""Keep the log of a build where people find it, without the secrets that the run knows."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from venvpkg.host.files import open_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.text import Secrets


def keep_log(log: Path, kept: Path, secrets: Secrets) -> None:
    """Copy a log. If that fails, nothing is raised: an error without its log is better than one about the log."""
    with contextlib.suppress(OSError), log.open("rb") as source, open_atomic(kept) as copy:
        for line in source:
            copy.write(secrets.hide(line.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape"))


def read_log_end(log: Path, secrets: Secrets, most_bytes: int) -> str:
    """Return the last ``most_bytes`` of a log without secrets; empty if there is no log."""
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - most_bytes))
        return secrets.hide(file.read().decode("utf-8", "replace"))
