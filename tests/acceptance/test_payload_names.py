"""Names and places that break packages made with less care: packed, installed and found again as they were."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from acceptance.packages import Visit, shown
from acceptance.smallproject import NAME, write_project

if TYPE_CHECKING:
    from pathlib import Path

    from acceptance.cleanroot import CleanRoot
    from acceptance.packages import Venvpkg

ODD = (
    "-rf",
    "--help.txt",
    "a name with spaces",
    " leading and trailing ",
    'it\'s "quoted"',
    "$HOME `id` $(id)",
    "100%.txt",
    "%s %(x)s {{ 7 * 7 }}",
    "semi;colon & ampersand | pipe",
    "star*question?[bracket]",
    "grüße-日本語-🔔",
    "e\u0301 is not \u00e9",
    "tilde~",
    "#comment",
    "comma, and = equals",
    "/".join(["deeper"] * 40),
    "long-" + "n" * 200,
)
# The kernel reads 127 or, since Linux 5.1, 255 bytes of a script's first line.
LONG_PREFIX = "/opt/venvs/" + "/".join(["a-directory-with-a-rather-long-name"] * 7)

SCRIPT = f"""
set -eu
apt-get update -qq
apt-get install -qq -y --no-install-recommends "$1" > /dev/null
echo "differences: $(dpkg --verify {NAME})"
{NAME}
cd "$(dirname "$(find /opt -type d -name data -path '*/{NAME}/*')")/data"
find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum -z | tr '\\0' '\\n'
apt-get purge -qq -y {NAME} > /dev/null
echo "left: $(find /opt -mindepth 1 2> /dev/null)"
"""


@pytest.fixture(scope="module")
def visit(venvpkg: Venvpkg, clean_root: CleanRoot, tmp_path_factory: pytest.TempPathFactory) -> Visit:
    sources = write_project(
        tmp_path_factory.mktemp("odd") / "sources",
        native=False,
        configuration=f'prefix = "{LONG_PREFIX}"',
        files={f"data/{name}": name for name in ODD},
    )
    package = venvpkg.build(str(sources))
    return Visit(package, clean_root.run(SCRIPT, binds={package: shown(package)}, arguments=[str(shown(package))]))


def test_every_file_is_there_with_its_name_and_content(visit: Visit) -> None:
    lines = (line.removeprefix("\\") for line in visit.outcome.stdout.splitlines() if "  ./" in line)
    found = {path: digest for digest, _, path in (line.partition("  ") for line in lines)}

    assert found == {f"./{name}": hashlib.sha256(name.encode()).hexdigest() for name in ODD}, visit.outcome.transcript


def test_dpkg_verifies_them_and_removes_them(visit: Visit) -> None:
    lines = visit.outcome.stdout.splitlines()

    assert "differences: " in lines, visit.outcome.transcript
    assert lines[-1] == "left: "


def test_a_command_below_a_long_prefix_runs(visit: Visit) -> None:
    assert "3 rings of 1.0.0" in visit.outcome.stdout.splitlines(), visit.outcome.transcript


def test_a_line_break_in_a_name_is_refused_by_name(venvpkg: Venvpkg, tmp_path: Path) -> None:
    sources = write_project(tmp_path / "sources", native=False, files={"data/one\ntwo": "", "data/fine": ""})

    outcome = venvpkg.run("build", str(sources), f"--out={tmp_path / 'out'}", f"--cache={tmp_path / 'cache'}")

    assert outcome.code not in {0, 1, 2}
    assert "Traceback" not in outcome.stderr
    assert r"one\ntwo" in outcome.stderr
    assert not list(tmp_path.glob("out/*"))


def test_the_locale_does_not_change_a_byte(venvpkg: Venvpkg, tmp_path: Path) -> None:
    files = {"modulé.py": "", "data/日本.txt": ""}
    sources = str(write_project(tmp_path / "sources", native=False, files=files))
    # Python's file names are then ASCII, as they are Latin-1 in de_DE.ISO-8859-1.
    ascii_names = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}

    of_utf8, _ = venvpkg.built(sources, out="utf8", cache="cache-utf8", environment={"LC_ALL": "C.UTF-8"})
    of_ascii, _ = venvpkg.built(sources, out="ascii", cache="cache-ascii", environment=ascii_names)

    assert of_ascii.read_bytes() == of_utf8.read_bytes()
