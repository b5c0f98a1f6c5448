"""What the acceptance tests share: the command under test and clean roots to try its packages in."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from acceptance.cleanroot import CleanRoot, emulation_problem
from acceptance.packages import Venvpkg


@pytest.fixture(scope="session")
def clean_root() -> CleanRoot:
    reason = emulation_problem()
    if reason is not None and os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(reason)
    if reason is not None:
        pytest.skip(reason)
    return CleanRoot.of_this_release()


@pytest.fixture(scope="session")
def venvpkg(tmp_path_factory: pytest.TempPathFactory) -> Venvpkg:
    return Venvpkg(Path(sys.executable).parent / "venvpkg", tmp_path_factory.mktemp("venvpkg"))
