"""Assembling: what rpmbuild is shown and told, and that nothing but what was composed gets out."""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from unit.fakes import NOTHING_PACKED, RecordingReporter
from unit.families.rpm.samples import el_9
from unit.samples import PREFIX, a_spec, a_staged, needing, on_target
from venvpkg.errors import AssembleError, MachineError, MissingToolError
from venvpkg.families.rpm.assemble import assemble, debug_of
from venvpkg.families.rpm.files import owned
from venvpkg.families.rpm.pack import compression
from venvpkg.families.rpm.spec import composed
from venvpkg.host.command import Command, Completed
from venvpkg.model.staged import PathKind, Payload, PayloadPath
from venvpkg.staging.leaks import read_payload

if TYPE_CHECKING:
    from venvpkg.families.rpm.header import Header
    from venvpkg.model.package import Artifact, PackageSpec

TYPES = {PathKind.FILE: 0o100000, PathKind.DIRECTORY: 0o040000, PathKind.LINK: 0o120000}


@pytest.fixture
def destdir(tmp_path: Path) -> Path:
    program = tmp_path / "job/destdir" / (PREFIX / "bin/app").relative_to("/")
    program.parent.mkdir(parents=True)
    program.write_bytes(b"#!/opt/venvs/app/bin/python\n")
    (tmp_path / "job/destdir/etc").mkdir()
    (tmp_path / "job/destdir/etc/app.conf").write_text("x\n")
    return tmp_path / "job/destdir"


@dataclass
class Rpmbuild:
    """An rpm whose programs answer what was composed, but for what a test changes.

    ``failing`` maps a program to how it ends; ``extra`` are lines that rpm adds to each answer about a header, and
    ``lost`` is a path that is not packed.
    """

    spec: PackageSpec
    failing: dict[str, Completed] = field(default_factory=dict)
    extra: str = ""
    lost: str = ""
    ran: list[Command] = field(default_factory=list)
    specs: list[str] = field(default_factory=list)

    def run(self, command: Command) -> Completed:
        self.ran.append(command)
        program, *arguments = command.argv
        if program in self.failing:
            return self.failing[program]
        if program == "rpmbuild":
            work = next(bind.source for bind in command.binds if bind.writable)
            (work / "package.rpm").write_bytes(b"an rpm")
            self.specs.append((work / "package.spec").read_text())
            return Completed(0, b"", b"warning: absolute symlink\n")
        if any("FILEMODES" in each for each in arguments):
            return Completed(0, self._payload(command).encode())
        if "--showrc" in arguments:
            return Completed(0, b"    rpmlib(PayloadIsZstd) = 5.4.18-1\n")
        return Completed(0, (self._header(command) + self.extra).encode())

    def _header(self, command: Command) -> str:
        of = composed(self.spec, el_9())
        is_debug = any(bind.source.name.startswith("debuginfo") for bind in command.binds)
        header: Header = (debug_of(of, (build_id for build_id, _ in self.spec.debug)) if is_debug else of).header()
        values = [*header.fields.items(), *((tag, each) for tag, many in header.relations.items() for each in many)]
        values += zip(("CHANGELOGNAME", "CHANGELOGTEXT"), header.changelog, strict=True)
        return "".join(f"{tag}={shlex.quote(value)}\n" for tag, value in values)

    def _payload(self, command: Command) -> str:
        buildroot = next(bind.source for bind in command.binds if not bind.writable)
        lines = []
        for each in owned(read_payload(buildroot, ()).paths):
            if each.path == PREFIX.parent.parent or str(each.path) == self.lost:
                continue
            flags = "cn" if each.path.is_relative_to("/etc") else ""
            time = self.spec.source_date_epoch
            lines.append(f"{TYPES[each.kind] | each.mode:o}\t{flags}\troot:root\t{time}\t{each.path}\n")
        return "".join(lines)


def spec_in(destdir: Path, **changes: object) -> PackageSpec:
    for directory in (destdir, *destdir.rglob("*")):
        directory.chmod(0o755 if directory.is_dir() else 0o644)
    return a_spec(a_staged(destdir, payload=read_payload(destdir, ())), **changes)


def pack(spec: PackageSpec, destination: Path, **changes: object) -> tuple[Artifact, Rpmbuild]:
    rpm = Rpmbuild(spec)
    for name, value in changes.items():
        setattr(rpm, name, value)
    return assemble(spec, destination, NOTHING_PACKED, on_target(el_9(), rpm, RecordingReporter())), rpm


def test_the_artifact_is_named_as_rpm_names_it_and_nothing_is_left_beside_the_payload(
    destdir: Path, tmp_path: Path
) -> None:
    artifact, _ = pack(spec_in(destdir, epoch=2), tmp_path / "dist")

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
    spec = spec_in(destdir, dependencies=needing("bash"))
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
    (tmp_path / "debug").write_bytes(b"debug")
    spec = spec_in(destdir, debug=(("ab12", tmp_path / "debug"),), epoch=1)
    runner = Rpmbuild(spec)

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
