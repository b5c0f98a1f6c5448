"""Read any .rpm: query its header with rpm, read its payload in one pass, find its evidence, compare two of them."""

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
    require_evidence,
    require_file,
    stream_members,
)
from venvpkg.families.rpm.header import PAYLOAD_QUERY, parse_file_list
from venvpkg.families.rpm.pack import BUILD_HOST
from venvpkg.host.command import Command
from venvpkg.targets.host import installer_here

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from venvpkg.families.common.read import Facts
    from venvpkg.host.command import Runner, Streamer
    from venvpkg.model.package import Inspection


_RPM2ARCHIVE: Final = Unpacker("rpm2archive", "rpm2cpio", "an rpm package")
_TIMEOUT_S: Final = 3600.0


def members_of(artifact: Path, runner: Streamer) -> contextlib.AbstractContextManager[Iterator[Member]]:
    """Yield the members of the payload, without ghosts; see ``stream_members``.

    Source:
        rpm2archive(8).
    """
    require_file(artifact, _RPM2ARCHIVE)
    command = Command(("rpm2archive", "--nocompression"), stdin_file=artifact.absolute(), timeout_s=_TIMEOUT_S)
    return stream_members(artifact, command, _RPM2ARCHIVE, runner)


def query_package(artifact: Path, query: str, runner: Runner) -> str:
    """Return rpm's answer to a query format.

    Raises:
        NotAPackageError: the file is not an .rpm, or is damaged.
        MissingToolError: rpm is not installed.
    """
    require_file(artifact, _RPM2ARCHIVE)
    # Packages that are unsigned, or signed by an unknown key, can be read as well.
    argv = ("rpm", "--query", "--nosignature", "--queryformat", query, "--package", str(artifact.absolute()))
    done = runner.run(Command(argv, timeout_s=_TIMEOUT_S))
    if done.not_found:
        raise MissingToolError(["rpm, which reads packages"], install=["rpm"], installer=installer_here())
    if not done.ok:
        raise NotAPackageError(
            f"{artifact} could not be read as an rpm package.",
            details=f"  {done.errors.strip()[-500:]}",
            resolution="Give the path of an intact package.",
        )
    return done.text


# Differences in most other tags follow from differences in these.
_TAGS = (
    "NAME", "EPOCHNUM", "VERSION", "RELEASE", "ARCH", "SUMMARY", "DESCRIPTION", "LICENSE", "URL", "PACKAGER", "VENDOR",
    "BUILDTIME", "BUILDHOST", "RPMVERSION", "PLATFORM", "OPTFLAGS", "PAYLOADCOMPRESSOR", "PAYLOADFLAGS",
    "PREIN", "POSTIN", "PREUN", "POSTUN", "PRETRANS", "POSTTRANS",
)  # fmt: skip
_LISTS = (
    "REQUIRENEVRS", "PROVIDENEVRS", "RECOMMENDNEVRS", "SUGGESTNEVRS", "CONFLICTNEVRS", "OBSOLETENEVRS",
    "CHANGELOGTEXT",
)  # fmt: skip


def differences(first: Path, second: Path, runner: Streamer) -> tuple[str, ...]:
    """Return the differences, one line per tag or member: ``header: REQUIRENEVRS``, ``data: ./usr/bin/app: content``.

    Returns:
        First the header, then the payload in archive order. When empty, only compression or signature can differ.

    Raises:
        NotAPackageError: one of the packages could not be read.
    """
    return (
        *(f"header: {tag}" for tag in _differing_tags(first, second, runner)),
        *(
            f"data: {line}"
            for line in differing(_read_facts(first, runner), _read_facts(second, runner), (first, second))
        ),
    )


def _differing_tags(first: Path, second: Path, runner: Streamer) -> Iterator[str]:
    for tag in _TAGS:
        if query_package(first, f"%{{{tag}}}", runner) != query_package(second, f"%{{{tag}}}", runner):
            yield tag
    for tag in _LISTS:
        if query_package(first, f"[%{{{tag}}}\\n]", runner) != query_package(second, f"[%{{{tag}}}\\n]", runner):
            yield tag
    # Digests, owners and times of files are compared in the payload, but not which files are configuration.
    if query_package(first, PAYLOAD_QUERY, runner) != query_package(second, PAYLOAD_QUERY, runner):
        yield "FILEFLAGS, FILEMODES"


