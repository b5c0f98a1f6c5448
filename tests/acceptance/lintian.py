"""What lintian finds in a package."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT_S = 600
# Of what lintian calls information: an override is not for a tag that occurs.
_OVERRIDE_TAGS = frozenset({"unused-override", "mismatched-override"})
# 2: there are errors, which are returned like the rest. 1 would be lintian's own failure.
_RAN = frozenset({0, 2})


def findings(package: Path) -> list[str]:
    """Return lintian's errors, warnings and complaints of overrides, a line each; none when all is well."""
    if shutil.which("lintian") is None:
        missing = "lintian is not here; run tests/setup"
        if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
            pytest.fail(missing)
        pytest.skip(missing)
    completed = subprocess.run(
        ["lintian", "--display-info", "--tag-display-limit", "0", str(package)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert completed.returncode in _RAN, completed.stderr
    lines = [line for line in completed.stdout.splitlines() if not line.startswith("N: ")]
    assert all(line.startswith(("E: ", "W: ", "I: ")) for line in lines), completed.stdout
    return [line for line in lines if line[0] in "EW" or line.split()[2] in _OVERRIDE_TAGS]
