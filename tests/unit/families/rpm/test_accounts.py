"""What a package says of the accounts that it makes."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from unit.samples import a_staged
from venvpkg.families.common.units import account_lines
from venvpkg.families.rpm.documents import account_provides
from venvpkg.staging.leaks import read_payload

if TYPE_CHECKING:
    from pathlib import Path


def test_an_account_is_provided_with_its_line_for_rpm_to_make_it_by() -> None:
    user, group = account_provides(["u  app -  'An app' /var/lib/app"])

    assert group == "group(app)"
    name, _, encoded = user.partition(" = ")
    assert name == "user(app)"
    assert base64.b64decode(encoded).rstrip(b"\0") == b"u app - 'An app' /var/lib/app"


@pytest.mark.parametrize("line", ["g ab", "g abc", "g abcd"])
def test_what_is_encoded_never_ends_with_an_equals_sign(line: str) -> None:
    (group,) = account_provides([line])

    assert group.count("=") == 1
    assert base64.b64decode(group.partition(" = ")[2]).rstrip(b"\0") == line.encode()


def test_a_line_that_rpm_could_not_read_back_is_provided_by_its_name_alone() -> None:
    assert list(account_provides(["u ask - 'Who???'"])) == ["user(ask)", "group(ask)"]


@pytest.mark.parametrize("line", ["m app wheel", "r - 500-900", "u", "u %x -", "u app(x) -", "# u app -"])
def test_nothing_is_said_of_other_lines(line: str) -> None:
    assert list(account_provides([line])) == []


def test_lines_come_from_the_payloads_tables_only(tmp_path: Path) -> None:
    table = tmp_path / "usr/lib/sysusers.d/app.conf"
    other = tmp_path / "usr/lib/tmpfiles.d/app.conf"
    for file, content in ((table, b"# accounts\n\n u app - \xff\n"), (other, b"d /run/app\n")):
        file.parent.mkdir(parents=True)
        file.write_bytes(content)

    assert list(account_lines(a_staged(tmp_path, payload=read_payload(tmp_path, ())))) == ["u app - �"]
