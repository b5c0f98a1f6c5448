"""What a process writes to is known from the kernel."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PRINT = (
    "import sys; from venvpkg.host.tools import pipeline_outputs; print(*pipeline_outputs(), sep='\\n', file=sys.{})"
)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_standard_output_and_error_are_found_for_real(tmp_path: Path, stream: str) -> None:
    log = tmp_path / "any name"
    with log.open("w") as file:
        out, err = (file, None) if stream == "stdout" else (None, file)
        subprocess.run([sys.executable, "-c", PRINT.format(stream)], check=True, stdout=out, stderr=err)

    assert str(log) in log.read_text().splitlines()
