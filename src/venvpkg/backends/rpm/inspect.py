"""Look into any .rpm: its header by rpm, its payload in one pass."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from venvpkg.backends.contents import PackedContents
from venvpkg.backends.rpm.archive import asked, members_of
from venvpkg.backends.rpm.payload import PAYLOAD_QUERY, listed_files
from venvpkg.errors import NotAPackageError

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.host.runner import Streamer
    from venvpkg.model.inspection import Inspection

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
