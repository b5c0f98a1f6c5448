"""README's tables say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from venvpkg import errors
from venvpkg.config import settings

README = (Path(__file__).parents[2] / "README.md").read_text()


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


def test_every_key_is_in_the_table_and_none_is_invented() -> None:
    table = set(re.findall(r"^\| `([a-z.-]+)` \|", README, re.MULTILINE))

    keys = set(settings.KEYS) - {"wheels"}
    assert table == keys | {f"wheels.{key}" for key in settings.WHEEL_KEYS}
