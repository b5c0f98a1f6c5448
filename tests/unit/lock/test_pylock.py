"""A lock is read for one target; hostile until parsed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from unit.lock.samples import target
from venvpkg.errors import LockError
from venvpkg.lock.pylock import read_lock
from venvpkg.model.project import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.model.lock import Lock

HEAD = 'lock-version = "1.0"\ncreated-by = "test"\n'
SHA = "ab" * 32


def wheel(filename: str, sha256: str = SHA, more: str = "") -> str:
    return f'{{ url = "https://i.example/{filename}", hashes = {{ sha256 = "{sha256}" }}{more} }}'


def package(name: str, version: str = "1.0", more: str = "") -> str:
    filename = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    return f'[[packages]]\nname = "{name}"\nversion = "{version}"\nwheels = [{wheel(filename)}]\n{more}\n'


def read(directory: Path, text: str, settings: Settings | None = None) -> Lock:
    path = directory / "pylock.toml"
    path.write_text(text)
    return read_lock(path, target(), settings or Settings())


def problems(directory: Path, text: str, settings: Settings | None = None) -> list[str]:
    with pytest.raises(LockError) as caught:
        read(directory, text, settings)
    return [line.strip() for line in caught.value.details.splitlines()]


def test_a_distribution_comes_with_all_its_files(tmp_path: Path) -> None:
    text = f"""{HEAD}
