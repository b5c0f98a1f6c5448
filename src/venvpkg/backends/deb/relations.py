"""Debian package relations, as a binary package's control file spells them. Pure."""

from __future__ import annotations

import re

_NAME = r"[a-z0-9][a-z0-9+.-]+"
_VERSION = r"(?:[0-9]+:)?[0-9][A-Za-z0-9.+~-]*"
_ONE = re.compile(
    rf"(?P<package>{_NAME}(?::(?:any|native|[a-z0-9-]+))?)"
    rf"(?:\s*\(\s*(?P<operator><<|<=|=|>=|>>)\s*(?P<version>{_VERSION})\s*\))?"
)


def to_relation(text: str) -> str:
    """Return one relation, with its alternatives, in the canonical spelling ``a (>= 1) | b``.

    Architecture lists and build profiles are for source packages; they are refused.

    Raises:
        ValueError: it is no relation.

    Source:
        Debian Policy 7.1; deb-control(5).
    """
    alternatives = []
    for alternative in text.split("|"):
        match = _ONE.fullmatch(alternative.strip(" \t"))
        if match is None:
            raise ValueError(f"{text!r} is no relation such as 'postgresql-client (>= 13) | pgcli'")
        package, operator, version = match.group("package", "operator", "version")
        alternatives.append(f"{package} ({operator} {version})" if operator else package)
    return " | ".join(alternatives)
