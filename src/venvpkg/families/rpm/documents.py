"""Compose parts of a spec file: provides for accounts and bundled software, changelog, description, License. Pure."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from venvpkg.families.common.description import synopsis_and_paragraphs
from venvpkg.families.rpm.files import prose
from venvpkg.families.rpm.versions import to_release_spelling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvpkg.model.package import PackageSpec


_ACCOUNT_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_KINDS: Final = {"u": "user", "u!": "user", "g": "group"}
_WORDS: Final = 2
# Three bytes become four characters. The end is padded with NUL, because rpm would read base64's "=" as part of the
# relation.
_GROUP: Final = 3
# The one character of base64 that is not allowed in versions of a spec file.
_UNFIT: Final = "/"


def account_provides(lines: Iterable[str]) -> Iterator[str]:
    """Yield ``user(app) = dSBhcHAgLSAt`` and ``group(app)`` for lines of sysusers.d(5), like rpm's own generator.

    Other packages can then require the account. From 4.19 on, rpm creates it from the encoded line before it unpacks
    anything; for older versions, %post does. Group members are always left to %post: requiring an account of another
    package by such a name would make the package uninstallable on releases where nothing provides these names yet.

    Source:
        rpm-sysusers(7); rpm's macros file, ``add_sysuser``, for the spelling.
    """
    for line in lines:
        words = line.split()
        kind = _KINDS.get(words[0]) if len(words) >= _WORDS else None
        if kind is None or not _ACCOUNT_NAME.fullmatch(words[1]):
            continue
        encoded = _encode_sysusers_line(" ".join(words))
        yield f"{kind}({words[1]})" if _UNFIT in encoded else f"{kind}({words[1]}) = {encoded}"
        if kind == "user":
            yield f"group({words[1]})"


def _encode_sysusers_line(line: str) -> str:
    data = line.encode()
    return base64.b64encode(data.ljust(-(-len(data) // _GROUP) * _GROUP, b"\0")).decode()


_BUNDLED_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~^]*")
_BUNDLED_IN: Final = "venvpkg:bundled-in"


def bundled_provides(spec: PackageSpec) -> Iterator[str]:
    """Yield ``bundled(python3dist(lxml)) = 6.0.2`` for each vendored distribution, ``bundled(libxml2) = 2.14`` for C.

    No package requires such a name by accident, and it shows who is responsible for updates.

    Source:
        Fedora Packaging Guidelines, "Bundling and Duplication of system libraries", and "Python", for the names.
    """
    application = canonicalize_name(spec.staged.application.name)
    for each in spec.staged.distributions:
        if each.name != application:
            yield f"bundled(python3dist({each.name})) = {_spell_version(each.version)}"
    yield from dict.fromkeys(_bundled_libraries(spec.sbom))


def _bundled_libraries(sbom: bytes) -> Iterator[str]:
    """Yield the libraries of the package's SBOM; their names come from publishers and are untrusted."""
    components = json.loads(sbom).get("components", []) if sbom else []
    for each in components:
        is_bundled = any(known.get("name") == _BUNDLED_IN for known in each.get("properties", []))
        name, version = str(each.get("name", "")), str(each.get("version", ""))
        if is_bundled and _BUNDLED_NAME.fullmatch(name):
            # It may be a package's version (1.1.1k-15.el8_6): the release after the hyphen is dropped.
            upstream = version.partition("-")[0].rpartition(":")[2]
            yield f"bundled({name}) = {upstream}" if _VERSION.fullmatch(upstream) else f"bundled({name})"


def _spell_version(version: str) -> str:
    try:
        return to_release_spelling(str(Version(version))).rpartition(":")[2]
    except InvalidVersion:
        return re.sub(r"[^A-Za-z0-9._+~^]", "_", version) or "0"


# strftime's names depend on the locale.
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# 1997-01-01. rpm ignores entries with an earlier date, and sources of unknown time are dated 1980.
_EARLIEST: Final = 852_076_800


class ChangelogEntry(NamedTuple):
    """A changelog entry, not yet escaped for a spec file.

    Attributes:
        date: ``Tue Nov 14 2023``, of UTC.
        author: ``Name <address>``.
        version: ``[epoch:]version-release``.
        entry: one sentence.
    """

    date: str
    author: str
    version: str
    entry: str


def changelog_entry(spec: PackageSpec, version: str) -> ChangelogEntry:
    """Return the changelog entry of the package.

    Source:
        rpm's manual, "Spec file format", %changelog.
    """
    day = datetime.fromtimestamp(max(spec.source_date_epoch, _EARLIEST), UTC)
    return ChangelogEntry(
        f"{_DAYS[day.weekday()]} {_MONTHS[day.month - 1]} {day.day:02} {day.year}",
        spec.maintainer,
        version,
        f"Packaged {spec.staged.application.name} {spec.upstream_version} with venvpkg.",
    )


# rpmlint reports longer lines.
_LONGEST_SUMMARY: Final = 79


def summary_and_description(summary: str, text: str, package: str) -> tuple[str, str]:
    """Return summary and description, not yet escaped for a spec file; the description is never empty.

    Args:
        summary: one line.
        text: paragraphs, separated by empty lines; may be empty.
        package: its name.

    Source:
        Fedora Packaging Guidelines, "Summary and description": a capital letter, no full stop, not the name.
    """
    synopsis, paragraphs = synopsis_and_paragraphs(summary, text, package, longest=_LONGEST_SUMMARY)
    capital = synopsis[:1].upper() + synopsis[1:]
    return capital, prose("\n\n".join(paragraphs or [summary]))


_UNKNOWN: Final = "LicenseRef-not-stated"
_LONGEST: Final = 60


def license_of(expressions: Iterable[str]) -> str:
    """Return the combined licence expression of all distributions: ``BSD-3-Clause AND (Apache-2.0 OR MIT)``.

    Args:
        expressions: for each distribution an SPDX expression, one line of free text, or empty. Text that is not a valid
            expression becomes a ``LicenseRef-`` name, which SPDX reserves for licences that it does not list.

    Returns:
        Sorted parts, each once.

    Source:
        SPDX specification, annex "SPDX license expressions"; PEP 639.
    """
    parts: set[str] = set()
    for text in expressions:
        expression = _parse_expression(text)
        if "(" not in expression and " OR " not in expression:
            parts.update(expression.split(" AND "))
        else:
            parts.add(f"({expression})" if " OR " in re.sub(r"\([^()]*\)", "", expression) else expression)
    return " AND ".join(sorted(parts)) or _UNKNOWN


def _parse_expression(text: str) -> str:
    try:
        return str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        name = re.sub(r"[^A-Za-z0-9.]+", "-", text)[:_LONGEST].strip("-.")
        return f"LicenseRef-{name}" if name else _UNKNOWN
