"""What a session's target brings along."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from unit.fakes import RecordingReporter
from unit.samples import a_project
from unit.targets.makers import TRIXIE, Machine, python_says, root_with
from venvpkg.config.project import read_project
from venvpkg.context import Session, build_context, resolve_target
from venvpkg.model.project import Settings
from venvpkg.sources.source_tree import read_source_tree
from venvpkg.store.dirs import Dirs
from venvpkg.targets.selection import Kind, Selection
from venvpkg.wheelbuild.pool import Pool

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.host.command import Command, Completed
    from venvpkg.host.runner import SubprocessRunner


def session(tmp_path: Path, target: Selection, machine: Machine, dirs: Dirs | None = None) -> Session:
    return Session(
        host=cast("SubprocessRunner", machine),
        reporter=RecordingReporter(),
        dirs=dirs or Dirs(tmp_path / "wheelhouse", tmp_path / "cache"),
        environ={},
        pool=Pool(1),
        offline=True,
        selection=target,
    )


def test_the_rules_for_platform_tags_are_the_targets_own(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    root_with(TRIXIE, root)
    (root / "etc/python").mkdir()
    (root / "etc/python/binary-compatibility.cfg").write_text(
        '{"linux_x86_64_debian_13": {"install": ["linux_x86_64_debian_12"]}}'
    )

    resolved = resolve_target(session(tmp_path, Selection(Kind.ROOT, str(root)), Machine()))

    assert resolved.target.accepts == ("linux_x86_64_debian_12",)


class WithSeveral(Machine):
    """A Debian that has Python 3.12 beside its own."""

    def run(self, command: Command) -> Completed:
        if "/usr/bin/python3.12" in command.argv:
            self.ran.append(command)
            return python_says((3, 12, 4))
        return super().run(command)


def test_the_interpreter_is_the_one_that_the_project_names_for_the_release(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    root_with(TRIXIE, root)
    for name in ("python3.12", "python3.13"):
        (root / "usr/bin" / name).touch()
    (root / "usr/bin/python3").symlink_to("python3.13")
    there = session(tmp_path, Selection(Kind.ROOT, str(root)), WithSeveral())
    everywhere, on_trixie = Settings(), Settings(python="3.12")
    project = replace(a_project(), settings=everywhere, targets=((("deb", "debian-13"), on_trixie),))

    assert resolve_target(there, project).target.interpreter.minor == "3.12"
    assert resolve_target(there, replace(project, targets=())).target.interpreter.is_default


def test_a_cache_and_a_wheelhouse_inside_the_project_are_no_source_of_it(tmp_path: Path) -> None:
    root, directory = tmp_path / "root", tmp_path / "app"
    root.mkdir()
    root_with(TRIXIE, root)
    dirs = Dirs(directory / ".kept/wheelhouse", directory / ".kept/cache")
    (directory / ".kept").mkdir(parents=True)
    (directory / "pyproject.toml").write_text('[project]\nname = "app"\n')
    project = read_project(str(directory), {}, tmp_path)
    there = session(tmp_path, Selection(Kind.ROOT, str(root)), Machine(), dirs)

    with build_context(project, resolve_target(there, project), there) as context:
        before = read_source_tree(directory, context.runner, leave_out=context.no_source)
        (dirs.cache / "downloads").mkdir()
        (dirs.cache / "downloads/file").write_text("new")

        after = read_source_tree(directory, context.runner, leave_out=context.no_source)

    assert before.files == ("pyproject.toml",)
    assert after == before
