"""A built wheel becomes a vendor wheel whose bytes depend on nothing but its contents."""

from __future__ import annotations

import json
import struct
import zipfile
from typing import TYPE_CHECKING

import pytest

from unit.wheelbuild.makers import quiet_sandbox, sandbox_answering
from unit.wheelhouse.makers import bookworm, remote, wheel_members, write_wheel
from venvpkg.errors import MachineError, MissingToolError, WheelError
from venvpkg.host.command import Command, Completed
from venvpkg.model.lock import RemoteFile
from venvpkg.model.wheels import Action, PlannedWheel, SourceTree
from venvpkg.sources.build_sandbox import BuildSandbox
from venvpkg.text import Secrets
from venvpkg.wheelbuild.repack import repack_wheel, retag
from venvpkg.wheelhouse.check import check_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvpkg.sources.build_sandbox import BuildSandbox

SDIST = remote("demo-1.0.tar.gz")
BUILT = "demo-1.0-cp311-cp311-linux_x86_64.whl"


def elf(*, kind: int = 3, payload: bytes = b"debug", misplaced: bool = False) -> bytes:
    """Return a 64-bit ELF file with one loaded segment (gABI)."""
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", kind, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x10 if misplaced else 0, 0, 64, 64, 0x1000)
    return header + segment + payload


def room_in(directory: Path, strip: Completed | None = None, *, result: bytes | None = None) -> BuildSandbox:
    """Return a room whose strip leaves ``result`` in every file; without one it cuts off the payload."""

    def answer(command: Command) -> Completed:
        for name in command.argv[4:]:
            path = directory / "room" / name
            path.write_bytes(path.read_bytes().replace(b"debug", b"") if result is None else result)
        return Completed(0)

    return sandbox_answering(directory, ("/usr/bin/strip",), strip or answer)


def told(name: str, version: str, source: RemoteFile | SourceTree, tree: Path) -> bytes:
    """Tell as materials what was asked."""
    assert isinstance(source, RemoteFile)
    files = {str(each.relative_to(tree)): len(each.read_bytes()) for each in tree.rglob("*") if each.is_file()}
    return json.dumps([name, version, source.filename, files]).encode()


def repacked(
    directory: Path, members: Mapping[str, bytes] | None = None, *, name: str = BUILT, mode: int = 0o100664,
    sandbox: BuildSandbox | None = None,
) -> Path:  # fmt: skip
    content = wheel_members(demo__x_so=elf()) if members is None else members
    raw = write_wheel(directory / "raw" / name, content, mode=mode)
    if sandbox is None:
        has_native = any(each.startswith(b"\x7fELF") for each in content.values())
        sandbox = room_in(directory) if has_native else quiet_sandbox(directory)
    planned = PlannedWheel("demo", "1.0", Action.COMPILE, "", SDIST)
    return repack_wheel(raw, planned, target=bookworm(), sandbox=sandbox, write_sbom=told).wheel


def test_native_code_gets_the_tag_of_the_target_in_name_and_metadata(tmp_path: Path) -> None:
    wheel = repacked(tmp_path)

    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("demo-1.0.dist-info/WHEEL").decode()
    assert wheel.name == "demo-1.0-cp311-cp311-linux_x86_64_debian_12.whl"
    assert [line for line in text.splitlines() if line.startswith("Tag")] == ["Tag: cp311-cp311-linux_x86_64_debian_12"]
    assert "Generator: test" in text


def test_native_code_brings_a_bill_of_materials_of_the_files_as_they_are_installed(tmp_path: Path) -> None:
    data = "demo-1.0.data"
    members = wheel_members(demo__x_so=elf()) | {
        f"{data}/{name}": elf() for name in ("platlib/y.so", "scripts/z", "odd")
    }

    wheel = repacked(tmp_path, members)

    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("demo-1.0.dist-info/sboms/venvpkg.cdx.json")
    site, size = "opt/venvs/demo/lib/python3.11/site-packages", len(elf(payload=b""))
    assert json.loads(text)[:3] == ["demo", "1.0", "demo-1.0.tar.gz"]
    places = (f"{site}/demo/x_so", f"{site}/y.so", "opt/venvs/demo/bin/z", f"{site}/{data}/odd")
    assert json.loads(text)[3] == dict.fromkeys(places, size)
    assert check_wheel(wheel).elf


