"""What was staged is what RECORD says, or the build ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.samples import PREFIX, SITE, write_wheel
from venvpkg.errors import StagingError
from venvpkg.staging.install import install_wheels
from venvpkg.staging.installed_paths import VenvTree, require_recorded
from venvpkg.staging.leaks import read_payload

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.staging.installed_paths import InstalledWheel

RECORD = SITE / "app-1.0.dist-info/RECORD"


@pytest.fixture
def venv(tmp_path: Path) -> VenvTree:
    return VenvTree(tmp_path / "destdir", PREFIX, "python3.11")


@pytest.fixture
def installed(tmp_path: Path, venv: VenvTree) -> tuple[InstalledWheel, ...]:
    app = write_wheel(
        tmp_path, files={"app/__init__.py": b"X = 1\n"}, entry_points="[console_scripts]\napp = app:main\n"
    )
    lib = write_wheel(tmp_path, "lib", files={"lib.py": b"Y = 2\n", "empty.py": b""})
    return install_wheels((app, lib), venv, RecordingReporter())


def refusal(installed: tuple[InstalledWheel, ...], venv: VenvTree) -> str:
    with pytest.raises(StagingError) as caught:
        require_recorded(installed, read_payload(venv.destdir, ()), venv.destdir)
    return str(caught.value)


def test_what_was_installed_is_as_recorded(installed: tuple[InstalledWheel, ...], venv: VenvTree) -> None:
    require_recorded(installed, read_payload(venv.destdir, ()), venv.destdir)


def test_every_file_that_differs_is_named_at_once(installed: tuple[InstalledWheel, ...], venv: VenvTree) -> None:
    venv.on_host(SITE / "app/__init__.py").write_bytes(b"X =")
    venv.on_host(SITE / "lib.py").write_bytes(b"Y = 3\n")
    venv.on_host(PREFIX / "bin/app").unlink()

    said = refusal(installed, venv)

    assert "3 staged files differ from RECORD" in said
    assert f"{SITE}/app/__init__.py: 3 bytes instead of 6, as in RECORD" in said
    assert f"{SITE}/lib.py: its sha256 differs" in said
    assert f"{PREFIX}/bin/app: missing" in said


@pytest.mark.parametrize("share", range(10))
def test_a_record_that_is_cut_off_is_noticed(installed: tuple[InstalledWheel, ...], venv: VenvTree, share: int) -> None:
    record = venv.on_host(RECORD).read_bytes()

    venv.on_host(RECORD).write_bytes(record[: len(record) * share // 10])

    assert "RECORD" in refusal(installed, venv)