[[packages]]
name = "lxml"
version = "6.1.3"
sdist = {wheel("lxml-6.1.3.tar.gz", more=", upload-time = 2026-07-01T10:00:00Z")}
wheels = [
    {wheel("lxml-6.1.3-cp311-cp311-manylinux_2_28_x86_64.whl")},
    {wheel("lxml-6.1.3-cp311-cp311-win_amd64.whl", SHA.upper())},
]
"""

    (only,) = read(tmp_path, text).distributions

    assert (only.name, only.version) == ("lxml", "6.1.3")
    assert [each.filename.rpartition("-")[2] for each in only.wheels] == ["manylinux_2_28_x86_64.whl", "win_amd64.whl"]
    assert {each.sha256 for each in only.wheels} == {SHA}
    assert only.sdist is not None
    assert only.sdist.uploaded == datetime(2026, 7, 1, 10, tzinfo=UTC)


def test_distributions_are_sorted_by_name(tmp_path: Path) -> None:
    lock = read(tmp_path, HEAD + package("zope") + package("attrs"))

    assert [each.name for each in lock.distributions] == ["attrs", "zope"]


def test_markers_choose_for_the_target_not_for_this_machine(tmp_path: Path) -> None:
    text = (
        HEAD
        + package("demo", "1.0", "marker = \"python_full_version < '3.11.3'\"")
        + package("demo", "2.0", "marker = \"python_full_version >= '3.11.3'\"")
        + package("pywin32", "3", "marker = \"sys_platform == 'win32'\"")
    )

    assert [(each.name, each.version) for each in read(tmp_path, text).distributions] == [("demo", "1.0")]


def test_extras_and_default_groups_in_markers_are_those_asked_for(tmp_path: Path) -> None:
    text = (
        f'{HEAD}extras = ["fast", "slow"]\ndependency-groups = ["prod", "dev"]\ndefault-groups = ["prod"]\n'
        + package("a", more="marker = \"'fast' in extras\"")
        + package("b", more="marker = \"'slow' in extras\"")
        + package("c", more="marker = \"'prod' in dependency_groups\"")
        + package("d", more="marker = \"'dev' in dependency_groups\"")
    )

    lock = read(tmp_path, text, Settings(extras=("fast",)))

    assert [each.name for each in lock.distributions] == ["a", "c"]


def test_a_path_is_relative_to_the_lock(tmp_path: Path) -> None:
    entry = f'wheels = [{{ path = "../my wheels/a-1-py3-none-any.whl", hashes = {{ sha256 = "{SHA}" }} }}]'

    (only,) = read(tmp_path, f'{HEAD}[[packages]]\nname = "a"\n{entry}\n').distributions

    assert only.wheels[0].url == f"file://{tmp_path.parent}/my%20wheels/a-1-py3-none-any.whl"
    assert only.version == "1"


def test_an_archive_is_a_wheel_or_an_sdist_by_its_name(tmp_path: Path) -> None:
    def archive(name: str, filename: str) -> str:
        return (
            f'[[packages]]\nname = "{name}"\n'
            f'archive = {{ url = "https://h.example/{filename}", hashes = {{ sha256 = "{SHA}" }} }}\n'
        )

    lock = read(tmp_path, HEAD + archive("a", "a-1.0-py3-none-any.whl") + archive("b", "b-2.0.tar.gz"))

    a, b = lock.distributions
    assert ([each.filename for each in a.wheels], a.sdist) == (["a-1.0-py3-none-any.whl"], None)
    assert (b.wheels, b.sdist and b.sdist.filename, b.version) == ((), "b-2.0.tar.gz", "2.0")


@pytest.mark.parametrize(
    ("url", "filename"),
    [
        ("https://h.example/archive/refs/tags/v1.0.tar.gz", "v1.0.tar.gz"),
        ("https://h.example/main.zip#subdirectory=python/a", "main.zip"),
        ("https://h.example/mono-3.1.tar.gz", "mono-3.1.tar.gz"),
        ("https://h.example/zipball/..%2f%2e%2e%2fx%20y", "x_y"),
        ("https://h.example/", "archive"),
    ],
)
def test_an_archive_of_source_may_have_any_name_and_its_source_a_place_in_it(
    tmp_path: Path, url: str, filename: str
) -> None:
    entry = f'archive = {{ url = "{url}", subdirectory = "python/a", hashes = {{ sha256 = "{SHA}" }} }}'

    (only,) = read(tmp_path, f'{HEAD}[[packages]]\nname = "a"\n{entry}\n').distributions

    assert only.sdist is not None
    assert (only.sdist.filename, only.sdist.url) == (filename, url.partition("#")[0])
    assert (only.sdist.subdirectory, only.version) == ("python/a", "")


def test_a_subdirectory_that_leaves_the_archive_is_refused(tmp_path: Path) -> None:
    entry = f'archive = {{ url = "https://h.example/a.zip", subdirectory = "../b", hashes = {{ sha256 = "{SHA}" }} }}'

    assert problems(tmp_path, f'{HEAD}[[packages]]\nname = "a"\n{entry}\n') == ["a: '../b' is not a valid subdirectory"]


def test_the_applications_own_directory_is_no_distribution_of_the_lock(tmp_path: Path) -> None:
    own = '[[packages]]\nname = "app"\ndirectory = { path = ".", editable = true }\n'

    assert read(tmp_path, HEAD + own + package("a")).get("app") is None


def test_what_has_no_hash_is_refused_by_name_and_all_at_once(tmp_path: Path) -> None:
    text = f"""{HEAD}
