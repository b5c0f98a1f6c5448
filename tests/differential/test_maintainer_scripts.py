"""Maintainer scripts run by real shells: what a project's snippet does, and that it changes nothing around it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from unit.families.common.makers import ENABLED, SYSTEM, spec_with
from unit.samples import a_project
from venvpkg.config.project_files import read_project_files
from venvpkg.errors import ConfigurationError
from venvpkg.families.deb.control import maintainer_scripts
from venvpkg.families.rpm.scripts import scriptlets
from venvpkg.model.project import ScriptSettings, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.host.runner import SubprocessRunner

SHELLS = [pytest.param(each, marks=pytest.mark.skipif(shutil.which(each) is None, reason=f"needs {each}"))
          for each in ("dash", "bash")]  # fmt: skip
FILES = {f"{SYSTEM}/app.service": ENABLED, "/usr/lib/tmpfiles.d/app.conf": "d /run/app\n"}
# Everything that the scripts start says so.
STUB = '#!/bin/sh\necho "${0##*/} $*" >> "$CALLS"\n'
STUBBED = ("systemctl", "systemd-tmpfiles", "deb-systemd-helper", "deb-systemd-invoke")
# dpkg's words at the first installation, and rpm's.
FIRST = {"postinst": ("configure", ""), "preinst": ("install",), "prerm": ("remove",), "postrm": ("remove",)}
RPM = {"postinst": ("post", "1"), "preinst": ("pre", "1"), "prerm": ("preun", "0"), "postrm": ("postun", "0")}
CARELESS = [
    'set -eu; echo "called with $1"',
    'set -u; if test -z "$2"; then echo first; fi',
    "exit 0",
    "set -- a b c; shift",
    "set +e; false",
    "cd /; PATH=/nowhere; IFS=c; unset PATH",
    "test() { return 1; }; systemctl() { :; }",
    "trap 'echo trapped' EXIT; exit 0",
    "test -e /nowhere && echo there",
    "exec > /dev/null; exec true",
    "umask 777; set -f; set -n",
    "echo done # the last line",
    "cat <<'END'\n)\nesac\nEND",
    "if true; then\n    exit\nfi \\",
]  # fmt: skip


def calls_of(shell: str, text: str, words: tuple[str, ...], work: Path) -> tuple[int, str, str]:
    """Run a script with stubs of what it starts; return its status, what it says, and what it called."""
    stubs = work / "stubs"
    stubs.mkdir(exist_ok=True)
    for name in STUBBED:
        (stubs / name).write_text(STUB)
        (stubs / name).chmod(0o755)
    calls = work / "calls"
    calls.write_text("")
    script = work / "script"
    script.write_text(text)
    environ = {"PATH": f"{stubs}:/usr/bin:/bin", "CALLS": str(calls)}
    done = subprocess.run([shell, str(script), *words], env=environ, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr, calls.read_text()


def script_of(family: str, name: str, snippet: str, destdir: Path) -> tuple[str, tuple[str, ...]]:
    """Return the text of a maintainer script, and the words that it is called with at first."""
    spec = spec_with(destdir, FILES, **({name: f"{snippet}\n"} if snippet else {}))
    if family == "deb":
        return dict(maintainer_scripts(spec))[name].decode(), FIRST[name]
    section, argument = RPM[name]
    return next(each.text for each in scriptlets(spec) if each.section == section), (argument,)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("family", ["deb", "rpm"])
@pytest.mark.parametrize("snippet", CARELESS)
def test_a_snippet_changes_nothing_around_it(tmp_path: Path, snippet: str, family: str, shell: str) -> None:
    for name in ("postinst", "prerm", "postrm"):
        plain, words = script_of(family, name, "", tmp_path / "plain")
        text, _ = script_of(family, name, snippet, tmp_path / "own")

        expected = calls_of(shell, plain, words, tmp_path)
        status, said, called = calls_of(shell, text, words, tmp_path)

        assert (status, called) == (0, expected[2]), said
        assert "unbound" not in said
        assert "not set" not in said


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("family", ["deb", "rpm"])
@pytest.mark.parametrize("name", list(FIRST))
def test_both_words_are_set_and_the_second_is_empty_at_first(
    tmp_path: Path, name: str, family: str, shell: str
) -> None:
    text, words = script_of(family, name, 'set -eu\necho "$1,$2;"', tmp_path)

    assert calls_of(shell, text, words, tmp_path)[:2] == (0, f"{FIRST[name][0]},;\n")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("family", ["deb", "rpm"])
@pytest.mark.parametrize("snippet", ["false\necho on", "exit 3", "set -eu\necho $nothing", "(exit 3)"])
def test_a_snippet_that_fails_fails_the_script(tmp_path: Path, snippet: str, family: str, shell: str) -> None:
    text, words = script_of(family, "postinst", snippet, tmp_path)

    status, said, called = calls_of(shell, text, words, tmp_path)

    assert status != 0
    assert "on" not in said.split()
    assert "app.service" not in called


@pytest.mark.parametrize("text", ["cat <<END\nnever ended\n", "exit 0\n)\n(\n", "if true; then\n", "echo 'open\n"])
def test_a_snippet_that_would_take_in_what_follows_is_refused(
    tmp_path: Path, runner: SubprocessRunner, text: str
) -> None:
    (tmp_path / "postinst").write_text(text)
    project = replace(a_project(Settings(scripts=ScriptSettings(postinst="postinst"))), base=tmp_path)

    with pytest.raises(ConfigurationError) as caught:
        read_project_files(project, runner)

    assert caught.value.problems[0].startswith("scripts.postinst: postinst ")
