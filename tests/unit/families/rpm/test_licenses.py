"""One licence expression for many distributions."""

from __future__ import annotations

import pytest
from packaging.licenses import canonicalize_license_expression

from venvpkg.families.rpm.documents import license_of


@pytest.mark.parametrize(
    ("expressions", "expected"),
    [
        (["MIT"], "MIT"),
        (["mit", "BSD-3-Clause", "MIT"], "BSD-3-Clause AND MIT"),
        (["MIT", "Apache-2.0 OR BSD-2-Clause"], "(Apache-2.0 OR BSD-2-Clause) AND MIT"),
        (["MIT AND PSF-2.0", "MIT"], "MIT AND PSF-2.0"),
        (["(MIT OR Apache-2.0) AND PSF-2.0"], "(MIT OR Apache-2.0) AND PSF-2.0"),
        (["(MIT OR ISC) OR Zlib"], "((MIT OR ISC) OR Zlib)"),
        (["ZPL 2.1"], "LicenseRef-ZPL-2.1"),
        (["", "MIT"], "LicenseRef-not-stated AND MIT"),
        ([], "LicenseRef-not-stated"),
        (["%(id)\x1b[2J"], "LicenseRef-id-2J"),
    ],
)
def test_licences_are_joined_each_once(expressions: list[str], expected: str) -> None:
    assert license_of(expressions) == expected
    assert canonicalize_license_expression(expected) == expected
