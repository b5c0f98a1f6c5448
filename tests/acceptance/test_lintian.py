"""lintian finds neither error nor warning, and no override that is for nothing."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from acceptance.lintian import findings
from acceptance.smallproject import NAME, write_project

if TYPE_CHECKING:
    from pathlib import Path

    from acceptance.packages import Venvpkg

MANUAL = f"""\
.TH {NAME.upper()} 1
.SH NAME
{NAME} \\- ring a bell
.SH SYNOPSIS
.B {NAME}
.SH DESCRIPTION
It rings.
"""


@pytest.fixture(scope="module")
def plain(venvpkg: Venvpkg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of a project with native code that has nothing unusual in it."""
    return venvpkg.build(str(write_project(tmp_path_factory.mktemp("plain") / "sources", "1.0.0")))


@pytest.fixture(scope="module")
def unusual(venvpkg: Venvpkg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of a pure project with all that has an override, and a manual page."""
    files = {
        "run.py": "#!/usr/bin/env python3\n",
        "old.py": "#!/usr/bin/env python\n",
        "older.py": "#!/usr/bin/python\n",
        "data/install.sh": "#!/bin/sh\nset -e\n",
    }
    sources = write_project(tmp_path_factory.mktemp("unusual") / "sources", "1.1.0", native=False, files=files)
    (sources / NAME / "data/install.sh").chmod(0o755)
    (sources / ".gitignore").write_text("*.pyc\n")
    (sources / f"{NAME}.1").write_text(MANUAL)
    with (sources / "pyproject.toml").open("a") as text:
        data = {"share/man/man1": f"{NAME}.1", f"share/{NAME}": ".gitignore"}
        text.writelines(["[tool.setuptools.data-files]\n", *(f'"{at}" = ["{name}"]\n' for at, name in data.items())])
    return venvpkg.build(str(sources))


def test_a_plain_package_is_without_fault(plain: Path) -> None:
    assert findings(plain) == []


def test_an_unusual_package_is_without_fault(unusual: Path) -> None:
    assert findings(unusual) == []


def test_every_override_has_a_reason_in_the_package(plain: Path, unusual: Path) -> None:
    for package, fewest in ((plain, 5), (unusual, 8)):
        paragraphs = content_of(package, f"./usr/share/lintian/overrides/{NAME}").strip().split("\n\n")

        assert len(paragraphs) >= fewest
        assert all(paragraph.startswith("# ") for paragraph in paragraphs)


def test_the_manual_page_is_where_man_looks(unusual: Path) -> None:
    listing = subprocess.run(["dpkg-deb", "--contents", str(unusual)], capture_output=True, text=True, check=True)

    assert f" ./usr/share/man/man1/{NAME}.1.gz\n" in listing.stdout


def test_lintian_finds_what_is_wrong(plain: Path, tmp_path: Path) -> None:
    subprocess.run(["dpkg-deb", "--raw-extract", str(plain), str(tmp_path / "tree")], check=True)
    (tmp_path / "tree/usr/share/doc" / NAME / "copyright").unlink()
    (tmp_path / "tree/usr/share/lintian/overrides" / NAME).write_text(f"{NAME}: no-such-manual\n")
    worse = tmp_path / "worse.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "--build", str(tmp_path / "tree"), str(worse)],
        check=True,
        stdout=subprocess.DEVNULL,
    )

    found = {line.split()[2] for line in findings(worse)}

    assert {"no-copyright-file", "dir-or-file-in-opt"} <= found


def content_of(package: Path, path: str) -> str:
    archive = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(package)], capture_output=True, check=True).stdout
    return subprocess.run(["tar", "-xO", path], input=archive, capture_output=True, check=True).stdout.decode()
