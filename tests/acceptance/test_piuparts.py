"""piuparts installs, upgrades and purges a package, and finds nothing left behind or out of place."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from acceptance.smallproject import write_project

if TYPE_CHECKING:
    from pathlib import Path

    from acceptance.cleanroot import CleanRoot
    from acceptance.packages import Venvpkg

TIMEOUT_S = 1500

pytestmark = pytest.mark.full


@pytest.fixture
def piuparts() -> tuple[str, ...]:
    """Return how piuparts is run: what it mounts and starts goes with it."""
    if shutil.which("piuparts") is None:
        missing = "piuparts is not here; tests/full installs it"
        if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
            pytest.fail(missing)
        pytest.skip(missing)
    return ("unshare", "--mount", "--mount-proc", "--pid", "--fork", "--kill-child", "piuparts")


@pytest.mark.parametrize("native", [True, False], ids=["with a C extension", "pure"])
def test_piuparts_finds_no_fault(
    *, native: bool, piuparts: tuple[str, ...], venvpkg: Venvpkg, clean_root: CleanRoot, tmp_path: Path
) -> None:
    package = venvpkg.build(str(write_project(tmp_path / "sources", native=native)))

    # No package owns /opt (base-files makes it in its script): dpkg removes it with the last package that was in it.
    completed = subprocess.run(
        [
            *piuparts,
            *("--existing-chroot", str(clean_root.base), "--keep-sources-list", "--no-eatmydata"),
            *("--ignore=/opt/", "--tmpdir", str(tmp_path), str(package)),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=TIMEOUT_S,
        check=False,
    )

    assert completed.returncode == 0, completed.stdout[-4000:]
    assert "PASS: All tests." in completed.stdout