[[packages]]
name = "from-git"
vcs = {{ type = "git", url = "https://h.example/x.git", commit-id = "abc" }}
[[packages]]
name = "from-directory"
directory = {{ path = "../lib" }}
[[packages]]
name = "without-hash"
version = "1"
sdist = {{ url = "https://i.example/without-hash-1.tar.gz", hashes = {{}} }}
[[packages]]
name = "weak"
version = "1"
sdist = {{ url = "https://i.example/weak-1.tar.gz", hashes = {{ md5 = "00" }} }}
"""

    found = problems(tmp_path, text)

    assert [each.split(":")[0] for each in found] == ["from-git", "from-directory", "without-hash", "weak"]
    assert "no sha256" in found[3]


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        (wheel("a-1.0-py3-none-x%2F..%2F..%2Fetc.whl"), "filename"),
        (wheel("a-1.0-py3-none-any%0a.whl"), "not a valid file name"),
        (f'{{ name = "../a-1.0-py3-none-any.whl", url = "https://i/x", hashes = {{ sha256 = "{SHA}" }} }}', "a-1.0"),
        (wheel("a-1.0-py3-none-any.whl", "abc"), "not a valid sha256"),
        (wheel("a-1.0-py3-none-any.whl", SHA[:-1] + "\\n"), "not a valid sha256"),
        (wheel("b-1.0-py3-none-any.whl"), "not consistent"),
        (wheel("a-2.0-py3-none-any.whl"), "not consistent"),
        (wheel("a-1.0.whl"), "Invalid wheel filename"),
        (wheel("a-1.0-py3-none-any.whl").replace("https:", "ftp:"), "not http"),
        (wheel("a-1.0-py3-none-any.whl").replace("https://i.example", "file://elsewhere"), "not http"),
        (wheel("a-1.0-py3-none-any.whl").replace("i.example", "[::1"), "URL"),
        (wheel("a-1.0-py3-none-any.whl", more=", upload-time = 2026-01-01"), "upload-time"),
    ],
)
def test_a_hostile_file_entry_is_refused(tmp_path: Path, entry: str, word: str) -> None:
    (problem,) = problems(tmp_path, f'{HEAD}[[packages]]\nname = "a"\nversion = "1.0"\nwheels = [{entry}]\n')

    assert problem.startswith("a: ")
    assert word in problem


def test_a_url_with_a_password_is_refused_without_telling_it(tmp_path: Path) -> None:
    text = HEAD + package("a").replace("i.example", "me:s3cret@i.example")

    (problem,) = problems(tmp_path, text)

    assert "netrc" in problem
    assert "s3cret" not in problem


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("packages = [", "malformed"),
        ("[" * 5000, "malformed"),
        ("\x00", "malformed"),
        ('created-by = "x"\npackages = []', "lock-version"),
        ('lock-version = "2.0"\ncreated-by = "x"\npackages = []', "not supported"),
        (HEAD, "packages: missing"),
        (HEAD + "packages = [1]", "packages[0]"),
        (HEAD + 'requires-python = ">=3.12"\npackages = []', "has 3.11.2"),
        (HEAD + "environments = [\"sys_platform == 'win32'\"]\npackages = []", "not among the environments"),
        (HEAD + package("a") + package("a"), "several entries of a apply"),
        (HEAD + package("a", more='requires-python = ">=3.12"'), "a: requires Python >=3.12"),
        (HEAD + package("a", more="marker = \"python_version ~= 'x'\""), "cannot be evaluated"),
        (HEAD + package("a", more='marker = "nonsense"'), "a: "),
        (HEAD + package("a").replace('name = "a"', 'name = "A"'), "not normalized"),
        (HEAD + package("a").replace('name = "a"', r'name = "a\u001b[31m"'), "packages[0]"),
    ],
)
def test_a_lock_that_cannot_be_used_says_why(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(LockError) as caught:
        read(tmp_path, text)

    assert word in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_an_unknown_extra_is_named(tmp_path: Path) -> None:
    text = f'{HEAD}extras = ["fast"]\npackages = []\n'

    assert problems(tmp_path, text, Settings(extras=("turbo",))) == ["the lock has no extra turbo"]


def test_a_lock_that_is_not_there_is_an_error_with_advice(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="venvpkg lock"):
        read_lock(tmp_path / "pylock.toml", target(), Settings())


def test_groups_that_were_asked_for_count_beside_the_default_ones(tmp_path: Path) -> None:
    text = (
        f'{HEAD}dependency-groups = ["prod", "dev"]\ndefault-groups = ["prod"]\n'
        + package("c", more="marker = \"'prod' in dependency_groups\"")
        + package("d", more="marker = \"'dev' in dependency_groups\"")
    )

    assert [each.name for each in read(tmp_path, text, Settings(groups=("dev",))).distributions] == ["c", "d"]
    assert problems(tmp_path, text, Settings(groups=("doc",))) == ["the lock has no dependency group doc"]


def test_what_comes_with_the_interpreter_is_taken_from_nowhere_else(tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"
    path.write_text(HEAD + package("cffi", "2.0") + package("brotlicffi"))
    pypy = replace(target(), interpreter=replace(target().interpreter, distributions=(("cffi", "1.15.1"),)))

    lock = read_lock(path, pypy, Settings())

    assert [each.name for each in lock.distributions] == ["brotlicffi"]
