"""What a requirements file may say, and what is refused by name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from venvpkg.errors import LockError
from venvpkg.lock.requirements import RequirementsFile, read_requirements

if TYPE_CHECKING:
    from pathlib import Path

A, B = "ab" * 32, "cd" * 32


def read(directory: Path, text: str) -> RequirementsFile:
    path = directory / "requirements.txt"
    path.write_text(text)
    return read_requirements(path)


def refusal(directory: Path, text: str) -> str:
    with pytest.raises(LockError) as caught:
        read(directory, text)
    return caught.value.details


def test_a_line_may_go_on_and_hold_several_hashes_and_comments(tmp_path: Path) -> None:
    text = (
        f"# by a program\n\nFlask[async]==3.1.3 ; python_version >= '3.9' \\\n    --hash=sha256:{A} \\\n"
        f"    --hash sha256:{B.upper()} \\\n    --hash=md5:00\n    # via app\nclick==8.1 --hash=sha256:{A}  # why\n"
    )

    file = read(tmp_path, text)

    assert [(pin.name, pin.sha256, pin.where) for pin in file.pins] == [
        ("flask", frozenset({A, B}), "requirements.txt:3"),
        ("click", frozenset({A}), "requirements.txt:8"),
    ]
    assert file.hashed
    assert file.lines == ('Flask[async]==3.1.3; python_version >= "3.9"', "click==8.1")


def test_hashes_of_one_name_on_several_lines_count_together(tmp_path: Path) -> None:
    text = "".join(
        f"a=={version} ; python_version {sign} '3.12' --hash=sha256:{digest}\n"
        for version, digest, sign in (("1", A, "<"), ("2", B, ">="))
    )

    assert read(tmp_path, text).trusted("a") == frozenset({A, B})


def test_constraints_have_no_extras_and_no_order(tmp_path: Path) -> None:
    file = read(tmp_path, "Zope.Interface==1\nflask[async]==3\nflask==3\n")

    assert file.constraints == ("flask==3", "zope-interface==1")
    assert not file.hashed


def test_other_files_are_read_from_where_they_are_named_and_once(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "base.txt").write_text("-r ../requirements.txt\nb==2\n")

    file = read(tmp_path, "-r more/base.txt\n--requirement=more/base.txt\na==1\n")

    assert [(pin.name, pin.where) for pin in file.pins] == [("b", "more/base.txt:2"), ("a", "requirements.txt:3")]


@pytest.mark.parametrize("line", [".", "./", "-e .", "--editable=.", "-e."])
def test_the_application_itself_is_passed_over(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, f"{line}\na==1\n").lines == ("a==1",)


def test_everything_that_cannot_be_honoured_is_told_at_once(tmp_path: Path) -> None:
    lines = (
        "not a requirement",
        "./lib",
        "https://me:s3cret@h.example/x.whl",
        "a @ https://me:s3cret@h.example/a-1-py3-none-any.whl",
        "-e ../lib",
        "-c constraints.txt",
        "--no-binary :all:",
        "--invented",
        "b @ https://${TOKEN}@h.example/b.whl",
        "c==1 --global-option=x",
        "-r nowhere.txt",
        "'unclosed",
        "-r 'unclosed",
    )

    details = refusal(tmp_path, "\n".join(lines))

    told = [line.split(":")[1].strip() for line in details.splitlines() if line.startswith("  requirements.txt:")]
    assert told == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "12", "13"]
    assert "nowhere.txt: cannot be read: No such file" in details
    assert "s3cret" not in details


def test_hashes_on_some_lines_only_are_refused_as_by_pip(tmp_path: Path) -> None:
    details = refusal(tmp_path, f"a==1 --hash=sha256:{A}\nb==1\nc>=1 --hash=sha256:{A}\nd==1.* --hash=sha256:{A}\n")

    assert "requirements.txt:2: b has no sha256" in details
    assert "requirements.txt:3: c has hashes but no exact version" in details
    assert "requirements.txt:4: d has hashes but no exact version" in details


@pytest.mark.parametrize("digest", ["sha256:xyz", f"sha256:{A}00", "md5:00", "sha256:"])
def test_a_hash_that_is_no_sha256_is_refused(tmp_path: Path, digest: str) -> None:
    assert "sha256" in refusal(tmp_path, f"a==1 --hash={digest}\n")


def test_an_index_in_a_file_without_hashes_is_refused_and_beside_hashes_only_noted(tmp_path: Path) -> None:
    index = "--index-url https://me:s3cret@h.example/simple\n"

    details = refusal(tmp_path, index + "a==1\n")
    file = read(tmp_path, index + f"a==1 --hash=sha256:{A}\n")

    assert "UV_DEFAULT_INDEX" in details
    assert file.indexes == ("requirements.txt:1: --index-url https://***@h.example/simple",)
    assert "s3cret" not in details


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a==1\0\n"])
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "requirements.txt").write_bytes(content)

    with pytest.raises(LockError):
        read_requirements(tmp_path / "requirements.txt")


def test_a_pipe_in_place_of_a_file_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "more.txt")

    assert refusal(tmp_path, "-r more.txt\n") == "  more.txt: cannot be read: not a regular file"


def test_files_that_name_each_other_without_end_come_to_an_end(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"r{number}.txt").write_text(f"-r r{number + 1}.txt\n")

    assert "nested too deeply" in refusal(tmp_path, "-r r0.txt\n")
