"""Staging with the real virtualenv and interpreter: what is there runs, and is the same from anywhere."""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter, ScriptedRunner
from unit.samples import a_project, on_target, write_wheel
from venvpkg.errors import StagingError
from venvpkg.host.command import Command
from venvpkg.host.tree import entries_below
from venvpkg.staging.stage import StageInputs, stage
from venvpkg.staging.venv import create_venv
from venvpkg.store.dirs import Dirs

if TYPE_CHECKING:
    from venvpkg.host.command import Runner
    from venvpkg.host.runner import SubprocessRunner
    from venvpkg.model.project import Project
    from venvpkg.model.staged import StagedVenv
    from venvpkg.model.target import Target

METADATA = "Metadata-Version: 2.1\nName: {0}\nVersion: 1.0\nAuthor-email: J <j@example.org>\n"
MODULE = b"NAMES = frozenset({'a', 'b', 'c', 'd', 'e'})\ndef main():\n    print(sorted(NAMES), __file__)\n"


def stage_in(  # noqa: PLR0913 - each is one thing that must not matter
    base: Path,
    target: Target,
    runner: Runner,
    project: Project | None = None,
    *,
    cache: Path | None = None,
    reporter: RecordingReporter | None = None,
) -> StagedVenv:
    (base / "wheels").mkdir(parents=True)
    app = write_wheel(
        base / "wheels",
        files={"app/__init__.py": MODULE, "app/tests/python2.py": b"print 1\n"},
        metadata=METADATA.format("app") + "Requires-Dist: lib\n",
        entry_points="[console_scripts]\napp = app:main\n",
    )
    lib = write_wheel(base / "wheels", "lib", files={"lib.py": b"def f(): 1 / 0\n"}, metadata=METADATA.format("lib"))
    dirs = Dirs(base / "wheelhouse", cache or base / "cache")
    return stage(
        project or a_project(),
        StageInputs((app, lib)),
        base / "work",
        dirs,
        on_target(target, runner, reporter or RecordingReporter()),
    )


def contents(root: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (
            entry.stat(follow_symlinks=False).st_mode,
            os.fsencode(Path(entry.path).readlink()) if entry.is_symlink() else Path(entry.path).read_bytes(),
        )
        for path, entry in entries_below(root)
        if not entry.is_dir(follow_symlinks=False)
    }


def test_a_fresh_environment_names_nothing_of_this_machine(tmp_path: Path, target: Target) -> None:
    home = create_venv(tmp_path / "destdir", a_project().prefix, target)

    forbidden = (os.fsencode(tmp_path), os.fsencode(sys.prefix), b"virtualenv.__main__")
    for path, (_, content) in contents(tmp_path / "destdir").items():
        assert not any(each in content for each in forbidden), path
    assert (home / "bin/python").readlink() == Path(target.interpreter.path)
    assert not (home / "CACHEDIR.TAG").exists()
    assert "\nhome = /usr/bin\n" in "\n" + (home / "pyvenv.cfg").read_text()
    assert "VIRTUAL_ENV=/opt/venvs/app\n" in (home / "bin/activate").read_text().replace("'", "").replace('"', "")


@pytest.mark.parametrize("name", ["job@2", "a b", "a:b,c=d", "it's", 'a"b', "a$b`c", "a\\b", "ä", "a\nb"])
def test_what_the_place_of_the_staging_is_called_does_not_matter(tmp_path: Path, target: Target, name: str) -> None:
    create_venv(tmp_path / "plain", a_project().prefix, target)

    create_venv(tmp_path / name, a_project().prefix, target)

    assert contents(tmp_path / name) == contents(tmp_path / "plain")


def test_a_prefix_that_a_shell_would_quote_is_refused(tmp_path: Path, target: Target) -> None:
    with pytest.raises(StagingError, match="could not create a virtual environment"):
        create_venv(tmp_path, PurePosixPath("/opt/a b"), target)


def test_two_stagings_in_different_places_are_the_same_bytes(
    tmp_path: Path, target: Target, runner: SubprocessRunner
) -> None:
    first = stage_in(tmp_path / "one", target, runner)
    before = os.umask(0o077)
    try:
        second = stage_in(tmp_path / "two/much/deeper", target, runner)
    finally:
        os.umask(before)

    assert contents(first.destdir) == contents(second.destdir)
    assert first.payload == second.payload


def test_a_staging_from_the_cache_is_the_same_in_every_byte_and_word(
    tmp_path: Path, target: Target, runner: SubprocessRunner
) -> None:
    cache, told = tmp_path / "cache", RecordingReporter()
    first = stage_in(tmp_path / "one", target, runner, cache=cache)
    second = stage_in(tmp_path / "two", target, ScriptedRunner({}), cache=cache, reporter=told)  # compiles nothing

    assert contents(first.destdir) == contents(second.destdir)
    assert (first.payload, first.distributions) == (second.payload, second.distributions)
    assert (first.application, first.python_floor) == (second.application, second.python_floor)
    assert [each for each in told.details if "python2.py" in each]


