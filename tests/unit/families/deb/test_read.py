"""Looking into packages that anybody may have made."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from unit.debs import CONTROL, DpkgDeb, archive
from unit.linking.builder import Elf
from venvpkg.errors import MissingToolError, NotAPackageError
from venvpkg.families.deb.read import inspect
from venvpkg.host.command import Completed
from venvpkg.model.package import Leak, PackedDistribution, PackedFile, PackedLink

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvpkg.model.package import Inspection

VENV = "opt/venvs/app"
SITE = f"{VENV}/lib/python3.11/site-packages"


def look(
    tmp_path: Path,
    files: Mapping[str, bytes] | bytes,
    links: Mapping[str, str] | None = None,
    control: Mapping[str, bytes] | None = None,
    outcome: Completed = Completed(0),  # noqa: B008 - frozen
) -> Inspection:
    package = tmp_path / "app.deb"
    package.write_bytes(b"a package")
    data = files if isinstance(files, bytes) else archive(files, links)
    archives = (archive(control or {"control": CONTROL}), data)
    return inspect(package, DpkgDeb({"app.deb": archives}, outcome))


def test_fields_scripts_and_conffiles_are_told(tmp_path: Path) -> None:
    control = {
        "control": CONTROL,
        "postinst": b"#!/bin/sh\n",
        "md5sums": b"",
        "conffiles": b"/etc/app.conf\nremove-on-upgrade /etc/old.conf\n",
    }

    found = look(tmp_path, {}, control=control)

    assert dict(found.fields) == {
        "Package": "app",
        "Version": "1.0-1",
        "Architecture": "amd64",
        "Description": "an application\n more",
    }
    assert found.scripts == ("postinst",)
    assert found.configuration == ("/etc/app.conf", "/etc/old.conf")


def test_the_payload_is_counted_and_its_largest_files_come_first(tmp_path: Path) -> None:
    files = {"usr/": b"", **{f"usr/{number}": b"x" * number for number in range(30)}}

    found = look(tmp_path, files, {"usr/link": "1"})

    assert dict(found.counts) == {"files": 30, "directories": 1, "links": 1, "others": 0}
    assert found.payload_bytes == sum(range(30))
    assert found.largest[:2] == (PackedFile("/usr/29", 29), PackedFile("/usr/28", 28))
    assert len(found.largest) == 10


def test_distributions_commands_and_services_are_found(tmp_path: Path) -> None:
    files = {
        f"{SITE}/Flask-3.1.dist-info/METADATA": b"Metadata-Version: 2.1\nName: Flask\nVersion: 3.1\n\nName: no\n",
        f"{SITE}/old.egg-info/PKG-INFO": b"Name: old\r\nVersion: 1\r\n",
        "usr/sbin/appd": b"#!/bin/sh\n",
        "lib/systemd/system/app.service": b"[Unit]\n",
        f"{VENV}/bin/other": b"",
    }

    found = look(tmp_path, files, {"usr/bin/app": f"/{VENV}/bin/app"})

    assert [(each.name, each.version) for each in found.distributions] == [("Flask", "3.1"), ("old", "1")]
    assert found.commands == (PackedLink("/usr/bin/app", f"/{VENV}/bin/app"), PackedLink("/usr/sbin/appd", ""))
    assert found.services == ("/lib/systemd/system/app.service",)


def test_elf_files_tell_what_they_need_and_damaged_ones_that_they_are(tmp_path: Path) -> None:
    Elf(soname="libx.so.1", needed=("libc.so.6",), runpath="$ORIGIN").write(tmp_path / "object")
    files = {"usr/lib/libx.so.1": (tmp_path / "object").read_bytes(), "usr/lib/broken.so": b"\x7fELF\x02\x01"}

    broken, library = look(tmp_path, files).elf

    assert (library.soname, library.needed, library.runpath) == ("libx.so.1", ("libc.so.6",), ("$ORIGIN",))
    assert (broken.path, bool(broken.problem)) == ("/usr/lib/broken.so", True)


def test_what_an_environment_tells_of_the_machine_it_was_made_on_is_a_leak(tmp_path: Path) -> None:
    shebang = b"#!/srv/job/debian/app/opt/venvs/app/bin/python3\n"
    files = {
        f"{VENV}/bin/app": shebang,
        f"{VENV}/pyvenv.cfg": b"home = /usr/bin\ncommand = /usr/bin/python3 -m venv /srv/job/venv\n",
        f"{SITE}/app-1.dist-info/direct_url.json": b'{"url": "file:///home/ci/app"}',
        "usr/share/doc/app/README": b"as /home/ci/app was",
    }

    found = look(tmp_path, files)

    assert {(each.path.removeprefix(f"/{VENV}/"), each.text) for each in found.leaks} == {
        ("bin/app", "/srv/job/debian/app/opt/venvs/app/bin/python3"),
        ("pyvenv.cfg", "command = /usr/bin/python3 -m venv /srv/job/venv"),
        ("lib/python3.11/site-packages/app-1.dist-info/direct_url.json", "file:///home/ci/app"),
    }


def test_an_environment_of_ours_tells_nothing(tmp_path: Path) -> None:
    files = {
        f"{VENV}/pyvenv.cfg": b"home = /usr/bin\ncommand = virtualenv /opt/venvs/app\n",
        f"{VENV}/share/venvpkg/dependencies.json": b"{}",
    }

    found = look(tmp_path, files)

    assert found.leaks == ()
    assert found.own_documents == (f"/{VENV}/share/venvpkg/dependencies.json",)


def test_a_header_that_claims_a_gigabyte_is_refused_before_it_is_read(tmp_path: Path) -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 1 << 30

    with pytest.raises(NotAPackageError, match="header of 1073741824 bytes"):
        look(tmp_path, header.tobuf())


@pytest.mark.parametrize("cut", [1, 100, 512, 700])
def test_a_payload_that_is_cut_off_is_told(tmp_path: Path, cut: int) -> None:
    whole = archive({"usr/file": b"x" * 4096})
    failed = Completed(2, stderr=b"dpkg-deb: error: unexpected end of file\n")

    with pytest.raises(NotAPackageError, match="unexpected end of file"):
        look(tmp_path, whole[:cut], outcome=failed)


def test_a_tower_of_long_names_ends_in_an_error_and_not_in_a_traceback(tmp_path: Path) -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 2
    tower = (header.tobuf() + b"a\0".ljust(512, b"\0")) * 20_000

    with pytest.raises(NotAPackageError, match="could not be read"):
        look(tmp_path, tower)


def test_a_control_file_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotAPackageError, match="malformed"):
        look(tmp_path, {}, control={"control": b"Package: a\nPackage: b\n"})
    with pytest.raises(NotAPackageError, match="no control file"):
        look(tmp_path, {}, control={"md5sums": b""})


def test_what_is_no_file_and_a_missing_dpkg_deb_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotAPackageError, match="is not a file"):
        inspect(tmp_path, DpkgDeb({}))
    with pytest.raises(MissingToolError, match="dpkg-deb"):
        look(tmp_path, {}, outcome=Completed(127))


def test_devices_and_pipes_are_counted_and_never_opened(tmp_path: Path) -> None:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as made:
        device = tarfile.TarInfo("./dev/sda")
        device.type = tarfile.BLKTYPE
        made.addfile(device)

    assert dict(look(tmp_path, output.getvalue()).counts)["others"] == 1


def test_metadata_with_hostile_values_is_kept_as_text(tmp_path: Path) -> None:
    found = look(tmp_path, {f"{SITE}/x-1.dist-info/METADATA": b"Name: \x1b[2J\xff\nVersion: 1\n"})

    assert found.distributions == (PackedDistribution("\x1b[2J\ufffd", "1", f"/{SITE}/x-1.dist-info/METADATA"),)


def test_a_direct_url_that_is_no_json_is_a_leak_all_the_same(tmp_path: Path) -> None:
    path = f"{SITE}/x-1.dist-info/direct_url.json"

    assert look(tmp_path, {path: b"[" * 9999}).leaks == (Leak(f"/{path}", "direct_url.json", 1),)
