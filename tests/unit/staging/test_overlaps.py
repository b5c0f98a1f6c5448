"""Which paths that two distributions ship matter, and what becomes of those that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.samples import PREFIX, SITE, write_wheel
from venvpkg.errors import StagingError
from venvpkg.staging.install import install_wheels
from venvpkg.staging.installed_paths import VenvTree, patterns_by_distribution, unmatched
from venvpkg.staging.overlaps import drop_from_records, judge, overlap_warnings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvpkg.staging.installed_paths import InstalledWheel
    from venvpkg.staging.overlaps import Judgement

NAMESPACE = b"__import__('pkg_resources').declare_namespace(__name__)\n"
NAMESPACE_TOO = (
    b"# namespace\ntry:\n    import pkg_resources\n    pkg_resources.declare_namespace(__name__)\n"
    b"except ImportError:\n    import pkgutil\n    __path__ = pkgutil.extend_path(__path__, __name__)\n"
)


def installed(
    directory: Path, one: Mapping[str, bytes], two: Mapping[str, bytes], *, entry_points: str = ""
) -> tuple[VenvTree, tuple[InstalledWheel, ...]]:
    wheels = (
        write_wheel(directory, "one", files={"one/__init__.py": b"", **one}, entry_points=entry_points),
        write_wheel(directory, "two", files={"two/__init__.py": b"", **two}),
    )
    venv = VenvTree(directory / "destdir", PREFIX, "python3.11")
    return venv, install_wheels(wheels, venv, RecordingReporter())


def judged(directory: Path, one: Mapping[str, bytes], two: Mapping[str, bytes], *, entry_points: str = "") -> Judgement:
    venv, wheels = installed(directory, one, two, entry_points=entry_points)
    return judge(venv.overlaps, wheels, venv)


@pytest.mark.parametrize(
    ("path", "one", "two", "reason"),
    [
        ("tests/settings.py", b"A = 1\n", b"A = 2\n", "nothing outside tests imports it"),
        ("README.md", b"one", b"two", "it is a document"),
        ("LICENSE", b"one", b"two", "it is a document"),
        ("one-1.0.data/data/share/doc/x/index.html", b"one", b"two", "it is a document"),
        ("common/__init__.py", b'"""One."""\nA = 1  # one\n', b"A = 1\n", "only comments differ"),
        ("zope/__init__.py", NAMESPACE, NAMESPACE_TOO, "both declare a namespace"),
    ],
)
def test_an_overlap_that_does_not_matter(path: str, one: bytes, two: bytes, reason: str, tmp_path: Path) -> None:
    judgement = judged(tmp_path, {path: one}, {path.replace("one-", "two-"): two})

    assert [why for _, why in judgement.kept] == [reason]
    assert judgement.real == ()


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"tests/x.py": b"A = 1\n", "one/a.py": b"import os, tests\n"}, {"tests/x.py": b"A = 2\n"}),
        ({"tests/x.py": b"A = 1\n"}, {"tests/x.py": b"A = 2\n", "two/a.py": b"def f():\n    from tests.x import A\n"}),
        ({"one/a.py": b"A = 1\n"}, {"one/a.py": b"A = 2\n"}),
        ({"tests/x.so": b"1"}, {"tests/x.so": b"2"}),
        ({"zope/__init__.py": NAMESPACE, "one/a.py": b"import zope"}, {"zope/__init__.py": b"__path__ = open('x')"}),
        ({"one-1.0.data/data/etc/x.conf": b"1"}, {"two-1.0.data/data/etc/x.conf": b"2"}),
        ({"one-1.0.data/scripts/tool": b"#!/bin/sh\n"}, {"two-1.0.data/scripts/tool": b"#!/bin/bash\n"}),
    ],
)
def test_an_overlap_that_replaces_what_is_used(
    one: Mapping[str, bytes], two: Mapping[str, bytes], tmp_path: Path
) -> None:
    assert judged(tmp_path, one, two).kept == ()


def test_a_package_that_an_entry_point_names_is_used(tmp_path: Path) -> None:
    entry_points = "[console_scripts]\nrun = tests.x:main\n"

    judgement = judged(tmp_path, {"tests/x.py": b"A = 1\n"}, {"tests/x.py": b"A = 2\n"}, entry_points=entry_points)

    assert len(judgement.real) == 1


def test_a_distribution_s_only_package_is_used(tmp_path: Path) -> None:
    wheels = (
        write_wheel(tmp_path, "opencv", files={"cv2/__init__.py": b"A = 1\n", "opencv.libs/liba.so": b""}),
        write_wheel(tmp_path, "opencv_headless", files={"cv2/__init__.py": b"A = 2\n", "a.libs/liba.so": b""}),
    )
    venv = VenvTree(tmp_path / "destdir", PREFIX, "python3.11")

    done = install_wheels(wheels, venv, RecordingReporter())
    judgement = judge(venv.overlaps, done, venv)

    assert len(judgement.real) == len(venv.overlaps) == 1


def test_the_loser_s_record_is_true_and_one_warning_says_whose_file_stays(tmp_path: Path) -> None:
    files = {"tests/x.py": b"A = 1\n", "tests/y.py": b"B = 1\n"}
    venv, wheels = installed(tmp_path, files, dict.fromkeys(files, b"C = 1\n"))
    judgement = judge(venv.overlaps, wheels, venv)

    drop_from_records([each for each, _ in judgement.kept], wheels, venv)

    records = [venv.on_host(each.dist_info / "RECORD").read_text() for each in wheels]
    assert ["tests/x.py" in each for each in records] == [True, False]
    assert "two/__init__.py,sha256=" in records[1]
    assert list(overlap_warnings(judgement)) == [
        f"one and two both ship {SITE}/tests/x.py and 1 more; one's stays, because nothing outside tests imports it"
    ]


def test_an_error_names_the_key_that_leaves_files_out(tmp_path: Path) -> None:
    venv, _ = installed(tmp_path, {"tests/x.py": b"A = 1\n"}, {"tests/x.py": b"A = 2\n"})

    with pytest.raises(StagingError) as caught:
        venv.require_no_conflict()

    assert 'leave-out = ["two:tests/*"]' in caught.value.resolution


def test_files_that_are_left_out_are_neither_installed_nor_recorded(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, "two", files={"two/__init__.py": b"", "tests/a/x.py": b"A = 2\n"})
    leave_out = patterns_by_distribution(["two:tests/*", "two:*METADATA", "two:nothing/*", "three:x"])
    venv = VenvTree(tmp_path / "destdir", PREFIX, "python3.11", leave_out=leave_out)

    (done,) = install_wheels((wheel,), venv, RecordingReporter())

    assert not venv.on_host(SITE / "tests").exists()
    assert "tests" not in venv.on_host(done.dist_info / "RECORD").read_text()
    assert venv.on_host(done.dist_info / "METADATA").exists()
    assert list(unmatched({**leave_out, "two": ("tests/*", "nothing/*")}, {"two": ["tests/a/x.py"]})) == [
        "leave-out: no path in the wheel of two matches nothing/*",
        "leave-out: three is not in the package",
    ]
