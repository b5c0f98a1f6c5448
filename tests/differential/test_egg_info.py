"""setuptools' own answers leave nothing in the project's directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from unit.fakes import RecordingReporter
from venvpkg.host.runner import SubprocessRunner
from venvpkg.index.pip_settings import UvSettings
from venvpkg.lock.uv import Resolver, uv_environ

ASK = "import setuptools.build_meta as backend; backend.get_requires_for_build_wheel()"


@pytest.mark.parametrize("text", ["", "[egg_info]\ntag_build = .dev1\n"])
def test_setuptools_writes_its_metadata_elsewhere(tmp_path: Path, text: str) -> None:
    pytest.importorskip("setuptools")
    project, work = tmp_path / "project", tmp_path / "with blank and %"
    project.mkdir()
    work.mkdir()
    (project / "setup.py").write_text('from setuptools import setup\nsetup(name="app", version="1.0")\n')
    (project / "setup.cfg").write_text(text)
    resolver = Resolver(Path("uv"), UvSettings({}, ()), SubprocessRunner(os.environ), RecordingReporter(), work)
    environ = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **uv_environ(resolver, work)}

    subprocess.run([sys.executable, "-c", ASK], cwd=project, env=environ, check=True)

    assert sorted(path.name for path in project.iterdir()) == ["setup.cfg", "setup.py"]
    (metadata,) = work.glob("*/app.egg-info/PKG-INFO")
    assert f"Version: 1.0{'.dev1' if text else ''}\n" in metadata.read_text()
