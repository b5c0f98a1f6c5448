"""Assembling with the real rpmbuild: hostile values come out literally, the payload is safe, the bytes are the same."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from unit.fakes import NOTHING_PACKED, RecordingReporter
from unit.families.rpm.rpmbuild import Recorder, debug_in, payload_in, spec_in
from unit.families.rpm.samples import el_9
from unit.golden import golden
from unit.samples import PREFIX, a_spec, a_staged, needing, on_target
from venvpkg.errors import AssembleError
from venvpkg.families.common.destdir import EVIDENCE
from venvpkg.families.registry import family_of_file
from venvpkg.families.rpm.assemble import assemble
from venvpkg.host.command import Command
from venvpkg.host.runner import SubprocessRunner
from venvpkg.host.tree import normalise_modes
from venvpkg.model.package import Artifact, Relations
from venvpkg.model.project import ProjectFiles
from venvpkg.model.staged import Payload
from venvpkg.staging.clock import NO_TIME
from venvpkg.staging.leaks import read_payload

if TYPE_CHECKING:
    from venvpkg.model.target import Target

pytestmark = pytest.mark.skipif(shutil.which("rpmbuild") is None, reason="needs rpmbuild (package rpm)")

HOSTILE = "100% %{lua:print(1)} %(date) %{nil} %%"
# What rpm would take for its own syntax in a spec file.
LINES = "#kept\n%build ALL=(ALL) NOPASSWD: /usr/bin/app\n  %if 0\n%endif\n%include x\n%files\n\\%{open\ngoes \\\n%on"
# What packing adds to a payload.
OURS = {(PREFIX / EVIDENCE).parent, PurePosixPath("/usr")}
NAMES = (
    "a b", "st*r", "sttr", "q?m", "br[ab]", "bra", 'quo"te', "it's", "back\\slash", "{x,y}", "per%%cent", "$(date)",
    "#hash", "%dir", "%{lua:print(1)}", "ümlaut", "-dash", "~tilde",
)  # fmt: skip


@pytest.fixture
def rpm_target(target: Target) -> Target:
    return replace(target, family="rpm", architecture="x86_64", marks=(("dist", ".el9"), ("isa", "(x86-64)")))


def assemble_in(base: Path, target: Target, runner: SubprocessRunner, **changes: object) -> Artifact:
    destdir = base / "work/destdir"
    home = destdir / PREFIX.relative_to("/")
    for directory in (home / "bin", home / "names", destdir / "etc/app", destdir / "etc/cron.d"):
        directory.mkdir(parents=True)
    (home / "bin/app").write_text("#!/opt/venvs/app/bin/python\n")
    (home / "bin/app").chmod(0o755)
    (home / "bin/python").symlink_to("/usr/bin/python3")
    (home / "module.so").write_bytes(Path("/usr/bin/true").read_bytes())
    for name in NAMES:
        (home / "names" / name).write_text(name)
        (destdir / "etc/app" / name).write_text(name)
    (destdir / "etc/cron.d/app").write_text("# nothing yet\n")
    normalise_modes(destdir)
    spec = a_spec(a_staged(destdir, payload=read_payload(destdir, ())), **changes)
    return assemble(spec, base / "dist", NOTHING_PACKED, on_target(target, runner, RecordingReporter()))


def asked(runner: SubprocessRunner, artifact: Artifact, *options: str) -> list[str]:
    done = runner.run(Command(("rpm", "--query", *options, "--package", str(artifact.path))))
    assert done.ok, done.errors
    return done.text.splitlines()


def test_two_packages_from_different_places_umasks_and_zones_are_the_same_bytes(
    tmp_path: Path, rpm_target: Target, runner: SubprocessRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = assemble_in(tmp_path / "one", rpm_target, runner)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    before = os.umask(0o077)
    try:
        second = assemble_in(tmp_path / "two/much/deeper", rpm_target, SubprocessRunner(os.environ))
    finally:
        os.umask(before)

    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.path.name == "app-1.0-1.el9.x86_64.rpm"


def test_macros_in_values_come_out_literally(tmp_path: Path, rpm_target: Target, runner: SubprocessRunner) -> None:
    artifact = assemble_in(
        tmp_path,
        rpm_target,
        runner,
        summary=HOSTILE,
        description=f"%include /etc/passwd\n\n#define {HOSTILE}\n\n\\%{{open \\%(too\n\n" + "%if 0 %files " * 30,
        maintainer=f"Jörg {HOSTILE} <j@example.org>",
        homepage="https://example.org/%7Eapp?%(id)",
        project_files=ProjectFiles(scripts=(("postinst", f"echo '{HOSTILE}'\ncat <<END\n{LINES}\nEND\n"),)),
    )

    told = "\n".join(asked(runner, artifact, "--info", "--scripts"))
    assert f"Summary     : {HOSTILE}" in told
    assert f"Packager    : Jörg {HOSTILE} <j@example.org>" in told
    assert "URL         : https://example.org/%7Eapp?%(id)" in told
    assert f"echo '{HOSTILE}'\ncat <<END\n{LINES}\nEND\n" in told
    assert "\\%{open \\%(too" in told
    assert "- %include /etc/passwd" in told
    assert "root:" not in told


def test_every_name_is_packed_once_and_configuration_is_kept(
    tmp_path: Path, rpm_target: Target, runner: SubprocessRunner
) -> None:
    artifact = assemble_in(tmp_path, rpm_target, runner)

    configuration = asked(runner, artifact, "--configfiles")
    assert sorted(configuration) == sorted([*(f"/etc/app/{name}" for name in NAMES), "/etc/cron.d/app"])
    listed = asked(runner, artifact, "--list")
    assert {f"{PREFIX}/names/{name}" for name in NAMES} <= set(listed)
    assert len(listed) == len(set(listed))
    assert not {"/opt", "/etc", "/etc/cron.d", "/usr/bin"} & set(listed)
    assert not any(".build-id" in path for path in listed)


def test_nothing_is_required_or_provided_but_what_was_composed_and_the_shell_of_scriptlets(
    tmp_path: Path, rpm_target: Target, runner: SubprocessRunner
) -> None:
    relations = Relations(recommends=("nginx (>= 1) | httpd",), replaces=("older (<< 2)",), provides=("api (= 2)",))
    artifact = assemble_in(
        tmp_path, rpm_target, runner, epoch=2, dependencies=needing("bash >= 5", "(a or b)"), relations=relations
    )

    required = asked(runner, artifact, "--requires")
    assert [each for each in required if not each.startswith("rpmlib(")] == ["(a or b)", "/bin/sh", "bash >= 5"]
    assert asked(runner, artifact, "--provides") == [
        "api = 2", "app = 2:1.0-1.el9", "app(x86-64) = 2:1.0-1.el9", "built-by(venvpkg)",
    ]  # fmt: skip
    assert asked(runner, artifact, "--recommends") == ["(nginx >= 1 or httpd)"]
    assert asked(runner, artifact, "--obsoletes") == ["older < 2"]


def test_the_payload_outlives_packing_and_can_be_packed_again(
    tmp_path: Path, rpm_target: Target, runner: SubprocessRunner
) -> None:
    clean = "{% include 'venvpkg/package.spec.j2' %}\n%clean\nrm -rf %{buildroot}\n%install\nrm -rf %{buildroot}\n"
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/package.spec.j2").write_text(clean)

    with pytest.raises(Exception, match=r"rpmbuild failed|Read-only"):
        assemble_in(tmp_path / "one", rpm_target, runner, project_files=ProjectFiles(templates=tmp_path / "templates"))

    home = tmp_path / "one/work/destdir" / PREFIX.relative_to("/")
    assert {path.name for path in (home / "names").iterdir()} == set(NAMES)


def test_a_package_is_known_by_its_beginning_and_compared_member_by_member(
    tmp_path: Path, rpm_target: Target, runner: SubprocessRunner
) -> None:
    first = assemble_in(tmp_path / "one", rpm_target, runner, evidence=b"{}\n")
    second = assemble_in(tmp_path / "two", rpm_target, runner, evidence=b"[]\n", dependencies=needing("bash"))
    disguised = tmp_path / "package.deb"
    shutil.copy(first.path, disguised)
    backend = family_of_file(disguised).format

    assert backend.read_evidence(disguised, runner) == b"{}\n"
    assert backend.differences(first.path, first.path, runner) == ()
    assert backend.differences(first.path, second.path, runner) == (
        "header: REQUIRENEVRS",
        f"data: .{PREFIX}/share/venvpkg/dependencies.json: content",
    )


def test_rpmlint_finds_no_error_beyond_those_with_a_reason(
    tmp_path: Path, rpm_target: Target, runner: SubprocessRunner
) -> None:
    if shutil.which("rpmlint") is None:
        pytest.skip("needs rpmlint")
    artifact = assemble_in(tmp_path, rpm_target, runner)
    reasons = Path(__file__).parents[2] / "docs/rpmlint.toml"

    done = runner.run(Command(("rpmlint", "--config", str(reasons), str(artifact.path))))

    assert "checks:" in done.text
    # The module of the test is a program of the release, and its cron table asks for cron.
    own = ("module.so", "/etc/cron.d/app")
    found = [line for line in done.text.splitlines() if ": E: " in line and not line.endswith(own)]
    assert found == []


def test_what_is_inside_is_told(tmp_path: Path, rpm_target: Target, runner: SubprocessRunner) -> None:
    artifact = assemble_in(tmp_path, rpm_target, runner, dependencies=needing("bash >= 5"))

    found = family_of_file(artifact.path).format.inspect(artifact.path, runner)

    assert dict(found.fields)["Requires"].startswith("/bin/sh, bash >= 5")
    assert len(found.configuration) == len(NAMES) + 1
    assert [each.path for each in found.elf] == [f"{PREFIX}/module.so"]
    assert [each.path for each in found.commands] == ["/usr/bin/app"]


def test_macros_in_a_licence_are_not_expanded(tmp_path: Path, rpm_target: Target, runner: SubprocessRunner) -> None:
    artifact = assemble_in(tmp_path, rpm_target, runner, license_expression=HOSTILE, revision="1")

    (licence,) = asked(runner, artifact, "--queryformat", "%{LICENSE}\\n")
    assert licence == "LicenseRef-100-lua-print-1-date-nil"


@pytest.mark.parametrize(
    ("version", "spelled"),
    [("1.0rc1", "0:1~rc1"), ("2!1.0.dev3+local.7", "2:1~~dev3^local.7"), ("2024.1.post2", "0:2024.1.0.0+post2")],
)
def test_a_version_of_any_shape_is_taken_as_it_is_spelled(
    tmp_path: Path, rpm_target: Target, runner: SubprocessRunner, version: str, spelled: str
) -> None:
    artifact = assemble_in(tmp_path, rpm_target, runner, upstream_version=version)

    assert asked(runner, artifact, "--queryformat", "%{EPOCHNUM}:%{VERSION}\\n") == [spelled]


@pytest.mark.parametrize("revision", ["1-2", "%(id)", "1 2", "1\n%post", ""])
def test_a_release_that_rpm_refuses_is_refused_by_name_before_rpmbuild_runs(
    tmp_path: Path, rpm_target: Target, runner: SubprocessRunner, revision: str
) -> None:
    with pytest.raises(AssembleError, match="not valid in a spec file") as caught:
        assemble_in(tmp_path, replace(rpm_target, marks=(("dist", ""),)), runner, revision=revision)

    assert "Release: " in caught.value.details


def test_sources_whose_time_is_not_known_can_be_packed(
    tmp_path: Path, rpm_target: Target, runner: SubprocessRunner
) -> None:
    artifact = assemble_in(tmp_path, rpm_target, runner, source_date_epoch=NO_TIME)

    assert "Wed Jan 01 1997" in "\n".join(asked(runner, artifact, "--changelog"))


def test_a_failed_pack_loses_nothing_and_the_next_one_succeeds(
    tmp_path: Path, rpm_target: Target, runner: SubprocessRunner
) -> None:
    spec = tmp_path / "templates/package.spec.j2"
    spec.parent.mkdir()
    spec.write_text("{% include 'venvpkg/package.spec.j2' %}\n%clean\nrm -rf %{buildroot}\n%install\nfalse\n")
    with pytest.raises(AssembleError, match="rpmbuild failed"):
        assemble_in(tmp_path, rpm_target, runner, project_files=ProjectFiles(templates=spec.parent))
    destdir = tmp_path / "work/destdir"

    staged = a_staged(destdir, payload=read_payload(destdir, ()))
    own = tuple(each for each in staged.payload.paths if not OURS & {each.path, *each.path.parents})
    again = assemble(
        a_spec(replace(staged, payload=Payload(own))),
        tmp_path / "dist",
        NOTHING_PACKED,
        on_target(rpm_target, runner, RecordingReporter()),
    )

    assert {f"{PREFIX}/names/{name}" for name in NAMES} <= set(asked(runner, again, "--list"))


def test_debug_information_is_a_package_of_its_own(
    tmp_path: Path, rpm_target: Target, runner: SubprocessRunner
) -> None:
    (tmp_path / "debug").write_bytes(b"debug")
    build_id = "c0ffee00"

    artifact = assemble_in(tmp_path, rpm_target, runner, debug=((build_id, tmp_path / "debug"),), epoch=3)

    debug = replace(artifact, path=artifact.debug_packages[0])
    assert debug.path.name == "app-debuginfo-1.0-1.el9.x86_64.rpm"
    assert asked(runner, debug, "--list") == [
        "/usr/lib/debug/.build-id", "/usr/lib/debug/.build-id/c0", "/usr/lib/debug/.build-id/c0/ffee00.debug",
    ]  # fmt: skip
    assert f"debuginfo(build-id) = {build_id}" in asked(runner, debug, "--provides")
    assert [each for each in asked(runner, debug, "--requires") if not each.startswith("rpmlib(")] == []


def test_rpm_gives_the_answers_that_unit_tests_take_for_its_own(tmp_path: Path, runner: SubprocessRunner) -> None:
    spec = spec_in(payload_in(tmp_path), debug=debug_in(tmp_path))
    recorder = Recorder(runner)

    assemble(spec, tmp_path / "dist", NOTHING_PACKED, on_target(el_9(), recorder))

    assert len(recorder.answers) == 6
    for name, answer in recorder.answers.items():
        expected = golden(f"rpm/answers/{name}", answer)
        assert without_rpmlib(answer) == without_rpmlib(expected), name


def without_rpmlib(answer: str) -> list[str]:
    """Return an answer without the features of rpm itself, which differ from version to version."""
    return [line for line in answer.splitlines() if "rpmlib(" not in line]
