"""What ``venvpkg inspect`` prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from venvpkg import api
from venvpkg.cli.main import main
from venvpkg.model.package import Inspection, Leak, PackedDistribution, PackedElf, PackedFile, PackedLink

if TYPE_CHECKING:
    from pathlib import Path


FOUND = Inspection(
    filename="app.deb",
    sha256="a" * 64,
    size_bytes=1_234_567,
    fields=(("Package", "app"), ("Depends", "libc6,\n libpq5")),
    scripts=("postinst",),
    configuration=("/etc/app.conf",),
    counts=(("files", 2), ("directories", 1), ("links", 0), ("others", 0)),
    payload_bytes=999,
    largest=(PackedFile("/opt/a", 900),),
    distributions=tuple(PackedDistribution(f"d{number:02}", "1", "/m") for number in range(25)),
    commands=(PackedLink("/usr/bin/app", "/opt/app"),),
    services=(),
    elf=(
        PackedElf("/opt/a.so", "a.so.1", ("libpq.so.5", "b.so.1")),
        PackedElf("/opt/b.so", "b.so.1", ("libpq.so.5",), runpath=("$ORIGIN",)),
    ),
    leaks=(Leak("/opt/x\x1b[2J", "/home/ci/x", 3),),
    is_ours=False,
    own_documents=(),
)


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    def inspect(artifact: Path) -> Inspection:
        del artifact
        return FOUND

    monkeypatch.setattr(api, "inspect", inspect)


def shown(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    assert main(["inspect", "app.deb", *options]) == 0
    return capsys.readouterr().out.splitlines()


def test_people_read_fields_counts_and_groups(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys)

    assert lines[:4] == [
        f"app.deb: 1.2 MB, sha256 {'a' * 64}",
        "  Package: app",
        "  Depends: libc6, libpq5",
        "payload: 2 files, 1 directories; 999 B in files",
    ]
    assert "  /usr/bin/app -> /opt/app" in lines
    assert "nothing says that it was built by venvpkg" in lines
    assert [line for line in lines if line.startswith("services")] == []


def test_long_lists_are_cut_unless_people_ask_for_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert "  … and 5 more" in shown(capsys)
    assert "  d24 1" in shown(capsys, "--verbose")


def test_only_sonames_that_are_not_inside_are_named_as_needed(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys)

    assert lines[lines.index("needed sonames not in the package: 1") + 1] == "  libpq.so.5 (2)"
    assert "  $ORIGIN" in lines


def test_a_hostile_name_does_nothing_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert "  /opt/x\\x1b[2J: /home/ci/x and 2 more" in shown(capsys)


def test_programs_read_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = shown(capsys, "--json")

    event = json.loads(line)
    found = event["result"]
    assert (event["version"], event["event"], event["command"]) == (1, "result", "inspect")
    assert found["fields"]["Package"] == "app"
    assert found["counts"]["files"] == 2
    assert found["elf"][1]["runpath"] == ["$ORIGIN"]
