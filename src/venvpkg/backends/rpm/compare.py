"""Where two .rpm files differ: in the header, and member by member in the payload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.backends.compare import differing, facts_of
from venvpkg.backends.rpm.archive import asked, members_of
from venvpkg.backends.rpm.payload import PAYLOAD_QUERY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from venvpkg.backends.compare import Facts
    from venvpkg.host.runner import Streamer

# What differs in most other tags follows from what differs in these.
_TAGS = (
    "NAME", "EPOCHNUM", "VERSION", "RELEASE", "ARCH", "SUMMARY", "DESCRIPTION", "LICENSE", "URL", "PACKAGER", "VENDOR",
    "BUILDTIME", "BUILDHOST", "RPMVERSION", "PLATFORM", "OPTFLAGS", "PAYLOADCOMPRESSOR", "PAYLOADFLAGS",
    "PREIN", "POSTIN", "PREUN", "POSTUN",
)  # fmt: skip
_LISTS = (
    "REQUIRENEVRS", "PROVIDENEVRS", "RECOMMENDNEVRS", "SUGGESTNEVRS", "CONFLICTNEVRS", "OBSOLETENEVRS",
    "CHANGELOGTEXT",
)  # fmt: skip


def differences(first: Path, second: Path, runner: Streamer) -> tuple[str, ...]:
    """Return what differs, one line a tag or member: ``header: REQUIRENEVRS``, ``data: ./usr/bin/app: content``.

    Returns:
        First the header, then the payload in archive order; empty when all of that is the same, so that only the
        compression or a signature can differ.

    Raises:
        NotAPackageError: one of them cannot be read.
    """
    return (
        *(f"header: {tag}" for tag in _tags(first, second, runner)),
        *(f"data: {line}" for line in differing(_read(first, runner), _read(second, runner), (first, second))),
    )


def _tags(first: Path, second: Path, runner: Streamer) -> Iterator[str]:
    for tag in _TAGS:
        if asked(first, f"%{{{tag}}}", runner) != asked(second, f"%{{{tag}}}", runner):
            yield tag
    for tag in _LISTS:
        if asked(first, f"[%{{{tag}}}\\n]", runner) != asked(second, f"[%{{{tag}}}\\n]", runner):
            yield tag
    # Digests, owners and times of files are in the payload's own facts; which of them are configuration is not.
    if asked(first, PAYLOAD_QUERY, runner) != asked(second, PAYLOAD_QUERY, runner):
        yield "FILEFLAGS, FILEMODES"


def _read(artifact: Path, runner: Streamer) -> Mapping[str, Facts]:
    with members_of(artifact, runner) as members:
        return facts_of(members)
