"""Assembling: what is added to the payload, and that nothing half-written appears."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from unit.fakes import NOTHING_PACKED, RecordingReporter, ScriptedRunner
from unit.families.deb.dpkg import DpkgDeb
from unit.samples import PREFIX, a_spec, a_staged, debian_12, on_target
from venvpkg.errors import AssembleError, MachineError, MissingToolError
from venvpkg.families.deb.assemble import artifact_name, assemble
from venvpkg.families.deb.pack import compression
from venvpkg.host.command import Completed
from venvpkg.model.project import ProjectFiles
from venvpkg.model.staged import PathKind, Payload, PayloadPath
from venvpkg.model.target import Release
from venvpkg.staging.leaks import read_payload

if TYPE_CHECKING:
    from venvpkg.model.package import Artifact, PackageSpec


@pytest.fixture
def destdir(tmp_path: Path) -> Path:
    program = tmp_path / "job/destdir" / (PREFIX / "bin/app").relative_to("/")
    program.parent.mkdir(parents=True)
    program.write_bytes(b"#!/opt/venvs/app/bin/python\n")
    return tmp_path / "job/destdir"


def spec_in(destdir: Path, **changes: object) -> PackageSpec:
    return a_spec(a_staged(destdir, payload=read_payload(destdir, ())), **changes)


def pack(spec: PackageSpec, destination: Path, dpkg: DpkgDeb | None = None) -> Artifact:
    runner = (dpkg or DpkgDeb()).runner()
    return assemble(spec, destination, NOTHING_PACKED, on_target(debian_12(), runner, RecordingReporter()))


def refusal(spec: PackageSpec, destination: Path) -> AssembleError:
    """Return why a package is refused before it is packed."""
    with pytest.raises(AssembleError) as caught:
        assemble(spec, destination, NOTHING_PACKED, on_target(debian_12(), ScriptedRunner({}), RecordingReporter()))
    return caught.value


def test_links_documents_and_evidence_are_added(destdir: Path, tmp_path: Path) -> None:
    dpkg = DpkgDeb()

    pack(spec_in(destdir), tmp_path / "dist", dpkg)

    assert {
        PurePosixPath("/usr/bin/app"),
        PREFIX / "share/venvpkg/dependencies.json",
        PREFIX / "share/venvpkg/sbom.cdx.json",
        PurePosixPath("/usr/share/doc/app/copyright"),
        PurePosixPath("/usr/share/doc/app/changelog.Debian.gz"),
    } <= set(dpkg.seen)
    assert str((destdir / "usr/bin/app").readlink()) == "/opt/venvs/app/bin/app"


def test_md5sums_and_size_count_what_was_added(destdir: Path, tmp_path: Path) -> None:
    spec = spec_in(destdir)

    pack(spec, tmp_path / "dist")

    files = [each for each in read_payload(destdir, ()).paths if "DEBIAN" not in each.path.parts]
    listed = (destdir / "DEBIAN/md5sums").read_text().splitlines()
    assert listed == [f"{each.md5}  {str(each.path)[1:]}" for each in files if each.kind is PathKind.FILE]
    kib = sum(1 if each.kind is PathKind.DIRECTORY else -(-each.size_bytes // 1024) for each in files)
    assert f"Installed-Size: {kib}\n" in (destdir / "DEBIAN/control").read_text()


def test_every_time_is_that_of_the_sources(destdir: Path, tmp_path: Path) -> None:
    pack(spec_in(destdir), tmp_path / "dist")

    assert {path.lstat().st_mtime for path in (destdir, *destdir.rglob("*"))} == {1_700_000_000}


def test_the_artifact_tells_where_it_is_and_what_it_holds(destdir: Path, tmp_path: Path) -> None:
    artifact = pack(spec_in(destdir), tmp_path / "dist")

    assert artifact.path == tmp_path / "dist/app_1.0-1~debian12_all.deb"
    assert artifact.size_bytes == artifact.path.stat().st_size
    assert not list((tmp_path / "job").glob("*.deb"))


def test_assembling_twice_gives_the_same(destdir: Path, tmp_path: Path) -> None:
    spec = spec_in(destdir)

    first, second = pack(spec, tmp_path / "one"), pack(spec, tmp_path / "two")

    assert first.sha256 == second.sha256


@pytest.mark.parametrize("answer", [Completed(2, b"", b"disk full"), Completed(-9)])
def test_a_failed_dpkg_deb_leaves_nothing_in_the_destination(destdir: Path, tmp_path: Path, answer: Completed) -> None:
    with pytest.raises(AssembleError, match="could not pack"):
        pack(spec_in(destdir), tmp_path / "dist", DpkgDeb(answer))

    assert not (tmp_path / "dist").exists()


def test_a_full_disk_is_told_as_such(destdir: Path, tmp_path: Path) -> None:
    answer = Completed(2, b"", b"dpkg-deb: error: unable to write file: No space left on device\n")

    with pytest.raises(MachineError, match="No space left on device"):
        pack(spec_in(destdir), tmp_path / "dist", DpkgDeb(answer))


def test_a_missing_dpkg_deb_is_told_with_the_package_that_brings_it(destdir: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="apt-get install --no-install-recommends dpkg"):
        pack(spec_in(destdir), tmp_path / "dist", DpkgDeb(Completed(127)))


def test_a_package_that_reads_back_differently_never_appears(destdir: Path, tmp_path: Path) -> None:
    dpkg = DpkgDeb(adds=b"Essential: yes\n")

    with pytest.raises(AssembleError, match="essential"):
        pack(spec_in(destdir), tmp_path / "dist", dpkg)

    assert not (tmp_path / "dist").exists()


def test_a_destination_that_is_a_file_is_an_error(destdir: Path, tmp_path: Path) -> None:
    (tmp_path / "dist").touch()

    with pytest.raises(MachineError, match="dist cannot be used"):
        pack(spec_in(destdir), tmp_path / "dist")


def test_a_payload_that_already_has_our_paths_is_refused(destdir: Path, tmp_path: Path) -> None:
    taken = PayloadPath(PREFIX / "share/venvpkg/dependencies.json", PathKind.FILE, 0o644)
    spec = a_spec(a_staged(destdir, payload=Payload((taken,))))

    assert "dependencies.json" in str(refusal(spec, tmp_path / "dist"))


def test_a_file_of_the_configuration_in_the_place_of_a_command_or_the_copyright_is_refused_with_a_way_out(
    destdir: Path, tmp_path: Path
) -> None:
    command, document = PurePosixPath("/usr/bin/app"), PurePosixPath("/usr/share/doc/app/copyright")
    payload = Payload(tuple(PayloadPath(each, PathKind.FILE, 0o644) for each in (command, document)))
    spec = a_spec(a_staged(destdir, payload=payload), links=((command, PREFIX / "bin/app"),))

    refused = refusal(spec, tmp_path / "dist")

    assert refused.details.splitlines() == [
        "  /usr/bin/app: also the link to a command",
        "  /usr/share/doc/app/copyright: also written by venvpkg",
    ]
    assert "files" in refused.resolution
    assert "commands" in refused.resolution


def test_evidence_that_names_the_staging_root_is_refused(destdir: Path, tmp_path: Path) -> None:
    refused = refusal(spec_in(destdir, evidence=str(destdir).encode()), tmp_path / "dist")

    assert "a path of this machine" in str(refused)


@pytest.mark.parametrize("spec", [a_spec(epoch=3), a_spec(upstream_version="2!1.0")])
def test_the_file_name_has_no_epoch(spec: PackageSpec) -> None:
    assert artifact_name(spec, debian_12()) == "app_1.0-1~debian12_all.deb"


@pytest.mark.parametrize(
    ("release", "option"),
    [
        (Release("debian", "12", ""), "-Zzstd"),
        (Release("debian", "11", ""), "-Zxz"),
        (Release("ubuntu", "22.04", ""), "-Zzstd"),
        (Release("ubuntu", "20.04", ""), "-Zxz"),
        (Release("devuan", "5", ""), "-Zxz"),
        (Release("debian", "forky", ""), "-Zxz"),
    ],
)
def test_zstd_is_used_where_the_release_reads_it(release: Release, option: str) -> None:
    assert compression(release)[0] == option


def with_file(destdir: Path, path: str) -> None:
    (destdir / path).parent.mkdir(parents=True, exist_ok=True)
    (destdir / path).write_text("x")


def test_files_in_etc_are_conffiles_and_not_among_the_sums(destdir: Path, tmp_path: Path) -> None:
    with_file(destdir, "etc/app/b.toml")
    with_file(destdir, "etc/app/a.toml")
    with_file(destdir, "etcetera/c")

    pack(spec_in(destdir), tmp_path / "dist")

    assert (destdir / "DEBIAN/conffiles").read_text() == "/etc/app/a.toml\n/etc/app/b.toml\n"
    sums = (destdir / "DEBIAN/md5sums").read_text()
    assert ("etc/app" in sums, "etcetera/c" in sums) == (False, True)


def test_without_anything_that_asks_for_them_there_are_no_conffiles_and_no_other_scripts(
    destdir: Path, tmp_path: Path
) -> None:
    pack(spec_in(destdir), tmp_path / "dist")

    assert {each.name for each in (destdir / "DEBIAN").iterdir()} == {"control", "md5sums", "postinst"}


def test_a_snippet_becomes_a_maintainer_script_that_stops_at_errors(destdir: Path, tmp_path: Path) -> None:
    snippet = 'case "$1" in configure) echo "{{ 7 * 7 }}" ;; esac\n'

    pack(spec_in(destdir, project_files=ProjectFiles(scripts=(("postinst", snippet),))), tmp_path / "dist")

    script = destdir / "DEBIAN/postinst"
    lines = script.read_text().splitlines()
    assert (lines[0], lines[-1], script.stat().st_mode & 0o777) == ("#!/bin/sh", "exit 0", 0o755)
    assert lines.index("set -e") < lines.index(snippet.rstrip("\n"))
