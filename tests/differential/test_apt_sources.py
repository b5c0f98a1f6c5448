"""The repositories that are read of this machine's settings are those that apt reads."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from venvpkg.families.deb.bootstrap import read_apt_sources

pytestmark = pytest.mark.skipif(shutil.which("apt-get") is None, reason="no apt here")

LINES = """\
# deb http://off.example.org bookworm main
deb [ arch=amd64 trusted=yes ] http://{host}/debian {suite} main
deb-src http://src.example.org {suite} main
"""
STANZAS = """\
Types: deb deb-src
URIs: http://{host}/debian
Suites: {suite}
 {suite}-updates
# with a comment
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Enabled: no
Types: deb
URIs: http://{host}/debian
Suites: {suite}-backports
Components: main
"""


def targets(*options: str) -> set[tuple[str, str, str]]:
    shown = "$(SITE)|$(RELEASE)|$(COMPONENT)"
    argv = ["apt-get", *options, "indextargets", "--format", shown, "Created-By: Packages"]
    asked = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    return {(site, suite, component) for site, suite, component in (line.split("|") for line in asked.splitlines())}


def read(directory: Path) -> set[tuple[str, str, str]]:
    found = read_apt_sources(directory)
    return {(each.uri.rstrip("/"), each.suite, component) for each in found for component in each.components}


def test_whatever_apt_has_lists_of_is_among_them() -> None:
    # apt says nothing of what it has no lists of.
    assert targets() <= read(Path("/etc/apt"))


@pytest.mark.parametrize(("name", "text"), [("a.list", LINES), ("a.sources", STANZAS)])
def test_both_formats_are_understood_as_apt_does(name: str, text: str, tmp_path: Path) -> None:
    lists = {(site, suite) for site, suite, _ in targets() if site.endswith("/debian") and suite.isalpha()}
    if not lists:
        pytest.skip("apt has no lists here")
    ((site, suite), *_) = sorted(lists)
    (tmp_path / "sources.list.d").mkdir()
    text = text.format(host=site.removeprefix("http://").removesuffix("/debian"), suite=suite)
    (tmp_path / "sources.list.d" / name).write_text(text)

    found = read(tmp_path)

    known = {(site, suite) for site, suite, _ in targets()}
    assert targets("-o", f"Dir::Etc={tmp_path}") == {each for each in found if each[:2] in known}
    assert {each[0] for each in found} == {site}
