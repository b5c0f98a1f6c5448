"""A recorded build, repeated with the real command: the same bytes, or a word on what changed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from acceptance.packages import Venvpkg

if TYPE_CHECKING:
    from pathlib import Path

    from acceptance.cleanroot import Outcome

PYPROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "said"
version = "1.0"
maintainers = [{ name = "Jane Doe", email = "jane@example.org" }]
[project.scripts]
said = "said:main"
[tool.venvpkg]
revision = "3"
"""


@pytest.fixture(scope="module")
def command(venvpkg: Venvpkg) -> Venvpkg:
    (venvpkg.directory / "rebuild").mkdir()
    return Venvpkg(venvpkg.program, venvpkg.directory / "rebuild")


@pytest.fixture(scope="module")
def project(command: Venvpkg) -> Path:
    directory = command.directory / "said"
    directory.mkdir()
    (directory / "pyproject.toml").write_text(PYPROJECT)
    (directory / "said.py").write_text("def main():\n    print('said')\n")
    return directory


@pytest.fixture(scope="module")
def record(command: Venvpkg, project: Path) -> Path:
    package = command.build(str(project))
    return package.with_name(package.stem + ".build.json")


def rebuilt(command: Venvpkg, record: Path, project: Path, wheelhouse: str = "wheelhouse") -> Outcome:
    places = (f"--wheelhouse={command.directory / wheelhouse}", f"--cache={command.directory / 'other-cache'}")
    return command.run("rebuild", str(record), str(project), *places)


def test_everything_compiled_anew_gives_the_same_bytes_and_leaves_the_project_alone(
    command: Venvpkg, record: Path, project: Path
) -> None:
    before = {path.name: path.read_bytes() for path in project.iterdir() if path.is_file()}

    outcome = rebuilt(command, record, project, wheelhouse="empty")

    assert outcome.code == 0, outcome.transcript
    assert json.loads(record.read_bytes())["artifact"]["sha256"] in outcome.stdout
    assert {path.name: path.read_bytes() for path in project.iterdir() if path.is_file()} == before


def test_what_was_packed_before_is_not_packed_by_a_build_and_packed_anew_by_a_rebuild(
    command: Venvpkg, record: Path, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "dpkg-deb"
    broken.write_text(
        "#!/bin/sh\n"
        'case "$*" in *--build*) echo nothing is packed here >&2; exit 1 ;; esac\n'
        'exec /usr/bin/dpkg-deb "$@"\n'
    )
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    package, _ = command.built(str(project), out="again")
    places = (f"--wheelhouse={command.directory / 'wheelhouse'}", f"--cache={command.directory / 'cache'}")

    outcome = command.run("rebuild", str(record), str(project), *places)

    assert package.read_bytes() == record.with_name(package.name).read_bytes()
    assert "nothing is packed here" in outcome.stderr, outcome.transcript


def test_the_record_names_nothing_of_the_machine(command: Venvpkg, record: Path) -> None:
    text = record.read_text()

    assert str(command.directory) not in text
    assert '"revision": "3"' in text


def test_a_changed_source_is_named_and_so_are_the_members_that_differ(command: Venvpkg, record: Path) -> None:
    changed = command.directory / "changed"
    changed.mkdir()
    (changed / "pyproject.toml").write_text(PYPROJECT)
    (changed / "said.py").write_text("def main():\n    print('said otherwise')\n")

    outcome = rebuilt(command, record, changed)

    assert outcome.code == 20, outcome.transcript
    assert "source trees: said: was" in outcome.stderr
    assert "data: ./opt/venvs/said/lib/python" in outcome.stderr


def test_another_project_is_refused(command: Venvpkg, record: Path) -> None:
    other = command.directory / "other"
    other.mkdir()
    (other / "pyproject.toml").write_text(PYPROJECT.replace('"said"', '"other"', 1))

    outcome = rebuilt(command, record, other)

    assert outcome.code == 3, outcome.transcript
    assert "not the recorded application said" in outcome.stderr
