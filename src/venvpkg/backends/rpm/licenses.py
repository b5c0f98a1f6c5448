"""The License of a package that holds many distributions: one SPDX expression that is true of all of them. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNKNOWN: Final = "LicenseRef-not-stated"
_LONGEST: Final = 60


def license_of(expressions: Iterable[str]) -> str:
    """Return what all licences together come to: ``BSD-3-Clause AND (Apache-2.0 OR MIT)``.

    Args:
        expressions: of each distribution: an SPDX expression, one line of free text, or empty. A text that is no
            expression becomes a name of its own, ``LicenseRef-ZPL``, as SPDX has it for licences that it does not list.

    Returns:
        Sorted parts, each once.

    Source:
        SPDX specification, annex "SPDX license expressions"; PEP 639.
    """
    parts: set[str] = set()
    for text in expressions:
        expression = _expression(text)
        if "(" not in expression and " OR " not in expression:
            parts.update(expression.split(" AND "))
        else:
            parts.add(f"({expression})" if " OR " in re.sub(r"\([^()]*\)", "", expression) else expression)
    return " AND ".join(sorted(parts)) or _UNKNOWN


def _expression(text: str) -> str:
    try:
        return str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        name = re.sub(r"[^A-Za-z0-9.]+", "-", text)[:_LONGEST].strip("-.")
        return f"LicenseRef-{name}" if name else _UNKNOWN