def test_a_wheel_without_native_code_has_no_bill_and_none_that_claims_to_be_ours(tmp_path: Path) -> None:
    place = "demo-1.0.dist-info/sboms"
    members = wheel_members() | {f"{place}/{name}": b"{}" for name in ("venvpkg.cdx.json", "theirs.cdx.json")}

    wheel = repacked(tmp_path, members, name="demo-1.0-py3-none-any.whl")

    with zipfile.ZipFile(wheel) as archive:
        assert [name for name in archive.namelist() if name.startswith(place)] == [f"{place}/theirs.cdx.json"]


def test_another_tag_keeps_the_bill(tmp_path: Path) -> None:
    wheel = repacked(tmp_path)
    (tmp_path / "exported").mkdir()

    copy = retag(wheel, "linux_x86_64", tmp_path / "exported")

    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(copy) as other:
        name = "demo-1.0.dist-info/sboms/venvpkg.cdx.json"
        assert one.read(name) == other.read(name)


def test_a_pure_wheel_stays_pure(tmp_path: Path) -> None:
    wheel = repacked(tmp_path, wheel_members(), name="demo-1.0-py2.py3-none-any.whl")

    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("demo-1.0.dist-info/WHEEL").decode()
    assert wheel.name == "demo-1.0-py2.py3-none-any.whl"
    assert "Tag: py2-none-any\nTag: py3-none-any\n" in text


def test_a_wheel_that_says_it_is_pure_but_has_native_code_is_not_taken_at_its_word(tmp_path: Path) -> None:
    assert repacked(tmp_path, name="demo-1.0-py3-none-any.whl").name == "demo-1.0-py3-none-linux_x86_64_debian_12.whl"


def test_a_build_number_is_kept(tmp_path: Path) -> None:
    wheel = repacked(tmp_path, name="demo-1.0-3-cp311-abi3-linux_x86_64.whl")

    assert wheel.name == "demo-1.0-3-cp311-abi3-linux_x86_64_debian_12.whl"


def test_order_modes_and_times_of_the_built_wheel_do_not_matter(tmp_path: Path) -> None:
    members = wheel_members(demo__x_so=elf(), demo__a_py=b"a")
    turned = dict(reversed(members.items()))

    first = repacked(tmp_path / "1", members, mode=0o100664)
    second = repacked(tmp_path / "2", turned, mode=0o100600)

    assert first.read_bytes() == second.read_bytes()


def test_members_are_sorted_with_the_metadata_last_and_modes_are_ours(tmp_path: Path) -> None:
    wheel = repacked(tmp_path, wheel_members(zz=b"", demo__x_so=elf()), mode=0o104777)

    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        modes = {
            info.external_attr >> 16 for info in archive.infolist() if not info.filename.endswith(("RECORD", ".json"))
        }
    metadata = ("METADATA", "WHEEL", "sboms/venvpkg.cdx.json", "RECORD")
    assert names == ["demo/x_so", "zz", *(f"demo-1.0.dist-info/{name}" for name in metadata)]
    assert modes == {0o100755}


def test_the_result_is_a_correct_wheel(tmp_path: Path) -> None:
    facts = check_wheel(repacked(tmp_path))

    assert facts.elf == ("demo/x_so",)


def test_where_it_was_built_is_left_out(tmp_path: Path) -> None:
    members = wheel_members() | {"demo-1.0.dist-info/direct_url.json": b'{"url": "file:///home/me"}'}

    wheel = repacked(tmp_path, members, name="demo-1.0-py3-none-any.whl")

    with zipfile.ZipFile(wheel) as archive:
        assert "demo-1.0.dist-info/direct_url.json" not in archive.namelist()


