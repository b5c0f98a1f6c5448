"""Looking into rpm packages that anybody may have made, and telling two of them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit.debs import archive
from unit.families.rpm.rpmfiles import HEADER, RpmFiles
from venvpkg.errors import MissingToolError, NotAPackageError
from venvpkg.families.rpm.read import differences, inspect, read_evidence
from venvpkg.host.command import Completed
from venvpkg.model.package import PackedLink

if TYPE_CHECKING:
    from pathlib import Path

RECORD = "opt/venvs/app/share/venvpkg/dependencies.json"
LISTED = "0100644\tcn\troot:root\t1700000000\t/etc/app.conf\n0100644\t\troot:root\t1700000000\t/usr/a\n"


def package(tmp_path: Path, name: str = "app.rpm") -> Path:
    (tmp_path / name).write_bytes(b"\xed\xab\xee\xdb")
    return tmp_path / name


def test_fields_relations_scripts_and_configuration_are_told(tmp_path: Path) -> None:
    said = HEADER + "REQUIRENEVRS='bash >= 5'\nREQUIRENEVRS='libc.so.6()(64bit)'\nPOSTIN='true'\nPREIN=(none)\n"
    payload = archive({"etc/app.conf": b"x"}, {"usr/bin/app": "/opt/app"})

    found = inspect(package(tmp_path), RpmFiles({"app.rpm": (said, payload)}, LISTED))

    assert dict(found.fields) == {
        "Name": "app",
        "Version": "1.0",
        "Release": "1",
        "Requires": "bash >= 5, libc.so.6()(64bit)",
        "Description": "an application\n it's more",
    }
    assert (found.scripts, found.configuration) == (("post",), ("/etc/app.conf",))
    assert found.commands == (PackedLink("/usr/bin/app", "/opt/app"),)


def test_scriptlets_of_a_program_alone_and_triggers_are_told(tmp_path: Path) -> None:
    said = (
        f"{HEADER}PREIN=(none)\nPREINPROG=(none)\nPOSTIN=(none)\nPOSTINPROG='/sbin/ldconfig'\nPRETRANSPROG='<lua>'\n"
        "TRIGGERTYPE='in'\nTRIGGERTYPE='prein'\nFILETRIGGERTYPE='postun'\nTRANSFILETRIGGERTYPE='in'\n"
    )

    found = inspect(package(tmp_path), RpmFiles({"app.rpm": (said, archive({}))}))

    assert found.scripts == (
        "filetriggerpostun", "post", "pretrans", "transfiletriggerin", "triggerin", "triggerprein",
    )  # fmt: skip


@pytest.mark.parametrize(("host", "is_ours"), [("venvpkg", True), ("builder.example.org", False)])
def test_a_package_of_debug_symbols_is_known_by_where_it_was_built(tmp_path: Path, host: str, *, is_ours: bool) -> None:
    said = f"{HEADER}BUILDHOST='{host}'\n"

    found = inspect(package(tmp_path), RpmFiles({"app.rpm": (said, archive({"usr/lib/debug/x.debug": b""}))}))

    assert (found.is_ours, found.own_documents) == (is_ours, ())


@pytest.mark.parametrize("said", ["NAME='never closed", "x" * (17 << 20)])
def test_an_answer_that_makes_no_sense_is_told(tmp_path: Path, said: str) -> None:
    with pytest.raises(NotAPackageError, match="its header"):
        inspect(package(tmp_path), RpmFiles({"app.rpm": (said, b"")}))


def test_what_rpm_cannot_read_and_a_missing_rpm_are_told(tmp_path: Path) -> None:
    damaged = RpmFiles({"app.rpm": ("", b"")}, outcome=Completed(1, stderr=b"error: not an rpm package\n"))
    missing = RpmFiles({"app.rpm": ("", b"")}, outcome=Completed(127))

    with pytest.raises(NotAPackageError, match="not an rpm package"):
        inspect(package(tmp_path), damaged)
    with pytest.raises(MissingToolError, match="rpm, which reads packages"):
        inspect(package(tmp_path), missing)
    with pytest.raises(MissingToolError, match="rpm2archive"):
        read_evidence(package(tmp_path), missing)


def test_a_payload_that_is_cut_off_is_told(tmp_path: Path) -> None:
    cut = archive({"usr/file": b"x" * 4096})[:700]

    with pytest.raises(NotAPackageError, match="could not be read as an rpm package"):
        read_evidence(package(tmp_path), RpmFiles({"app.rpm": (HEADER, cut)}))


def test_the_record_is_taken_out_of_the_payload(tmp_path: Path) -> None:
    ours = RpmFiles({"app.rpm": (HEADER, archive({RECORD: b"{}\n"}))})
    anothers = RpmFiles({"app.rpm": (HEADER, archive({"usr/a": b""}))})

    assert read_evidence(package(tmp_path), ours) == b"{}\n"
    with pytest.raises(NotAPackageError, match="has no dependency evidence"):
        read_evidence(package(tmp_path), anothers)


def test_packages_that_differ_are_told_by_member(tmp_path: Path) -> None:
    one, other = package(tmp_path, "one.rpm"), package(tmp_path, "other.rpm")
    runner = RpmFiles({
        "one.rpm": ("same", archive({"usr/a": b"1"})),
        "other.rpm": ("same", archive({"usr/a": b"2", "usr/b": b""})),
    })  # fmt: skip

    assert differences(one, one, runner) == ()
    assert differences(one, other, runner) == ("data: ./usr/a: content", f"data: ./usr/b: only in {other}")


def test_headers_that_differ_are_told_by_tag(tmp_path: Path) -> None:
    one, other = package(tmp_path, "one.rpm"), package(tmp_path, "other.rpm")
    runner = RpmFiles({"one.rpm": ("a", archive({})), "other.rpm": ("b", archive({}))})

    assert "header: VERSION" in differences(one, other, runner)
