"""Targets, wheels, sdists and locks made for tests."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.model.lock import BuildPins, Lock, LockedDistribution, RemoteFile
from venvpkg.model.project import Project, Settings, WheelPolicy, WheelSettings
from venvpkg.model.target import Interpreter, Release, Target
from venvpkg.wheelhouse.key import Toolchain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TOOLCHAIN = Toolchain((("CFLAGS", "-O2"), ("LDFLAGS", "-Wl,-z,now")), (("gcc:amd64", "4:12.2.0-3"),))


def bookworm(root: Path = Path("/")) -> Target:
    interpreter = Interpreter(
        path=PurePosixPath("/usr/bin/python3.11"),
        version=(3, 11, 2),
        ext_suffix=".cpython-311-x86_64-linux-gnu.so",
        include=PurePosixPath("/usr/include/python3.11"),
        marker_environment={"python_version": "3.11"},
        glibc=(2, 36),
    )
    release = Release("debian", "12", "bookworm")
    return Target("deb", release, "amd64", "x86_64", "x86_64-linux-gnu", root, interpreter)


def application(
    *, default: WheelPolicy = WheelPolicy.PREFER_COMPILE, compiled: Iterable[str] = (), binary: Iterable[str] = ()
) -> Project:
    wheels = WheelSettings(default, compile=tuple(compiled), binary=tuple(binary))
    return Project(
        "app", None, Path("/app"), Path("/app/pylock.toml"), Path("/app/venvpkg.lock"), Settings(wheels=wheels)
    )


def remote(filename: str, content: bytes = b"") -> RemoteFile:
    return RemoteFile(
        filename, f"https://index.example/{filename}", hashlib.sha256(content or filename.encode()).hexdigest()
    )


def distribution(name: str, *filenames: str, version: str = "1.0") -> LockedDistribution:
    wheels = tuple(remote(each) for each in filenames if each.endswith(".whl"))
    sdists = [remote(each) for each in filenames if not each.endswith(".whl")]
    return LockedDistribution(name, version, wheels, sdists[0] if sdists else None)


def locked(*distributions: LockedDistribution) -> Lock:
    return Lock(distributions)


def pins_of(name: str, source: str, *requires: str, files: Iterable[RemoteFile] = ()) -> BuildPins:
    return BuildPins(name, source, "debian-12-amd64-cp311", requires, tuple(files))


def hash_of(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def wheel_members(
    name: str = "demo", version: str = "1.0", tag: str = "py3-none-any", **files: bytes
) -> dict[str, bytes]:
    """Return the members of a correct wheel but for its RECORD; ``files`` spell ``/`` as ``__``."""
    info = f"{name}-{version}.dist-info"
    return {
        **({key.replace("__", "/"): content for key, content in files.items()} or {f"{name}.py": b"X = 1\n"}),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n\n".encode(),
    }


def record_of(members: Mapping[str, bytes], info: str) -> bytes:
    lines = [f"{name},{hash_of(content)},{len(content)}\n" for name, content in members.items()]
    return "".join((*lines, f"{info}/RECORD,,\n")).encode()


def write_wheel(
    path: Path, members: Mapping[str, bytes] | None = None, *, record: bytes | None = None, mode: int = 0o100664
) -> Path:
    """Write a wheel with the members and a right RECORD, or the one given."""
    members = dict(wheel_members() if members is None else members)
    info = next(name.partition("/")[0] for name in members if ".dist-info/" in name)
    members[f"{info}/RECORD"] = record_of(members, info) if record is None else record
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6))
            member.external_attr = mode << 16
            archive.writestr(member, content, zipfile.ZIP_DEFLATED)
    return path


def write_sdist(path: Path, files: Mapping[str, bytes], *extra: tarfile.TarInfo, time: int = 1_700_000_000) -> Path:
    """Write a .tar.gz with these full names, and then members without content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(content), time, 0o664
            archive.addfile(member, io.BytesIO(content))
        for member in extra:
            archive.addfile(member)
    return path


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member
