"""The command line: usage, exit codes, and nothing on standard output but results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from venvpkg.cli.build import build
from venvpkg.cli.main import main
from venvpkg.config.settings import read_configuration

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = ("build", "ci", "doctor", "explain", "inspect", "lock", "plan", "rebuild", "wheelhouse")


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0

    shown = capsys.readouterr().out
    assert [name for name in COMMANDS if f"  {name} " not in shown] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "-h"]) == 0
    assert "Usage: venvpkg" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["bild"], ["build", "--no-such-option"], ["build", "-v", "-q"], ["build", "-j", "0"], ["explain"]]
)
def test_a_wrong_command_line_ends_with_2_and_says_why_on_standard_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(arguments) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err


def test_a_configuration_error_ends_with_its_own_code_and_no_traceback(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "app"\n[tool.venvpkg]\nnmae = "x"\n')

    assert main(["build", str(tmp_path)]) == 3

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "did you mean 'name'?" in captured.err
    assert "Traceback" not in captured.err


def test_a_rebuild_is_not_written_over_the_package_that_it_is_compared_with(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    record = tmp_path / "dist" / "app_1_all.build.json"
    record.parent.mkdir()
    (tmp_path / "link").symlink_to(record.parent)

    codes = [main(["rebuild", str(record), "-o", str(out)]) for out in (record.parent, tmp_path / "link")]

    assert codes == [2, 2]
    assert capsys.readouterr().err.count("contains the record") == 2


def test_the_variable_of_a_common_option_is_never_taken_for_a_misspelt_key(tmp_path: Path) -> None:
    variables = {str(option.envvar) for option in build.params if isinstance(option, click.Option) and option.envvar}
    assert {"VENVPKG_CACHE", "VENVPKG_WHEELHOUSE"} <= variables

    found = read_configuration({}, "", dict.fromkeys(variables, str(tmp_path)), {})

    assert found.problems == ()
