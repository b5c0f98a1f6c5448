"""Packages built in an image that podman has: real podman, an image made of a clean root of another release."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from acceptance.packages import depends_of, shown
from acceptance.releases import COMPILERS, RELEASE, VERSION
from acceptance.smallproject import NAME, write_project
from venvpkg.host.command import Command
from venvpkg.host.runner import SubprocessRunner
from venvpkg.targets.resolve import resolve_target
from venvpkg.targets.selection import Kind, Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from acceptance.cleanroot import CleanRoot
    from acceptance.packages import Venvpkg

pytestmark = pytest.mark.full
OTHER = "localhost/venvpkg-test"


@pytest.fixture(scope="module")
def image(clean_root: CleanRoot, build_root_of_release: CleanRoot) -> Iterator[Selection]:
    """An image of a release with compilers, imported from a root; gone afterwards."""
    del clean_root
    if shutil.which("podman") is None:
        pytest.skip("podman is not installed")
    name = f"{OTHER}:{os.getpid()}"
    with subprocess.Popen(
        ["tar", "-C", str(build_root_of_release.base), "-cf", "-", "."], stdout=subprocess.PIPE
    ) as packing:
        subprocess.run(["podman", "import", "--quiet", "-", name], stdin=packing.stdout, check=True, timeout=300)
    yield Selection(Kind.PODMAN, name)
    subprocess.run(["podman", "rmi", "--force", name], check=False, capture_output=True)


@pytest.fixture(scope="module")
def build_root_of_release(clean_root: CleanRoot) -> CleanRoot:
    return clean_root.of_release(RELEASE, COMPILERS)


def containers() -> list[str]:
    asked = subprocess.run(["podman", "ps", "--all", "--quiet"], capture_output=True, text=True, check=True)
    return asked.stdout.split()


def test_a_package_built_in_an_image_is_that_of_a_root_and_runs_on_its_release(
    image: Selection, build_root_of_release: CleanRoot, venvpkg: Venvpkg
) -> None:
    before = containers()
    project = write_project(venvpkg.directory / "ringbell")

    package, _ = venvpkg.built(str(project), f"--target={image}", out="of-image")
    root = f"--target=root:{build_root_of_release.base}"
    of_root, _ = venvpkg.built(str(project), root, "--locked", out="of-root")

    assert package.name.startswith(f"{NAME}_1.0.0-1~debian{VERSION}_")
    assert "libc6" in depends_of(package)
    assert package.read_bytes() == of_root.read_bytes()
    assert containers() == before
    outcome = build_root_of_release.of_release(RELEASE, ()).run(
        f"apt-get -q update && apt-get -q -y install --no-install-recommends {shown(package)} >&2 && {NAME}",
        binds={package: shown(package)},
    )
    assert outcome.code == 0, outcome.transcript
    assert "rings of 1.0.0" in outcome.stdout


def test_a_job_in_an_image_has_no_network_and_changes_nothing(image: Selection, tmp_path: Path) -> None:
    resolved = resolve_target(image, SubprocessRunner(os.environ), os.environ, tmp_path)
    reach = "import socket; socket.create_connection(('192.0.2.1', 80), 5)"

    done = resolved.runner.run(Command(("python3", "-c", reach), network=False))
    resolved.runner.run(Command(("touch", "/usr/written")))

    assert not done.ok
    assert "Network is unreachable" in done.errors
    assert not (resolved.target.root / "usr/written").exists()


def test_a_driver_killed_while_it_takes_the_image_out_leaves_no_container(image: Selection, tmp_path: Path) -> None:
    before = containers()
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom venvpkg.host.runner import SubprocessRunner\n"
        "from venvpkg.targets.resolve import resolve_target\nfrom venvpkg.targets.selection import parse_selection\n"
        "resolve_target(parse_selection(sys.argv[1]), SubprocessRunner(os.environ), os.environ, Path(sys.argv[2]))\n"
    )
    driver = subprocess.Popen([sys.executable, "-c", code, str(image), str(tmp_path)])
    _wait_until(lambda: containers() != before)

    driver.send_signal(signal.SIGKILL)
    driver.wait()

    _wait_until(lambda: containers() == before)
    resolved = resolve_target(image, SubprocessRunner(os.environ), os.environ, tmp_path)
    assert (resolved.target.root / "usr/bin/gcc").exists()
    assert sorted(path.suffix for path in (tmp_path / "images").iterdir()) == ["", ".lock"]


def _wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)
