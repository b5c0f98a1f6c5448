"""A build that wants to download something fails with a message that says so, wherever it runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.releases import CACHE, PACKAGES, RELEASE

if TYPE_CHECKING:
    from acceptance.cleanroot import CleanRoot
    from acceptance.packages import Venvpkg

FETCHER = Path(__file__).parents[1] / "data/projects/fetcher"


@pytest.fixture(params=["host", "root", "debian", pytest.param("podman", marks=pytest.mark.full)])
def target(request: pytest.FixtureRequest, clean_root: CleanRoot) -> str:
    """One target of each kind, as the user names it."""
    match request.param:
        case "root":
            return f"root:{clean_root.of_release(RELEASE, PACKAGES).base}"
        case "debian":
            return f"debian:{RELEASE}"
        case "podman":
            return f"podman:{_image(request, clean_root.of_release(RELEASE, PACKAGES).base)}"
        case kind:
            return str(kind)


def test_a_compile_that_downloads_fails_and_says_that_it_has_no_network(
    venvpkg: Venvpkg, target: str, tmp_path: Path
) -> None:
    project = shutil.copytree(FETCHER, tmp_path / "fetcher")
    places = (f"--cache={CACHE}", f"--wheelhouse={tmp_path / 'wheelhouse'}", f"--out={tmp_path / 'out'}")

    outcome = venvpkg.run("build", str(project), f"--target={target}", *places)

    assert outcome.code == 7, outcome.transcript
    assert "error: fetcher cannot be built" in outcome.stderr
    assert "Temporary failure in name resolution" in outcome.stderr
    assert "The compile has no network: the files that it tried to fetch must be in the sdist" in outcome.stderr
    assert not (tmp_path / "out").exists()


def _image(request: pytest.FixtureRequest, root: Path) -> str:
    """Return an image that podman has of a root; it is gone after the test."""
    if shutil.which("podman") is None:
        pytest.skip("podman is not installed")
    name = f"localhost/venvpkg-fetcher:{os.getpid()}"
    request.addfinalizer(lambda: subprocess.run(["podman", "rmi", "--force", name], check=False, capture_output=True))
    with subprocess.Popen(["tar", "-C", str(root), "-cf", "-", "."], stdout=subprocess.PIPE) as packing:
        subprocess.run(["podman", "import", "--quiet", "-", name], stdin=packing.stdout, check=True, timeout=600)
    return name
