"""Prepare commands: what they make is taken, kept by what it was made from, and nothing else happens."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter, ScriptedRunner, expect
from unit.wheelhouse.makers import bookworm
from venvpkg.errors import PrepareError
from venvpkg.host.command import Completed
from venvpkg.model.project import PrepareStep
from venvpkg.sources.prepare import Preparations
from venvpkg.sources.source_tree import copy_tree, read_source_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from venvpkg.host.command import Command
    from venvpkg.model.wheels import SourceTree

BUNDLE = PrepareStep(("bundle", "--all"), ("static/dist",))


@dataclass
class Bench:
    """A project with one file, and where its commands run."""

    path: Path
    commands: dict[str, Callable[[Path], Completed]]
    reporter: RecordingReporter = field(default_factory=RecordingReporter)
    ran: list[Command] = field(default_factory=list)

    @property
    def project(self) -> Path:
        return self.path / "project"

    def tree(self) -> SourceTree:
        return read_source_tree(self.project, ScriptedRunner({expect("git", ...): Completed(128)}))

    def run(self, command: Command) -> Completed:
        self.ran.append(command)
        assert command.log is not None
        with command.log.open("a") as log:
            log.write(f"{command.argv[0]} says something\n")
        return self.commands[command.argv[0]](self.path / "work" / "prepare" / "src")

    def preparations(self, **changes: object) -> Preparations:
        whole = Preparations(
            self.path / "store", bookworm(), (("nodejs:amd64", "18"),), self, self.reporter,
            {"HTTPS_PROXY": "http://proxy", "HOME": "/home/me", "npm_config_registry": "https://npm.example"},
            self.path / "logs",
        )  # fmt: skip
        return replace(whole, **changes)  # type: ignore[arg-type]

    def prepare(self, *steps: PrepareStep, **changes: object) -> SourceTree:
        return self.preparations(**changes).run(self.tree(), steps, "app", self.path / "work")


def writing(**files: str) -> Callable[[Path], Completed]:
    def run(source: Path) -> Completed:
        for name, text in files.items():
            path = source / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Completed(0)

    return run


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "app").write_text("app\n")
    return Bench(tmp_path, {"bundle": writing(static__dist__a="1", static__dist__deep__b="2", litter="x")})


def test_the_outputs_and_nothing_else_are_laid_over_the_source(bench: Bench) -> None:
    tree = bench.prepare(BUNDLE)
    copy_tree(tree, bench.path / "copy", 0)

    found = sorted(path.relative_to(bench.path / "copy").as_posix() for path in (bench.path / "copy").rglob("*"))
    assert found == ["app", "static", "static/dist", "static/dist/a", "static/dist/deep", "static/dist/deep/b"]
    assert [path.name for path in bench.project.iterdir()] == ["app"]
    assert not (bench.path / "work" / "prepare").exists()


def test_an_output_takes_the_place_of_a_file_of_the_source(bench: Bench) -> None:
    bench.commands["stamp"] = writing(app="stamped\n")

    copy_tree(bench.prepare(PrepareStep(("stamp",), ("app",))), bench.path / "copy", 0)

    assert (bench.path / "copy" / "app").read_text() == "stamped\n"
    assert (bench.project / "app").read_text() == "app\n"


def test_what_was_made_is_known_as_long_as_nothing_changes_that_made_it(bench: Bench) -> None:
    made = bench.prepare(BUNDLE)
    again = bench.preparations().find(bench.tree(), (BUNDLE,))
    other_steps = bench.preparations().find(bench.tree(), (replace(BUNDLE, network=True),))
    other_packages = bench.preparations(packages=(("nodejs:amd64", "20"),)).find(bench.tree(), (BUNDLE,))
    (bench.project / "app").write_text("changed\n")
    other_source = bench.preparations().find(bench.tree(), (BUNDLE,))

    assert again == made
    assert (other_steps, other_packages, other_source) == (None, None, None)
    assert len(bench.ran) == 1


def test_the_hash_of_the_source_tells_what_was_prepared(bench: Bench) -> None:
    first = bench.prepare(BUNDLE)
    bench.commands["bundle"] = writing(static__dist__a="2")
    second = bench.prepare(BUNDLE)

    assert len({bench.tree().sha256, first.sha256, second.sha256}) == 3
    assert bench.preparations().find(bench.tree(), (BUNDLE,)) == second


def test_files_that_were_changed_in_the_store_do_not_count(bench: Bench) -> None:
    prepared = bench.prepare(BUNDLE).prepared
    assert prepared is not None
    (prepared.directory / "static/dist/a").write_text("evil")

    known = bench.preparations().find(bench.tree(), (BUNDLE,))
    bench.prepare(BUNDLE)

    assert known is None
    assert "was changed after it was stored" in bench.reporter.warnings[0]
    assert (prepared.directory / "static/dist/a").read_text() == "1"


def test_only_a_command_that_asks_for_it_has_the_network_and_its_settings(bench: Bench) -> None:
    bench.commands["fetch"] = writing()

    bench.prepare(PrepareStep(("fetch",), network=True), BUNDLE)

    fetch, bundle = (command.env for command in bench.ran)
    assert {"HTTPS_PROXY", "npm_config_registry"} <= fetch.keys()
    assert fetch.keys() - bundle.keys() == {"HTTPS_PROXY", "npm_config_registry"}
    assert bundle["HOME"] == fetch["HOME"] == "/usr/src/venvpkg/home"
    assert bench.reporter.steps[:2] == ["preparing: fetch (with network)", "preparing: bundle --all"]


def test_offline_forbids_a_command_with_network_before_it_runs(bench: Bench) -> None:
    with pytest.raises(PrepareError, match="--offline is set"):
        bench.prepare(PrepareStep(("fetch",), network=True), BUNDLE, offline=True)

    assert bench.ran == []


def test_a_command_that_fails_is_told_with_the_end_of_its_log_which_is_kept(bench: Bench) -> None:
    bench.commands["bundle"] = lambda _: Completed(3)

    with pytest.raises(PrepareError, match="'bundle --all' failed: exit 3") as caught:
        bench.prepare(BUNDLE)

    assert "bundle says something" in caught.value.details
    assert "network = true" in caught.value.resolution
    (log,) = (bench.path / "logs").iterdir()
    assert str(log) in caught.value.details
    assert not (bench.path / "store").exists()


def test_a_program_that_is_not_there_is_told_with_the_key_that_names_its_package(bench: Bench) -> None:
    bench.commands["bundle"] = lambda _: Completed(127)

    with pytest.raises(PrepareError, match="not found") as caught:
        bench.prepare(BUNDLE)

    assert "build-depends" in caught.value.resolution


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (writing(static__other="x"), "did not create static/dist"),
        (lambda source: (source / "static/dist").mkdir(parents=True) or Completed(0), "created no files"),
        (
            lambda source: (
                (source / "static/dist").mkdir(parents=True)
                or (source / "static/dist/l").symlink_to("/etc/passwd")
                or Completed(0)
            ),
            "'static/dist/l' is a link that leaves the project",
        ),
    ],
)
def test_outputs_that_are_not_made_or_leave_the_project_are_refused(
    bench: Bench, make: Callable[[Path], Completed], problem: str
) -> None:
    bench.commands["bundle"] = make

    with pytest.raises(PrepareError, match=problem):
        bench.prepare(BUNDLE)

    assert bench.preparations().find(bench.tree(), (BUNDLE,)) is None
