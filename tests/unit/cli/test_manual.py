"""The manual page, and what shells complete."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from unit.golden import golden
from venvpkg.cli.main import cli, main
from venvpkg.cli.manual import manual_page


def test_the_page_in_docs_is_that_of_the_commands() -> None:
    page = manual_page(cli)

    assert golden("../../docs/venvpkg.1", page) == page


def test_the_page_has_every_command_option_and_exit_code() -> None:
    page = manual_page(cli)

    for expected in (".SS venvpkg wheelhouse gc", r"\-\-unused\-for AGE", r"\-\-wheels\-default", r"\fB130\fR"):
        assert expected in page


def test_no_text_of_the_page_is_a_request_of_another_kind() -> None:
    requests = {line.split()[0] for line in manual_page(cli).splitlines() if line.startswith((".", "'"))}

    assert requests == {".TH", ".SH", ".SS", ".TP", ".PP", ".br"}
    assert manual_page(cli).isascii()


def completed(*words: str) -> list[str]:
    variables = {"_VENVPKG_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    shown = CliRunner().invoke(cli, prog_name="venvpkg", env=variables).output
    return re.findall(r"^\w+,(.*)$", shown, re.MULTILINE)


def test_commands_and_options_are_completed() -> None:
    assert completed("venvpkg", "wh") == ["wheelhouse"]
    assert completed("venvpkg", "wheelhouse", "ex") == ["export"]
    assert completed("venvpkg", "build", "--off") == ["--offline"]


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_each_shell_gets_its_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0

    assert f"_VENVPKG_COMPLETE={shell}_complete" in capsys.readouterr().out
