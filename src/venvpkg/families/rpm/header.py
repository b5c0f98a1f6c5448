"""Query, parse and compare the headers and file lists that rpm prints, in a format that preserves any text."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from venvpkg.families.rpm.files import is_configuration
from venvpkg.model.staged import PathKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from venvpkg.model.staged import PayloadPath


FIELDS: Final = (
    "NAME",
    "EPOCHNUM",
    "VERSION",
    "RELEASE",
    "ARCH",
    "SUMMARY",
    "LICENSE",
    "URL",
    "PACKAGER",
    "DESCRIPTION",
)
# Tag of the spec file → tag of the header.
RELATIONS: Final = {
    "Requires": "REQUIRENEVRS",
    "Recommends": "RECOMMENDNEVRS",
    "Suggests": "SUGGESTNEVRS",
    "Conflicts": "CONFLICTNEVRS",
    "Obsoletes": "OBSOLETENEVRS",
    "Provides": "PROVIDENEVRS",
}
# Section of the spec file → tag of the header.
SCRIPTS: Final = {
    "pre": "PREIN", "post": "POSTIN", "preun": "PREUN", "postun": "POSTUN", "pretrans": "PRETRANS",
    "posttrans": "POSTTRANS",
}  # fmt: skip
_CHANGELOG: Final = ("CHANGELOGNAME", "CHANGELOGTEXT")
_NONE: Final = "(none)"

QUERY: Final = "".join(
    (
        *(f"{tag}=%{{{tag}:shescape}}\\n" for tag in (*FIELDS, *SCRIPTS.values())),
        *(f"[{tag}=%{{{tag}:shescape}}\\n]" for tag in (*RELATIONS.values(), *_CHANGELOG)),
    )
)


@dataclass(frozen=True, slots=True)
class Header:
    """The composed parts of a header, by rpm's header tags.

    Attributes:
        fields: tags with one value; without empty ones.
        relations: sorted relations of each kind; without empty ones.
        scripts: scriptlets; without absent ones.
        changelog: authors with versions, then texts.
    """

    fields: Mapping[str, str]
    relations: Mapping[str, tuple[str, ...]]
    scripts: Mapping[str, str]
    changelog: tuple[str, ...]


def parse_header(text: str) -> Header:
    """Return the header in rpm's answer to ``QUERY``.

    Raises:
        ValueError: the answer is malformed.
    """
    values: dict[str, list[str]] = {}
    for token in shlex.split(text):
        tag, equals, value = token.partition("=")
        if not equals:
            raise ValueError(f"{token[:100]!r} is not of the form TAG=VALUE")
        if value != _NONE:
            values.setdefault(tag, []).append(value)
    return Header(
        {tag: values[tag][0] for tag in FIELDS if tag in values},
        {tag: tuple(sorted(values[tag])) for tag in RELATIONS.values() if tag in values},
        {tag: values[tag][0] for tag in SCRIPTS.values() if tag in values},
        tuple(each for tag in _CHANGELOG for each in values.get(tag, ())),
    )


def differences_of(composed: Header, found: Header) -> Iterator[str]:
    """Yield a sentence for each difference from the composed header, except for relations that rpm adds itself.

    These are requirements of rpm features (``rpmlib(…)``), the interpreter of scriptlets, and provides of the package's
    own name, with and without its architecture.
    """
    yield from _value_differences(composed.fields, found.fields)
    yield from _value_differences(composed.scripts, found.scripts)
    if composed.changelog != found.changelog:
        yield f"changelog: {' '.join(found.changelog)!r:.300}, not {' '.join(composed.changelog)!r:.300}"
    name = composed.fields["NAME"]
    for spec_tag, tag in RELATIONS.items():
        wanted, there = set(composed.relations.get(tag, ())), set(found.relations.get(tag, ()))
        yield from (f"{spec_tag}: {each!r:.300} is missing" for each in sorted(wanted - there))
        yield from (
            f"{spec_tag}: {each!r:.300} was not composed"
            for each in sorted(there - wanted)
            if not _is_added_by_rpm(spec_tag, each, name, has_scripts=bool(composed.scripts))
        )


def _value_differences(composed: Mapping[str, str], found: Mapping[str, str]) -> Iterator[str]:
    for tag in sorted(composed.keys() | found.keys()):
        if composed.get(tag, "") != found.get(tag, ""):
            there, wanted = _differing_tails(found.get(tag, ""), composed.get(tag, ""))
            yield f"{tag}: {there!r:.300}, not {wanted!r:.300}"


def _differing_tails(one: str, other: str) -> tuple[str, str]:
    """Return both texts from their first different line on, because texts such as scriptlets are long."""
    pairs = zip(one.splitlines(keepends=True), other.splitlines(keepends=True), strict=False)
    start = sum(len(line) for line, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return one[start:], other[start:]


def _is_added_by_rpm(spec_tag: str, relation: str, name: str, *, has_scripts: bool) -> bool:
    bare = relation.partition(" ")[0]
    if spec_tag == "Requires":
        return bare.startswith("rpmlib(") or (bare == "/bin/sh" and has_scripts)
    return spec_tag == "Provides" and (bare == name or (bare.startswith(f"{name}(") and bare.count("(") == 1))


PAYLOAD_QUERY: Final = (
    r"[%{FILEMODES:octal}\t%{FILEFLAGS:fflags}\t%{FILEUSERNAME}:%{FILEGROUPNAME}\t%{FILEMTIMES}\t%{FILENAMES}\n]"
)
_TYPES: Final = {PathKind.FILE: 0o100000, PathKind.DIRECTORY: 0o040000, PathKind.LINK: 0o120000}
_CONFIG: Final = "c"
_NO_REPLACE: Final = "n"
_GHOST: Final = "g"
_FIELDS: Final = 5


def parse_file_list(text: str) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield mode (octal), flags, owner, time and path of each file in an answer to ``PAYLOAD_QUERY``."""
    for line in text.splitlines():
        mode, flags, owner, time, path = (*line.split("\t", _FIELDS - 1), "", "", "", "", "")[:_FIELDS]
        if path:
            yield mode, flags.strip(), owner, time, path


def payload_differences(paths: Iterable[PayloadPath], text: str, source_date_epoch: int) -> Iterator[str]:
    """Yield a line for each path that was packed differently than it should be, or should not be packed.

    Args:
        paths: paths to pack.
        text: rpm's answer to ``PAYLOAD_QUERY``.
        source_date_epoch: time of every file.
    """
    packed = {path: (mode, flags, owner, time) for mode, flags, owner, time, path in parse_file_list(text)}
    for each in paths:
        found = packed.pop(str(each.path), None)
        if found is None or _GHOST in found[1]:
            yield f"{each.path}: not packed"
            continue
        mode, flags, owner, time = found
        wanted = f"{_TYPES[each.kind] | each.mode:07o}"
        kept = is_configuration(each)
        if mode.zfill(len(wanted)) != wanted:
            yield f"{each.path}: mode {mode}, not {wanted}"
        if (_CONFIG in flags) != kept or (_NO_REPLACE in flags) != kept:
            yield f"{each.path}: {'no ' if kept else ''}configuration file"
        if (owner, time) != ("root:root", str(source_date_epoch)):
            yield f"{each.path}: belongs to {owner}, of {time}"
    yield from (f"{path}: packed, but not part of the payload" for path in packed)
