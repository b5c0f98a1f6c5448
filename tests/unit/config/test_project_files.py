"""Files, scripts and templates that the configuration names: found, inside the project, and what they must be."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from unit.fakes import ScriptedRunner, expect
from unit.samples import a_project
from venvpkg.config.project_files import read_project_files
from venvpkg.errors import ConfigurationError
from venvpkg.host.command import Command, Completed
from venvpkg.model.project import FileSetting, ProjectFiles, ScriptSettings, Settings

if TYPE_CHECKING:
    from pathlib import Path

FINE = Completed(0)


def shell(says: Completed = FINE) -> ScriptedRunner:
    return ScriptedRunner({expect("/bin/sh", "-n"): says})


@pytest.fixture(name="base")
def _base(tmp_path: Path) -> Path:
    base = tmp_path / "project"
    for name, content in (
        ("conf/app.toml", "a"),
        ("conf/.app.toml.swp", "editor's"),
        ("conf/more/deep/b.toml", "b"),
        ("bin/tool", "#!/bin/sh\n"),
        ("postinst.sh", "#!/bin/sh -e\n\necho hello\n"),
    ):
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text(content)
    (base / "bin/tool").chmod(0o777)
    (tmp_path / "secret").write_text("outside")
    (base / "out").symlink_to("../secret")
    (base / "in").symlink_to("conf/app.toml")
    return base


def read(base: Path, settings: Settings, runner: ScriptedRunner | None = None) -> ProjectFiles:
    return read_project_files(dataclasses.replace(a_project(settings), base=base), runner or ScriptedRunner({}))


def problems(base: Path, settings: Settings, runner: ScriptedRunner | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        read(base, settings, runner)
    return caught.value.problems


def placed(base: Path, source: str, target: str, mode: int | None = None) -> dict[str, tuple[str, int]]:
    found = read(base, Settings(files=(FileSetting(source, target, mode),))).files
    return {str(each.target): (str(each.source.relative_to(base)), each.mode) for each in found}


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("conf/app.toml", "/etc/app.toml", {"/etc/app.toml": ("conf/app.toml", 0o644)}),
        ("conf/app.toml", "/etc/app/", {"/etc/app/app.toml": ("conf/app.toml", 0o644)}),
        ("bin/tool", "/usr/bin/tool", {"/usr/bin/tool": ("bin/tool", 0o755)}),
        ("in", "/etc/in", {"/etc/in": ("conf/app.toml", 0o644)}),
        ("conf/*.toml", "/etc/app/", {"/etc/app/app.toml": ("conf/app.toml", 0o644)}),
        (
            "conf/**",
            "/etc/",
            {
                "/etc/app.toml": ("conf/app.toml", 0o644),
                "/etc/more/deep/b.toml": ("conf/more/deep/b.toml", 0o644),
            },
        ),
    ],
)
def test_a_file_or_a_pattern_leads_to_files_under_their_places(
    base: Path, source: str, target: str, expected: dict[str, tuple[str, int]]
) -> None:
    assert placed(base, source, target) == expected


def test_a_mode_that_is_given_counts(base: Path) -> None:
    assert placed(base, "bin/tool", "/etc/tool", 0o640) == {"/etc/tool": ("bin/tool", 0o640)}


@pytest.mark.parametrize(
    ("source", "target", "problem"),
    [
        ("missing", "/etc/x", "missing: No such file or directory"),
        ("conf", "/etc/x/", "conf is a directory; use conf/** for the files in it"),
        ("out", "/etc/x", "out is a link that leaves the project"),
        ("ou*", "/etc/x/", "ou* is a link that leaves the project"),
        ("*.none", "/etc/x/", "*.none matches no file"),
        ("conf/*", "/etc/x", "conf/* is a pattern, so the target must end with a slash: /etc/x/"),
    ],
)
def test_what_leads_to_no_file_of_the_project_is_refused(base: Path, source: str, target: str, problem: str) -> None:
    (found,) = problems(base, Settings(files=(FileSetting(source, target),)))

    assert found == f"files[0]: {problem}".replace("ou* is", "out is")


def test_two_files_for_one_place_are_refused(base: Path) -> None:
    files = (FileSetting("in", "/etc/x"), FileSetting("bin/tool", "/etc/x"))

    assert problems(base, Settings(files=files)) == ("files[1]: an earlier entry already puts a file at /etc/x",)


def test_a_file_name_with_a_line_break_is_refused(base: Path) -> None:
    (base / "conf/a\nb").touch()

    assert "control characters" in problems(base, Settings(files=(FileSetting("conf/a*b", "/etc/"),)))[0]


@pytest.mark.parametrize("target", ["/etc/app/conf ", "/etc/app/"])
def test_a_file_name_that_ends_with_a_blank_is_refused(base: Path, target: str) -> None:
    (base / "conf ").touch()

    assert problems(base, Settings(files=(FileSetting("conf ", target),))) == (
        "files[0]: '/etc/app/conf ' ends with a blank",
    )


def test_a_script_comes_without_its_first_line(base: Path) -> None:
    found = read(base, Settings(scripts=ScriptSettings(postinst="postinst.sh")), shell())

    assert found.scripts == (("postinst", "echo hello\n"),)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"#!/usr/bin/python3\nprint()\n", "is not a POSIX shell script: #!/usr/bin/python3; it is run by sh"),
        (b"#!/bin/bash\n[[ a ]]\n", "is not a POSIX shell script: #!/bin/bash; it is run by sh"),
        (b"", "is empty"),
        (b"#!/bin/sh\n\n", "is empty"),
        (b"echo a\r\n", "has CR line endings or is not text"),
        (b"echo \xff\n", "is not valid UTF-8"),
        (b"a\0b", "has CR line endings or is not text"),
        (b"#" * 300_000, "is larger than 262144 bytes"),
    ],
)
def test_a_script_that_sh_could_not_run_is_refused(base: Path, content: bytes, problem: str) -> None:
    (base / "x.sh").write_bytes(content)

    assert problems(base, Settings(scripts=ScriptSettings(prerm="x.sh"))) == (f"scripts.prerm: x.sh {problem}",)


def test_what_sh_says_about_its_syntax_is_told(base: Path) -> None:
    runner = shell(Completed(2, stderr=b"sh: 3: Syntax error: end of file\n"))

    (problem,) = problems(base, Settings(scripts=ScriptSettings(postrm="postinst.sh")), runner)

    assert problem == "scripts.postrm: postinst.sh is not valid shell: sh: 3: Syntax error: end of file"


def test_a_script_whose_end_is_not_that_of_its_text_is_refused(base: Path) -> None:
    def answer(command: Command) -> Completed:
        is_wrapped = command.stdin is not None and command.stdin.startswith(b"(")
        return Completed(2, stderr=b"sh: 5: Syntax error: end of file\n") if is_wrapped else FINE

    runner = ScriptedRunner({expect("/bin/sh", "-n"): answer})

    (problem,) = problems(base, Settings(scripts=ScriptSettings(postrm="postinst.sh")), runner)

    assert problem.startswith(
        "scripts.postrm: postinst.sh is incomplete, such as an unterminated here-document: sh: 5:"
    )


def test_templates_must_be_a_directory_of_the_project(base: Path) -> None:
    assert read(base, Settings(templates="conf")).templates == base / "conf"
    assert problems(base, Settings(templates="in")) == ("templates: in is not a directory",)
    assert problems(base, Settings(templates="out")) == ("templates: out is a link that leaves the project",)


def test_every_problem_is_told_at_once(base: Path) -> None:
    settings = Settings(
        files=(FileSetting("a", "/etc/a"), FileSetting("b", "/etc/b")),
        scripts=ScriptSettings(preinst="c", prerm="conf"),
        templates="d",
    )

    assert [each.partition(":")[0] for each in problems(base, settings)] == [
        "files[0]",
        "files[1]",
        "scripts.preinst",
        "scripts.prerm",
        "templates",
    ]
