"""The command line as a process of its own: what it imports, and what it says where it cannot write."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_help_imports_no_stage() -> None:
    code = (
        "import sys; from venvpkg.cli.main import main; main(['--help'])\n"
        "heavy = {'cyclonedx', 'elftools', 'virtualenv', 'unearth', 'jinja2', 'installer', 'rich'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_what_the_machine_refuses_ends_with_its_own_code_and_no_traceback() -> None:
    code = "import sys; from venvpkg.cli.main import main; sys.exit(main(['--help']))"

    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert done.returncode == 16
    assert done.stderr.startswith("error: system error: No space left on device.\n")
    assert "Traceback" not in done.stderr