def test_shared_objects_are_stripped_and_record_follows(tmp_path: Path) -> None:
    wheel = repacked(tmp_path)

    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("demo/x_so") == elf(payload=b"")


@pytest.mark.parametrize("result", [b"", b"\x7fELF cut", elf(misplaced=True)])
def test_a_file_that_strip_spoils_stays_as_it_was(tmp_path: Path, result: bytes) -> None:
    wheel = repacked(tmp_path, sandbox=room_in(tmp_path, result=result))

    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("demo/x_so") == elf()


def test_object_files_are_not_stripped(tmp_path: Path) -> None:
    relocatable = elf(kind=1)
    sandbox = quiet_sandbox(tmp_path)

    wheel = repacked(tmp_path, wheel_members(demo__x_o=relocatable), sandbox=sandbox)

    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("demo/x_o") == relocatable


def test_a_missing_strip_names_the_package_that_brings_it(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="binutils"):
        repacked(tmp_path, sandbox=room_in(tmp_path, Completed(127)))


def test_a_strip_without_space_is_told_rather_than_kept_as_an_unstripped_wheel(tmp_path: Path) -> None:
    def full_disk(command: Command) -> Completed:
        assert command.log is not None
        with command.log.open("a") as log:
            log.write("/usr/bin/strip: error: strip/stX1: No space left on device\n")
        return Completed(1)

    sandbox = sandbox_answering(tmp_path, ("/usr/bin/strip",), full_disk)

    with pytest.raises(MachineError, match="No space left on device"):
        repacked(tmp_path, sandbox=sandbox)


@pytest.mark.parametrize(
    ("name", "members", "problem"),
    [
        ("other-1.0-py3-none-any.whl", wheel_members("other"), "it is a wheel of other"),
        ("demo-1.1-py3-none-any.whl", wheel_members("demo", "1.1"), "its version is 1.1, not 1.0"),
        ("demo-1.0-cp312-cp312-linux_x86_64.whl", wheel_members(), "it is not for Python 3.11"),
        ("demo-1.0-py3-none-any.whl", {**wheel_members(), "../evil": b""}, "leaves the tree"),
    ],
)
def test_a_wheel_that_is_not_what_was_to_be_built_is_refused(
    tmp_path: Path, name: str, members: dict[str, bytes], problem: str
) -> None:
    with pytest.raises(WheelError, match=problem):
        repacked(tmp_path, members, name=name)


def test_urls_in_the_fields_of_metadata_lose_their_passwords_and_the_description_stays(tmp_path: Path) -> None:
    members = wheel_members()
    metadata = members["demo-1.0.dist-info/METADATA"].partition(b"\n\n")[0]
    example = b"\n\nUse https://user:password@example.org/\n"
    members["demo-1.0.dist-info/METADATA"] = (
        b"\n".join(
            (metadata.rstrip(), b"Requires-Dist: lib @ https://me:hush-42@corp/lib.whl", b"Home-page: https://me@corp")
        )
        + example
    )

    wheel = repacked(tmp_path, members, name="demo-1.0-py3-none-any.whl")

    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("demo-1.0.dist-info/METADATA")
    assert b"Requires-Dist: lib @ https://corp/lib.whl\nHome-page: https://corp" in text
    assert text.endswith(example)
    assert check_wheel(wheel).name == "demo"


def test_a_wheel_with_a_password_of_the_run_is_refused(tmp_path: Path) -> None:
    members = wheel_members() | {"demo/pip.conf": b"index-url = https://me:hush-42@corp/"}
    raw = write_wheel(tmp_path / "raw" / "demo-1.0-py3-none-any.whl", members)
    planned = PlannedWheel("demo", "1.0", Action.COMPILE, "", SDIST)
    secrets, sandbox = Secrets((b"hush-42",)), quiet_sandbox(tmp_path)

    with pytest.raises(WheelError, match="contains a password") as caught:
        repack_wheel(raw, planned, target=bookworm(), sandbox=sandbox, write_sbom=told, secrets=secrets)

    assert caught.value.details == "  demo/pip.conf"
