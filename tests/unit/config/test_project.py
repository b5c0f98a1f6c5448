"""What the user wrote becomes a Project, or one error with everything that is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from unit.lock.samples import target as a_target
from venvpkg.config.project import read_project
from venvpkg.errors import ConfigurationError
from venvpkg.model.project import WheelPolicy
from venvpkg.model.target import Release

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(name="write")
def _write(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        (tmp_path / "pyproject.toml").write_text(text)
        return tmp_path

    return write


def problems_of(directory: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        read_project(".", {}, directory)
    return caught.value.problems


def test_an_ordinary_project_needs_no_key(write: Callable[[str], Path]) -> None:
    directory = write('[project]\nname = "Guest_Book"\nversion = "1.0"\n')

    project = read_project(".", {}, directory)

    assert project.package_name == "guest-book"
    assert project.prefix == PurePosixPath("/opt/venvs/guest-book")
    assert project.settings.wheels.policy_of("lxml") is WheelPolicy.PREFER_COMPILE
    assert project.lock == directory / "pylock.toml"


@pytest.mark.parametrize(
    ("metadata", "is_anonymous"),
    [
        ('[project]\nname = "app"\n', True),
        ('[project]\nname = "app"\nauthors = [{ name = "Jane" }]\nmaintainers = "none"\n', True),
        ('[project]\nname = "app"\nmaintainers = [{ name = "A" }, { email = "jane@example.org" }]\n', False),
        ('[project]\nname = "app"\ndynamic = ["version", "authors"]\n', False),
        ('[tool.poetry]\nname = "app"\n', False),
    ],
)
def test_whether_nobody_has_an_address_is_known_of_metadata_that_no_backend_computes(
    write: Callable[[str], Path], metadata: str, *, is_anonymous: bool
) -> None:
    assert read_project(".", {}, write(metadata)).is_anonymous is is_anonymous


def test_a_project_of_poetry_s_own_tables_is_named_by_them(write: Callable[[str], Path]) -> None:
    text = '[tool.poetry]\nname = "Guest_Book"\n[tool.poetry.extras]\nldap = ["ldap3"]\n'

    project = read_project(".", {"extras": "ldap"}, write(f'{text}[build-system]\nrequires = ["poetry-core"]\n'))

    assert (project.name, project.settings.extras) == ("guest-book", ("ldap",))


def test_a_project_of_setuptools_without_the_table_is_named_by_its_setup_cfg(write: Callable[[str], Path]) -> None:
    directory = write('[build-system]\nrequires = ["setuptools"]\n')
    (directory / "setup.cfg").write_text("[metadata]\nname = guest%book\n")
    odd = problems_of(directory)
    (directory / "setup.cfg").write_text("[metadata]\nname = Guest.Book\n")

    project = read_project(".", {}, directory)
    (directory / "setup.cfg").write_text("name = Guest.Book\n")

    assert project.name == "guest-book"
    assert odd == problems_of(directory)
    assert odd == ("project.name: missing or not a valid distribution name; the package is named after it",)


def test_every_problem_is_reported_at_once_with_the_path_to_its_key(write: Callable[[str], Path]) -> None:
    directory = write(
        '[project]\nname = "x"\n[tool.venvpkg]\nprefx = "/opt/x"\nrevision = 1\n'
        '[tool.venvpkg.wheels]\ndefault = "no"\nbinary = ["A"]\ncompile = ["a"]\n'
    )

    problems = problems_of(directory)

    assert problems[0] == "tool.venvpkg.prefx: unknown key; did you mean 'prefix'?"
    assert problems[1] == "tool.venvpkg.revision: must be a string, not an integer"
    assert problems[2].startswith("tool.venvpkg.wheels.default: 'no' is not one of compile,")
    assert problems[3] == "tool.venvpkg.wheels.binary: a is also in compile"
    assert problems[4] == "project.name: 'x' is not a valid package name; set tool.venvpkg.name"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("maintainer", '"A <a@b.c>\\nDepends: evil"'),
        ("maintainer", '"$(id)"'),
        ("name", '"x; rm -rf"'),
        ("name", '"../x"'),
        ("prefix", '"relative/path"'),
        ("prefix", '"/opt"'),
        ("prefix", '"/opt/../etc"'),
        ("prefix", '"/opt/a b"'),
        ("prefix", '"/opt/{{x}}"'),
        ("revision", '"1-2"'),
        ("revision", '"1\\n2"'),
        ("epoch", "-1"),
        ("epoch", "true"),
        ("section", '"a\\nb"'),
        ("depends", '["a\\nPre-Depends: b"]'),
        ("depends", '"libpq5"'),
        ("commands", '["../../etc/passwd"]'),
        ("commands", "[1]"),
        ("build-depends", '["-oAPT::x=y"]'),
        ("wheels", '"binary"'),
        ("wheels", '{ binary = ["../x"] }'),
    ],
)
def test_a_value_that_could_reach_a_file_or_a_shell_is_refused_with_its_key(
    write: Callable[[str], Path], key: str, value: str
) -> None:
    directory = write(f'[project]\nname = "app"\n[tool.venvpkg]\n{key} = {value}\n')

    (problem,) = problems_of(directory)

    assert problem.startswith(f"tool.venvpkg.{key}")


@pytest.mark.parametrize(
    "text", ["[project", "\x00", "a = " + "[" * 5000, 'tool = "x"\nproject = 3', "[project]\nname = 3"]
)
def test_a_malformed_file_is_a_configuration_error(write: Callable[[str], Path], text: str) -> None:
    assert problems_of(write(text))


def test_a_file_that_is_not_utf8_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b'[project]\nname = "\xff"\n')

    assert "not valid TOML" in problems_of(tmp_path)[0]


def test_an_extra_that_the_project_lacks_is_named(write: Callable[[str], Path]) -> None:
    directory = write(
        '[project]\nname = "app"\n[project.optional-dependencies]\nfast = []\n'
        '[tool.venvpkg]\nextras = ["fast", "slow"]\n'
    )

    assert problems_of(directory) == ("tool.venvpkg.extras: the project does not define slow",)


def test_options_win_over_the_file(write: Callable[[str], Path]) -> None:
    directory = write('[project]\nname = "app"\n[tool.venvpkg]\nrevision = "1"\nsection = "web"\n')

    settings = read_project(".", {"revision": "7"}, directory).settings

    assert (settings.revision, settings.section) == ("7", "web")


def test_a_wrong_option_is_named_as_an_option(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_project("borgbackup==1.4.5", {"maintainer": "nobody"}, tmp_path)

    assert caught.value.problems[0].startswith("--maintainer: 'nobody' is not of the form")


def test_a_requirement_keeps_its_lock_where_one_stands(tmp_path: Path) -> None:
    project = read_project("Borgbackup == 1.4.5", {}, tmp_path)

    assert (project.name, project.requirement, project.directory) == ("borgbackup", "Borgbackup==1.4.5", None)
    assert project.lock == tmp_path / "pylock.borgbackup.toml"


@pytest.mark.parametrize("argument", ["./missing", "missing/", "a b c", "", "==1.0"])
def test_what_is_neither_directory_nor_requirement_says_so(argument: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="requirement|pyproject"):
        read_project(argument, {}, tmp_path)


def test_a_venvpkg_toml_beside_the_project_has_the_keys_at_its_top(write: Callable[[str], Path]) -> None:
    directory = write('[project]\nname = "app"\n')
    (directory / "venvpkg.toml").write_text('section = "web"\n[wheels]\ndefault = "compile"\n')

    project = read_project(".", {}, directory)

    assert (project.settings.section, project.settings.wheels.default) == ("web", WheelPolicy.COMPILE)
    assert (project.source, project.base) == (directory / "venvpkg.toml", directory)


def test_a_directory_that_is_configured_twice_says_so(write: Callable[[str], Path]) -> None:
    directory = write('[project]\nname = "app"\n[tool.venvpkg]\nepoch = 1\n')
    (directory / "venvpkg.toml").touch()

    assert problems_of(directory) == ("tool.venvpkg: venvpkg.toml exists as well; keep only one of them",)


def test_a_requirement_is_configured_by_the_file_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "venvpkg.borgbackup.toml").write_text('depends = ["fuse3"]\n')

    borg = read_project("Borgbackup==1.4.5", {}, tmp_path)
    other = read_project("mercurial", {}, tmp_path)

    assert (borg.settings.depends, other.settings.depends) == (("fuse3",), ())
    assert (borg.base, borg.configuration) == (tmp_path, tmp_path / "venvpkg.borgbackup.toml")


def test_problems_of_that_file_have_no_table_in_their_path(tmp_path: Path) -> None:
    (tmp_path / "venvpkg.borgbackup.toml").write_text('groups = ["dev"]\nepoch = "1"\n')

    with pytest.raises(ConfigurationError) as caught:
        read_project("borgbackup", {}, tmp_path)

    assert [each.partition(":")[0] for each in caught.value.problems] == ["epoch", "groups"]
    assert "venvpkg.borgbackup.toml" in caught.value.brief


def test_a_group_that_the_project_lacks_is_named(write: Callable[[str], Path]) -> None:
    directory = write(
        '[project]\nname = "app"\n[dependency-groups]\nProd_X = []\n[tool.venvpkg]\ngroups = ["prod-x", "dev"]\n'
    )

    assert problems_of(directory) == ("tool.venvpkg.groups: the project does not define dev",)


def test_variables_and_the_table_of_the_release_reach_the_settings(write: Callable[[str], Path]) -> None:
    directory = write('[project]\nname = "app"\n[tool.venvpkg.target.debian-13]\ndepends = ["new"]\n')

    project = read_project(".", {}, directory, {"VENVPKG_REVISION": "7"})

    trixie = project.on(replace(a_target(), release=Release("debian", "13", "trixie"))).settings
    bookworm = project.on(a_target()).settings
    assert (trixie.revision, trixie.depends) == ("7", ("new",))
    assert (bookworm.revision, bookworm.depends) == ("7", ())


def setup_py(directory: Path, text: str) -> Path:
    (directory / "setup.py").write_text(text)
    return directory


@pytest.mark.parametrize(
    "text",
    [
        'from setuptools import setup\nsetup(name="Legacy_App", version="1.0")\n',
        'import setuptools\nNAME = "legacy.app"\nsetuptools.setup(name=NAME)\nraise SystemExit("never run")\n',
    ],
)
def test_a_setup_py_alone_is_a_project_and_is_read_without_running_it(tmp_path: Path, text: str) -> None:
    for argument in (".", "setup.py"):
        project = read_project(argument, {}, setup_py(tmp_path, text))

        assert (project.name, project.directory) == ("legacy-app", tmp_path)


def test_a_setup_py_beside_a_build_system_alone_tells_the_name(write: Callable[[str], Path]) -> None:
    directory = write('[build-system]\nrequires = ["setuptools"]\n')

    assert read_project(".", {}, setup_py(directory, 'setup(name="app")\n')).name == "app"


def test_a_computed_name_is_given_by_the_option_and_the_error_says_so(tmp_path: Path) -> None:
    setup_py(tmp_path, 'from setuptools import setup\nsetup(name=open("NAME").read())\n')

    with pytest.raises(ConfigurationError, match="--name"):
        read_project(".", {}, tmp_path)
    assert read_project(".", {"name": "app"}, tmp_path).name == "app"


@pytest.mark.parametrize("text", ["setup(", "\0", "setup(name=1)", "(" * 5000])
def test_a_setup_py_that_cannot_be_parsed_is_no_bug(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError):
        read_project(".", {}, setup_py(tmp_path, text))