def _read_facts(artifact: Path, runner: Streamer) -> Mapping[str, Facts]:
    with members_of(artifact, runner) as members:
        return facts_of(members)


def read_evidence(artifact: Path, runner: Streamer) -> bytes:
    """Return the evidence document that ``assemble`` put below the prefix.

    Raises:
        NotAPackageError: the file is not an .rpm, or venvpkg did not build it.
        MissingToolError: rpm2archive is not installed.
    """
    with members_of(artifact, runner) as members:
        found = evidence_among(members)
    return require_evidence(found, artifact)


# Tag → its name in ``rpm -qi`` and spec files.
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
# A scriptlet that only names a program, such as ``%post -p /sbin/ldconfig``, has no text.
_PROGRAMS: Final = {f"{tag}PROG": name for tag, name in _SCRIPTS.items()}
# Tag of the kinds (in, un, postun, prein) → prefix of the kind in the name of a trigger.
_TRIGGERS: Final = {
    "TRIGGERTYPE": "trigger",
    "FILETRIGGERTYPE": "filetrigger",
    "TRANSFILETRIGGERTYPE": "transfiletrigger",
}
_QUERY: Final = "".join(
    (
        *(f"{tag}=%{{{tag}:shescape}}\\n" for tag in (*_FIELDS, *_SCRIPTS, *_PROGRAMS, "DESCRIPTION")),
        *(f"[{tag}=%{{{tag}:shescape}}\\n]" for tag in (*_RELATIONS, *_TRIGGERS)),
    )
)
_NONE: Final = "(none)"
# A header may have 256 MiB, but parsing a large one takes too long.
_MOST_CHARACTERS: Final = 16 << 20


def inspect(artifact: Path, runner: Streamer) -> Inspection:
    """Return the facts about a package, which may be untrusted.

    Raises:
        NotAPackageError: it is not an .rpm, is damaged, or absurdly large.
        MissingToolError: rpm or rpm2archive is not installed.
    """
    values = _parse_answer(query_package(artifact, _QUERY, runner), artifact)
    listed = parse_file_list(query_package(artifact, PAYLOAD_QUERY, runner))
    contents = PackedContents()
    with members_of(artifact, runner) as members:
        contents.add_all(members)
    fields = [(name, values[tag][0]) for tag, name in _FIELDS.items() if tag in values]
    fields += [(name, ", ".join(dict.fromkeys(values[tag]))) for tag, name in _RELATIONS.items() if tag in values]
    fields += [("Description", values["DESCRIPTION"][0])] if "DESCRIPTION" in values else []
    return contents.inspection(
        artifact,
        tuple(fields),
        tuple(sorted(_scripts_in(values))),
        tuple(sorted(path for _, flags, _, _, path in listed if "c" in flags)),
        is_ours=values.get("BUILDHOST") == [BUILD_HOST],
    )


def _scripts_in(values: Mapping[str, list[str]]) -> set[str]:
    """Return the names of scriptlets and triggers, as spelled in spec files and by ``rpm --scripts``."""
    scriptlets = {name for tag, name in (*_SCRIPTS.items(), *_PROGRAMS.items()) if tag in values}
    return scriptlets | {f"{name}{kind}" for tag, name in _TRIGGERS.items() for kind in values.get(tag, ())}


def _parse_answer(answered: str, artifact: Path) -> dict[str, list[str]]:
    """Return tag → values, without absent tags.

    Raises:
        NotAPackageError: the answer is malformed.
    """
    if len(answered) > _MOST_CHARACTERS:
        raise NotAPackageError(f"{artifact}: its header is absurdly large.")
    try:
        tokens = [token.partition("=") for token in shlex.split(answered)]
    except ValueError as error:
        raise NotAPackageError(f"{artifact}: its header could not be parsed.", details=f"  {error}") from error
    values: dict[str, list[str]] = {}
    for tag, _, value in tokens:
        if value != _NONE:
            values.setdefault(tag, []).append(value)
    return values
