"""Assembling: what rpmbuild is shown and told, and that nothing but what was composed gets out."""

from __future__ import annotations

import dataclasses
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from unit.fakes import NOTHING_PACKED, RecordingReporter
from unit.families.rpm.rpmbuild import Rpmbuild, debug_in, payload_in, spec_in
from unit.families.rpm.samples import el_9
from unit.samples import PREFIX, on_target
from venvpkg.errors import AssembleError, MachineError, MissingToolError
from venvpkg.families.rpm.assemble import assemble
from venvpkg.families.rpm.pack import compression
from venvpkg.host.command import Completed
from venvpkg.model.staged import PathKind, Payload, PayloadPath

if TYPE_CHECKING:
    from venvpkg.model.package import Artifact, PackageSpec


@pytest.fixture
def destdir(tmp_path: Path) -> Path:
    return payload_in(tmp_path)


def pack(spec: PackageSpec, destination: Path, **changes: object) -> tuple[Artifact, Rpmbuild]:
    rpm = Rpmbuild()
    for name, value in changes.items():
        setattr(rpm, name, value)
    return assemble(spec, destination, NOTHING_PACKED, on_target(el_9(), rpm, RecordingReporter())), rpm


def test_the_artifact_is_named_as_rpm_names_it_and_nothing_is_left_beside_the_payload(
    destdir: Path, tmp_path: Path
) -> None:
    artifact, _ = pack(spec_in(destdir), tmp_path / "dist")

    assert artifact.path == tmp_path / "dist/app-1.0-1.el9.noarch.rpm"
    assert artifact.path.read_bytes() == b"an rpm"
    assert [path.name for path in (tmp_path / "job").iterdir()] == ["destdir"]


def test_rpmbuild_sees_the_payload_read_only_and_has_no_network(destdir: Path, tmp_path: Path) -> None:
    _, rpm = pack(spec_in(destdir), tmp_path / "dist")

    (build,) = (command for command in rpm.ran if command.argv[0] == "rpmbuild")
    buildroot = build.argv[build.argv.index("--buildroot") + 1]
    (shown,) = (bind for bind in build.binds if bind.source == destdir)
    assert (shown.mountpoint, shown.writable, build.network) == (PurePosixPath(buildroot), False, False)
    assert build.env["SOURCE_DATE_EPOCH"] == "1700000000"
    assert "_binary_payload w10.zstdio" in build.argv


def test_licence_records_and_links_are_added_with_the_time_of_the_sources(destdir: Path, tmp_path: Path) -> None:
    pack(spec_in(destdir), tmp_path / "dist")

    home = destdir / PREFIX.relative_to("/")
    added = [destdir / "usr/share/licenses/app/copyright", home / "share/venvpkg/dependencies.json"]
    assert all(path.is_file() for path in added)
    assert str((destdir / "usr/bin/app").readlink()) == "/opt/venvs/app/bin/app"
    assert {path.lstat().st_mtime for path in destdir.rglob("*")} == {1_700_000_000}


def test_a_requirement_that_was_not_composed_stops_the_package(destdir: Path, tmp_path: Path) -> None:
    with pytest.raises(AssembleError, match=r"'libssl-0a1b2c3d.so.3\(\)\(64bit\)' was not composed"):
        pack(spec_in(destdir), tmp_path / "dist", extra="REQUIRENEVRS='libssl-0a1b2c3d.so.3()(64bit)'\n")

    assert not (tmp_path / "dist").exists()


def test_a_path_that_was_not_packed_stops_the_package(destdir: Path, tmp_path: Path) -> None:
    with pytest.raises(AssembleError, match="/etc/app.conf: not packed"):
        pack(spec_in(destdir), tmp_path / "dist", lost="/etc/app.conf")


@pytest.mark.parametrize(
    ("failing", "error", "told"),
    [
        (("rpmbuild", Completed(1, stderr=b"error: Bad file\n")), AssembleError, "Bad file"),
        (("rpmspec", Completed(127)), MissingToolError, "rpm-build"),
        (("rpmbuild", Completed(1, stderr=b"cpio: write: No space left on device\n")), MachineError, "space"),
        (("rpmbuild", Completed(-9)), AssembleError, "SIGKILL"),
        (("rpmspec", Completed(0, b"NAME='app")), AssembleError, "could not be read back"),
    ],
)
def test_a_program_that_fails_is_told_and_the_payload_stays(
    destdir: Path, tmp_path: Path, failing: tuple[str, Completed], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        pack(spec_in(destdir), tmp_path / "dist", failing=dict([failing]))

    assert (destdir / (PREFIX / "bin/app").relative_to("/")).is_file()
    assert not (tmp_path / "dist").exists()


def test_a_pack_can_be_repeated_after_a_failure(destdir: Path, tmp_path: Path) -> None:
    spec = spec_in(destdir)
    with pytest.raises(AssembleError):
        pack(spec, tmp_path / "dist", failing={"rpmbuild": Completed(1)})

    artifact, _ = pack(spec, tmp_path / "dist")

    assert artifact.path.is_file()


def test_a_payload_that_has_a_path_of_ours_is_refused(destdir: Path, tmp_path: Path) -> None:
    taken = PayloadPath(PurePosixPath("/usr/share/licenses/app/copyright"), PathKind.FILE, 0o644)
    spec = spec_in(destdir)
    payload = Payload((*spec.staged.payload.paths, taken))

    with pytest.raises(AssembleError, match="contain a path twice"):
        pack(dataclasses.replace(spec, staged=dataclasses.replace(spec.staged, payload=payload)), tmp_path / "dist")


def test_debug_information_becomes_a_package_of_its_own_that_is_found_by_build_id(
    destdir: Path, tmp_path: Path
) -> None:
    spec = spec_in(destdir, debug=debug_in(tmp_path))
    runner = Rpmbuild()

    artifact = assemble(spec, tmp_path / "dist", NOTHING_PACKED, on_target(el_9(), runner, RecordingReporter()))

    (debug_package,) = artifact.debug_packages
    assert debug_package == destdir.parent / "app-debuginfo-1.0-1.el9.noarch.rpm"
    assert debug_package.read_bytes() == b"an rpm"
    assert "Provides: debuginfo(build-id) = ab12\n" in runner.specs[-1]
    assert "Requires:" not in runner.specs[-1]
    assert "\n/usr/lib/debug/.build-id/ab/12.debug\n" in runner.specs[-1]
    assert "bin/app" not in runner.specs[-1]


def test_zstd_is_used_where_the_targets_rpm_reads_it() -> None:
    assert (compression("rpmlib(PayloadIsZstd) = 5.4.18-1"), compression("")) == ("w10.zstdio", "w2.xzdio")
