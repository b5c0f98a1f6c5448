"""Roots and targets made for tests."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

from venvpkg.host.runner import Completed
from venvpkg.model.target import Family, Interpreter, Release, Target


def root_with(os_release: str, directory: Path) -> Path:
    (directory / "etc").mkdir()
    (directory / "etc/os-release").write_text(os_release)
    return directory


def target_of(release: Release, root: Path = Path("/"), family: Family = Family.RPM) -> Target:
    interpreter = Interpreter(
        path=PurePosixPath("/usr/bin/python3.11"),
        version=(3, 11, 2),
        ext_suffix=".cpython-311-x86_64-linux-gnu.so",
        include=PurePosixPath("/usr/include/python3.11"),
        environment={"python_version": "3.11"},
        glibc=(2, 36),
    )
    return Target(family, release, "x86_64", "x86_64", "", root, interpreter, dist=".el9", isa="(x86-64)")


def python_says(version: tuple[int, int, int] = (3, 11, 2), libc: str = "glibc 2.36") -> Completed:
    """Return what an interpreter answers that is asked what it is."""
    minor = f"{version[0]}.{version[1]}"
    facts = {
        "path": f"/usr/bin/python{minor}",
        "version": version,
        "ext_suffix": ".cpython-311-x86_64-linux-gnu.so",
        "include": f"/usr/include/python{minor}",
        "multiarch": "x86_64-linux-gnu",
        "libc": libc,
        "environment": {"platform_machine": "x86_64", "python_version": minor},
    }
    return Completed(0, json.dumps(facts).encode())
