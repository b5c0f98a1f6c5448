"""One lock for several targets: each finds in it what was resolved for it alone."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from unit.fakes import RecordingReporter, ScriptedRunner
from unit.lock.makers import expect_uv
from unit.lock.samples import project_in, target
from venvpkg.host.command import Command, Completed
from venvpkg.index.pip_settings import UvSettings
from venvpkg.lock.lockfile import LockfileStore
from venvpkg.lock.pylock import read_lock
from venvpkg.lock.resolve import ensure_lock, out_of_date, update_lock
from venvpkg.lock.shared import LockedTarget, locked_targets, merge_shares, share_of
from venvpkg.lock.uv import Resolver
from venvpkg.model.project import Settings
from venvpkg.model.target import Release

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvpkg.lock.shared import Entry
    from venvpkg.model.target import Target

BULLSEYE = LockedTarget("debian-11-amd64", "3.9", "x86_64")
BOOKWORM = LockedTarget("debian-12-amd64", "3.11", "x86_64")
TRIXIE = LockedTarget("debian-13-amd64", "3.13", "x86_64")
TRIXIE_ARM = LockedTarget("debian-13-arm64", "3.13", "aarch64")
SHA = "ab" * 32


def entry(name: str, version: str, *tags: str) -> Entry:
    wheels = [{"url": f"https://i.example/{name}-{version}-{tag}.whl", "hashes": {"sha256": SHA}} for tag in tags]
    return {"name": name, "version": version, "wheels": wheels}


CLICK_OLD, CLICK = entry("click", "8.1", "py3-none-any"), entry("click", "8.5", "py3-none-any")
ZIPP = entry("zipp", "3.2", "py3-none-any")


def lxml(tag: str) -> Entry:
    return entry("lxml", "6", tag)


SHARES: dict[LockedTarget, list[Entry]] = {
    BULLSEYE: [CLICK_OLD, lxml("cp39-cp39-linux_x86_64"), ZIPP],
    BOOKWORM: [CLICK, lxml("cp311-cp311-linux_x86_64")],
    TRIXIE: [CLICK, lxml("cp313-cp313-linux_x86_64")],
}


def packages_of(document: Mapping[str, object] | None) -> list[dict[str, Any]]:
    assert document is not None
    return cast("list[dict[str, Any]]", document["packages"])


def test_markers_tell_apart_what_differs_and_nothing_else() -> None:
    document = merge_shares({"lock-version": "1.0", "created-by": "uv"}, SHARES)

    packages = {(each["name"], each["version"]): each for each in packages_of(document)}
    assert {key: each.get("marker") for key, each in packages.items()} == {
        ("click", "8.1"): "python_version == '3.9'",
        ("click", "8.5"): "python_version == '3.11' or python_version == '3.13'",
        ("lxml", "6"): None,
        ("zipp", "3.2"): "python_version == '3.9'",
    }
    assert len(packages["lxml", "6"]["wheels"]) == 3
    assert document is not None
    assert document["requires-python"] == ">=3.9"
    assert document["environments"] == [f"python_version == '3.{minor}'" for minor in (11, 13, 9)]


@pytest.mark.parametrize("locked", SHARES)
def test_each_target_finds_its_share_again(locked: LockedTarget) -> None:
    document = merge_shares({}, SHARES)

    share = share_of(document or {}, locked)

    assert share is not None
    assert [(each["name"], each["version"]) for each in share] == [
        (each["name"], each["version"]) for each in SHARES[locked]
    ]


def test_the_order_in_which_targets_were_resolved_does_not_show() -> None:
    documents = [merge_shares({}, dict(order)) for order in permutations(SHARES.items())]

    assert all(document == documents[0] for document in documents)


def test_an_architecture_is_told_apart_where_there_are_several() -> None:
    document = merge_shares({}, {TRIXIE: [CLICK], TRIXIE_ARM: [CLICK, ZIPP]})

    assert [each.get("marker") for each in packages_of(document)] == [None, "platform_machine == 'aarch64'"]


def test_targets_that_no_marker_tells_apart_share_what_is_the_same_and_nothing_else() -> None:
    leap = LockedTarget("opensuse-leap-16-x86_64", "3.13", "x86_64")

    same = merge_shares({}, {TRIXIE: [CLICK], leap: [CLICK]})

    assert same is not None
    assert "environments" not in same
    assert merge_shares({}, {TRIXIE: [CLICK], leap: [CLICK_OLD]}) is None
    assert merge_shares({}, {TRIXIE: [CLICK], leap: [CLICK, ZIPP]}) is None


@pytest.mark.parametrize(
    "marker", ["python_version", "os_name == 'nt' and", 7, "extra == 'x'", "python_full_version < '3.99'"]
)
def test_a_marker_that_is_not_ours_makes_no_share(marker: object) -> None:
    environments = ["python_version == '3.9'", "python_version == '3.13'"]

    assert share_of({"environments": environments, "packages": [CLICK | {"marker": marker}]}, TRIXIE) is None


def test_all_that_uv_resolved_for_a_single_target_is_its_share_whatever_markers_it_has() -> None:
    # False for the interpreter of this test, true for the target.
    marked = ZIPP | {"marker": "python_full_version < '3.10'"}

    assert share_of({"packages": [CLICK_OLD, marked]}, BULLSEYE) == (CLICK_OLD, ZIPP)


@pytest.mark.parametrize("listed", [7, [7], [{"name": 7}], [{}], [{"name": "x", "python": []}]])
def test_a_malformed_table_names_no_target(listed: object) -> None:
    assert locked_targets({"targets": listed}) == ()


class Index:
    """Answers as uv would: what is newest for each Python, or what was locked before."""

    def __init__(self, **newest: str) -> None:
        self.newest = newest
        self.given: list[str] = []
        self.runner = ScriptedRunner({expect_uv(own={}): self.answer})

    def answer(self, command: Command) -> Completed:
        words = command.argv
        python = next(
            (words[at + 1] for at, word in enumerate(words) if word == "--python-version"),
            words[words.index("--python") + 1].removeprefix("/usr/bin/python"),
        )
        output = words[words.index("--output-file") + 1]
        with open(output, "a+") as file:  # noqa: PTH123
            file.seek(0)
            self.given.append(file.read())
            file.truncate(0)
            minor = python.replace(".", "")
            file.write(
                f'lock-version = "1.0"\ncreated-by = "uv"\nrequires-python = ">={python}"\n[[packages]]\n'
                f'name = "click"\nversion = "{self.newest[f"py{minor}"]}"\n'
                # As uv does where what wanted it had a marker; it was true for the target that was asked for.
                f"marker = \"python_full_version < '3.{int(python.split('.')[1]) + 1}'\"\n"
                "wheels = [{ url = "
                f'"https://i.example/click-{self.newest[f"py{minor}"]}-py3-none-any.whl",'
                f' hashes = {{ sha256 = "{SHA}" }} }}]\n'
            )
        return Completed(0)

    def resolver(self, work: Path) -> Resolver:
        work.mkdir(exist_ok=True)
        reporter = RecordingReporter()
        return Resolver(Path("/usr/lib/uv"), UvSettings({}, ()), self.runner, reporter, work)


def release(number: str, minor: int) -> Target:
    return replace(target((3, minor, 0)), release=Release("debian", number, ""))


OLD, NEW = release("11", 9), release("13", 13)


@pytest.fixture(name="directory")
def _directory(tmp_path: Path) -> Path:
    directory = tmp_path / "app"
    directory.mkdir()
    (directory / "pyproject.toml").write_text('[project]\nname = "app"\nversion = "1"\ndependencies = ["click"]\n')
    return directory


def test_a_second_target_is_added_to_the_lock_of_the_first_and_both_are_current(
    tmp_path: Path, directory: Path
) -> None:
    project, index = project_in(directory), Index(py39="8.1", py313="8.5")
    ensure_lock(project, OLD, index.resolver(tmp_path / "work"))

    ensure_lock(project, NEW, index.resolver(tmp_path / "work"))

    assert [read_lock(project.lock, each, Settings()).distributions[0].version for each in (OLD, NEW)] == ["8.1", "8.5"]
    assert [out_of_date(project, each) for each in (OLD, NEW)] == [None, None]
    assert len(tomllib.loads(project.lock.read_text())["tool"]["venvpkg"]["targets"]) == 2


def test_what_one_call_locks_does_not_depend_on_which_target_came_first(tmp_path: Path, directory: Path) -> None:
    texts = []
    for order in ((OLD, NEW), (NEW, OLD)):
        project, index = project_in(directory), Index(py39="8.1", py313="8.5")
        resolver = index.resolver(tmp_path / "work")
        for each in order:
            ensure_lock(project, each, resolver)
        texts.append(project.lock.read_text())
        assert index.given == ["", ""], "nothing that this call has written is preferred"
        project.lock.unlink()

    assert texts[0] == texts[1]


def test_a_target_that_is_added_later_keeps_to_the_versions_that_are_locked(tmp_path: Path, directory: Path) -> None:
    project, index = project_in(directory), Index(py39="8.1", py313="8.5")
    ensure_lock(project, OLD, index.resolver(tmp_path / "work"))

    ensure_lock(project, NEW, index.resolver(tmp_path / "work"))

    assert 'version = "8.1"' in index.given[1]


def test_a_changed_requirement_drops_the_targets_that_were_not_locked_again(tmp_path: Path, directory: Path) -> None:
    project, index = project_in(directory), Index(py39="8.1", py313="8.5")
    for each in (OLD, NEW):
        ensure_lock(project, each, index.resolver(tmp_path / "work"))
    text = (directory / "pyproject.toml").read_text()
    (directory / "pyproject.toml").write_text(text.replace('"click"', '"click>=8"'))

    ensure_lock(project, NEW, index.resolver(tmp_path / "work"))

    assert out_of_date(project, NEW) is None
    assert out_of_date(project, OLD) == ("target: debian-11-amd64, locked for debian-13-amd64",)


def test_an_upgrade_keeps_only_the_targets_of_its_own_call(tmp_path: Path, directory: Path) -> None:
    project, index = project_in(directory), Index(py39="8.1", py313="8.5", py311="8.4")
    for each in (OLD, NEW, target()):
        ensure_lock(project, each, index.resolver(tmp_path / "work"))
    resolver = index.resolver(tmp_path / "work")

    for each in (NEW, target()):
        update_lock(project, each, resolver, upgrade=True)

    table = tomllib.loads(project.lock.read_text())["tool"]["venvpkg"]
    assert [each["name"] for each in table["targets"]] == ["debian-12-amd64", "debian-13-amd64"]
    assert index.given[3:] == ["", ""]


def test_targets_that_cannot_share_get_a_lock_of_their_own(tmp_path: Path, directory: Path) -> None:
    project = project_in(directory)
    ensure_lock(project, NEW, Index(py313="8.5").resolver(tmp_path / "work"))
    twin = replace(NEW, release=Release("fedora", "41", ""))

    path = ensure_lock(project, twin, Index(py313="8.1").resolver(tmp_path / "work"))

    assert path.name == "pylock.fedora-41-amd64.toml"
    assert out_of_date(project, NEW) is None
    assert read_lock(path, twin, Settings()).distributions[0].version == "8.1"


def test_what_a_ledger_saw_first_stays_though_the_file_changes(tmp_path: Path) -> None:
    lockfiles = LockfileStore()
    path = tmp_path / "pylock.toml"

    assert lockfiles.initial_text(path) is None
    path.write_text("now")

    assert lockfiles.initial_text(path) is None
    assert LockfileStore().initial_text(path) == "now"


@pytest.mark.parametrize("is_first", [True, False])
def test_pypy_shares_no_lock_with_cpython_whichever_came_first(
    tmp_path: Path, directory: Path, *, is_first: bool
) -> None:
    """The lock's markers see versions, and what is left out or taken instead depends on the implementation."""
    project = project_in(directory)
    environment = {**NEW.interpreter.marker_environment, "implementation_name": "pypy"}
    pypy = replace(NEW, interpreter=replace(NEW.interpreter, marker_environment=environment, path=OLD.interpreter.path))
    first, second = (pypy, OLD) if is_first else (OLD, pypy)
    index = Index(py39="8.1")

    ensure_lock(project, first, index.resolver(tmp_path / "work"))
    path = ensure_lock(project, second, index.resolver(tmp_path / "work"))

    table = tomllib.loads(path.read_text())["tool"]["venvpkg"]
    assert path.name == ("pylock.toml" if is_first else "pylock.debian-13-amd64.toml")
    assert (table["target"], "targets" in table) == (second.name, False)
    assert out_of_date(replace(project, lock=path), second) is None
