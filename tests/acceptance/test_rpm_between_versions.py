"""What an earlier version of an .rpm and Python leave behind is no obstacle, and goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acceptance.packages import shown
from acceptance.rpms import BUILDERS
from acceptance.smallproject import NAME, write_project

if TYPE_CHECKING:
    from pathlib import Path

    from acceptance.packages import Venvpkg
    from rpmworld.world import World

VERSIONS = {
    "1.0": ({"data/kind/f.txt": "directory", "data/other": "file"}, ("job", "same", "kept")),
    "2.0": ({"data/kind": "file", "data/other/f.txt": "directory"}, ("same",)),
}
SCRIPT = f"""\
set -eu
manage() {{ dnf -y -q --setopt=install_weak_deps=False "$@" >&2; }}
site=$(echo /opt/venvs/{NAME}/lib/python3.*/site-packages/{NAME})
kinds() {{ for each in kind other; do test -d $site/data/$each && echo directory || cat $site/data/$each; echo; done; }}
manage install "$1"
site=$(echo /opt/venvs/{NAME}/lib/python3.*/site-packages/{NAME})
kinds
echo changed > /etc/{NAME}/kept
/opt/venvs/{NAME}/bin/python -OO -m compileall -q "$site"
manage install "$2"
kinds
find /etc/{NAME} -type f
find /opt -name '*.rpmmoved*'
rpm -V {NAME}
manage downgrade "$1"
kinds
/opt/venvs/{NAME}/bin/python -O -m compileall -q "$site"
manage remove {NAME}
find /opt -path '/opt/venvs/*'
"""


def test_files_and_directories_take_each_others_place_and_nothing_is_left(
    venvpkg: Venvpkg, rpm_world: World, tmp_path: Path
) -> None:
    packages = []
    for version, (files, configured) in VERSIONS.items():
        entries = (f'{{source = "pyproject.toml", target = "/etc/{NAME}/{each}"}}' for each in configured)
        configuration = f"files = [{', '.join(entries)}]"
        project = write_project(tmp_path / version, version, native=False, configuration=configuration, files=files)
        out = str(tmp_path / f"out-{version}")
        packages.append(venvpkg.built(str(project), "-t", f"root:{rpm_world.root(*BUILDERS).base}", out=out)[0])

    binds = {each: shown(each) for each in packages}
    outcome = rpm_world.root().run(SCRIPT, binds=binds, arguments=[str(each) for each in binds.values()])

    assert outcome.code == 0, outcome.transcript
    assert [each for each in outcome.stdout.splitlines() if each] == [
        "directory", "file",
        "file", "directory",
        f"/etc/{NAME}/kept.rpmsave", f"/etc/{NAME}/same",
        "directory", "file",
    ]  # fmt: skip
    assert "remove failed" not in outcome.stderr
