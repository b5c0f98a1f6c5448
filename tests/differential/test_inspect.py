"""Looking into, and comparing, packages that the real dpkg-deb packed."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from differential.packing import assemble_in, output
from venvpkg.cli.main import main
from venvpkg.errors import NotAPackageError
from venvpkg.families.deb.read import differences, inspect

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.host.runner import SubprocessRunner
    from venvpkg.model.target import Target


def test_what_inspect_tells_is_what_dpkg_deb_tells(tmp_path: Path, target: Target, runner: SubprocessRunner) -> None:
    package = assemble_in(tmp_path, target, runner).path

    found = inspect(package, runner)

    listed = output(runner, "dpkg-deb", "--contents", str(package)).splitlines()
    fields = dict(found.fields)
    assert {name: fields[name] for name in ("Package", "Version", "Architecture")} == {
        name: output(runner, "dpkg-deb", "--field", str(package), name).strip()
        for name in ("Package", "Version", "Architecture")
    }
    assert dict(found.counts) == {
        "files": sum(line.startswith("-") for line in listed),
        "directories": sum(line.startswith("d") for line in listed),
        "links": sum(line.startswith("l") for line in listed),
        "others": 0,
    }
    assert found.payload_bytes == sum(int(line.split()[2]) for line in listed if line.startswith("-"))
    assert len(found.own_documents) == 2
    assert [each.path for each in found.commands] == ["/usr/bin/app"]


@pytest.mark.parametrize("kept", [0, 100, 0.5, 0.99])
def test_a_package_that_was_cut_off_is_refused(
    tmp_path: Path, target: Target, runner: SubprocessRunner, kept: float
) -> None:
    package = assemble_in(tmp_path, target, runner).path
    whole = package.read_bytes()
    package.write_bytes(whole[: int(kept if kept > 1 else kept * len(whole))])

    with pytest.raises(NotAPackageError):
        inspect(package, runner)


def test_the_command_line_prints_one_json_object(
    tmp_path: Path, target: Target, runner: SubprocessRunner, capsys: pytest.CaptureFixture[str]
) -> None:
    package = assemble_in(tmp_path, target, runner).path

    assert main(["inspect", "--json", str(package)]) == 0

    assert json.loads(capsys.readouterr().out)["result"]["fields"]["Package"] == "app"


def test_differences_are_named_by_member(tmp_path: Path, target: Target, runner: SubprocessRunner) -> None:
    one = assemble_in(tmp_path / "one", target, runner).path
    same = assemble_in(tmp_path / "same", target, runner).path
    other = assemble_in(tmp_path / "other", target, runner, evidence=b'{"other": 1}\n').path

    assert differences(one, same, runner) == ()
    assert "data: ./opt/venvs/app/share/venvpkg/dependencies.json: size, content" in differences(one, other, runner)
    assert "control: ./md5sums: content" in differences(one, other, runner)


def test_an_environment_as_others_package_it_is_told_with_its_leaks(tmp_path: Path, runner: SubprocessRunner) -> None:
    if shutil.which("dpkg-deb") is None:
        pytest.skip("no dpkg-deb")
    tree = tmp_path / "tree"
    site = tree / "opt/venvs/app/lib/python3/site-packages/app-1.dist-info"
    site.mkdir(parents=True)
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(
        "Package: app\nVersion: 1\nArchitecture: all\nMaintainer: A <a@b.c>\nDescription: x\n"
    )
    (site / "METADATA").write_text("Metadata-Version: 2.1\nName: app\nVersion: 1\n")
    (site / "direct_url.json").write_text('{"url": "file:///home/ci/checkout"}')
    (tree / "opt/venvs/app/pyvenv.cfg").write_text(
        "command = /usr/bin/python3 -m venv /srv/ci/debian/app/opt/venvs/app\n"
    )
    output(runner, "dpkg-deb", "--build", str(tree), str(tmp_path / "app.deb"))

    found = inspect(tmp_path / "app.deb", runner)

    assert [(each.name, each.version) for each in found.distributions] == [("app", "1")]
    assert {each.path.rpartition("/")[2] for each in found.leaks} == {"direct_url.json", "pyvenv.cfg"}
    assert found.own_documents == ()