def test_a_staging_from_what_is_left_of_the_cache_is_the_same_too(
    tmp_path: Path, target: Target, runner: SubprocessRunner
) -> None:
    cache = tmp_path / "cache"
    first = stage_in(tmp_path / "first", target, runner, cache=cache)
    stored = sorted((cache / "staged").glob("*/*"))
    for number, each in enumerate(stored):
        content = each.read_bytes()
        each.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if number else b"")
        told = RecordingReporter()

        again = stage_in(tmp_path / str(number), target, runner, cache=cache, reporter=told)

        assert first.payload == again.payload
        assert len(told.warnings) == 1
        assert each.read_bytes() == content

    assert len(stored) == 3  # the empty environment and two distributions


def test_what_names_a_place_of_this_machine_is_never_stored(
    tmp_path: Path, target: Target, runner: SubprocessRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "MODULE", f"PLACE = {str(tmp_path / 'base/work')!r}\n".encode())

    with pytest.raises(StagingError, match="name a path of this machine|names a path of this machine"):
        stage_in(tmp_path / "base", target, runner)

    assert not (tmp_path / "base/cache/staged").exists()


def test_a_cache_that_is_reached_through_dots_and_links_is_not_named(
    tmp_path: Path, target: Target, runner: SubprocessRunner
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    staged = stage_in(tmp_path / "real/../link/base", target, runner)

    assert staged.payload.files()


def test_what_was_staged_runs_and_names_its_path_on_the_target(
    tmp_path: Path, target: Target, runner: SubprocessRunner
) -> None:
    staged = stage_in(tmp_path, target, runner)
    home = staged.destdir / staged.prefix.relative_to("/")

    module = staged.prefix / f"lib/python{target.interpreter.minor}/site-packages/app/__init__.py"
    bytecode = staged.destdir / str(module.with_name("__pycache__")).lstrip("/")
    program = (
        "import app, marshal, sys; app.main(); print(marshal.loads(open(sys.argv[1], 'rb').read()[16:]).co_filename)"
    )
    done = runner.run(Command((str(home / "bin/python"), "-I", "-c", program, *map(str, bytecode.iterdir()))))

    greeting, compiled_from = done.text.splitlines()
    assert greeting.startswith("['a', 'b', 'c', 'd', 'e']")
    assert compiled_from == str(module)
    assert staged.application.commands == ("app",)
    assert [each.name for each in staged.distributions] == ["app", "lib"]


def test_bytecode_is_written_for_every_module_that_compiles(
    tmp_path: Path, target: Target, runner: SubprocessRunner
) -> None:
    staged = stage_in(tmp_path, target, runner)

    names = {each.path.name.partition(".")[0] for each in staged.payload.files() if each.path.suffix == ".pyc"}
    assert names == {"__init__", "lib"}


def test_harmless_overlaps_end_the_same_whichever_distribution_was_cached_first(
    tmp_path: Path, target: Target, runner: SubprocessRunner
) -> None:
    stray = {name: {f"{name}/__init__.py": b"", "tests/x.py": f"NAME = {name!r}\n".encode()} for name in ("one", "two")}

    def staged(base: Path, cache: Path, *names: str) -> dict[str, tuple[int, bytes]]:
        (base / "wheels").mkdir(parents=True)
        wheels = [
            write_wheel(base / "wheels", name, files=stray[name], metadata=METADATA.format(name)) for name in names
        ]
        app = write_wheel(base / "wheels", files={"app/__init__.py": b""}, metadata=METADATA.format("app"))
        context = on_target(target, runner, RecordingReporter())
        dirs = Dirs(base / "wheelhouse", cache)
        return contents(stage(a_project(), StageInputs((app, *wheels)), base / "work", dirs, context).destdir)

    fresh = staged(tmp_path / "fresh", tmp_path / "cache-1", "one", "two")
    staged(tmp_path / "second-alone", tmp_path / "cache-2", "two")
    second_cached = staged(tmp_path / "second-cached", tmp_path / "cache-2", "one", "two")
    second_again = staged(tmp_path / "second-again", tmp_path / "cache-2", "two")

    assert second_cached == fresh
    (kept,) = (content for path, (_, content) in fresh.items() if path.endswith("/tests/x.py"))
    assert kept == b"NAME = 'one'\n"
    (own,) = (content for path, (_, content) in second_again.items() if path.endswith("/tests/x.py"))
    assert own == b"NAME = 'two'\n"
