"""What is read of dpkg's status file is what dpkg reads."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from venvpkg.families.deb.deb822 import parse_stanzas

STATUS = Path("/var/lib/dpkg/status")
FIELDS = ("Package", "Version", "Architecture", "Section", "Depends", "Description", "Maintainer")

pytestmark = pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="no dpkg here")


def test_every_field_of_every_installed_package_is_what_dpkg_says() -> None:
    text = STATUS.read_text("utf-8")
    shown = "\x1e".join(f"${{{name}}}" for name in FIELDS) + "\x1d"
    asked = subprocess.run(
        ["dpkg-query", "--show", "--showformat", shown], capture_output=True, text=True, check=True
    ).stdout

    stanzas, problems = parse_stanzas(text)

    assert problems == []
    known = (each for each in stanzas if not each["status"].endswith(" not-installed"))
    found = sorted(tuple(each.get(name.lower(), "") for name in FIELDS) for each in known)
    assert found == sorted(tuple(each.split("\x1e")) for each in asked.split("\x1d")[:-1])
