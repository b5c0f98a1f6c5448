"""Where two .deb files differ: member by member, of both archives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.backends.compare import differing, facts_of
from venvpkg.backends.deb.archive import Part, members_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvpkg.backends.compare import Facts
    from venvpkg.host.runner import Streamer

_NAMES = {Part.CONTROL: "control", Part.DATA: "data"}


def differences(first: Path, second: Path, runner: Streamer) -> tuple[str, ...]:
    """Return what differs, one line a member: ``data: ./opt/venvs/app/bin/app: content``.

    Returns:
        In archive order, first the control files; empty when all members are the same, so that only the order of
        members, the compression or the outer archive can differ.

    Raises:
        NotAPackageError: one of them cannot be read.
    """
    return tuple(
        f"{_NAMES[part]}: {line}"
        for part in Part
        for line in differing(_read(first, part, runner), _read(second, part, runner), (first, second))
    )


def _read(artifact: Path, part: Part, runner: Streamer) -> Mapping[str, Facts]:
    with members_of(artifact, part, runner) as members:
        return facts_of(members)
