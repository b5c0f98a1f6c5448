"""Read any .rpm: its header by rpm, its payload in one pass, the evidence in it, and where two of them differ."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from venvpkg.errors import MissingToolError, NotAPackageError
from venvpkg.families.common.contents import PackedContents
from venvpkg.families.common.read import (
    Member,
    Unpacker,
    differing,
    evidence_among,
    facts_of,
    require_file,
    required_evidence,
    streamed_members,
)
from venvpkg.families.rpm.header import PAYLOAD_QUERY, listed_files
from venvpkg.host.runner import Command
from venvpkg.targets.host import installer_here

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from venvpkg.families.common.read import Facts
    from venvpkg.host.runner import Runner, Streamer
    from venvpkg.model.inspection import Inspection


_RPM2ARCHIVE: Final = Unpacker("rpm2archive", "rpm2cpio", "an rpm package")
_TIMEOUT_S: Final = 3600.0


def members_of(artifact: Path, runner: Streamer) -> contextlib.AbstractContextManager[Iterator[Member]]:
    """Yield the members of the payload; see ``streamed_members``. Ghosts and the header are no part of it.

    Source:
        rpm2archive(8).
    """
    require_file(artifact, _RPM2ARCHIVE)
    command = Command(("rpm2archive", "--nocompression"), stdin_file=artifact.absolute(), timeout_s=_TIMEOUT_S)
    return streamed_members(artifact, command, _RPM2ARCHIVE, runner)


def asked(artifact: Path, query: str, runner: Runner) -> str:
    """Return what rpm answers to a query format.

    Raises:
        NotAPackageError: the file is no .rpm, or is damaged.
        MissingToolError: there is no rpm.
    """
    require_file(artifact, _RPM2ARCHIVE)
    # A package that nobody signed, or whose signer is not known, can be looked into all the same.
    argv = ("rpm", "--query", "--nosignature", "--queryformat", query, "--package", str(artifact.absolute()))
    done = runner.run(Command(argv, timeout_s=_TIMEOUT_S))
    if done.not_found:
        raise MissingToolError(["rpm, which reads packages"], install=["rpm"], installer=installer_here())
    if not done.ok:
        raise NotAPackageError(
            f"{artifact} cannot be read as an rpm package.",
            details=f"  {done.errors.strip()[-500:]}",
            resolution="Name a package that is whole.",
        )
    return done.text


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


def read_evidence(artifact: Path, runner: Streamer) -> bytes:
    """Return the record that ``assemble`` put below the prefix.

    Raises:
        NotAPackageError: the file is no .rpm, or venvpkg did not build it.
        MissingToolError: there is no rpm2archive.
    """
    with members_of(artifact, runner) as members:
        found = evidence_among(members)
    return required_evidence(found, artifact)


# Tag → how people know it from rpm -qi and spec files.
_FIELDS: Final = {
    "NAME": "Name",
    "EPOCH": "Epoch",
    "VERSION": "Version",
    "RELEASE": "Release",
    "ARCH": "Architecture",
    "SIZE": "Size",
    "LICENSE": "License",
    "PACKAGER": "Packager",
    "VENDOR": "Vendor",
    "URL": "URL",
    "BUILDHOST": "Build Host",
    "SOURCERPM": "Source RPM",
    "SUMMARY": "Summary",
}
_RELATIONS: Final = {
    "REQUIRENEVRS": "Requires",
    "RECOMMENDNEVRS": "Recommends",
    "SUGGESTNEVRS": "Suggests",
    "PROVIDENEVRS": "Provides",
    "CONFLICTNEVRS": "Conflicts",
    "OBSOLETENEVRS": "Obsoletes",
}
_SCRIPTS: Final = {
    "PRETRANS": "pretrans",
    "PREIN": "pre",
    "POSTIN": "post",
    "PREUN": "preun",
    "POSTUN": "postun",
    "POSTTRANS": "posttrans",
    "VERIFYSCRIPT": "verify",
}
_QUERY: Final = "".join(
    (
        *(f"{tag}=%{{{tag}:shescape}}\\n" for tag in (*_FIELDS, *_SCRIPTS, "DESCRIPTION")),
        *(f"[{tag}=%{{{tag}:shescape}}\\n]" for tag in _RELATIONS),
    )
)
_NONE: Final = "(none)"
# A header is at most 256 MiB; one that takes long to read is not worth the time.
_MOST_CHARACTERS: Final = 16 << 20


def inspect(artifact: Path, runner: Streamer) -> Inspection:
    """Return what is in a package; it may be anybody's.

    Raises:
        NotAPackageError: it is no .rpm, is damaged, or absurdly large.
        MissingToolError: no rpm, or no rpm2archive.
    """
    values = _values(asked(artifact, _QUERY, runner), artifact)
    listed = listed_files(asked(artifact, PAYLOAD_QUERY, runner))
    contents = PackedContents()
    with members_of(artifact, runner) as members:
        contents.add_all(members)
    fields = [(name, values[tag][0]) for tag, name in _FIELDS.items() if tag in values]
    fields += [(name, ", ".join(dict.fromkeys(values[tag]))) for tag, name in _RELATIONS.items() if tag in values]
    fields += [("Description", values["DESCRIPTION"][0])] if "DESCRIPTION" in values else []
    return contents.inspection(
        artifact,
        tuple(fields),
        tuple(sorted(name for tag, name in _SCRIPTS.items() if tag in values)),
        tuple(sorted(path for _, flags, _, _, path in listed if "c" in flags)),
    )


def _values(answered: str, artifact: Path) -> dict[str, list[str]]:
    """Return tag → values; those that are not there are left out.

    Raises:
        NotAPackageError: the answer makes no sense.
    """
    if len(answered) > _MOST_CHARACTERS:
        raise NotAPackageError(f"{artifact}: its header is absurdly large.")
    try:
        tokens = [token.partition("=") for token in shlex.split(answered)]
    except ValueError as error:
        raise NotAPackageError(f"{artifact}: its header cannot be read.", details=f"  {error}") from error
    values: dict[str, list[str]] = {}
    for tag, _, value in tokens:
        if value != _NONE:
            values.setdefault(tag, []).append(value)
    return values
