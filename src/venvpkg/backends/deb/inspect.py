"""Look into any .deb: one pass over each of its archives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvpkg.backends.contents import PackedContents
from venvpkg.backends.deb.archive import Part, members_of
from venvpkg.backends.deb.deb822 import read_stanza
from venvpkg.errors import AssembleError, NotAPackageError

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.host.runner import Streamer
    from venvpkg.model.inspection import Inspection

_MOST_CONTROL_BYTES = 4 << 20
_SCRIPTS = frozenset({"preinst", "postinst", "prerm", "postrm", "config", "triggers"})


def inspect(artifact: Path, runner: Streamer) -> Inspection:
    """Return what is in a package; it may be anybody's.

    Raises:
        NotAPackageError: it is no .deb, is damaged, or absurdly large.
        MissingToolError: no dpkg-deb.
    """
    fields, configuration, scripts = _control(artifact, runner)
    contents = PackedContents()
    with members_of(artifact, Part.DATA, runner) as members:
        contents.add_all(members)
    return contents.inspection(artifact, fields, scripts, configuration)


def _control(artifact: Path, runner: Streamer) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...], tuple[str, ...]]:
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
