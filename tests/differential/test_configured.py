"""A package with everything that the configuration can put into it, packed and read by the real tools."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from unit.fakes import NOTHING_PACKED, RecordingReporter
from unit.samples import PREFIX, a_staged, needing, on_target
from venvpkg.config.project import read_project
from venvpkg.config.project_files import read_project_files
from venvpkg.families.common.compose import PackageParts, compose_spec
from venvpkg.families.common.preflight import check_project
from venvpkg.families.deb.format import assemble, problems
from venvpkg.host.command import Command
from venvpkg.host.tree import normalise_modes
from venvpkg.model.elf import ElfReport
from venvpkg.staging.leaks import read_payload
from venvpkg.staging.stage import place_files

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.host.runner import SubprocessRunner
    from venvpkg.model.target import Target

PYPROJECT = """
[project]
name = "app"

[tool.venvpkg]
revision = "1"
maintainer = "Web Team <web@example.org>"
recommends = ["nginx|httpd"]
suggests = ["postgresql (>= 13)"]
conflicts = ["app-ng"]
breaks = ["app-plugin (<<2)"]
replaces = ["app-legacy"]
provides = ["app-server (= 2)"]
templates = "packaging/templates"
files = [
    { source = "packaging/conf/**", target = "/etc/app/" },
    { source = "packaging/secret", target = "/etc/app/secret", mode = "0640" },
    { source = "packaging/report", target = "/usr/share/app/a report" },
]

[tool.venvpkg.scripts]
preinst = "packaging/say.sh"
postinst = "packaging/say.sh"
prerm = "packaging/say.sh"
postrm = "packaging/say.sh"

[tool.venvpkg.target.debian-12]
revision = "12"
[tool.venvpkg.target.debian-13]
revision = "13"
"""
# Each run leaves a line; dpkg's root is where the script finds it.
SAY = '#!/bin/sh\n\necho "${0##*/}: $1" >> "$DPKG_ROOT/said"\n'
CHANGELOG = """\
{{ package }} ({{ version }}) {{ distribution }}; urgency=low

  * By our own template.

 -- {{ maintainer }}  {{ date }}
"""


@pytest.fixture(name="built")
def _built(tmp_path: Path, target: Target, runner: SubprocessRunner) -> Path:
    source = tmp_path / "source"
    for name, content in (
        ("pyproject.toml", PYPROJECT),
        ("packaging/conf/app.toml", "port = 80\n"),
        ("packaging/conf/more/log.toml", "level = 1\n"),
        ("packaging/secret", "s\n"),
        ("packaging/report", "#!/bin/sh\n"),
        ("packaging/say.sh", SAY),
        ("packaging/templates/changelog.j2", CHANGELOG),
    ):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(content)
    (source / "packaging/report").chmod(0o755)
    project = read_project(".", {}, source, {"VENVPKG_SECTION": "web"}).on(target)
    destdir = tmp_path / "work/destdir"
    program = destdir / (PREFIX / "bin/app").relative_to("/")
    program.parent.mkdir(parents=True)
    program.write_text("#!/opt/venvs/app/bin/python\n")
    normalise_modes(destdir)
    project_files = read_project_files(project, runner)
    check_project(project, project_files, problems(project))
    place_files(project_files.files, destdir)
    staged = a_staged(destdir, payload=read_payload(destdir, ()))
    spec = compose_spec(
        project, project_files, PackageParts(staged, ElfReport(()), needing("bash"), b"{}\n", b"", 1_700_000_000)
    )
    return assemble(spec, tmp_path / "dist", NOTHING_PACKED, on_target(target, runner, RecordingReporter())).path


def output(runner: SubprocessRunner, *argv: str) -> str:
    done = runner.run(Command(argv))
    assert done.ok, done.errors
    return done.text


def test_dpkg_deb_reads_every_relation_and_the_release_s_revision_back(
    built: Path, target: Target, runner: SubprocessRunner
) -> None:
    wanted = {
        "Section": "web",
        "Depends": "bash",
        "Recommends": "nginx | httpd",
        "Suggests": "postgresql (>= 13)",
        "Conflicts": "app-ng",
        "Breaks": "app-plugin (<< 2)",
        "Replaces": "app-legacy",
        "Provides": "app-server (= 2)",
    }
    revision = {"debian-12": "12", "debian-13": "13"}.get(target.release.name, "1")

    assert {each: output(runner, "dpkg-deb", "--field", str(built), each).strip() for each in wanted} == wanted
    assert f"-{revision}~" in output(runner, "dpkg-deb", "--field", str(built), "Version")


def test_files_have_their_modes_and_those_in_etc_are_conffiles(built: Path, runner: SubprocessRunner) -> None:
    lines = [line.split(None, 5) for line in output(runner, "dpkg-deb", "--contents", str(built)).splitlines()]
    modes = {path: mode for mode, *_, path in lines if path.startswith(("./etc/app/", "./usr/share/app/"))}

    assert {path: mode for path, mode in modes.items() if not path.endswith("/")} == {
        "./etc/app/app.toml": "-rw-r--r--",
        "./etc/app/more/log.toml": "-rw-r--r--",
        "./etc/app/secret": "-rw-r-----",
        "./usr/share/app/a report": "-rwxr-xr-x",
    }
    assert output(runner, "dpkg-deb", "--info", str(built), "conffiles").split() == [
        "/etc/app/app.toml",
        "/etc/app/more/log.toml",
        "/etc/app/secret",
    ]


def test_shellcheck_finds_nothing_in_the_maintainer_scripts(
    built: Path, runner: SubprocessRunner, tmp_path: Path
) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("no shellcheck")
    output(runner, "dpkg-deb", "--control", str(built), str(tmp_path / "control"))

    scripts = [str(tmp_path / "control" / name) for name in ("preinst", "postinst", "prerm", "postrm")]

    assert output(runner, "shellcheck", *scripts) == ""


def test_the_project_s_own_template_made_the_changelog(built: Path, runner: SubprocessRunner, tmp_path: Path) -> None:
    output(runner, "dpkg-deb", "--extract", str(built), str(tmp_path / "out"))

    text = output(runner, "gzip", "-dc", str(tmp_path / "out/usr/share/doc/app/changelog.Debian.gz"))

    assert "By our own template." in text


def test_dpkg_runs_the_scripts_keeps_a_changed_conffile_and_purges_all(built: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("dpkg installs as root only")
    root = tmp_path / "root"
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    dpkg = ("dpkg", f"--root={root}", "--force-script-chrootless", "--force-depends", "--log=/dev/null")

    def run(*argv: str) -> str:
        done = subprocess.run((*dpkg, *argv), check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return done.stdout

    run("--install", str(built))
    verified = run("--verify", "app")
    (root / "etc/app/app.toml").write_text("port = 81\n")
    run("--force-confold", "--install", str(built))
    kept = (root / "etc/app/app.toml").read_text()
    run("--purge", "app")

    said = [line.removeprefix("app.") for line in (root / "said").read_text().splitlines()]
    assert (verified, kept) == ("", "port = 81\n")
    assert (said[0], said[1]) == ("preinst: install", "postinst: configure")
    assert (said[-1], said[-2]) == ("postrm: purge", "postrm: remove")
    assert {path.name for path in root.iterdir()} == {"var", "said"}
