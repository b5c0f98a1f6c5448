"""What distributions say of themselves is read without trust."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.samples import PREFIX, SITE, debian_12
from venvpkg.errors import StagingError, WheelError
from venvpkg.model.wheels import Action, ReadyWheel
from venvpkg.staging.installed_paths import InstalledWheel
from venvpkg.staging.metadata import (
    CoreMetadata,
    application_metadata,
    installed_distribution,
    python_floor,
    read_metadata,
)

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.model.staged import ApplicationMetadata

HEAD = "Metadata-Version: 2.4\nName: app\nVersion: 1.0\n"


def installed(destdir: Path, metadata: str | bytes, *, licence: str | None = None) -> InstalledWheel:
    dist_info = SITE / "app-1.0.dist-info"
    here = destdir / dist_info.relative_to("/")
    here.mkdir(parents=True, exist_ok=True)
    (here / "METADATA").write_bytes(metadata if isinstance(metadata, bytes) else metadata.encode())
    files = [PREFIX / "bin/app", PREFIX / "bin/sub/no-command", dist_info / "METADATA"]
    if licence is not None:
        (here / "LICENSE").write_text(licence)
        files.append(dist_info / "LICENSE")
    wheel = ReadyWheel("app", "1.0", destdir / "app-1.0-py3-none-any.whl", "0" * 64, Action.PURE)
    return InstalledWheel(wheel, dist_info, tuple(sorted(files)))


def read(destdir: Path, metadata: str | bytes) -> CoreMetadata:
    return read_metadata(installed(destdir, metadata), destdir, RecordingReporter())


def application(destdir: Path, fields: str) -> ApplicationMetadata:
    wheel = installed(destdir, HEAD + fields)
    return application_metadata(wheel, read_metadata(wheel, destdir, RecordingReporter()), PREFIX / "bin")


@pytest.mark.parametrize(
    ("fields", "maintainer"),
    [
        ("Maintainer: A. Smith\nMaintainer-email: a@example.org\n", "A. Smith <a@example.org>"),
        ("Author: B\nAuthor-email: C <c@example.org>, D <d@example.org>\n", "C <c@example.org>"),
        ('Author-email: "Doe, Jane" <jane@example.org>\n', "Doe Jane <jane@example.org>"),
        ("Author-email: jane@example.org\n", "jane <jane@example.org>"),
        ("Author: Jane, Joe\nAuthor-email: jane@example.org, joe@example.org\n", "Jane <jane@example.org>"),
        ("Author: Jane\n", ""),
        ("Author-email: not an address\n", ""),
        ("Author-email: Jane\n <jane@example.org>\n", "Jane <jane@example.org>"),
        ("Author-email: Eve\x0bDepends: x <eve@example.org>\n", "x <eve@example.org>"),
        ("Author-email: x <a@b>\n", "x <a@b>"),
        ("Author-email: x <a@b\u202e>\n", "x <a@b>"),
    ],
)
def test_the_maintainer_is_the_first_person_with_an_address(tmp_path: Path, fields: str, maintainer: str) -> None:
    assert application(tmp_path, fields).maintainer == maintainer


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: other\n", "MIT OR Apache-2.0"),
        ("License: BSD License\n  Redistribution and use\n", "BSD License"),
        ("License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n", "MIT License"),
        ("Classifier: License :: OSI Approved\n", ""),
        ("", ""),
    ],
)
def test_the_licence_is_the_expression_else_a_line_else_the_classifier(
    tmp_path: Path, fields: str, expected: str
) -> None:
    assert application(tmp_path, fields).license_expression == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("Home-page: https://example.org\n", "https://example.org"),
        ("Home-page: UNKNOWN\nProject-URL: Source Code, https://example.org/src\n", "https://example.org/src"),
        ("Project-URL: Docs, https://d\nProject-URL: homepage, https://h\n", "https://h"),
        ("Home-page: javascript:alert(1)\n", ""),
        ("Home-page: https://example.org/a b\n", ""),
    ],
)
def test_the_homepage_is_a_plain_web_address_or_nothing(tmp_path: Path, fields: str, expected: str) -> None:
    assert application(tmp_path, fields).homepage == expected


def test_what_is_installed_directly_in_bin_is_a_command(tmp_path: Path) -> None:
    assert application(tmp_path, "").commands == ("app",)


def test_metadata_of_another_distribution_and_bad_requirements_are_told_together(tmp_path: Path) -> None:
    deep = "x; " + "(" * 20_000
    wrong = f"Name: other\nVersion: 2.0\nRequires-Dist: >>what\nRequires-Dist: {deep}\nRequires-Dist: fine>=1\n"

    with pytest.raises(WheelError) as caught:
        read(tmp_path, wrong)

    assert len(caught.value.details.splitlines()) == 4


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"Name: app\nName: app\nVersion: 1.0\n", b"Version: " + b"9" * 9999]
)
def test_damaged_metadata_is_a_wheel_error(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(WheelError):
        read(tmp_path, content)


def test_a_missing_metadata_file_is_a_wheel_error(tmp_path: Path) -> None:
    wheel = installed(tmp_path, HEAD)
    (tmp_path / (wheel.dist_info / "METADATA").relative_to("/")).unlink()

    with pytest.raises(WheelError, match="no METADATA"):
        read_metadata(wheel, tmp_path, RecordingReporter())


def test_a_requires_python_from_before_pep_440_is_passed_over(tmp_path: Path) -> None:
    reporter = RecordingReporter()

    metadata = read_metadata(installed(tmp_path, f"{HEAD}Requires-Python: >=3.6.*\n"), tmp_path, reporter)

    assert metadata.requires_python is None
    assert "app: ignoring Requires-Python" in reporter.details[0]


@pytest.mark.parametrize(
    ("asked", "floor"),
    [
        ([">=3.9"], "3.11.0"),
        ([">=3.11.1", ">=3.8"], "3.11.1"),
        (["!=3.11.0,!=3.11.1"], "3.11.2"),
        (["!=3.11.1"], "3.11.2"),
        ([], "3.11.0"),
    ],
)
def test_the_floor_is_where_every_later_patch_release_is_accepted(tmp_path: Path, asked: list[str], floor: str) -> None:
    distributions = [read(tmp_path, f"{HEAD}Requires-Python: {each}\n") for each in asked]

    assert python_floor(distributions, debian_12().interpreter) == floor


def test_an_interpreter_that_distributions_refuse_is_an_error_that_names_them(tmp_path: Path) -> None:
    refusing = read(tmp_path, f"{HEAD}Requires-Python: >=3.12\n")

    with pytest.raises(StagingError, match=r"app 1\.0: >=3\.12"):
        python_floor([refusing], debian_12().interpreter)


def test_copyright_comes_from_the_licence_file(tmp_path: Path) -> None:
    licence = (
        "MIT\n\n  # Copyright (c) 2001 Jane <j@example.org>\nCopyright © Joe and others\nCOPYRIGHT [yyyy] [name]\n"
        "(c) You must retain the notice\nthe above copyright notice of 1999\n * Copyright 2010-2012, Someone\n"
    )
    wheel = installed(tmp_path, HEAD, licence=licence)

    found = installed_distribution(wheel, read_metadata(wheel, tmp_path, RecordingReporter()), tmp_path)

    assert found.license_files == (wheel.dist_info / "LICENSE",)
    assert found.copyright == (
        "Copyright (c) 2001 Jane <j@example.org>",
        "Copyright © Joe and others",
        "Copyright 2010-2012, Someone",
    )


def test_a_licence_file_of_ornaments_does_not_take_long(tmp_path: Path) -> None:
    wheel = installed(tmp_path, HEAD, licence="# (\n" * 60_000)

    found = installed_distribution(wheel, read_metadata(wheel, tmp_path, RecordingReporter()), tmp_path)

    assert found.copyright == ()
