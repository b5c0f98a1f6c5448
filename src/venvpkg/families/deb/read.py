"""Read any .deb: stream its two archives, find its evidence, list its contents, compare two of them."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from venvpkg.errors import AssembleError, NotAPackageError
from venvpkg.families.common.contents import PackedContents
from venvpkg.families.common.read import (
    Member,
    Unpacker,
    differing,
    evidence_among,
    facts_of,
    require_evidence,
    stream_members,
)
from venvpkg.families.deb.deb822 import read_stanza
from venvpkg.host.command import Command

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from venvpkg.families.common.read import Facts
    from venvpkg.host.command import Streamer
    from venvpkg.model.package import Inspection


_DPKG_DEB = Unpacker("dpkg-deb", "dpkg", "a Debian package")
_TIMEOUT_S = 3600.0


class Part(StrEnum):
    """An archive in a .deb, as dpkg-deb's option for it."""

    CONTROL = "--ctrl-tarfile"
    DATA = "--fsys-tarfile"


def members_of(artifact: Path, part: Part, runner: Streamer) -> contextlib.AbstractContextManager[Iterator[Member]]:
    """Yield the members of one archive; see ``stream_members``.

    Source:
        deb(5).
    """
    command = Command(("dpkg-deb", part.value, str(artifact.absolute())), timeout_s=_TIMEOUT_S)
    return stream_members(artifact, command, _DPKG_DEB, runner)


_NAMES = {Part.CONTROL: "control", Part.DATA: "data"}


def differences(first: Path, second: Path, runner: Streamer) -> tuple[str, ...]:
    """Return the differences, one line per member: ``data: ./opt/venvs/app/bin/app: content``.

    Returns:
        First the control files, then the payload in archive order. If empty, only the order of members, the compression
        or the outer archive can differ.

    Raises:
        NotAPackageError: one of the packages could not be read.
    """
    return tuple(
        f"{_NAMES[part]}: {line}"
        for part in Part
        for line in differing(_read_facts(first, part, runner), _read_facts(second, part, runner), (first, second))
    )


def _read_facts(artifact: Path, part: Part, runner: Streamer) -> Mapping[str, Facts]:
    with members_of(artifact, part, runner) as members:
        return facts_of(members)


def read_evidence(artifact: Path, runner: Streamer) -> bytes:
    """Return the evidence document that ``assemble`` put below the prefix.

    Raises:
        NotAPackageError: the file is not a .deb, or venvpkg did not build it.
        MissingToolError: dpkg-deb is not installed.
    """
    with members_of(artifact, Part.DATA, runner) as members:
        found = evidence_among(members)
    return require_evidence(found, artifact)


_MOST_CONTROL_BYTES = 4 << 20
_SCRIPTS = frozenset({"preinst", "postinst", "prerm", "postrm", "config", "triggers"})


def inspect(artifact: Path, runner: Streamer) -> Inspection:
    """Return the facts about a package, which may be untrusted.

    Raises:
        NotAPackageError: the file is not a .deb, is damaged, or absurdly large.
        MissingToolError: dpkg-deb is not installed.
    """
    fields, configuration, scripts = _read_control(artifact, runner)
    contents = PackedContents()
    with members_of(artifact, Part.DATA, runner) as members:
        contents.add_all(members)
    return contents.inspection(artifact, fields, scripts, configuration)


def _read_control(
    artifact: Path, runner: Streamer
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...], tuple[str, ...]]:
    """Return the fields, the conffiles and the names of the maintainer scripts."""
    texts: dict[str, str] = {}
    scripts: list[str] = []
    with members_of(artifact, Part.CONTROL, runner) as members:
        for member, content in members:
            name = member.name.removeprefix("./")
            if name in _SCRIPTS:
                scripts.append(name)
            if content is not None and name in {"control", "conffiles"}:
                texts[name] = content.read(_MOST_CONTROL_BYTES).decode("utf-8", "replace")
    if "control" not in texts:
        raise NotAPackageError(f"{artifact} has no control file.")
    try:
        fields = read_stanza(texts["control"])
    except AssembleError as error:
        raise NotAPackageError(f"{artifact}: its control file is malformed.", details=error.details) from error
    conffiles = (line.removeprefix("remove-on-upgrade ").strip() for line in texts.get("conffiles", "").splitlines())
    spelled = ((re.sub(r"(^|-)(\w)", lambda found: found[0].upper(), name), value) for name, value in fields.items())
    return tuple(spelled), tuple(sorted(filter(None, conffiles))), tuple(sorted(scripts))
