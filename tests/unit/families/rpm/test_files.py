"""Outside values in a spec file: nothing in them is rpm's syntax."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import PurePosixPath

import pytest

from venvpkg.families.rpm.files import file_list, literal, pattern, prose
from venvpkg.model.staged import PathKind, PayloadPath

HOSTILE = ("%include /etc/passwd", "%if 0", "#comment", "%files", "%{lua:print(1)}", "%endif")


def test_a_pattern_that_matches_what_is_listed_otherwise_tells_them_apart() -> None:
    config, directory = "%config(noreplace) /etc/a", "%dir /etc/a"
    special = "[!A-Za-z0-9._+@,:=~[:blank:]-]"
    paths = [("a b", PathKind.FILE), ("a-b", PathKind.DIRECTORY), ("a%b", PathKind.FILE), ("a c", PathKind.FILE)]
    payload = [PayloadPath(PurePosixPath("/etc", name), kind, 0o644) for name, kind in paths]

    lines = set(file_list(payload, PurePosixPath("/opt/app")))

    assert lines == {
        "/opt/app", f"{config}[[:blank:]]b", f"{config}{special}b", f"{directory}-b", f"{config}?c",
    }  # fmt: skip


def test_a_pattern_matches_no_directory_that_is_not_listed() -> None:
    payload = [
        PayloadPath(PurePosixPath("/etc", name), kind, 0o755)
        for name, kind in (("cron d", PathKind.FILE), ("cron.d", PathKind.DIRECTORY))
    ]

    lines = list(file_list(payload, PurePosixPath("/opt/app")))

    assert lines == ["/opt/app", "%config(noreplace) /etc/cron[[:blank:]]d"]


def test_percent_signs_are_doubled() -> None:
    assert literal("100% %{nil} %(id)") == "100%% %%{nil} %%(id)"


def test_a_backslash_does_not_make_a_percent_sign_begin_a_macro() -> None:
    assert literal(r"\%{foo \\%(bar") == r"\%{nil}%%{foo \\%{nil}%%(bar"


@pytest.mark.parametrize("directive", HOSTILE)
def test_no_line_of_a_description_begins_as_a_directive_or_comment_does(directive: str) -> None:
    texts = [directive, f"words {directive} " * 40, f"{'x' * 77} {directive}", f"a\n\n {directive}\n\nb"]

    for text in texts:
        assert not any(line.lstrip()[:1] in {"%", "#"} for line in prose(text).splitlines() if line), text


@pytest.mark.parametrize("directive", HOSTILE)
def test_every_word_of_a_description_is_kept_in_order(directive: str) -> None:
    text = f"{directive} and then {directive}. " * 20

    assert prose(text).removeprefix("- ").split() == text.split()


def test_paragraphs_stay_apart() -> None:
    assert prose("One.\nStill one.\n\n\n  Two.  ") == "One. Still one.\n\nTwo."


@pytest.mark.parametrize(
    "name", ["a b", "st*r", "q?m", "br[ab]", 'quo"te', "it's", "back\\slash", "{x,y}", "%{nil}", "#x"]
)
def test_a_path_becomes_a_pattern_of_plain_characters_that_matches_it(name: str) -> None:
    path = PurePosixPath("/etc/app") / name

    found = pattern(path)

    assert fnmatchcase(str(path), found)
    assert not set(found) & set(" *[]\"'\\{}%#$")


def test_letters_of_all_languages_stay() -> None:
    assert pattern(PurePosixPath("/etc/größe-日本.conf")) == "/etc/größe-日本.conf"
