"""README's tables say what the code says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from unit.golden import golden
from venvpkg import errors
from venvpkg.cli.main import cli
from venvpkg.config.schema import keys_table, schema_text

PATH = Path(__file__).parents[2] / "README.md"
README = PATH.read_text()


def family(base: type[errors.VenvpkgError]) -> list[type[errors.VenvpkgError]]:
    return [each for child in base.__subclasses__() for each in (child, *family(child))]


def own_codes() -> list[int]:
    return [each.exit_code for each in family(errors.VenvpkgError) if "exit_code" in vars(each)]


def test_no_two_families_of_failure_share_an_exit_code() -> None:
    codes = own_codes()

    assert len(codes) == len(set(codes))
    assert min(codes) == 3


def test_every_exit_code_is_in_the_table_and_none_is_invented() -> None:
    table = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}

    assert table == {0, 1, 2, 130, *own_codes()}


def test_every_command_is_in_the_table_and_none_is_invented() -> None:
    rows = re.findall(r"^\| `venvpkg (\w+)", README, re.MULTILINE)

    assert list(dict.fromkeys(sorted(rows))) == cli.list_commands(click.Context(cli))


def test_the_table_of_keys_is_the_model_s() -> None:
    if os.environ.get("VENVPKG_UPDATE_GOLDEN"):
        before, found, after = re.split(r"(^\| key \|.*?\n)(?=\n)", README, maxsplit=1, flags=re.MULTILINE | re.DOTALL)
        assert found
        PATH.write_text(f"{before}{keys_table()}\n{after}")

    assert f"\n{keys_table()}\n" in PATH.read_text()


def test_the_schema_in_docs_is_the_model_s() -> None:
    assert golden("../../docs/schema.json", schema_text()) == schema_text()
