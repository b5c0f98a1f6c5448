"""One pass over the payload: what is there, and that it names nothing of this machine."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path, PurePosixPath

import pytest

from venvpkg.errors import LongNameError, StagingError, UnsafePathError
from venvpkg.host.tree import entries_below, normalise_modes, set_times
from venvpkg.model.staged import PathKind
from venvpkg.staging import leaks
from venvpkg.staging.leaks import Forbidden, forbidden_paths, read_payload
from venvpkg.text import Secrets

SECRET = Forbidden("the workspace", b"/var/lib/jobs/work-7")


@pytest.fixture
def destdir(tmp_path: Path) -> Path:
    root = tmp_path / "destdir"
    (root / "opt/app").mkdir(parents=True)
    return root


def test_every_path_is_given_with_size_md5_and_kind(destdir: Path) -> None:
    (destdir / "opt/app/code").write_bytes(b"\x7fELF rest")
    (destdir / "opt/app/link").symlink_to("code")

    payload = read_payload(destdir, (SECRET,))

    directory, app, code, link = payload.paths
    assert (directory.path, app.kind) == (PurePosixPath("/opt"), PathKind.DIRECTORY)
    assert (code.size_bytes, code.is_elf) == (9, True)
    assert code.md5 == hashlib.md5(b"\x7fELF rest", usedforsecurity=False).hexdigest()
    assert (link.kind, link.size_bytes) == (PathKind.LINK, 4)
    assert payload.has_elf


def test_all_leaks_in_contents_and_links_are_told(destdir: Path) -> None:
    (destdir / "opt/app/a.pyc").write_bytes(b"..." + SECRET.spelling + b"/src")
    (destdir / "opt/app/b").symlink_to("/var/lib/jobs/work-7/b")

    with pytest.raises(StagingError) as caught:
        read_payload(destdir, (SECRET,))

    assert caught.value.details.splitlines() == [
        "  /opt/app/a.pyc names the workspace, /var/lib/jobs/work-7",
        "  /opt/app/b points to the workspace",
    ]


def test_a_leak_across_two_chunks_is_found(destdir: Path) -> None:
    before = leaks._CHUNK_BYTES - 5  # noqa: SLF001 - the border is what is tested
    (destdir / "opt/app/large").write_bytes(b"x" * before + SECRET.spelling + b"x")

    with pytest.raises(StagingError, match="large names the workspace"):
        read_payload(destdir, (SECRET,))


def test_the_most_exact_place_is_told_once() -> None:
    places = {"the workspace": Path("/srv/nowhere/work"), "the staging root": Path("/srv/nowhere/work/destdir")}

    forbidden = forbidden_paths(places, ())

    assert leaks._forbidden_in(b"/srv/nowhere/work/destdir/opt", forbidden) == (  # noqa: SLF001 - the rule itself
        Forbidden("the staging root", b"/srv/nowhere/work/destdir"),
    )


def test_short_places_and_those_of_the_target_are_not_searched_for() -> None:
    places = {
        "the project's directory": Path("/home/app"),
        "venvpkg's own interpreter": Path("/opt/venvs/venvpkg"),
        "the target's root": Path("/"),
    }

    assert forbidden_paths(places, (PurePosixPath("/opt/venvs/venvpkg"),)) == ()


def test_a_place_is_also_searched_for_without_its_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    spellings = {each.spelling for each in forbidden_paths({"the cache": tmp_path / "link"}, ())}

    assert spellings == {os.fsencode(tmp_path / "link"), os.fsencode(tmp_path / "real")}


def test_every_name_with_control_characters_is_told(destdir: Path) -> None:
    for name in (b"a\nb", b"\xff", b"fine"):
        Path(os.fsdecode(os.fsencode(destdir) + b"/opt/" + name)).touch()

    with pytest.raises(UnsafePathError) as caught:
        read_payload(destdir, ())

    assert len(caught.value.paths) == 2


def test_a_pipe_is_refused(destdir: Path) -> None:
    os.mkfifo(destdir / "opt/pipe")

    with pytest.raises(StagingError, match="/opt/pipe"):
        read_payload(destdir, ())


def test_modes_are_one_of_two(destdir: Path) -> None:
    modes = {"script": 0o4711, "data": 0o600, "lib.so": 0o755, "lib.so.1.2": 0o777, "lib.source": 0o755}
    for name, mode in modes.items():
        (destdir / name).write_text("#!/bin/sh\n")
        (destdir / name).chmod(mode)
    (destdir / "opt").chmod(0o2700)

    normalise_modes(destdir)

    assert {entry.name: oct(entry.stat().st_mode & 0o7777) for _, entry in entries_below(destdir)} == {
        "opt": "0o755",
        "app": "0o755",
        "script": "0o755",
        "data": "0o644",
        "lib.so": "0o644",
        "lib.so.1.2": "0o644",
        "lib.source": "0o755",
    }


def test_only_what_can_run_is_executable(destdir: Path) -> None:
    (destdir / "bin").mkdir()
    contents = {"module.py": b"import os\n", "empty": b"", "program": b"\x7fELF\2", "bin/script": b"echo\n"}
    for name, content in contents.items():
        (destdir / name).write_bytes(content)
        (destdir / name).chmod(0o755)

    normalise_modes(destdir)

    executable = {each.path.name for each in read_payload(destdir, ()).paths if each.is_executable}
    assert executable == {"program", "script"}


def test_the_first_line_of_a_script_is_known(destdir: Path) -> None:
    contents = {"a": b"#! /usr/bin/env python3 -I\nimport os\n", "b": b"#!" + b"x" * 400, "c": b"# !", "d": b"\xff"}
    for name, content in contents.items():
        (destdir / name).write_bytes(content)

    shebangs = {each.path.name: each.shebang for each in read_payload(destdir, ()).files()}

    assert shebangs == {"a": "/usr/bin/env python3 -I", "b": "x" * 253, "c": "", "d": ""}


def test_times_are_set_on_links_and_not_on_what_they_point_to(destdir: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch()
    (destdir / "link").symlink_to(outside)

    set_times(destdir, 5)

    assert (destdir / "link").lstat().st_mtime == 5
    assert (destdir / "opt/app").stat().st_mtime == 5
    assert outside.stat().st_mtime != 5


def test_files_with_a_password_of_the_run_are_told_without_it(destdir: Path) -> None:
    for name in ("a.ini", "b.ini"):
        (destdir / "opt/app" / name).write_bytes(b"password = hush-42")

    with pytest.raises(StagingError, match="2 payload files contain a password") as caught:
        read_payload(destdir, (), Secrets((b"hush-42",)))

    assert caught.value.details.split() == ["/opt/app/a.ini", "/opt/app/b.ini"]
    assert "hush-42" not in str(caught.value) + caught.value.resolution


def test_names_that_dpkg_and_rpm_cannot_unpack_are_refused_all_at_once(tmp_path: Path) -> None:
    for name in ("a" * 246, "b" * 247, "\u00e9" * 124):
        (tmp_path / name).touch()

    with pytest.raises(LongNameError, match="longer than 246 bytes") as caught:
        read_payload(tmp_path, ())

    assert [str(each) for each in caught.value.paths] == ["/" + "b" * 247, "/" + "\u00e9" * 124]
