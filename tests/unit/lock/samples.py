"""Values that the tests of the lock share."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from venvpkg.model.lock import RemoteFile
from venvpkg.model.project import Project, Settings
from venvpkg.model.target import Interpreter, Release, Target


def target(
    version: tuple[int, int, int] = (3, 11, 2), machine: str = "x86_64", glibc: tuple[int, int] | None = (2, 36)
) -> Target:
    minor = f"{version[0]}.{version[1]}"
    return Target(
        family="deb",
        release=Release("debian", "12", "bookworm"),
        architecture="amd64",
        machine=machine,
        multiarch=f"{machine}-linux-gnu",
        root=Path("/"),
        interpreter=Interpreter(
            path=PurePosixPath(f"/usr/bin/python{minor}"),
            version=version,
            ext_suffix=f".cpython-{version[0]}{version[1]}-{machine}-linux-gnu.so",
            include=PurePosixPath(f"/usr/include/python{minor}"),
            marker_environment={
                "implementation_name": "cpython",
                "implementation_version": ".".join(map(str, version)),
                "os_name": "posix",
                "platform_machine": machine,
                "platform_python_implementation": "CPython",
                "platform_release": "",
                "platform_system": "Linux",
                "platform_version": "",
                "python_full_version": ".".join(map(str, version)),
                "python_version": minor,
                "sys_platform": "linux",
            },
            glibc=glibc,
        ),
    )


def project_in(directory: Path, settings: Settings | None = None) -> Project:
    return Project(
        name="app",
        requirement=None,
        directory=directory,
        lock=directory / "pylock.toml",
        build_lock=directory / "venvpkg.lock",
        settings=settings or Settings(),
    )


def project_of(requirement: str, directory: Path) -> Project:
    return Project(
        name="app",
        requirement=requirement,
        directory=None,
        lock=directory / "pylock.app.toml",
        build_lock=directory / "venvpkg.app.lock",
        settings=Settings(),
    )


def remote(filename: str, content: bytes = b"content", base: str = "https://index.example/files") -> RemoteFile:
    return RemoteFile(filename, f"{base}/{filename}", hashlib.sha256(content).hexdigest())
