"""Tests against the real tools of this machine; each is skipped where its tool is absent."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from venvpkg.host.runner import SubprocessRunner
from venvpkg.targets.host import resolve_host

if TYPE_CHECKING:
    from venvpkg.model.target import Target


@pytest.fixture
def runner() -> SubprocessRunner:
    return SubprocessRunner(os.environ)


@pytest.fixture
def target(runner: SubprocessRunner) -> Target:
    if shutil.which("dpkg-deb") is None or not Path("/usr/bin/python3").exists():
        pytest.skip("this machine is no Debian with a Python")
    return resolve_host(runner)
